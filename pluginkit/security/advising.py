"""What to write where, so that what was refused is granted: texts that people copy as they stand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.security.texts import scalar

if TYPE_CHECKING:
    from pluginkit.security.grants import Places

MANIFEST, POLICY, APPROVAL = "the manifest", "the host's policy", "the approval"
"""Whose rules a request has to pass, in this order."""


def where(plugin: str, whose: str, wish: str) -> str:
    """Where a wish, a section of `capabilities` in one line, has to be written."""
    if whose == APPROVAL:
        return f"if it may: pluginkit approve {plugin}"
    if whose == MANIFEST:
        return f"write into its manifest: capabilities: {{{wish}}}"
    return (
        f"write into the host's config: capabilities: {{plugins: {{{scalar(plugin)}: {{allow: {{{wish}}}}}}}}}; "
        "`allow: requested` is all that its manifest asks for"
    )


def filesystem_wish(path: str, permissions: Iterable[str], places: Places, *, entries: bool = False) -> str:
    """The narrowest grant that makes sense: a file that is there by itself, else the directory.

    What is not there yet cannot be granted by itself: a grant means what lies there at load.
    """
    wanted = list(dict.fromkeys(permissions))
    full = os.path.normpath(path)
    if "write" in wanted and not os.path.lexists(full):
        wanted.append("create")
    if os.path.isfile(full) and "delete" not in wanted and "create" not in wanted:
        place = full
    elif entries or os.path.isdir(full):
        place = f"{full.rstrip('/')}/"
    else:
        place = f"{os.path.dirname(full).rstrip('/')}/"
    shown, is_deep = _by_variable(place, places)
    recursive = ", recursive: true" if is_deep else ""
    return f"filesystem: [{{path: {scalar(shown)}, permissions: [{', '.join(wanted)}]{recursive}}}]"


def _by_variable(place: str, places: Places) -> tuple[str, bool]:
    """A place by the variable for it, and whether that is a directory further up."""
    for name in ("data", "cache", "config"):
        directory: Path | None = getattr(places, name)
        if directory is None:
            continue
        above = os.path.realpath(directory)
        if place.rstrip("/") == above:
            return f"${{{name}}}/", False
        if place.startswith(f"{above}/"):
            return f"${{{name}}}/", True
    return place, False


def egress_wish(protocol: str | None, host: str, port: int | None) -> str:
    """The rule for one host; without a port, that of HTTPS is only an example."""
    return f"network: {{egress: [{{protocol: {protocol or 'tcp'}, hosts: [{scalar(host)}], ports: [{port or 443}]}}]}}"


def ingress_wish(protocol: str, address: str, port: int) -> str:
    """The rule for one place to listen at."""
    return f"network: {{ingress: [{{protocol: {protocol}, ports: [{port}], bind: [{scalar(address)}]}}]}}"


def exec_wish(argv: Sequence[str]) -> str:
    """The rule for one command line."""
    program = argv[0] if os.path.isabs(argv[0]) else f"/path/to/{argv[0]}"
    arguments = ", ".join(_literal(argument) for argument in argv[1:])
    return f"process: {{exec: [{{command: {scalar(program)}, args: [{arguments}]}}]}}"


def _literal(argument: str) -> str:
    """An argument as a rule that means just this one."""
    is_pattern = argument in ("*", "**") or argument.startswith(("lit:", "path:"))
    return scalar(f"lit:{argument}" if is_pattern else argument)


def scope_wish(what: str) -> str:
    """The scope of `kill`, `list` or `signal`."""
    return f"process: {{{what}: [children]}}"
