"""Plugins on disk whose code would leave a mark if anything ran it, which fails the test."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

MakePlugin = Callable[..., Path]
MANIFEST = (
    'plugin: {{name: {name}, type: animal, format: native, entrypoint: "{entrypoint}", '
    "language: python, version: {version}}}\n"
)


@pytest.fixture(autouse=True)
def tripwire(tmp_path: Path) -> Iterator[str]:
    """Source code that leaves a mark when it runs. No test of this room may leave one, or import anything."""
    mark = tmp_path / "code-of-a-plugin-ran"
    before = set(sys.modules)
    yield f"open({str(mark)!r}, 'w').close()\n"
    assert not mark.exists(), "discovery ran a plugin's code"
    own = {str(getattr(sys.modules[name], "__file__", "")) for name in set(sys.modules) - before}
    assert not any(file.startswith(str(tmp_path)) for file in own), "discovery imported a plugin"


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    directory = tmp_path / "plugins"
    directory.mkdir()
    return directory


@pytest.fixture
def make_plugin(plugins: Path, tripwire: str) -> MakePlugin:
    """Write a directory plugin; `name` is the manifest's (default: the directory's), None means no manifest."""

    def make(
        directory: str,
        *,
        name: str | None = "",
        entrypoint: str | None = None,
        version: str = "1.0.0",
        files: Mapping[str, str] | None = None,
        extra: str = "",
        parent: Path = plugins,
    ) -> Path:
        root = parent / directory
        root.mkdir(parents=True, exist_ok=True)
        package = directory.replace("-", "_").replace(".", "_")
        for path, text in (files if files is not None else {f"{package}.py": "class Plugin: pass"}).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(tripwire + text, encoding="utf-8")
        if name is not None:
            text = MANIFEST.format(
                name=name or directory, entrypoint=entrypoint or f"{package}:Plugin", version=version
            )
            (root / "manifest.yaml").write_text(text + extra, encoding="utf-8")
        return root

    return make


@pytest.fixture
def public_directory() -> Iterator[Path]:
    """A directory that any user may enter, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        directory.chmod(0o755)
        yield directory


@pytest.fixture
def unprivileged() -> Callable[[], AbstractContextManager[None]]:
    """Gives up root's right to read everything, inside a `with`."""

    @contextmanager
    def give_up() -> Iterator[None]:
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(user)

    return give_up
