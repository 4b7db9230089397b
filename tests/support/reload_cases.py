"""The reload catalogue's stage: cases run in child processes as users start them, many in one child.

A case is a test function that takes a `Scene`. In the test process it looks its result up; the
first case of a file starts the child that runs all of that file. Run as a script, this is that child.
"""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.util
import json
import sys
import tempfile
import threading
import traceback
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from pluginkit import Host, hookspec

Child = Callable[..., Any]
Case = Callable[["Scene"], None]

_cases: dict[str, Case] = {}
_results: dict[str, dict[str, str]] = {}


def case(function: Case) -> Callable[[Child], None]:
    """Make a test of a case; in the child the case itself is run."""
    _cases[function.__name__] = function
    file = function.__code__.co_filename

    @functools.wraps(function)
    def test(child: Child) -> None:
        if file not in _results:
            _results[file] = _run(child, file)
        problem = _results[file].get(function.__name__, "the child did not come to this case")
        assert not problem, problem

    del test.__wrapped__  # pytest would ask for the case's own parameters
    return test


def _run(child: Child, file: str) -> dict[str, str]:
    # -B is not given and the environment is clean: bytecode is cached as in any user's process.
    done = child("-X", "utf8", __file__, file, status=None, timeout=170.0)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    results = dict(json.loads(line.removeprefix("RESULT ")) for line in lines)
    if done.returncode:
        results.setdefault("", f"exit status {done.returncode}: {done.stderr[-2000:]}")
    return results


class Specs:
    """The hooks of the catalogue's host."""

    @hookspec
    def run(self) -> Any:
        """What the plugin answers."""

    @hookspec
    def again(self) -> Any:
        """A second hook."""


def root(expression: str, head: str = "") -> str:
    """A module whose hook `run` gives `expression`."""
    return f"from pluginkit import hookimpl\n{head}\n@hookimpl\ndef run():\n    return {expression}\n"


class Scene:
    """One host in one directory, and modules of the host's own that plugins can import."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.plugins = directory / "plugins"
        self.plugins.mkdir()
        self.host_modules: list[str] = []
        self.arguments: dict[str, Any] = {}
        self._host: Host | None = None

    @property
    def host(self) -> Host:
        if self._host is None:
            usual = {"plugins_dir": self.plugins, "entry_point_group": None}
            state_dir = self.directory / "state"
            self._host = Host(hookspecs=[Specs], state_dir=state_dir, **{**usual, **self.arguments})
        return self._host

    def host_module(self, name: str, source: str) -> ModuleType:
        """A module of the host's, which is never reloaded."""
        module = ModuleType(name)
        exec(source, module.__dict__)
        sys.modules[name] = module
        self.host_modules.append(name)
        return module

    def edit(self, files: Mapping[str, str | bytes | None], plugin: str = "plug") -> None:
        """Write files of a plugin; None deletes one."""
        for name, content in files.items():
            path = self.plugins / plugin / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content, "utf-8")

    def add(
        self,
        files: Mapping[str, str | bytes],
        plugin: str = "plug",
        entrypoint: str | None = None,
        **sections: Any,
    ) -> None:
        """A plugin of those files, with its manifest; `__init__.py` is the root."""
        about = {"name": plugin, "type": "pluggy", "entrypoint": entrypoint or plugin, "version": "1.0.0"}
        manifest = {"plugin": {**about, "format": "native", "language": "python"}, **sections}
        self.edit({"manifest.yaml": json.dumps(manifest), **files}, plugin)

    def start(self, files: Mapping[str, str | bytes], **arguments: Any) -> None:
        """Add the plugin, load all, start the host."""
        self.add(files, **arguments)
        report = self.host.load()
        assert report.ok, str(report)
        self.host.start()

    def reload(self, plugin: str = "plug", **arguments: Any) -> Any:
        """Reload; it must work."""
        report = self.host.reload(plugin, **arguments)
        assert report.ok, str(report)
        assert not report.is_unchanged, str(report)
        return report

    def refused(self, plugin: str = "plug") -> Any:
        """Reload; it must fail and say so once, in the report."""
        report = self.host.reload(plugin)
        assert not report.ok, "the reload was accepted"
        return report

    def run(self) -> Any:
        (result,) = self.host.hook.run()
        return result

    def get(self, symbol: str, plugin: str = "plug") -> Any:
        return self.host.plugins[plugin].get(symbol)

    def finish(self) -> None:
        if self._host is not None:
            self._host.close()
        for name in self.host_modules:
            sys.modules.pop(name, None)


def settle(name: str = "pluginkit-retire-") -> None:
    """Wait for the threads that end retired generations."""
    for thread in threading.enumerate():
        if thread.name.startswith(name):
            thread.join(30)


def is_dead(reference: weakref.ref[Any]) -> bool:
    gc.collect()
    return reference() is None


def _main(file: str) -> None:
    sys.modules["tests.support.reload_cases"] = sys.modules["__main__"]
    spec = importlib.util.spec_from_file_location("cases", file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["cases"] = module
    spec.loader.exec_module(module)
    for name, function in _cases.items():
        with tempfile.TemporaryDirectory() as directory:
            scene = Scene(Path(directory).resolve())
            problem = ""
            try:
                function(scene)
            except BaseException:
                problem = traceback.format_exc()
            try:
                scene.finish()
            except BaseException:
                problem = problem or traceback.format_exc()
            sys.stdout.write("RESULT " + json.dumps([name, problem]) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    _main(sys.argv[1])
