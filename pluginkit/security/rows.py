"""What is left of each wish of a manifest, and why: for `info`, the audit, and `ctx.grants`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pluginkit.security import texts
from pluginkit.security.growth import Coverage, coverages
from pluginkit.security.refusal import Refusal

if TYPE_CHECKING:
    from pluginkit.manifest import Capabilities
    from pluginkit.security.grants import Grants, Places

_ORDER: Mapping[Coverage, int] = {"none": 0, "part": 1, "whole": 2}


def rows_of(grants: Grants) -> tuple[dict[str, Any], ...]:
    """Each wish, how much of it is granted (`whole`, `part`, `none`), and why not all of it."""
    # By places, not by texts: `${data}/` and the absolute path of it are the same.
    wanted = _expanded(grants.requested, grants.places)
    named = {
        texts.filesystem_text(place): texts.filesystem_text(wish)
        for place, wish in zip(wanted.filesystem, grants.requested.filesystem, strict=True)
    }

    def compared(other: Capabilities, *, is_denial: bool = False) -> dict[str, Coverage]:
        found = coverages(wanted, _expanded(other, grants.places), is_denial=is_denial)
        return {named.get(text, text): coverage for text, coverage in found}

    judged = [compared(layer) for layer in grants.layers[1:]]
    denied = compared(grants.denied, is_denial=True)
    broken, starred = _never_run(grants), _stars_not_written_out(grants)
    rows = []
    for text in texts.texts(grants.requested):
        granted: Coverage = "whole"
        why = ""
        for verdicts, whose in zip(judged, grants.reasons[1:], strict=False):
            if _ORDER[verdicts[text]] < _ORDER[granted]:
                granted = verdicts[text]
                why = f"not allowed by {whose}" if granted == "none" else f"trimmed by {whose}"
        if denied[text] != "none" and granted != "none":
            granted, why = ("none" if denied[text] == "whole" else "part"), "denied by the host's policy"
        if granted != "none" and text in broken:
            granted, why = "none", broken[text]
        if granted != "whole" and text in starred:
            why = "the host * counts only where the host's policy writes it out"
        rows.append({"rule": text, "granted": granted, "why": why})
    return tuple(rows)


def _expanded(capabilities: Capabilities, places: Places) -> Capabilities:
    found = []
    for grant in capabilities.filesystem:
        path = places.expand(grant.path)
        if path is not None:
            is_directory = grant.is_directory or os.path.isdir(path)
            path = f"{os.path.normpath(path).rstrip('/')}{'/' if is_directory else ''}"
        found.append(grant if path is None else replace(grant, path=path or "/"))
    return replace(capabilities, filesystem=tuple(found))


def _never_run(grants: Grants) -> dict[str, str]:
    """The rules on programs that may not be run whatever the rules say, and why not."""
    found = {}
    for rule in grants.requested.exec:
        try:
            grants.pin(rule.command)
        except Refusal as refusal:
            found[texts.exec_text(rule)] = refusal.text
    return found


def _stars_not_written_out(grants: Grants) -> set[str]:
    """The wishes for every host that the policy does not name as such; `requested` alone never means it."""
    if any("*" in rule.hosts for rule in grants.layers[1].egress):
        return set()
    return {texts.egress_text(rule) for rule in grants.requested.egress if "*" in rule.hosts}
