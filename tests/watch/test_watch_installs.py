"""WR12, PK04: what pip and uv do in the environment of a running host is done in the host."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from uv import find_uv_bin

from pluginkit import Host
from tests.support.dists import Environment, Wheel, run
from tests.watch.conftest import CODE, Yard, health, says, until

MANY = 200
MANIFEST = 'plugin: {name: cat, type: teller, format: native, entrypoint: "cat_pkg:Told", language: python, version: 1.0.0}\n'
CHECK = f"""
from importlib import import_module
from pluginkit import hookimpl

VERSIONS = {{import_module(f"cat_pkg.part{{n}}").VERSION for n in range({MANY})}}

class Told:
    @hookimpl
    def tell(self):
        # Also what is imported as late as this is of the same version.
        from . import late
        return "+".join(sorted({{*VERSIONS, late.VERSION}}))
"""

Installer = Callable[..., None]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """A virtual environment that this process runs in, as far as imports and plugins go."""
    made = Environment.create(tmp_path / "env")
    monkeypatch.syspath_prepend(str(made.site))
    return made


@pytest.fixture(params=["pip", "uv"])
def installer(request: pytest.FixtureRequest, environment: Environment) -> Installer:
    """`pip …` or `uv pip …` on the environment of the host."""

    def pip(*arguments: str) -> None:
        options = ["--no-index", "--no-deps"] if arguments[0] == "install" else ["--yes"]
        run(sys.executable, "-m", "pip", "--python", str(environment.python), *arguments, *options)

    def uv(*arguments: str) -> None:
        options = ["--no-index", "--no-deps", "--compile-bytecode"] if arguments[0] == "install" else []
        run(find_uv_bin(), "pip", *arguments, *options, "--python", str(environment.python), "--no-cache")

    return {"pip": pip, "uv": uv}[request.param]


def cat(tmp_path: Path, version: str) -> str:
    """A distribution of two hundred modules, each of which says which version it is of."""
    modules = {f"cat_pkg/part{number}.py": f"VERSION = {version!r}\n" for number in range(MANY)}
    late = {"cat_pkg/late.py": f"VERSION = {version!r}\n"}
    files = {"cat_pkg/__init__.py": CHECK, "cat_pkg/manifest.yaml": MANIFEST, **modules, **late}
    return str(
        Wheel(name="cat-dist", version=version, files=files, plugins={"cat": "cat_pkg:Told"}).build(tmp_path)
    )


def caller(host: Host, heard: list[list[str]], done: threading.Event) -> threading.Thread:
    """A thread that calls the hook all the time, and keeps what is new in the answers."""

    def call() -> None:
        while not done.wait(0.0005):
            answer = host.hook.tell()
            if not heard or heard[-1] != answer:
                heard.append(answer)

    thread = threading.Thread(target=call)
    thread.start()
    return thread


@pytest.mark.install
def test_wr12_install_upgrade_and_uninstall_load_reload_and_unload_without_a_dropped_or_mixed_call(
    yard: Yard, installer: Installer, tmp_path: Path
) -> None:
    host = yard.watch(entry_point_group="pluginkit.plugins")
    heard: list[list[str]] = []
    done = threading.Event()
    thread = caller(host, heard, done)
    try:
        installer("install", cat(tmp_path, "1.0"))
        until(says(host, "1.0"), "the installed plugin", deadline=60)
        installer("install", "--upgrade", cat(tmp_path, "1.1"))
        until(says(host, "1.1"), "the upgraded plugin", deadline=60)
        assert host.plugins["cat"].version == "1.1"
        installer("uninstall", "cat-dist")
        until(says(host), "the plugin is gone", deadline=60)
    finally:
        done.set()
        thread.join()
    assert heard == [[], ["1.0"], ["1.1"], []]
    until(lambda: yard.kinds("unloaded"), "it is told")
    happened = [kind for kind, _ in yard.kinds("loaded", "reloaded", "unloaded", "failed")]
    assert happened == ["loaded", "reloaded", "unloaded"]


@pytest.mark.install
def test_wr12_the_same_code_in_a_new_version_is_a_reload(
    yard: Yard, environment: Environment, tmp_path: Path
) -> None:
    def wheel(version: str) -> Path:
        files = {"cat_pkg/__init__.py": CODE.format(says="same")}
        return Wheel(
            name="cat-dist", version=version, files=files, plugins={"cat": "cat_pkg:Told"},
            entry_points={"pluginkit.plugins": {"cat": "cat_pkg:Told"}},
        ).build(tmp_path)  # fmt: skip

    environment.install(wheel("1.0"))
    host = yard.watch(entry_point_group="pluginkit.plugins")
    assert host.plugins["cat"].version == "1.0"
    environment.install(wheel("1.1"), upgrade=True)
    until(lambda: host.plugins["cat"].version == "1.1", "the new version")


BACKEND = """
import os, shutil

