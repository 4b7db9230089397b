"""Detached signatures, SE07."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import ConfigError, UsageError
from pluginkit.security import signatures
from pluginkit.security.signatures import Signature, key_id, new_key
from pluginkit.security.trust_policy import KEYS
from tests.support.trust_project import Project


class Signer:
    def __init__(self) -> None:
        self.private, self.public = new_key()
        self.id = key_id(base64.b64decode(self.public))

    def sign(self, project: Project) -> Path:
        signature = signatures.sign(self.private, project.subject(), project.files())
        file = signatures.signature_file(project.cat)
        file.write_text(signature.as_text())
        return file


@pytest.fixture(scope="module")
def alice() -> Signer:
    return Signer()


@pytest.fixture(scope="module")
def mallory() -> Signer:
    return Signer()


@pytest.mark.parametrize("policy", ["required", "if_present"])
def test_se07_a_plugin_signed_by_a_trusted_key_loads(project: Project, alice: Signer, policy: str) -> None:
    alice.sign(project)
    assert project.verdict(signatures=policy, keys={"alice": alice.public}) == ("running", None)


def test_se07_signature_and_list_and_lock_together(project: Project, alice: Signer) -> None:
    project.write_list()
    alice.sign(project)
    project.approve()
    policy: dict[str, Any] = dict.fromkeys(("signatures", "checksums", "lock"), "required")
    assert project.verdict(**policy, keys={"alice": alice.public}) == ("running", None)


@pytest.mark.parametrize("name", ["cat.py", "voice.py", "words.txt"])
def test_se07_a_changed_file_is_refused(project: Project, alice: Signer, name: str) -> None:
    alice.sign(project)
    with (project.cat / name).open("a") as file:
        file.write("\n")
    assert project.verdict(keys={"alice": alice.public}) == ("failed", "signature-invalid")


def test_se07_a_file_more_or_less_is_refused(project: Project, alice: Signer) -> None:
    alice.sign(project)
    (project.cat / "more.py").write_text("")
    assert project.verdict(keys={"alice": alice.public}) == ("failed", "signature-invalid")
    (project.cat / "more.py").unlink()
    (project.cat / "words.txt").unlink()
    assert project.verdict(keys={"alice": alice.public}) == ("failed", "signature-invalid")


def test_se07_a_signature_of_another_version_says_nothing(project: Project, alice: Signer) -> None:
    file = alice.sign(project)
    kept = file.read_text()
    project.write_cat("1.0.1")
    file.write_text(kept)
    assert project.verdict(keys={"alice": alice.public}) == ("failed", "signature-invalid")


def test_se07_a_key_that_is_not_trusted_is_refused(project: Project, alice: Signer, mallory: Signer) -> None:
    mallory.sign(project)
    assert project.verdict(keys={"alice": alice.public}) == ("failed", "signer-unknown")


def test_se07_a_signature_under_the_id_of_a_trusted_key_is_refused(
    project: Project, alice: Signer, mallory: Signer
) -> None:
    file = mallory.sign(project)
    file.write_text(file.read_text().replace(mallory.id, alice.id))
    assert project.verdict(keys={"alice": alice.public}) == ("failed", "signature-invalid")


def test_se07_a_revoked_key_is_refused(project: Project, alice: Signer) -> None:
    alice.sign(project)
    assert project.verdict(keys={"alice": alice.public}, revoked=[alice.id]) == ("failed", "signer-unknown")


def test_se07_an_unsigned_plugin_where_signatures_are_required_and_not(
    project: Project, alice: Signer
) -> None:
    keys = {"alice": alice.public}
    assert project.verdict(signatures="required", keys=keys) == ("failed", "signature-missing")
    assert project.verdict(signatures="required") == ("failed", "signature-missing")
    assert project.verdict(signatures="if_present", keys=keys) == ("running", None)


def test_se07_without_keys_or_when_off_a_signature_is_not_looked_at(
    project: Project, mallory: Signer
) -> None:
    mallory.sign(project)
    assert project.verdict() == ("running", None)
    assert project.verdict(signatures="off", keys={"mallory": mallory.public}) == ("running", None)
    # Whom nobody trusts cannot sign what is required.
    assert project.verdict(signatures="required") == ("failed", "signer-unknown")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"pluginkit-signature-v1\n",
        b"pluginkit-signature-v2\nkey 0123456789abcdef\nsignature " + b"A" * 86 + b"==\n",
        b"pluginkit-signature-v1\nkey 0123456789ABCDEF\nsignature " + b"A" * 86 + b"==\n",
        b"pluginkit-signature-v1\nkey 0123456789abcdef\nsignature " + b"A" * 85 + b"===\n",
        b"pluginkit-signature-v1\nkey 0123456789abcdef\nsignature " + b"A" * 86 + b"==\nmore\n",
        b"x" * 5000,
    ],
)
def test_se07_a_signature_file_of_another_form_is_refused(
    project: Project, alice: Signer, content: bytes
) -> None:
    (project.cat / "plugin.sig").write_bytes(content)
    assert project.verdict(keys={"alice": alice.public}) == ("failed", "signature-malformed")


def test_se07_what_is_signed_is_the_documented_text(project: Project) -> None:
    (project.cat / "words.txt").unlink()
    lines = signatures.message(project.subject(), project.files()).decode().splitlines()
    assert lines[:3] == ["pluginkit-files-v1", "name cat", "version 1.0.0"]
    assert [line[64:] for line in lines[3:]] == ["  cat.py", "  manifest.yaml", "  voice.py"]


@pytest.mark.parametrize("key", ["", "abc", "!!!!", "A" * 44, "QUJD", 5], ids=repr)
def test_se07_a_trusted_key_that_is_none_is_an_error_of_the_configuration(
    project: Project, key: object
) -> None:
    with pytest.raises(ConfigError) as caught:
        project.host(keys={"bob": key})
    assert "trust.keys: bob: must be an ed25519 public key" in str(caught.value.problems[0])


def test_se07_only_ed25519_keys_without_a_password_sign(project: Project) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for pem, what in ((b"nothing", "no private key"), (other, "another kind")):
        with pytest.raises(UsageError, match=what):
            signatures.sign(pem, project.subject(), project.files())


def test_se07_without_the_extra_the_error_says_what_to_install(
    project: Project, alice: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.sign(project)
    for name in [name for name in sys.modules if name.split(".")[0] == "cryptography"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with project.host(keys={"alice": alice.public}) as host:
        reason = host.plugins["cat"].reason
        assert reason is not None
        assert reason.code == "sign-extra-missing"
        assert "pip install 'cryptography>=42'" in reason.text
    with pytest.raises(UsageError, match="pip install 'cryptography>=42'"):
        new_key()


def test_se07_cryptography_is_not_imported_unless_a_signature_is_checked(project: Project) -> None:
    """In a process of its own: this one has imported it."""
    with project.host(keys={"alice": Signer().public}):
        pass
    code = (
        "import sys; from pluginkit import Config, Host\n"
        f"host = Host(Config.load({str(project.root / 'config.json')!r}))\n"
        "host.load(); assert str(host.plugins['cat'].state) == 'loaded', host.plugins['cat'].reason\n"
        "assert 'cryptography' not in sys.modules; host.close()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_se07_a_signature_reads_back(alice: Signer) -> None:
    text = Signature(alice.id, b"\x01" * 64).as_text()
    assert text.startswith(f"pluginkit-signature-v1\nkey {alice.id}\nsignature AQEB")


@pytest.mark.parametrize(
    ("section", "path"),
    [
        ({"checksums": "maybe"}, "trust.checksums"),
        ({"signatures": True}, "trust.signatures"),
        ({"lock": 1}, "trust.lock"),
        ({"plugins_dir": "yes"}, "trust.plugins_dir"),
        ({"lock_file": ""}, "trust.lock_file"),
        ({"revoked": "abc"}, "trust.revoked"),
        ({"keys": ["abc"]}, "trust.keys"),
        ({"key": {}}, "trust.key: unknown key; did you mean 'keys'?"),
    ],
)
def test_se07_a_section_trust_that_is_wrong_is_an_error_with_its_key(
    project: Project, section: dict[str, Any], path: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        project.host(**section)
    assert path in str(caught.value.problems[0])


def test_se03_every_key_of_trust_is_documented() -> None:
    page = Path(__file__).parents[2].joinpath("docs/reference/config.md").read_text("utf-8")
    assert [key for key in KEYS if f"| `{key}:` |" not in page] == []
