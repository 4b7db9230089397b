"""Editable installations: where their source is, read from what each build backend leaves."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pluginkit.discovery import Catalogue, discover
from tests.support.dists import GROUP, Environment, Wheel, pip_install_editable, run

MANIFEST = 'plugin: {name: cat, type: animal, format: native, entrypoint: "main:Cat", language: python, version: 1.0.0}\n'
LayOut = Callable[..., Path]


def find(*path: Path) -> Catalogue:
    return discover(entry_point_group=GROUP, path=[str(directory) for directory in path])


@pytest.fixture
def project(tmp_path: Path, tripwire: str) -> Callable[[str], Path]:
    """Write a source tree with the package `cat_pkg` and a manifest; return its project directory."""

    def write(layout: str) -> Path:
        directory = tmp_path / "a project"
        package = directory / layout / "cat_pkg"
        package.mkdir(parents=True)
        for name in ("__init__.py", "main.py"):
            (package / name).write_text(tripwire, encoding="utf-8")
        (package / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
        return directory

    return write


@pytest.fixture
def lay_out(tmp_path: Path, tripwire: str) -> LayOut:
    """What an editable installation leaves in site-packages: `files`, and metadata that calls it editable."""

    def write(project: Path | None, files: dict[str, str], value: str = "cat_pkg.main:Cat") -> Path:
        content = {name: tripwire + text if name.endswith(".py") else text for name, text in files.items()}
        if project is not None:
            url = {"url": project.as_uri(), "dir_info": {"editable": True}}
            content["cat_dist-1.0.dist-info/direct_url.json"] = json.dumps(url)
        Wheel(name="cat-dist", files=content, plugins={"cat": value}).unpack(tmp_path / "site")
        return tmp_path / "site"

    return write


def assert_found(catalogue: Catalogue, root: Path) -> None:
    assert not catalogue.broken, catalogue.broken["cat"].reason.text
    cat = catalogue.found["cat"]
    assert (cat.root, cat.package, cat.module) == (root, "cat_pkg", "main")
    assert cat.manifest.type == "animal"
    assert cat.origin.editable
    assert str(cat.origin) == "pip-editable:cat-dist 1.0"


@pytest.mark.parametrize("layout", ["", "src"])
def test_dm02_a_pth_file_that_names_the_directory(
    project: Callable[[str], Path], lay_out: LayOut, layout: str
) -> None:
    directory = project(layout)
    site = lay_out(directory, {"_cat.pth": f"# a comment\n\n{directory / layout}\n"})
    assert_found(find(site), directory / layout / "cat_pkg")


@pytest.mark.parametrize("annotation", ["", ": dict[str, str]"])
def test_dm02_the_mapping_of_setuptools_is_parsed_and_not_run(
    project: Callable[[str], Path], lay_out: LayOut, annotation: str
) -> None:
    directory = project("lib")
    hook = f"MAPPING{annotation} = {{'cat_pkg': {str(directory / 'lib/cat_pkg')!r}}}\nOTHER = f()\nNAMESPACES = {{}}\n"
    files = {
        "__editable__.cat_dist.pth": "import __editable___cat_finder; __editable___cat_finder.install()\n",
        "__editable___cat_finder.py": hook,
    }
    assert_found(find(lay_out(directory, files)), directory / "lib" / "cat_pkg")


def test_dm02_a_mapping_of_namespace_packages(project: Callable[[str], Path], lay_out: LayOut) -> None:
    directory = project("src/ns")
    hook = (
        f"MAPPING = {{'ns.cat_pkg': {str(directory / 'src/ns/cat_pkg')!r}, 'x': 1}}\n"
        f"NAMESPACES = {{'ns': [{str(directory / 'src/ns')!r}]}}\n"
    )
    site = lay_out(directory, {"e.pth": "import hook\n", "hook.py": hook}, value="ns.cat_pkg.main")
    cat = find(site).found["cat"]
    assert (cat.root, cat.package, cat.module) == (directory / "src/ns/cat_pkg", "ns.cat_pkg", "main")


def test_dm02_a_module_in_an_editable_namespace(project: Callable[[str], Path], lay_out: LayOut) -> None:
    directory = project("src/ns")
    (directory / "src/ns/solo.py").write_text("", encoding="utf-8")
    hook = f"NAMESPACES = {{'ns': [{str(directory / 'src/ns')!r}]}}\n"
    site = lay_out(directory, {"e.pth": "import hook\n", "hook.py": hook}, value="ns.solo:Cat")
    cat = find(site).found["cat"]
    assert (cat.root, cat.package, cat.module) == (directory / "src/ns", "ns", "solo")


@pytest.mark.parametrize(("file", "root"), [("cat_pkg/__init__.py", "cat_pkg"), ("solo.py", "solo.py")])
def test_dm02_the_calls_of_the_editables_library_are_parsed_and_not_run(
    project: Callable[[str], Path], lay_out: LayOut, file: str, root: str
) -> None:
    directory = project("lib")
    (directory / "lib/solo.py").write_text("", encoding="utf-8")
    name = root.removesuffix(".py")
    hook = (
        "from editables.redirector import RedirectingFinder as F\nF.install()\n"
        f"F.map_module({name!r}, {str(directory / 'lib' / file)!r})\nF.map_module(1, 2)\nF.map_module(x)\n"
    )
    site = lay_out(directory, {"e.pth": "import hook", "hook.py": hook}, value=name)
    cat = find(site).found["cat"]
    assert (cat.root, cat.package) == (directory / "lib" / root, name)


@pytest.mark.parametrize("layout", ["", "src"])
def test_dm02_with_a_hook_that_cannot_be_read_the_project_itself_is_tried(
    project: Callable[[str], Path], lay_out: LayOut, layout: str
) -> None:
    directory = project(layout)
    files = {
        "e.pth": "import hook\nimport gone\nimport odd\n",
        "hook.py": "not python",
        "odd.py": "MAPPING = [1]",
    }
    assert_found(find(lay_out(directory, files)), directory / layout / "cat_pkg")


def test_dm11_a_source_that_cannot_be_found_is_told(project: Callable[[str], Path], lay_out: LayOut) -> None:
    directory = project("deep/down")
    site = lay_out(directory, {"e.pth": "import hook\n", "hook.py": "MAPPING = {'cat_pkg': compute()}\n"})
    assert find(site).broken["cat"].reason.code == "package-not-found"
    (site / "hook.py").write_text("MAPPING = {'other': '/src/other'}", encoding="utf-8")
    broken = find(site).broken["cat"]
    assert broken.reason.code == "package-not-found"
    assert "without running the import hook" in broken.reason.text


def test_dm11_a_removed_source_tree_is_told(project: Callable[[str], Path], lay_out: LayOut) -> None:
    directory = project("")
    site = lay_out(directory, {"e.pth": str(directory)})
    shutil.rmtree(directory)
    assert find(site).broken["cat"].reason.code == "package-not-found"


def test_dm11_a_pth_file_that_is_gone_or_no_text_is_passed_by(
    project: Callable[[str], Path], lay_out: LayOut
) -> None:
    directory = project("")
    site = lay_out(directory, {"e.pth": ""})
    (site / "e.pth").write_bytes(b"\xff")
    assert_found(find(site), directory / "cat_pkg")
    (site / "e.pth").unlink()
    assert_found(find(site), directory / "cat_pkg")


def test_dm02_a_pth_file_where_python_does_not_read_it_is_passed_by(
    project: Callable[[str], Path], lay_out: LayOut
) -> None:
    directory = project("lib")
    site = lay_out(None, {"other/e.pth": str(directory / "lib")})
    assert find(site).broken["cat"].reason.code == "package-not-found"


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"dir_info": {}}',
        '{"dir_info": {"editable": "yes"}}',
        '{"url": 1, "dir_info": {"editable": true}}',
    ],
)
def test_dm02_an_origin_that_says_nothing_of_editable_is_none(
    project: Callable[[str], Path], lay_out: LayOut, text: str
) -> None:
    directory = project("")
    site = lay_out(None, {"e.pth": str(directory), "cat_dist-1.0.dist-info/direct_url.json": text})
    cat = find(site).found["cat"]
    assert (cat.root, cat.origin.editable) == (directory / "cat_pkg", False)


@pytest.mark.parametrize("layout", ["", "src"])
def test_dm02_metadata_beside_the_source_as_setup_py_develop_leaves_it(
    project: Callable[[str], Path], tmp_path: Path, layout: str
) -> None:
    directory = project(layout)
    info = directory / layout / "cat_dist.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Name: cat-dist\nVersion: 1.0\n", encoding="utf-8")
    (info / "SOURCES.txt").write_text("setup.py\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\ncat = cat_pkg.main:Cat\n", encoding="utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "cat-dist.egg-link").write_text(f"{directory / layout}\n.", encoding="utf-8")
    assert_found(find(tmp_path / "site", directory / layout), directory / layout / "cat_pkg")


def test_dm02_older_installations_list_their_files_differently(
    project: Callable[[str], Path], tmp_path: Path
) -> None:
    site = tmp_path / "site-packages"
    shutil.copytree(project("") / "cat_pkg", site / "cat_pkg")
    info = site / "cat_dist-1.0-py3.11.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Name: cat-dist\nVersion: 1.0\n", encoding="utf-8")
    (info / "installed-files.txt").write_text(
        "../cat_pkg/__init__.py\n../cat_pkg/main.py\n../cat_pkg/manifest.yaml\nPKG-INFO\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(f"[{GROUP}]\ncat = cat_pkg:Cat\n", encoding="utf-8")
    cat = find(site).found["cat"]
    assert (cat.root, cat.manifest.type, cat.origin.editable) == (site / "cat_pkg", "animal", False)


def test_dm13_the_egg_info_that_an_editable_installation_leaves_is_no_surprise(
    project: Callable[[str], Path], lay_out: LayOut
) -> None:
    directory = project("")
    site = lay_out(directory, {"e.pth": str(directory)})
    info = directory / "cat_dist.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Name: cat-dist\nVersion: 0.9\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\ncat = cat_pkg.main:Cat\n", encoding="utf-8")
    catalogue = find(site, directory)
    assert_found(catalogue, directory / "cat_pkg")
    assert not catalogue.notices
    assert not catalogue.conflicts


# Real build backends, as `pip install -e` calls them


@pytest.fixture(scope="module")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has pip and today's build backends, from the package index."""
    environment = Environment.create(tmp_path_factory.mktemp("backends"))
    run(
        *(sys.executable, "-m", "pip", "--python", str(environment.python), "install", "--quiet"),
        *("pip", "setuptools>=77", "hatchling>=1.27", "editables", "flit-core>=3.9"),
    )
    return environment.python


