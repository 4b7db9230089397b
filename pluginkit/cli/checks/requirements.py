"""What plugins require of installed distributions: what is missing, unfit, or cannot be had together.

Plugins of one host share one environment, so two that want versions which exclude each other
cannot both be satisfied, whatever is installed. That is told by both names.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pluginkit.cli.checks.exclusion import exclude_each_other
from pluginkit.cli.checks.finding import Finding
from pluginkit.discovery import Found
from pluginkit.manifest import normalise_name

if TYPE_CHECKING:
    from packaging.requirements import Requirement


@dataclass(frozen=True, slots=True)
class Need:
    """One distribution that a plugin requires here, on this Python and system."""

    plugin: str
    requirement: Requirement

    @property
    def package(self) -> str:
        return normalise_name(self.requirement.name)


def requirement_findings(plugins: Iterable[Found]) -> Iterator[Finding]:
    """What is wrong with the packages that these plugins require."""
    needs: list[Need] = []
    for found in plugins:
        for text in dict.fromkeys((*found.manifest.requires.packages, *_required_by_distribution(found))):
            need = _read(found.name, text)
            if isinstance(need, Finding):
                yield need
            elif need is not None:
                needs.append(need)
    for need in needs:
        yield from _unmet(need)
    yield from _exclusive_pairs(needs)


def _required_by_distribution(found: Found) -> Iterable[str]:
    """The Requires-Dist of an installed plugin."""
    if found.origin.distribution is None:
        return ()
    from importlib_metadata import PackageNotFoundError, distribution

    try:
        return distribution(found.origin.distribution).requires or ()
    except PackageNotFoundError:
        return ()  # it was uninstalled a moment ago


def _read(plugin: str, text: str) -> Need | Finding | None:
    """A requirement that counts here; None if its marker says that it does not."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        return Finding(
            check="requirements",
            plugins=(plugin,),
            text=f"its requirement {text!r} cannot be read: {str(error).splitlines()[0]}",
            advice="tell its author",
        )
    marker = requirement.marker
    return Need(plugin, requirement) if marker is None or marker.evaluate({"extra": ""}) else None


def _unmet(need: Need) -> Iterator[Finding]:
    wanted = _wanted(need.requirement)
    installed = _installed_version(need.requirement.name)
    if installed is None:
        yield _finding(need, f"requires {wanted}, which is not installed")
    elif not need.requirement.specifier.contains(installed, prereleases=True):
        yield _finding(need, f"requires {wanted}, but {installed} is installed")


def _finding(need: Need, text: str) -> Finding:
    return Finding(
        check="requirements",
        plugins=(need.plugin,),
        text=text,
        advice=f"pip install '{_wanted(need.requirement)}', or switch it off: pluginkit disable {need.plugin}",
    )


def _exclusive_pairs(needs: Iterable[Need]) -> Iterator[Finding]:
    by_package: dict[str, list[Need]] = {}
    for need in needs:
        by_package.setdefault(need.package, []).append(need)
    for package in sorted(by_package):
        for one, other in itertools.combinations(by_package[package], 2):
            if one.plugin != other.plugin and exclude_each_other(
                one.requirement.specifier, other.requirement.specifier
            ):
                yield Finding(
                    check="requirements",
                    plugins=(one.plugin, other.plugin),
                    text=f"they cannot both be satisfied: {one.plugin} requires {_wanted(one.requirement)}, "
                    f"{other.plugin} requires {_wanted(other.requirement)}",
                    advice=f"switch one of them off: pluginkit disable {other.plugin}",
                )


def _wanted(requirement: Requirement) -> str:
    """The requirement without its marker, as pip takes it."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    if requirement.url is not None:
        return f"{requirement.name}{extras} @ {requirement.url}"
    return f"{requirement.name}{extras}{requirement.specifier}"


def _installed_version(name: str) -> str | None:
    from importlib_metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None
