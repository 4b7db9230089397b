"""The types of configuration values that hold other values: lists and mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pluginkit.config.frozen import freeze
from pluginkit.config.kinds import Fault, Kind, Refused
from pluginkit.errors import did_you_mean


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call that `pluginkit run` makes at start: the hook's name and its keyword arguments."""

    hook: str
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """The call as it stands in the file."""
        return {"hook": self.hook, "with": self.arguments}


def _read_texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise Refused("must be a list of text")
    faults = [
        Fault("must be text", (index,)) for index, item in enumerate(value) if not isinstance(item, str)
    ]
    if faults:
        raise Refused(*faults)
    return tuple(value)


def _read_mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused("must be a mapping")
    frozen: Mapping[str, Any] = freeze(value)
    return frozen


def _read_grants(value: object) -> Mapping[str, Any] | str:
    if isinstance(value, str):
        if value != "requested":
            raise Refused("must be a mapping, or the word requested")
        return value
    return _read_mapping(value)


def _read_policies(value: object) -> Mapping[str, Mapping[str, Any]]:
    mapping = _read_mapping(value)
    faults = [
        Fault("must be a mapping with allow, deny, dangerous", (name,))
        for name, policy in mapping.items()
        if not isinstance(policy, Mapping)
    ]
    if faults:
        raise Refused(*faults)
    return mapping


def _grants_from_text(text: str) -> object:
    return text if text.strip() == "requested" else _yaml_from_text(text)


def _read_contracts(value: object) -> Mapping[str, str]:
    mapping = _read_mapping(value)
    faults = [
        Fault("must be module:Class", (name,)) for name, text in mapping.items() if not _names_a_class(text)
    ]
    if faults:
        raise Refused(*faults)
    return mapping


def _read_protocol_versions(value: object) -> tuple[int, ...]:
    many = value if isinstance(value, list | tuple) else (value,)
    versions = [one for one in many if type(one) is int and one >= 1]
    if not versions or len(versions) < len(many):
        raise Refused("must be a whole number, 1 or more, or a list of such")
    return tuple(sorted(set(versions)))


def levels_by_name(options: tuple[str, ...]) -> Kind[Mapping[str, Any]]:
    """A log level for each of some names; an unknown one is an error, since a typing mistake would hide records."""

    def read(value: object) -> Mapping[str, Any]:
        mapping = _read_mapping(value)
        folded = {name: one.casefold() if isinstance(one, str) else one for name, one in mapping.items()}
        faults = [
            Fault(f"must be one of {', '.join(options)}", (name,))
            for name, one in folded.items()
            if one not in options
        ]
        if faults:
            raise Refused(*faults)
        frozen: Mapping[str, Any] = freeze(folded)
        return frozen

    return Kind("mapping of name to level", "{cat: debug}", read, _yaml_from_text)


def _names_a_class(value: object) -> bool:
    if not isinstance(value, str):
        return False
    module, colon, attribute = value.partition(":")
    return bool(colon) and all(
        part.isidentifier() for name in (module, attribute) for part in name.split(".")
    )


def _read_calls(value: object) -> tuple[HookCall, ...]:
    if not isinstance(value, list | tuple):
        raise Refused("must be a list of calls")
    faults = [fault for index, item in enumerate(value) for fault in _call_faults(index, item)]
    if faults:
        raise Refused(*faults)
    return tuple(HookCall(item["hook"], freeze(item.get("with") or {})) for item in value)


def _call_faults(index: int, item: object) -> list[Fault]:
    if not isinstance(item, Mapping):
        return [Fault("must be a mapping with hook and with", (index,))]
    faults = [
        Fault(f"unknown key{did_you_mean(str(key), ('hook', 'with'))}", (index, key))
        for key in item
        if key not in ("hook", "with")
    ]
    if not isinstance(item.get("hook"), str) or not item["hook"].isidentifier():
        faults.append(Fault("must be the name of a hook", (index, "hook")))
    if not isinstance(item.get("with"), Mapping | None):
        faults.append(Fault("must be a mapping of the call's arguments", (index, "with")))
    return faults


def _texts_from_text(text: str) -> object:
    """`a,b` as well as YAML's `[a, b]`."""
    if text.lstrip().startswith("["):
        return _yaml_from_text(text)
    return [part.strip() for part in text.split(",") if part.strip()]


def _yaml_from_text(text: str) -> object:
    from pluginkit.strict_yaml import YamlError, load

    try:
        return load(text).data
    except YamlError as error:
        raise Refused(*(problem.message for problem in error.problems)) from None


TEXTS: Kind[tuple[str, ...]] = Kind("list of text", "[one, two]", _read_texts, _texts_from_text)
MAPPING: Kind[Mapping[str, Any]] = Kind("mapping", "{}", _read_mapping, _yaml_from_text)
GRANTS: Kind[Mapping[str, Any] | str] = Kind(
    "mapping as in a manifest, or requested", "requested", _read_grants, _grants_from_text
)
POLICIES: Kind[Mapping[str, Mapping[str, Any]]] = Kind(
    "mapping of plugin to {allow, deny, dangerous}",
    "{cat: {allow: requested}}",
    _read_policies,
    _yaml_from_text,
)
PROTOCOL_VERSIONS: Kind[tuple[int, ...]] = Kind(
    "integer, at least 1, or a list of them", "[1, 2]", _read_protocol_versions, _yaml_from_text
)
CONTRACTS: Kind[Mapping[str, str]] = Kind(
    "mapping of type to module:Class", '{animal: "myhost.contracts:Animal"}', _read_contracts, _yaml_from_text
)
CALLS: Kind[tuple[HookCall, ...]] = Kind(
    "list of {hook, with}", "[{hook: speak, with: {is_loud: true}}]", _read_calls, _yaml_from_text
)