def get_requires_for_build_editable(config_settings=None): return []

def build_editable(directory, config_settings=None, metadata_directory=None):
    name = next(name for name in os.listdir(".") if name.endswith(".whl"))
    shutil.copy(name, directory)
    return name
"""


@pytest.mark.install
def test_wr12_an_editable_installation_is_loaded_watched_and_unloaded(
    yard: Yard, installer: Installer, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    package = project / "cat_pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(CODE.format(says="one"), "utf-8")
    (package / "manifest.yaml").write_text(MANIFEST, "utf-8")
    # A build backend of its own, so that none is fetched: its editable wheel is a .pth file, as hatchling's is.
    (project / "backend.py").write_text(BACKEND, "utf-8")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "cat-dist"\nversion = "1.0"\n',
        "utf-8",
    )
    Wheel(name="cat-dist", files={"cat.pth": f"{project}\n"}, plugins={"cat": "cat_pkg:Told"}).build(project)
    host = yard.watch(entry_point_group="pluginkit.plugins")
    installer("install", "--no-build-isolation", "-e", str(project))
    until(says(host, "one"), "the editable plugin", deadline=60)
    assert host.plugins["cat"].origin.editable
    (package / "__init__.py").write_text(CODE.format(says="two"), "utf-8")
    until(says(host, "two"), "an edit of its source")
    installer("uninstall", "cat-dist")
    until(says(host), "it was uninstalled", deadline=60)


@pytest.mark.install
def test_wr12_an_upgraded_library_that_the_host_has_imported_needs_a_restart(
    yard: Yard, environment: Environment, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def library(version: str) -> Path:
        files = {"shared_lib/__init__.py": f"VERSION = {version!r}\n"}
        return Wheel(name="shared-lib", version=version, files=files).build(tmp_path)

    environment.install(library("1.0"))
    shared = importlib.import_module("shared_lib")
    try:
        host = yard.watch(entry_point_group="pluginkit.plugins")
        environment.install(library("2.0"), upgrade=True)
        until(lambda: health(host).restart_needed, "it is noticed", deadline=60)
        assert health(host).restart_needed == ("shared-lib 1.0 is imported, 2.0 is installed",)
        # The watcher knows it a moment before it tells: first the log, then the event.
        until(lambda: any(event.kind == "restart_needed" for event in yard.events), "it is told")
        assert any(text.startswith("restart needed: shared-lib 1.0") for text in caplog.messages)
        (event,) = [event for event in yard.events if event.kind == "restart_needed"]
        assert dict(event.data) == {"library": "shared-lib", "imported": "1.0", "installed": "2.0"}
        assert shared.VERSION == "1.0"
    finally:
        del sys.modules["shared_lib"]


def test_wr12_what_is_half_installed_is_not_loaded(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    files = {"cat_pkg/__init__.py": CODE.format(says="one"), "cat_pkg/manifest.yaml": MANIFEST}
    wheel = Wheel(name="cat-dist", files=files, plugins={"cat": "cat_pkg:Told"})
    host = yard.watch(entry_point_group="pluginkit.plugins")
    info = wheel.unpack(tmp_path / "elsewhere")
    record = (info / "RECORD").read_text("utf-8")
    (info / "RECORD").unlink()
    for path in (tmp_path / "elsewhere").iterdir():
        path.rename(site / path.name)
    until(lambda: health(host).waiting_for, "it waits for the installer")
    assert "has no RECORD yet" in health(host).waiting_for
    assert "cat" not in host.plugins
    (site / info.name / "RECORD").write_text(record, "utf-8")
    until(says(host, "one"), "the finished installation")
    assert health(host).waiting_for is None
