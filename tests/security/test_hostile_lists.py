"""SE10: names of files in checksum lists, signatures and the lock lead nowhere and stand for one file."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from pluginkit.security import signatures
from pluginkit.security.checksums import as_text, read_checksums
from pluginkit.security.repeats import LONGEST_TARGET, shown
from pluginkit.security.signatures import key_id, new_key
from pluginkit.security.subject import Refused
from pluginkit.security.tree import tree_digest
from tests.support.hostile import HOSTILE, is_tame
from tests.support.trust_project import Project

HEX = "0" * 64


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py", "..", "a/../../evil.py", "/etc/passwd", "//x", "a//b", "a/./b", "./../x", "a\\b", "..\\evil", "a\0b", "a\tb", "\x1b[2J",
        "a/", "a\rb", "././x",
    ],
)  # fmt: skip
def test_se10_a_checksum_list_speaks_only_of_files_inside(project: Project, name: str) -> None:
    file = project.write_list()
    file.write_bytes(file.read_bytes() + f"{HEX}  {name}\n".encode())
    assert project.verdict(checksums="if_present") == ("failed", "checksum-malformed")
    with pytest.raises(Refused) as caught:
        read_checksums(file)
    assert is_tame(str(caught.value))


@pytest.mark.parametrize("name", ["cat.py", "./cat.py"])
def test_se10_a_file_that_is_listed_twice_is_refused(project: Project, name: str) -> None:
    file = project.write_list()
    assert project.verdict(checksums="required") == ("running", None)
    file.write_text(file.read_text("utf-8") + f"{HEX}  {name}\n", "utf-8")
    assert project.verdict(checksums="if_present") == ("failed", "checksum-malformed")


@pytest.mark.parametrize("name", ["\uff43at.py", "cat.py ", "CAT.py", "cat\u200b.py", "ca\u0442.py"])
def test_se10_a_look_alike_in_the_list_is_another_file(project: Project, name: str) -> None:
    file = project.write_list()
    file.write_text(file.read_text("utf-8") + f"{HEX}  {name}\n", "utf-8")
    assert project.verdict(checksums="if_present") == ("failed", "listed-file-missing")


def test_se10_no_two_trees_have_the_same_list() -> None:
    one = {"a": "1" * 64, "b": "2" * 64}
    other = {f"a\n{'2' * 64}  b": "1" * 64}
    third = {f"a\\n{'2' * 64}  b": "1" * 64}
    texts = [as_text(files) for files in (one, other, third)]
    assert len(set(texts)) == 3
    assert len({tree_digest(files) for files in (one, other, third)}) == 3
    assert texts[1].count("\n") == 1
    # As GNU's sha256sum writes such a name.
    assert texts[1] == f"\\{'1' * 64}  a\\n{'2' * 64}  b\n"


def test_se10_a_file_named_like_two_lines_of_the_signed_list_is_not_those_two_files(project: Project) -> None:
    (project.cat / "yarn.txt").write_text("a ball\n")
    private, public = new_key()
    signature = signatures.sign(private, project.subject(), project.files())
    signatures.signature_file(project.cat).write_text(signature.as_text())
    trust: dict[str, Any] = {"signatures": "required", "keys": {"alice": public}}
    assert project.verdict(**trust) == ("running", None)
    yarn = project.files()["yarn.txt"]
    (project.cat / "yarn.txt").unlink()
    (project.cat / "words.txt").rename(project.cat / f"words.txt\n{yarn}  yarn.txt")
    assert project.verdict(**trust) == ("failed", "signature-invalid")
    assert signature.key_id == key_id(base64.b64decode(public))


@pytest.mark.parametrize(
    "text",
    ["key ../../evil", "key 0000000000000000\nkey 1111111111111111", "\x1b[2J", "key \uff10000000000000000"],
)
def test_se10_a_signature_file_has_its_three_lines_and_no_other(project: Project, text: str) -> None:
    signatures.signature_file(project.cat).write_text(f"pluginkit-signature-v1\n{text}\n", "utf-8")
    _, public = new_key()
    policy: dict[str, Any] = {"signatures": "if_present", "keys": {"alice": public}}
    assert project.verdict(**policy) == ("failed", "signature-malformed")


@pytest.mark.parametrize("name", [*HOSTILE[:-2], "\u212aat"])
def test_se10_a_lock_approves_only_what_can_be_a_plugins_name(project: Project, name: str) -> None:
    project.approve()
    document = json.loads(project.lock.path.read_text("utf-8"))
    row = {**document["plugins"]["cat"], "name": name}
    for key in (name, name.lower(), "kat"):
        document["plugins"] = {key: row}
        project.lock.path.write_text(json.dumps(document), "utf-8")
        with pytest.raises(Refused) as caught:
            project.lock.read()
        assert caught.value.reason.code == "lock-unreadable"
        assert is_tame(str(caught.value))
    assert project.verdict(lock="if_present") == ("failed", "lock-unreadable")


def test_se10_a_name_that_stands_twice_in_the_lock_approves_nothing(project: Project) -> None:
    project.approve()
    text = project.lock.path.read_text("utf-8")
    row = json.dumps(json.loads(text)["plugins"]["cat"])
    project.lock.path.write_text(
        f'{{"schema_version": 1, "plugins": {{"cat": {row}, "cat": {row}}}}}', "utf-8"
    )
    assert project.verdict(lock="if_present") == ("failed", "lock-unreadable")


@pytest.mark.parametrize("field", ["origin", "sha256", "signer", "version"])
@pytest.mark.parametrize("value", ["../evil", "\x1b[2J\nforged", "a\0b"])
def test_se10_hostile_words_in_the_lock_are_told_on_a_line_and_lead_nowhere(
    project: Project, field: str, value: str
) -> None:
    project.approve()
    document = json.loads(project.lock.path.read_text("utf-8"))
    document["plugins"]["cat"][field] = value
    project.lock.path.write_text(json.dumps(document), "utf-8")
    before = {path.name for path in project.root.iterdir()}
    with project.host(lock="required") as host:
        cat = host.plugins["cat"]
        assert field in {"origin", "signer"} or cat.state == "failed"
        assert cat.reason is None or is_tame(str(cat.reason))
    assert {path.name for path in project.root.iterdir()} - before <= {".pluginkit", "config.json"}


@pytest.mark.parametrize("target", HOSTILE)
def test_se10_the_target_of_a_denial_is_told_on_one_line_of_bounded_length(target: str) -> None:
    text = shown(target)
    assert text.isprintable()
    assert len(text) <= LONGEST_TARGET + 1
    assert target.isprintable() is False or text.removesuffix("…") == target[:LONGEST_TARGET]


def test_se10_a_trust_store_with_hostile_paths_trusts_by_digest_only(tmp_path: Path) -> None:
    from pluginkit.security.trusted import TrustStore

    store = TrustStore(tmp_path / "trusted.json")
    store.add([("0" * 64, Path("../evil\n\x1b[2J"))])
    assert "0" * 64 in store
    assert "../evil" not in store
    assert [path.name for path in tmp_path.iterdir()] == ["trusted.json"]
