"""Detached ed25519 signatures over a plugin's list of files, in `plugin.sig` beside them.

What is signed is a text, in this form and no other:

    pluginkit-files-v1
    name NAME
    version VERSION
    SHA256  PATH        (one line per file, sorted by path)

It is made anew from the files that are to be loaded, never read from disk, so there is no list that
could disagree with them. Name and version stand in it, so that a signature of one plugin says nothing
of another. Keys are known by their id, the first 16 hex digits of the sha256 of the public key's 32
bytes; whose they are is for the host's configuration to say, never for the plugin.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.errors import UsageError
from pluginkit.security.checksums import as_text
from pluginkit.security.subject import refuse
from pluginkit.security.tree import SIGNATURE
from pluginkit.strict_yaml import YamlError, read_regular_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pluginkit.security.subject import Subject

_HEADER = "pluginkit-signature-v1"
_FORM = re.compile(rf"{_HEADER}\nkey ([0-9a-f]{{16}})\nsignature ([A-Za-z0-9+/]{{86}}==)\n?")
_MAX_BYTES = 4096

NEEDS_EXTRA = "signatures need cryptography (pluginkit's extra `sign`): pip install 'cryptography>=42'"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a `plugin.sig` says: the id of the key, and the signature's 64 bytes."""

    key_id: str
    value: bytes

    def as_text(self) -> str:
        """The content of `plugin.sig`."""
        return f"{_HEADER}\nkey {self.key_id}\nsignature {base64.b64encode(self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """The public keys that the host's configuration names; those in `revoked` count no longer."""

    by_id: Mapping[str, tuple[str, bytes]]
    revoked: frozenset[str] = frozenset()

    @classmethod
    def of(cls, keys: Mapping[str, str], revoked: frozenset[str] = frozenset()) -> TrustedKeys:
        """Take the keys of `trust.keys`, which have been checked when the configuration was read."""
        by_id = {}
        for owner, text in keys.items():
            public = base64.b64decode(text)
            by_id[key_id(public)] = owner, public
        return cls(by_id, revoked)


def key_id(public: bytes) -> str:
    """By what a key is named in signatures and in the lock."""
    return hashlib.sha256(public).hexdigest()[:16]


def message(subject: Subject, files: Mapping[str, str]) -> bytes:
    """The bytes that are signed: the plugin's name, its version, and the list of its files."""
    head = f"pluginkit-files-v1\nname {subject.name}\nversion {subject.version}\n"
    return (head + as_text(files)).encode("utf-8", "surrogatepass")


def signature_file(root: Path) -> Path:
    """Where the signature of a plugin lies: inside its directory, or beside its only file."""
    return root / SIGNATURE if root.is_dir() else root.with_name(f"{root.name}.sig")


def read_signature(root: Path) -> Signature | None:
    """The signature beside a plugin's files; raises `Refused` (`signature-malformed`)."""
    file = signature_file(root)
    if not file.is_file():
        return None
    try:
        text = read_regular_file(file, max_bytes=_MAX_BYTES).decode("ascii")
    except (YamlError, ValueError) as error:
        raise refuse("signature-malformed", f"cannot be read: {error}", file=file) from error
    match = _FORM.fullmatch(text)
    if match is None:
        text = f"must be the three lines `{_HEADER}`, `key ID`, `signature BASE64`; sign the plugin again"
        raise refuse("signature-malformed", text, file=file)
    return Signature(match[1], base64.b64decode(match[2]))


def check_signature(
    signature: Signature, keys: TrustedKeys, subject: Subject, files: Mapping[str, str]
) -> str:
    """The id of the trusted key that signed these very files; raises `Refused`."""
    file = signature_file(subject.root)
    known = keys.by_id.get(signature.key_id)
    if signature.key_id in keys.revoked:
        text = f"is by the key {signature.key_id}, which trust.revoked lists"
        raise refuse("signer-unknown", text, file=file)
    if known is None:
        text = f"is by the key {signature.key_id}, which is not in trust.keys of the host's configuration"
        raise refuse("signer-unknown", text, file=file)
    try:
        verifier = _ed25519().Ed25519PublicKey.from_public_bytes(known[1])
    except ImportError as error:
        raise refuse("sign-extra-missing", NEEDS_EXTRA, file=file) from error
    from cryptography.exceptions import InvalidSignature

    try:
        verifier.verify(signature.value, message(subject, files))
    except InvalidSignature as error:
        text = (
            f"is not a signature of these files by {known[0]} ({signature.key_id}): a file, the name or the version "
            "of the plugin was changed after it was signed"
        )
        raise refuse("signature-invalid", text, file=file) from error
    return signature.key_id


# Signing


def sign(private_pem: bytes, subject: Subject, files: Mapping[str, str]) -> Signature:
    """Sign a plugin's files with a private key (PEM, as `new_key` makes it); raises `UsageError`."""
    private = _private(private_pem)
    return Signature(key_id(_raw(private)), private.sign(message(subject, files)))


def new_key() -> tuple[bytes, str]:
    """A new private key in PEM, not encrypted, and its public key in base64."""
    serialization = _serialization()
    private = _required().Ed25519PrivateKey.generate()
    pem: bytes = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem, base64.b64encode(_raw(private)).decode()


def _private(pem: bytes) -> Any:
    kind = _required().Ed25519PrivateKey
    try:
        private = _serialization().load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise UsageError(f"the key file is no private key in PEM without a password: {error}") from error
    if not isinstance(private, kind):
        raise UsageError("the key file holds a key of another kind; only ed25519 keys sign plugins")
    return private


def _raw(private: Any) -> bytes:
    raw: bytes = private.public_key().public_bytes_raw()
    return raw


def _required() -> Any:
    try:
        return _ed25519()
    except ImportError as error:
        raise UsageError(NEEDS_EXTRA) from error


def _ed25519() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519


def _serialization() -> Any:
    _required()
    from cryptography.hazmat.primitives import serialization

    return serialization
