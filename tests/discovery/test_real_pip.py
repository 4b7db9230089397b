"""pip itself installs, upgrades and removes plugins, and each is seen by the next search."""

from __future__ import annotations

from pathlib import Path

import pytest

from pluginkit.discovery import discover
from tests.support.dists import GROUP, Environment, Wheel, pip_install, run

MANIFEST = 'plugin: {name: cat, type: animal, format: native, entrypoint: "cat_pkg:Cat", language: python, version: 1.0.0}\n'


def wheel(tmp_path: Path, tripwire: str, version: str, **plugins: str) -> Path:
    files = {
        "cat_pkg/__init__.py": tripwire,
        "cat_pkg/data,with comma.txt": "",
        "cat_pkg/manifest.yaml": MANIFEST,
    }
    return Wheel(name="Cat.Dist", version=version, files=files, plugins=plugins).build(tmp_path)


@pytest.mark.install
def test_dm02_pip_install_into_a_directory_is_found(tmp_path: Path, tripwire: str) -> None:
    pip_install(wheel(tmp_path, tripwire, "1.0", cat="cat_pkg:Cat"), tmp_path / "target")
    (cat,) = discover(entry_point_group=GROUP, path=[str(tmp_path / "target")]).found.values()
    assert cat.root == tmp_path / "target" / "cat_pkg"
    assert cat.manifest.type == "animal"
    assert str(cat.origin) == "pip:Cat.Dist 1.0"
    # pip notes the origin of a local wheel as it does for an editable installation.
    assert (cat.origin.path / "direct_url.json").exists() if cat.origin.path else False
    assert not cat.origin.editable


@pytest.mark.install
def test_pk04_install_upgrade_and_uninstall_are_each_seen_at_once(tmp_path: Path, tripwire: str) -> None:
    environment = Environment.create(tmp_path / "env")

    def names_and_versions() -> dict[str, str]:
        found = discover(entry_point_group=GROUP, path=[str(environment.site)]).found
        return {name: str(plugin.manifest.version) for name, plugin in found.items()}

    assert names_and_versions() == {}
    environment.install(wheel(tmp_path, tripwire, "1.0", cat="cat_pkg:Cat"))
    assert names_and_versions() == {"cat": "1.0"}
    environment.install(wheel(tmp_path, tripwire, "1.1", cat="cat_pkg:Cat", dog="cat_pkg:Dog"), upgrade=True)
    assert names_and_versions() == {"cat": "1.1", "dog": "1.1"}
    environment.uninstall("cat-dist")
    assert names_and_versions() == {}


@pytest.mark.install
def test_dm02_plugins_are_found_on_the_sys_path_of_a_real_environment(
    tmp_path: Path, tripwire: str, child_env: dict[str, str]
) -> None:
    environment = Environment.create(tmp_path / "env")
    environment.install(wheel(tmp_path, tripwire, "1.0", cat="cat_pkg:Cat"))
    script = (
        "import sys; sys.path += sys.argv[1:]\n"
        "from pluginkit.discovery import discover\n"
        "found = discover(entry_point_group='pluginkit.plugins').found\n"
        "print(found['cat'].root, 'cat_pkg' in sys.modules, 'importlib.metadata' in sys.modules)\n"
    )
    import yaml

    needed = [child_env["PYTHONPATH"], str(Path(yaml.__file__).parents[1])]
    out = run(str(environment.python), "-c", script, *needed)
    assert out.split() == [str(environment.site / "cat_pkg"), "False", "False"]
