"""Hosts for tests: no installed plugins, no choices of the user, nothing left afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from pluginkit.defaults import CLOSE_TIMEOUT
from pluginkit.errors import UsageError
from pluginkit.host import Host


class IsolatedHost(Host):
    """A `Host` for one test, to be used in a `with` block.

    It finds only what the test names: `plugin`, the path of one plugin (a directory or a
    single file), or any other argument of `Host`. Its state lives in a temporary directory. A
    plugin that fails to load fails the test, unless `must_load` is False. Errors in calls are
    raised, not recorded.

    >>> from pluginkit.contracts.samples import Animal
    >>> from pluginkit import hookimpl
    >>> class Cat:
    ...     @hookimpl
    ...     def speak(self, is_loud):
    ...         return "MEOW!" if is_loud else "Meow"
    >>> with IsolatedHost(contracts={"animal": Animal}) as host:
    ...     with host.temporary(Cat(), type="animal"):
    ...         host.hook.speak(is_loud=False)
    ...     host.hook.speak(is_loud=False)
    ['Meow']
    []
    """

    def __init__(
        self, *, plugin: str | PathLike[str] | None = None, must_load: bool = True, **arguments: Any
    ) -> None:
        if plugin is not None:
            path = Path(plugin).resolve()
            if not path.exists():
                raise UsageError(f"there is no plugin at {path}")
            arguments |= {"plugins_dir": path.parent, "include": [path.stem if path.is_file() else path.name]}
        arguments.setdefault("entry_point_group", None)
        arguments.setdefault("errors", "raise")
        self._must_load = must_load
        self._directory = TemporaryDirectory(prefix="pluginkit-test-")
        try:
            super().__init__(**{"state_dir": self._directory.name, **arguments})
        except BaseException:
            self._directory.cleanup()
            raise

    def __enter__(self) -> Self:
        report = self.load()
        if self._must_load:
            report.raise_for_failures()
        self.start()
        return self

    def close(self, timeout: float = CLOSE_TIMEOUT) -> None:
        try:
            super().close(timeout)
        finally:
            self._directory.cleanup()

    @contextmanager
    def temporary(self, target: Any, *, type: str | None = None, name: str | None = None) -> Iterator[Any]:
        """Register `target` for the length of the block, and give it to the block."""
        registered = self.register(target, type=type, name=name)
        try:
            yield target
        finally:
            self.unregister(registered.name)


def write_plugin(
    directory: str | PathLike[str],
    name: str,
    source: str,
    *,
    type: str = "execute",
    entrypoint: str | None = None,
    version: str = "1.0.0",
    files: Mapping[str, str] | None = None,
    **sections: Any,
) -> Path:
    """Write a small plugin into `directory` and return its own directory.

    `source` becomes the module that is named like the plugin, `files` stand beside it, and
    `sections` are further sections of the manifest (`requires={"plugins": ["dog"]}`).

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as plugins:
    ...     path = write_plugin(plugins, "shout", "class Shout: ...", entrypoint="shout:Shout")
    ...     sorted(file.name for file in path.iterdir())
    ['manifest.yaml', 'shout.py']
    """
    package = name.replace("-", "_").replace(".", "_")
    root = Path(directory, name)
    root.mkdir(parents=True, exist_ok=True)
    plugin = {
        "name": name,
        "type": type,
        "format": "native",
        "entrypoint": entrypoint or package,
        "language": "python",
        "version": version,
    }
    # JSON is YAML, too; no YAML writer is needed.
    manifest = {"plugin": {**plugin, **sections.pop("plugin", {})}, **sections}
    (root / "manifest.yaml").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    for file, content in {f"{package}.py": source, **(files or {})}.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return root
