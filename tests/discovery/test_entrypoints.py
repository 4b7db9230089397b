"""The entrypoint's module: found by file names alone, and never outside the plugin."""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from pluginkit.discovery import Broken, Found, discover
from pluginkit.discovery.modules import Root, module_exists, module_stem, resolve_absolute, resolve_own
from pluginkit.errors import Reason

MakePlugin = Callable[..., Path]


def only(plugins: Path) -> Found | Broken:
    (entry,) = discover(plugins_dirs=[plugins])
    return entry


@pytest.mark.parametrize(
    ("entrypoint", "files", "module"),
    [
        ("cat:Cat", ["cat.py"], "cat"),
        ("cat:Cat", ["cat.py", "__init__.py"], "cat"),
        ("cat:Cat", ["__init__.py"], ""),
        ("cat", ["__init__.py"], ""),
        ("__init__:Cat", ["__init__.py"], ""),
        ("main:Cat.inner", ["main.py"], "main"),
        ("impl.loud:Cat", ["impl/loud.py"], "impl.loud"),
        ("impl:Cat", ["impl/__init__.py"], "impl"),
        ("impl", ["impl/loud.py"], "impl"),
        ("cat.main:Cat", ["main.py", "__init__.py"], "main"),
        ("cat.cat:Cat", ["cat.py"], "cat"),
        ("cat.cat:Cat", ["cat/cat.py"], "cat.cat"),
        ("fast:Cat", [f"fast{EXTENSION_SUFFIXES[0]}"], "fast"),
        ("fast:Cat", [f"fast{EXTENSION_SUFFIXES[-1]}"], "fast"),
        ("old:Cat", ["old.pyc"], "old"),
    ],
)
def test_dm09_the_module_may_be_any_kind_of_module(
    plugins: Path, make_plugin: MakePlugin, entrypoint: str, files: list[str], module: str
) -> None:
    make_plugin("cat", entrypoint=entrypoint, files=dict.fromkeys(files, ""))
    entry = only(plugins)
    assert isinstance(entry, Found), entry
    assert entry.module == module


@pytest.mark.parametrize("entrypoint", ["dog:Dog", "cat.dog:Dog", "cat:Cat", "impl.loud:Cat", "data:Cat"])
def test_dm09_a_module_that_is_not_there_is_an_error(
    plugins: Path, make_plugin: MakePlugin, entrypoint: str
) -> None:
    make_plugin("cat", entrypoint=entrypoint, files={"other.py": "", "data.txt": "", "impl.py": ""})
    (plugins / "dog.py").mkdir()
    broken = discover(plugins_dirs=[plugins]).broken["cat"]
    assert broken.reason.code == "entrypoint-missing"
    assert str(plugins / "cat") in broken.reason.text
    assert broken.reason.problems[0].path == "plugin.entrypoint"


@pytest.mark.parametrize("entrypoint", ["../../bin/sh", "/bin/sh", "..cat:Cat", "cat/../x:Cat", "~root:X"])
def test_dm09_a_path_is_no_entrypoint(plugins: Path, make_plugin: MakePlugin, entrypoint: str) -> None:
    make_plugin("cat", entrypoint=entrypoint)
    broken = only(plugins)
    assert isinstance(broken, Broken)
    assert broken.reason.code == "manifest-invalid"


@pytest.mark.parametrize("link", ["cat.py", "impl", "impl/loud.py"])
@pytest.mark.parametrize("target", ["outside", "real", "nowhere"])
def test_dm09_a_link_inside_the_plugin_is_refused(
    plugins: Path, make_plugin: MakePlugin, tmp_path: Path, link: str, target: str
) -> None:
    entrypoint = {"cat.py": "cat:Cat", "impl": "impl.loud:Cat", "impl/loud.py": "impl.loud:Cat"}[link]
    root = make_plugin("cat", entrypoint=entrypoint, files={"real/loud.py": "", "real/__init__.py": ""})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "loud.py").write_text("", encoding="utf-8")
    if link == "impl/loud.py":
        (root / "impl").mkdir()
    targets: dict[str, Path] = {
        "outside": tmp_path / "outside",
        "real": root / "real",
        "nowhere": Path("nowhere"),
    }
    (root / link).symlink_to(targets[target])
    broken = only(plugins)
    assert isinstance(broken, Broken)
    assert broken.reason.code == "symlink-inside"
    assert str(root / link) in broken.reason.text


def test_lh11_each_implementation_must_exist_too(plugins: Path, make_plugin: MakePlugin) -> None:
    root = make_plugin("cat")
    manifest = root / "manifest.yaml"
    text = manifest.read_text(encoding="utf-8")
    more = text.replace(
        "version: 1.0.0", 'version: 1.0.0, implementations: {loud: "cat:Loud", quiet: "hush:Quiet"}'
    )
    manifest.write_text(more, encoding="utf-8")
    broken = only(plugins)
    assert isinstance(broken, Broken)
    assert broken.reason.code == "entrypoint-missing"
    assert "'hush:Quiet'" in broken.reason.text
    (root / "hush.py").write_text("", encoding="utf-8")
    assert isinstance(only(plugins), Found)


def test_dm05_a_plugin_that_is_still_to_be_fetched_says_from_where(plugins: Path, tripwire: str) -> None:
    root = plugins / "sample"
    root.mkdir()
    (root / "plugin.json").write_text(
        '{"name": "sample", "version": "0.1.0", "source": {"mode": "remote_git", "path": "sample.py",'
        ' "url": "https://example.com/sample.git"}}',
        encoding="utf-8",
    )
    broken = only(plugins)
    assert isinstance(broken, Broken)
    assert broken.reason.code == "not-fetched"
    assert "https://example.com/sample.git" in broken.reason.text
    (root / "sample.py").write_text(tripwire, encoding="utf-8")
    assert isinstance(only(plugins), Found)


def test_dm09_an_entry_point_of_a_distribution_is_absolute(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "cat.py").write_text("", encoding="utf-8")
    root = Root(str(tmp_path), "cat")
    assert resolve_absolute(root, "cat", file=None) == ""
    assert resolve_absolute(root, "cat.cat:Cat", file=None) == "cat"
    assert resolve_own(root, "cat", file=None) == "cat"
    assert isinstance(resolve_absolute(root, "dog", file=None), Reason)


def test_dm09_inside_a_namespace_package_the_last_name_is_enough(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "main.py").write_text("", encoding="utf-8")
    root = Root(str(tmp_path), "ns.cat")
    for entrypoint, module in (("cat", ""), ("ns.cat", ""), ("ns.cat.main", "main"), ("cat.main", "main")):
        assert resolve_own(root, entrypoint, file=None) == module
    assert module_exists(Root(str(tmp_path / "main.py"), "ns.main", is_file=True), ())


def test_dm09_a_path_too_long_for_the_system_is_a_value(tmp_path: Path) -> None:
    reason = resolve_own(Root(str(tmp_path / ("x" * 300)), "cat"), "cat", file=None)
    assert isinstance(reason, Reason)
    assert reason.code == "unreadable"


def test_dm09_module_names_are_read_off_file_names() -> None:
    for suffix in (".py", ".pyc", *EXTENSION_SUFFIXES):
        assert module_stem(f"cat{suffix}") == "cat"
    assert module_stem("cat.txt") is None
