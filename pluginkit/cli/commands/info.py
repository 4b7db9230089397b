"""`pluginkit info`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from pluginkit.cli.command import Command
from pluginkit.cli.completing import plugin_names
from pluginkit.cli.exit_codes import Exit
from pluginkit.cli.options import json_option
from pluginkit.cli.output import Painted, show, show_json
from pluginkit.cli.session import Session, pass_session

if TYPE_CHECKING:
    from pluginkit.host import Host


@click.command(
    "info",
    cls=Command,
    examples=[
        ("pluginkit info transformer", "what it is, what it requires, and its settings"),
        ("pluginkit info transformer --json", "all of it, the manifest with every default written out"),
    ],
)
@click.argument("name", shell_complete=plugin_names)
@json_option
@pass_session
def info_command(session: Session, name: str, as_json: bool) -> int:
    """Show all that is known of one plugin without running it.

    That is its state and the reason, what its manifest says, what its config file sets (secrets
    are hidden), and which other plugins want its name. A host that runs is asked.
    """
    from pluginkit.cli.running import running_host

    with running_host(session) as running:
        answer = _described(session.host, name) if running is None else running.ask("info", name=name)
    if as_json:
        show_json({"plugin": answer["plugin"], "watching": answer["watching"]})
    else:
        _print(answer["plugin"], answer["watching"])
    return Exit.FINE


def _described(host: Host, name: str) -> dict[str, Any]:
    from pluginkit.cli.remembered import past_failures
    from pluginkit.cli.rows import row_of
    from pluginkit.control.describing import details_of

    plugin = host.refresh()[name]
    return {"plugin": {**row_of(plugin, past_failures(host)), **details_of(host, plugin)}, "watching": None}


def _print(data: dict[str, Any], watching: dict[str, Any] | None) -> None:
    lines = [(label, text) for label, text in (*_lines(data), *_watching_lines(watching)) if text]
    widest = max(len(label) for label, _ in lines)
    for label, text in lines:
        first, *others = text.splitlines()
        show(Painted(f"{label}:".ljust(widest + 2), bold=True), first)
        for line in others:
            show(" " * (widest + 2), line)


def _lines(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Labels and what is known, in order; what is not known is empty."""
    yield "name", data["name"]
    yield "version", data["version"] or ""
    yield "state", data["state"]
    yield "reason", data["reason"]["text"] if data["reason"] is not None else ""
    yield "type", data["type"] or ""
    yield "origin", data["origin"]
    yield "runtime", data["runtime"] or ""
    yield "priority", str(data["priority"])
    for old in data["lingering"]:
        still = [*old["running"], *(f"module {name} is still referred to" for name in old["alive"])]
        yield f"generation {old['generation']}", "out of use, not gone: " + "; ".join(still)
    for rival in data["conflicts"]:
        yield "conflict", rival["reason"]
    if data["manifest"] is not None:
        yield from _manifest_lines(data["manifest"])
        yield "granted", "\n".join(map(_granted_line, data["grants"] or ()))
    if data["config"] is not None:
        yield "config file", data["config"]["file"]
        yield "configured", _settings_text(data["config"]["settings"])


def _watching_lines(health: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """How the running host sees that the plugin changes."""
    if health is None:
        return
    from pluginkit.cli.watching import last_change, watched_how

    yield "watched", watched_how(health)
    yield "last change", last_change(health)


def _manifest_lines(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    about, requires, plugin = manifest["about"], manifest["requires"], manifest["plugin"]
    yield "entrypoint", plugin["entrypoint"]
    yield "description", about["description"]
    yield "maintainers", ", ".join(about["maintainers"])
    yield "url", about["url"]
    yield "license", about["license"]
    yield "hooks", ", ".join(manifest["hooks"])
    yield "offers", ", ".join(plugin["implementations"])
    for what in ("host", "python", "pluginkit"):
        yield f"requires {what}", requires[what]
    for what in ("plugins", "packages"):
        yield f"requires {what}", ", ".join(requires[what])
    for what in ("before", "after"):
        yield f"loads {what}", ", ".join(requires[what])
    yield "capabilities", "\n".join(_capability_lines(manifest["capabilities"]))
    yield "settings", "\n".join(_setting_lines(manifest["settings"]))
    handshake = manifest["handshake"]
    if handshake is not None:
        yield "protocol", ", ".join(map(str, _several(handshake["protocol_version"])))
    services = manifest["http_services"] or {"routes": []}
    yield "routes", "\n".join(f"{r['method']} {r['route']} → {r['label']}" for r in services["routes"])
    yield "manifest", manifest["file"] or "none; derived from its metadata"


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _capability_lines(capabilities: dict[str, Any]) -> Iterator[str]:
    """What the plugin asks for, one grant a line."""
    for grant in capabilities["filesystem"]:
        below = " and below" if grant["recursive"] else ""
        yield f"{', '.join(grant['permissions'])} {grant['path']}{below}"
    for direction in ("egress", "ingress"):
        for rule in capabilities["network"][direction]:
            ports = ", ".join(map(str, rule["ports"])) or "any"
            if direction == "egress":
                yield f"egress {rule['protocol']} {', '.join(rule['hosts'])} (ports: {ports})"
            else:
                origins = ", ".join(rule["allowed_origins"]) or "nobody"
                yield f"ingress {rule['protocol']} {', '.join(rule['bind'])} (ports: {ports}) from {origins}"
    process = capabilities["process"]
    for rule in process["exec"]:
        yield " ".join(["exec", rule["command"], *rule["args"]])
    for what in ("kill", "list", "signal"):
        if process[what]:
            yield f"{what} {', '.join(process[what])}"
    if capabilities["env"]:
        yield f"environment {', '.join(capabilities['env'])}"


def _granted_line(row: dict[str, Any]) -> str:
    """How much of a wish is granted, and why not all of it."""
    how = {"whole": "granted", "part": "granted in part", "none": "not granted"}[row["granted"]]
    return f"{row['rule']}: {how}{', ' if row['why'] else ''}{row['why']}"


def _setting_lines(schema: Any) -> Iterator[str]:
    """The settings that the plugin's schema declares: name, type, default and what they are for."""
    from pluginkit.cli.values import readable

    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, declared in properties.items() if isinstance(properties, dict) else ():
        if not isinstance(declared, dict):
            continue
        kind = " | ".join(map(readable, declared["enum"])) if "enum" in declared else declared.get("type", "")
        default = f" = {readable(declared['default'])}" if "default" in declared else ""
        meaning = f": {declared['description']}" if "description" in declared else ""
        yield f"{name}{f' ({kind})' if kind else ''}{default}{meaning}"


def _settings_text(settings: dict[str, Any]) -> str:
    from pluginkit.cli.values import readable

    return "\n".join(f"{key} = {readable(value)}" for key, value in settings.items())
