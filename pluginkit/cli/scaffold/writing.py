"""Writing a draft: all of it at once, or nothing.

The files are written beside their place, read back by discovery as any plugin, and moved by one
rename. A plugin that is there is never touched.
"""

from __future__ import annotations

import keyword
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pluginkit.cli.paths import shown_path
from pluginkit.discovery import Broken, read_plugin
from pluginkit.errors import PluginkitError, UsageError
from pluginkit.manifest.names import plugin_name

if TYPE_CHECKING:
    from pluginkit.cli.scaffold.code import Draft


def check_name(draft: Draft) -> None:
    """Raise `UsageError` if no plugin can have this name."""
    try:
        plugin_name(draft.name)
    except ValueError as error:
        raise UsageError(f"{draft.name!r} {error}") from None
    package = draft.package
    if not package.isidentifier() or keyword.iskeyword(package) or not package.isascii():
        raise UsageError(
            f"{draft.name!r} cannot name a plugin: its code would be the package {package!r}, which Python "
            "cannot import; begin it with a letter, as in 'my-plugin'"
        )
    if package == "pluginkit" or package in sys.stdlib_module_names:
        raise UsageError(
            f"{draft.name!r} cannot name a plugin: its code would be the package {package!r}, which is "
            f"Python's or pluginkit's own; call it {draft.name + '-plugin'!r}, for example"
        )


def write(draft: Draft, directory: Path) -> tuple[Path, Path]:
    """Write the draft's directory into `directory`, and return the paths of its two files.

    Raises `UsageError` if there is something of that name, or if it cannot be written there.
    """
    target = directory / draft.name
    if os.path.lexists(target):
        raise UsageError(f"{shown_path(target)} is there already, and is left as it is; choose another name")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # In the same directory, so that the rename is one step; hidden, so that no host reads it.
        with tempfile.TemporaryDirectory(prefix=".new-", dir=directory) as place:
            made = Path(place, draft.name)
            made.mkdir()
            manifest = _write(made / "manifest.yaml", draft.manifest())
            module = _write(made / f"{draft.package}.py", draft.module())
            _require_readable(made)
            made.rename(target)
    except OSError as error:
        raise UsageError(f"{shown_path(target)} cannot be written: {error.strerror or error}") from error
    return target / manifest.name, target / module.name


def _write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def _require_readable(made: Path) -> None:
    """What we write, we can read; anything else is a bug of ours, and nothing is left of it."""
    entry = read_plugin(made)
    if isinstance(entry, Broken):
        raise PluginkitError(f"the new plugin is not valid: {entry.reason}")
    for path in made.glob("*.py"):
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
