"""The section `trust` of the host's configuration, read strictly: an unknown key is no trust at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from pluginkit.errors import ConfigError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

Demand = Literal["required", "if_present", "off"]
"""Whether a plugin without a checksum, signature or lock entry is refused, let pass, or nobody looks."""

DEMANDS: tuple[Demand, ...] = get_args(Demand)
KEY_BYTES = 32
_DEMANDED = ("checksums", "signatures", "lock")
KEYS = (*_DEMANDED, "lock_file", "keys", "revoked", "plugins_dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """What a host demands of its plugins' files.

    `keys` are the public keys of those whose signatures count, base64, by the name they are called
    here; `revoked` are ids of keys that count no longer. `plugins_dir` says whether the plugins directory
    beside the configuration is trusted; None leaves that to where it lies. `lock_file` is relative to the configuration.

    >>> TrustPolicy.read({"checksums": "required"}).checksums
    'required'
    """

    checksums: Demand = "if_present"
    signatures: Demand = "if_present"
    lock: Demand = "if_present"
    lock_file: Path = Path("plugins.lock")
    keys: Mapping[str, str] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()
    plugins_dir: bool | None = None

    @classmethod
    def read(cls, section: Mapping[str, Any], file: Path | None = None) -> TrustPolicy:
        """Make a policy of the section `trust`; raises `ConfigError` with all that is wrong in it."""
        problems = list(_problems(section, file))
        if problems:
            raise ConfigError("the configuration cannot be used", problems)
        values = dict(section)
        if "lock_file" in values:
            values["lock_file"] = Path(values["lock_file"])
        if "revoked" in values:
            values["revoked"] = frozenset(values["revoked"])
        return cls(**values)


def _problems(section: Mapping[str, Any], file: Path | None) -> Iterator[Problem]:
    for name, value in section.items():
        message, example = _fault(name, value)
        if message:
            from pluginkit.config.frozen import thaw

            yield Problem(message, path=f"trust.{name}", found=repr(thaw(value)), example=example, file=file)


def _fault(name: str, value: object) -> tuple[str, str | None]:
    if name not in KEYS:
        return f"unknown key{did_you_mean(str(name), KEYS)}", None
    if name == "keys":
        return _fault_of_keys(value)
    if name in _DEMANDED:
        is_fine, wanted, example = value in DEMANDS, f"one of {', '.join(DEMANDS)}", "required"
    elif name == "plugins_dir":
        is_fine, wanted, example = isinstance(value, bool), "true or false", "true"
    elif name == "lock_file":
        is_fine = isinstance(value, str) and bool(value.strip()) and "\0" not in value
        wanted, example = "a path", "plugins.lock"
    else:
        is_fine = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        wanted, example = "a list of ids of keys", "[0123456789abcdef]"
    return ("" if is_fine else f"must be {wanted}"), f"{name}: {example}"


def _fault_of_keys(value: object) -> tuple[str, str | None]:
    if not isinstance(value, Mapping):
        return "must be a mapping of a name to a public key", "keys: {alice: …=}"
    wrong = [owner for owner, text in value.items() if not is_public_key(text)]
    text = f"{', '.join(map(str, wrong))}: must be an ed25519 public key, 32 bytes in base64" if wrong else ""
    return text, "keys: {alice: …=}, as `pluginkit sign --new-key` prints it"


def is_public_key(value: object) -> bool:
    """Whether a text is 32 bytes in base64."""
    import base64

    try:
        return isinstance(value, str) and len(base64.b64decode(value, validate=True)) == KEY_BYTES
    except ValueError:
        return False
