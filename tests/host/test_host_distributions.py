"""pip-installed plugins, in a host of the environment they were installed into (DM02, DM13, PK04)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pluginkit
from pluginkit.testing import write_plugin
from tests.support.dists import Environment, Wheel, run, site_of

pytestmark = pytest.mark.install

SPEAK = "from pluginkit import hookimpl\n@hookimpl\ndef speak(is_loud): return '{}'\n"
MANIFEST = 'plugin: {{name: {name}, type: animal, format: native, entrypoint: "main:Cat", language: python, version: "{version}"}}\n'
CAT = "from pluginkit import hookimpl\nfrom . import words\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud): return words.WORD\n"
SCRIPT = """
import json, sys
{before}
from pluginkit import Host
from pluginkit.contracts.samples import Animal
with Host(contracts={{"animal": Animal}}, plugins_dir=sys.argv[1], state_dir=sys.argv[2]) as host:
    rows = {{p.name: [str(p.state), p.version, str(p.origin), p.reloadable] for p in host.plugins.everything()}}
    print(json.dumps([rows, host.hook.speak(is_loud=True)]))
"""


class World:
    """A virtual environment into which plugins are pip-installed, and a plugins directory beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = Environment.create(directory / "venv")
        self.plugins = directory / "plugins"
        self.plugins.mkdir()
        # pluginkit itself and what it needs, as one line in site-packages.
        places = [Path(pluginkit.__file__).parent.parent, site_of(Path(__import__("sys").prefix))]
        (self.environment.site / "shared.pth").write_text("\n".join(map(str, places)))

    def install(self, wheel: Wheel, *, upgrade: bool = False) -> None:
        self.environment.install(wheel.build(self.directory), upgrade=upgrade)

    def ask(self, before: str = "") -> Any:
        script = SCRIPT.format(before=before)
        state = str(self.directory / "state")
        return json.loads(self.run(script, str(self.plugins), state).splitlines()[-1])

    def run(self, script: str, *arguments: str) -> str:
        return run(str(self.environment.python), "-c", script, *arguments)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def cat(version: str, word: str) -> Wheel:
    files = {
        "cat_pkg/__init__.py": "",
        "cat_pkg/main.py": CAT,
        "cat_pkg/words.py": f"WORD = {word!r}",
        "cat_pkg/manifest.yaml": MANIFEST.format(name="cat", version=version),
    }
    return Wheel(name="zoo-cat", version=version, files=files, plugins={"cat": "cat_pkg.main:Cat"})


def test_pk04_pip_install_upgrade_and_uninstall_are_enough(world: World) -> None:
    assert world.ask() == [{}, []]
    world.install(cat("1.0.0", "one"))
    rows, answers = world.ask()
    assert rows == {"cat": ["running", "1.0.0", "pip:zoo-cat 1.0.0", True]}
    assert answers == ["one"]
    world.install(cat("1.1.0", "eleven"), upgrade=True)
    assert world.ask() == [{"cat": ["running", "1.1.0", "pip:zoo-cat 1.1.0", True]}, ["eleven"]]
    world.environment.uninstall("zoo-cat")
    assert world.ask() == [{}, []]


def test_dm02_single_modules_and_derived_manifests(world: World) -> None:
    files = {"lone_dog.py": SPEAK.format("dog")}
    world.install(Wheel(name="lone-dog", version="0.3.1", files=files, plugins={"dog": "lone_dog"}))
    rows, answers = world.ask()
    assert rows == {"dog": ["running", "0.3.1", "pip:lone-dog 0.3.1", True]}
    assert answers == ["dog"]


def test_dm13_the_directory_wins_over_the_installed_one_and_both_are_named(world: World) -> None:
    world.install(cat("1.0.0", "installed"))
    write_plugin(world.plugins, "cat", SPEAK.format("directory"), type="animal", version="2.0.0")
    script = "import pluginkit"
    rows, answers = world.ask(before=script)
    assert answers == ["directory"]
    assert rows["cat"][0] in {"running", "conflict"}
    done = world.run(
        "import sys\nfrom pluginkit import Host\nfrom pluginkit.contracts.samples import Animal\n"
        "host = Host(contracts={'animal': Animal}, plugins_dir=sys.argv[1], state_dir=sys.argv[1] + '/../state')\n"
        "host.refresh()\nprint(host.plugins['cat'].origin, '|', host.plugins.conflicts[0].reason)",
        str(world.plugins),
    )
    assert done.startswith(f"dir:{world.plugins / 'cat'} | ")
    assert "pip:zoo-cat 1.0.0" in done


def test_a_package_that_the_host_has_imported_is_used_as_it_is(world: World) -> None:
    world.install(cat("1.0.0", "one"))
    rows, answers = world.ask(before="import cat_pkg.words; cat_pkg.words.WORD = 'patched by the host'")
    assert rows["cat"] == ["running", "1.0.0", "pip:zoo-cat 1.0.0", False]
    assert answers == ["patched by the host"]


def test_an_installed_package_stays_importable_for_the_host(world: World) -> None:
    world.install(cat("1.0.0", "one"))
    done = world.run(
        "from pluginkit import Host\nfrom pluginkit.contracts.samples import Animal\n"
        "with Host(contracts={'animal': Animal}) as host:\n"
        "    import cat_pkg.words, cat_pkg.main\n"
        "    print(cat_pkg.words.WORD, cat_pkg.main.Cat is type(host.plugins['cat'].instance))\n"
        "import cat_pkg.words\nprint(type(cat_pkg.words).__name__)",
    )
    assert done == "one True\nmodule\n"


def test_a_namespace_package_is_loaded_as_the_host_would(world: World) -> None:
    files = {"zoo_ns/pig/__init__.py": SPEAK.format("pig")}
    world.install(Wheel(name="zoo-ns-pig", files=files, plugins={"pig": "zoo_ns.pig"}))
    rows, answers = world.ask()
    assert rows["pig"] == ["running", "1.0", "pip:zoo-ns-pig 1.0", False]
    assert answers == ["pig"]