SETUPTOOLS = 'requires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"'
HATCHLING = 'requires = ["hatchling"]\nbuild-backend = "hatchling.build"'
FLIT = 'requires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"'
STRICT = ("--config-settings", "editable_mode=strict")


@pytest.mark.install
@pytest.mark.parametrize(
    ("backend", "layout", "more", "options"),
    [
        (SETUPTOOLS, "", "", ()),
        (SETUPTOOLS, "src", "", ()),
        (
            SETUPTOOLS,
            "lib",
            '[tool.setuptools]\npackage-dir = {cat_pkg = "lib/cat_pkg"}\npackages = ["cat_pkg"]',
            (),
        ),
        (HATCHLING, "src", '[tool.hatch.build.targets.wheel]\npackages = ["src/cat_pkg"]', ()),
        (
            HATCHLING,
            "",
            '[tool.hatch.build]\ndev-mode-exact = true\ntargets.wheel.packages = ["cat_pkg"]',
            (),
        ),
        (FLIT, "", '[tool.flit.module]\nname = "cat_pkg"', ()),
    ],
    ids=["setuptools-flat", "setuptools-src", "setuptools-lib", "hatchling-src", "hatchling-exact", "flit"],
)
def test_dm02_pip_install_editable_of_each_real_kind(
    backends: Path,
    project: Callable[[str], Path],
    tmp_path: Path,
    backend: str,
    layout: str,
    more: str,
    options: tuple[str, ...],
) -> None:
    directory = project(layout)
    write_pyproject(directory, backend, more)
    site = pip_install_editable(directory, tmp_path / "prefix", *options, python=backends)
    assert_found(find(site), directory / layout / "cat_pkg")


@pytest.mark.install
def test_dm09_a_tree_of_links_to_the_source_is_refused_with_a_reason(
    backends: Path, project: Callable[[str], Path], tmp_path: Path
) -> None:
    directory = project("src")
    write_pyproject(directory, SETUPTOOLS, "")
    site = pip_install_editable(directory, tmp_path / "prefix", *STRICT, python=backends)
    assert find(site).broken["cat"].reason.code == "symlink-inside"


def write_pyproject(directory: Path, backend: str, more: str) -> None:
    (directory / "pyproject.toml").write_text(
        f'[build-system]\n{backend}\n[project]\nname = "cat-dist"\nversion = "1.0"\ndescription = "A cat"\n'
        f'[project.entry-points."{GROUP}"]\ncat = "cat_pkg.main:Cat"\n{more}\n',
        encoding="utf-8",
    )
