"""The host's policy: which of their wishes plugins are granted. Without a policy, none.

It stands in the host's config under `capabilities`:

    capabilities:
      allow: {filesystem: [{path: "${data}/", permissions: [read, write], recursive: true}]}   # every plugin
      deny: {filesystem: [{path: /etc/, permissions: [read, list], recursive: true}]}           # no plugin
      plugins:
        sync: {allow: requested, deny: {network: {egress: [{protocol: tcp, hosts: ["*"], ports: [25]}]}}}

`allow` has the form of the manifest's section, or is the word `requested`: whatever the manifest asks
for. What is allowed to every plugin and what is allowed to one are one list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pluginkit.errors import ConfigError, Problem
from pluginkit.manifest import Capabilities, normalise_name

if TYPE_CHECKING:
    from pluginkit.manifest.fields import Node

Requested: TypeAlias = Literal["requested"]

NOTHING = Capabilities()
_PLUGIN_KEYS = ("allow", "deny", "dangerous")


@dataclass(frozen=True, slots=True)
class PluginPolicy:
    """What one plugin may be granted: `allow` is `"requested"` for all that it asks for.

    `also` is what is written out beside that word, and so allowed even where the word does not reach (the
    host `*`). `dangerous` lets it run programs that run other programs.
    """

    allow: Capabilities | Requested = NOTHING
    deny: Capabilities = NOTHING
    dangerous: bool = False
    also: Capabilities = NOTHING


@dataclass(frozen=True, slots=True)
class Policy:
    """The host's policy for all plugins, and for single ones by normalised name.

    >>> Policy(plugins={"cat": PluginPolicy("requested")}).of("Cat").allow
    'requested'
    """

    everybody: PluginPolicy = PluginPolicy()
    plugins: Mapping[str, PluginPolicy] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, plugin: str) -> PluginPolicy:
        """What holds for one plugin."""
        own = self.plugins.get(normalise_name(plugin))
        if own is None:
            return self.everybody
        general = self.everybody
        written = NOTHING
        for one in (general.allow, own.allow):
            if isinstance(one, Capabilities):
                written = union(written, one)
        is_all = "requested" in (general.allow, own.allow)
        return PluginPolicy(
            "requested" if is_all else written,
            union(general.deny, own.deny),
            general.dangerous or own.dangerous,
            written if is_all else NOTHING,
        )


def union(one: Capabilities, other: Capabilities) -> Capabilities:
    """All the rules of both."""
    return replace(
        one,
        filesystem=one.filesystem + other.filesystem,
        egress=one.egress + other.egress,
        ingress=one.ingress + other.ingress,
        exec=one.exec + other.exec,
        kill=one.kill | other.kill,
        list=one.list | other.list,
        signal=one.signal | other.signal,
        env=one.env + other.env,
    )


def read_policy(
    *, allow: object = None, deny: object = None, plugins: Mapping[str, object] | None = None
) -> Policy:
    """The policy that the host's config states; raises `ConfigError` with every problem in it.

    >>> read_policy(plugins={"cat": {"allow": "requested"}}).of("cat").allow
    'requested'
    """
    problems: list[Problem] = []
    everybody = PluginPolicy(
        _allow(allow, ("capabilities", "allow"), problems), _rules(deny, ("capabilities", "deny"), problems)
    )
    policies: dict[str, PluginPolicy] = {}
    for name, value in (plugins or {}).items():
        place = ("capabilities", "plugins", name)
        if normalise_name(name) in policies:
            # One of them would be lost, and with it what it denies.
            problems.append(Problem("names a plugin that another key names as well", path=".".join(place)))
        policies[normalise_name(name)] = _of_plugin(value, place, problems)
    if problems:
        raise ConfigError("the policy in `capabilities` cannot be used", problems)
    return Policy(everybody, MappingProxyType(policies))


def _of_plugin(value: object, at: tuple[str, ...], problems: list[Problem]) -> PluginPolicy:
    node = _node(value, at)
    section = node.section(_PLUGIN_KEYS, "{allow: requested}")
    dangerous = section.get("dangerous")
    is_dangerous = dangerous.boolean(False) if dangerous is not None else False
    problems.extend(_without_lines(node))
    data = node.value if isinstance(node.value, dict) else {}
    return PluginPolicy(
        _allow(data.get("allow"), (*at, "allow"), problems),
        _rules(data.get("deny"), (*at, "deny"), problems),
        is_dangerous,
    )


def _allow(value: object, at: tuple[str, ...], problems: list[Problem]) -> Capabilities | Requested:
    return "requested" if value == "requested" else _rules(value, at, problems)


def _rules(value: object, at: tuple[str, ...], problems: list[Problem]) -> Capabilities:
    if not value and (value is None or isinstance(value, Mapping)):
        return NOTHING
    from pluginkit.manifest.capabilities import read_capabilities

    node = _node(value, at)
    rules = read_capabilities(node)
    problems.extend(_without_lines(node))
    return rules


def _node(value: object, at: tuple[str, ...]) -> Node:
    from pluginkit.manifest.fields import Node, Report
    from pluginkit.strict_yaml import Document

    plain = _plain(value)
    return Node(Report(Document(plain, {}), None), at, plain)


def _without_lines(node: Node) -> list[Problem]:
    """What was found wrong. Lines are the config file's to know; here the dotted path says the place."""
    return [replace(problem, line=None, column=None) for problem in node.report.problems]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
