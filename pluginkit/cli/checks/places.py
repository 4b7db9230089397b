"""Whether the host's own places are as they must be: directories, config files, names."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.cli.checks.finding import Finding
from pluginkit.errors import ConfigError

if TYPE_CHECKING:
    from pluginkit.discovery import Catalogue, Found
    from pluginkit.host import Host


def place_findings(host: Host, catalogue: Catalogue) -> Iterator[Finding]:
    """What is wrong with the directories that the host was given."""
    for problem in catalogue.problems:
        yield Finding(check="places", text=str(problem), file=problem.file, line=problem.line)
    for text in catalogue.notices:
        yield Finding(check="places", text=text, severity="notice")
    yield from _state_directory(host.setup.state_dir)
    yield from _config_files(host, catalogue)


def policy_findings(host: Host) -> Iterator[Finding]:
    """Single plugins that the policy of capabilities speaks of, and that are not there: a typing mistake, maybe."""
    from pluginkit.errors import did_you_mean
    from pluginkit.manifest import normalise_name

    if host.config is None:
        return
    present = {normalise_name(plugin.name): plugin.name for plugin in host.plugins.values()}
    for name in host.config.capabilities.plugins:
        if normalise_name(name) not in present:
            yield Finding(
                check="configuration",
                text=f"capabilities.plugins.{name}: no plugin has this name{did_you_mean(name, present.values())}",
                severity="notice",
                file=host.config.path,
            )


def name_findings(plugins: Iterable[Found]) -> Iterator[Finding]:
    """Plugins whose package has the name of a module that is importable without them."""
    for found in plugins:
        if found.origin.kind == "distribution":
            continue  # it is that module
        head = found.package.partition(".")[0]
        spec = PathFinder.find_spec(head)
        if spec is not None and spec.origin is not None and not _is_inside(spec.origin, found.root):
            yield Finding(
                check="names",
                plugins=(found.name,),
                text=f"its package is called {head!r}, like the module {spec.origin}; inside the plugin "
                f"`import {head}` means the plugin, anywhere else that module",
                advice="rename the plugin",
                file=found.root,
            )


def _state_directory(directory: Path) -> Iterator[Finding]:
    """Try to write where `disable` will; a missing directory is made when it is needed."""
    place = directory
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            return
    except OSError as error:
        yield Finding(
            check="places",
            text=f"the state directory {directory} cannot be written to: {error.strerror or error}",
            advice="choices of enable and disable are lost; mend its permissions, or set directories.state_dir",
            file=directory,
        )


def _config_files(host: Host, catalogue: Catalogue) -> Iterator[Finding]:
    """Files in the directory of plugins' config files that nobody reads."""
    from pluginkit.config import PluginConfigs

    try:
        configs = PluginConfigs.scan(host.setup.plugin_configs_dir)
    except ConfigError as error:
        yield Finding(check="configuration", text=str(error))
        return
    for text in (*configs.notices, *configs.unmatched(entry.name for entry in catalogue)):
        yield Finding(check="configuration", text=text, severity="notice")


def _is_inside(path: str, root: Path) -> bool:
    return Path(path).resolve().is_relative_to(root.resolve())
