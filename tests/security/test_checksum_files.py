"""Checksum files, SE01 to SE03: their form, what they cover, and the policies."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import py_compile
import re
from pathlib import Path
from typing import Any

import pytest

from pluginkit import security
from pluginkit.security.checksums import read_checksums
from pluginkit.security.subject import CODES, Refused
from pluginkit.security.tree import tree_digest
from tests.support.trust_project import Project

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize("name", ["plugin.sha256", "cat.sha256", "cat.py.sha256"])
def test_se01_a_list_in_each_spelling_lets_the_plugin_load(project: Project, name: str) -> None:
    project.write_list(name)
    assert project.verdict(checksums="required") == ("running", None)


@pytest.mark.parametrize("name", ["plugin.sha256", "cat.sha256"])
def test_se01_a_list_in_each_spelling_is_looked_at(project: Project, name: str) -> None:
    project.write_list(name)
    (project.cat / "voice.py").write_text('SOUND = "Woof"\n')
    assert project.verdict() == ("failed", "checksum-mismatch")


def test_se01_two_lists_that_may_disagree_are_refused(project: Project) -> None:
    project.write_list("plugin.sha256")
    project.write_list("cat.sha256")
    assert project.verdict() == ("failed", "checksum-malformed")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("", "64 hex digits"),
        (HEX, "64 hex digits"),
        (f"{HEX[1:]} cat.py", "64 hex digits"),
        (f"{HEX}0 cat.py", "64 hex digits"),
        (f"{HEX[:-1]}g cat.py", "64 hex digits"),
        (f"sha256:{HEX} cat.py", "64 hex digits"),
        (f"{HEX}\tcat.py", "64 hex digits"),
        (f"{HEX} ../dog/dog.py", "inside the plugin"),
        (f"{HEX} /etc/passwd", "inside the plugin"),
        (f"{HEX} a/./b", "inside the plugin"),
        (f"{HEX} a\\b", "inside the plugin"),
        (f"{HEX} a\x01b", "inside the plugin"),
        (f"{HEX} first.py", "twice"),
        (f"{HEX} ./first.py", "twice"),
    ],
)
def test_se01_a_wrong_line_is_an_error_with_file_and_line(tmp_path: Path, line: str, what: str) -> None:
    file = tmp_path / "plugin.sha256"
    file.write_text(f"{HEX} first.py\n{line}\n")
    with pytest.raises(Refused) as caught:
        read_checksums(file)
    assert caught.value.reason.code == "checksum-malformed"
    assert f"{file}:2: " in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\n"])
def test_se01_an_empty_or_unreadable_list_is_an_error(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "plugin.sha256"
    file.write_bytes(data)
    with pytest.raises(Refused, match=r"64 hex digits|cannot be read"):
        read_checksums(file)


def test_se01_a_list_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "plugin.sha256"
    file.write_bytes(b"x" * ((4 << 20) + 1))
    with pytest.raises(Refused, match="larger than"):
        read_checksums(file)


def test_se01_what_sha256sum_writes_is_read(tmp_path: Path) -> None:
    file = tmp_path / "plugin.sha256"
    file.write_bytes(f"{HEX}  ./a b.py\r\n{HEX} *b.py\n{HEX.upper()} c/d.py\n".encode())
    assert read_checksums(file) == {"a b.py": HEX, "b.py": HEX, "c/d.py": HEX}


def test_se03_hex_digits_may_be_in_upper_case(project: Project) -> None:
    file = project.write_list()
    file.write_text(
        "".join(f"{h.upper()}  {n}\n" for h, n in (r.split("  ") for r in file.read_text().splitlines()))
    )
    assert project.verdict(checksums="required") == ("running", None)


@pytest.mark.parametrize("name", ["cat.py", "voice.py", "words.txt", "manifest.yaml"])
def test_se02_every_file_is_covered(project: Project, name: str) -> None:
    project.write_list()
    with (project.cat / name).open("a") as file:
        file.write("\n")
    assert project.verdict() == ("failed", "checksum-mismatch")


def test_se02_one_number_for_the_whole_tree(project: Project) -> None:
    (project.cat / "plugin.sha256").write_text(f"{tree_digest(project.files())} .\n")
    assert project.verdict(checksums="required") == ("running", None)
    (project.cat / "more.txt").write_text("more")
    assert project.verdict(checksums="required") == ("failed", "checksum-mismatch")


def test_se02_an_unlisted_file_is_refused(project: Project) -> None:
    project.write_list()
    (project.cat / "voice2.py").write_text("")
    assert project.verdict() == ("failed", "unlisted-file")


def test_se02_a_listed_file_that_is_missing_is_refused(project: Project) -> None:
    project.write_list()
    (project.cat / "words.txt").unlink()
    assert project.verdict() == ("failed", "listed-file-missing")


def test_se02_compiled_code_that_is_not_listed_is_refused(project: Project, tmp_path: Path) -> None:
    project.write_list()
    evil = tmp_path / "evil.py"
    evil.write_text('SOUND = "poisoned"\n')
    py_compile.compile(str(evil), cfile=str(project.cat / "voice.pyc"))
    assert project.verdict() == ("failed", "unlisted-bytecode")


def test_se02_a_poisoned_pycache_is_never_used(project: Project, tmp_path: Path) -> None:
    """The pyc says that it was made of the very voice.py that lies beside it, so Python would take it."""
    project.write_list()
    voice = project.cat / "voice.py"
    right, status = voice.read_text(), voice.stat()
    evil = tmp_path / "evil.py"
    evil.write_text('SOUND = "Evil"\n')
    assert len(evil.read_bytes()) == status.st_size
    os.utime(evil, ns=(status.st_atime_ns, status.st_mtime_ns))
    py_compile.compile(str(evil), cfile=importlib.util.cache_from_source(str(voice)), dfile=str(voice))
    spec = importlib.util.spec_from_file_location("poisoned_voice", voice)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.SOUND == "Evil", "the attack does not work on plain Python: this test would prove nothing"
    with project.host(checksums="required") as host:
        assert host.hook.speak() == ["Meow"]
    assert voice.read_text() == right


def test_se02_the_bytes_that_were_checked_are_compiled(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pluginkit.security.judge import Judge

    project.write_list()
    check = Judge.check

    def check_then_swap(self: Judge, *args: Any) -> None:
        check(self, *args)
        (project.cat / "voice.py").write_text('SOUND = "swapped"\n')

    monkeypatch.setattr(Judge, "check", check_then_swap)
    with project.host(checksums="required") as host:
        assert host.hook.speak() == ["Meow"]
    assert (project.cat / "voice.py").read_text() == 'SOUND = "swapped"\n'


def test_se02_a_manifest_that_changed_after_it_was_judged_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pluginkit.lifecycle.bringup import read_files as read

    def swap_then_read(*args: Any) -> object:
        project.write_cat(capabilities={"env": ["HOME"]})
        project.write_list()
        return read(*args)

    monkeypatch.setattr("pluginkit.lifecycle.loads.read_files", swap_then_read)
    # The files and their list agree; only the manifest that was judged is another one.
    assert project.verdict(checksums="required") == ("failed", "changed-while-checked")


def test_se02_a_symlink_inside_the_tree_is_refused(project: Project, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("SOUND = 1\n")
    (project.cat / "outside.py").symlink_to(tmp_path / "outside.py")
    assert project.verdict() == ("failed", "symlink-inside")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("required", ("failed", "checksum-missing")),
        ("if_present", ("running", None)),
        ("off", ("running", None)),
    ],
)
def test_se03_policies_without_a_list(
    project: Project, policy: str, expected: tuple[str, str | None]
) -> None:
    assert project.verdict(checksums=policy) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("required", ("failed", "checksum-mismatch")),
        ("if_present", ("failed", "checksum-mismatch")),
        ("off", ("running", None)),
    ],
)
def test_se03_policies_with_a_wrong_list(
    project: Project, policy: str, expected: tuple[str, str | None]
) -> None:
    project.write_list()
    (project.cat / "words.txt").write_text("hiss")
    assert project.verdict(checksums=policy) == expected


def test_se02_a_plugin_of_one_file_has_its_list_beside_it(project: Project) -> None:
    source = '__plugin__ = {"version": "1.0.0"}\n'
    single = project.plugins / "shrug.py"
    single.write_text(source)
    (project.plugins / "shrug.py.sha256").write_text(
        f"{hashlib.sha256(source.encode()).hexdigest()} shrug.py\n"
    )
    with project.host() as host:
        before = host.plugins["shrug"].reason
    single.write_text(source + "\n")
    with project.host() as host:
        shrug = host.plugins["shrug"]
        assert before is None or before.code not in ("checksum-mismatch", "unlisted-file")
        assert shrug.reason is not None
        assert shrug.reason.code == "checksum-mismatch"


def test_se02_a_reload_of_an_edited_file_is_refused_and_the_old_version_serves(project: Project) -> None:
    project.write_list()
    with project.host(checksums="required") as host:
        (project.cat / "voice.py").write_text('SOUND = "Woof"\n')
        report = host.reload("cat")
        assert not report.ok
        assert report.failure is not None
        assert (report.failure.step, report.failure.reason.code) == ("trust", "checksum-mismatch")
        assert host.hook.speak() == ["Meow"]
        host.rescan()
        assert host.hook.speak() == ["Meow"]
        project.write_list()
        assert host.reload("cat").ok
        assert host.hook.speak() == ["Woof"]


def test_se_every_refusal_has_a_code_of_its_own_and_none_is_unused() -> None:
    package = Path(security.__file__).parent
    used = {
        code
        for file in (*package.glob("*.py"), package.parent / "lifecycle" / "bringup.py")
        for code in re.findall(r'(?:refuse|hold|Reason)\(\s*"([a-z-]+)"', file.read_text("utf-8"))
    }
    assert {code for code in used if code in CODES} == CODES
    assert used - CODES <= {"contract-unmet", "hooks-refused"}


def test_se02_a_refusal_says_file_and_what_to_do(project: Project) -> None:
    project.write_list()
    (project.cat / "more.py").write_text("")
    with project.host() as host:
        text = str(host.plugins["cat"].reason)
    assert str(project.cat / "plugin.sha256") in text
    assert "'more.py'" in text
    assert "pluginkit verify" in text
