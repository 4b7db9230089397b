"""Plugins in directories: which are candidates, which are usable, and why the others are not."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pluginkit.discovery import Broken, Catalogue, Found, discover, read_plugin
from pluginkit.manifest import ManifestReader, Vocabulary

MakePlugin = Callable[..., Path]

PLUGIN_JSON = '{"name": "sample", "version": "0.1.0", "source": {"mode": "local", "path": "sample.py"}}'


def find(plugins: Path, **options: object) -> Catalogue:
    return discover(plugins_dirs=[plugins], **options)  # type: ignore[arg-type]  # options differ in type


def reason_of(catalogue: Catalogue, name: str) -> tuple[str, str]:
    broken = catalogue.broken[name]
    assert broken.reason.problems, "a reason without a problem cannot be shown by validate"
    return broken.reason.code, broken.reason.text


def test_dm01_each_direct_subdirectory_is_a_candidate(plugins: Path, make_plugin: MakePlugin) -> None:
    make_plugin("cat")
    make_plugin("dog-house")
    catalogue = find(plugins)
    assert list(catalogue.found) == ["cat", "dog-house"]
    cat, dog = catalogue.found.values()
    assert (cat.root, cat.package, cat.module, cat.entry_point) == (plugins / "cat", "cat", "cat", None)
    assert (dog.package, dog.import_name) == ("dog_house", "dog_house.dog_house")
    assert str(cat.origin) == f"dir:{plugins / 'cat'}"
    assert not catalogue.broken
    assert not catalogue.conflicts


def test_dm01_directories_inside_a_plugin_are_its_own_affair(plugins: Path, make_plugin: MakePlugin) -> None:
    make_plugin("cat")
    make_plugin("kitten", parent=plugins / "cat")
    assert [entry.name for entry in find(plugins)] == ["cat"]


@pytest.mark.parametrize(
    "name", [".git", ".hidden", "__pycache__", "cat-1.0.dist-info", "cat.egg-info", "cat~", "~at"]
)
def test_dm01_what_cannot_be_a_plugin_is_no_candidate(
    plugins: Path, make_plugin: MakePlugin, name: str
) -> None:
    make_plugin(name)
    assert len(find(plugins)) == 0


def test_dm01_other_files_are_no_candidates(plugins: Path) -> None:
    for name in ("README.md", "data.json", "Makefile", "__init__.py", "_private.py"):
        (plugins / name).write_text("text", encoding="utf-8")
    catalogue = find(plugins)
    assert (len(catalogue), catalogue.notices) == (0, ())


def test_dm11_a_copy_left_in_the_directory_is_broken_and_not_overlooked(
    plugins: Path, make_plugin: MakePlugin
) -> None:
    make_plugin("cat")
    make_plugin("cat.bak", name="cat", entrypoint="cat_bak")
    catalogue = find(plugins)
    assert list(catalogue.found) == ["cat"]
    code, text = reason_of(catalogue, "cat.bak")
    assert code == "name-mismatch"
    assert "'cat'" in text
    assert "'cat.bak'" in text


def test_dm11_a_directory_without_a_manifest_is_broken_and_says_what_to_write(plugins: Path) -> None:
    (plugins / "my-cat").mkdir()
    code, text = reason_of(find(plugins), "my-cat")
    assert code == "no-manifest"
    assert 'plugin: {name: my-cat, type: TYPE, format: native, entrypoint: "my_cat:CLASS"' in text


def test_dm11_two_manifests_are_an_error_that_names_both(plugins: Path, make_plugin: MakePlugin) -> None:
    (make_plugin("cat") / "plugin.json").write_text(PLUGIN_JSON, encoding="utf-8")
    code, text = reason_of(find(plugins), "cat")
    assert code == "two-manifests"
    assert "manifest.yaml and plugin.json" in text


def test_dm11_a_bad_manifest_never_stops_the_others(plugins: Path, make_plugin: MakePlugin) -> None:
    make_plugin("cat")
    (make_plugin("zebra") / "manifest.yaml").write_text("plugin: {name: zebra\n  - ]", encoding="utf-8")
    (make_plugin("ant") / "manifest.yaml").write_bytes(b"\xff\xfe\x00")
    catalogue = find(plugins)
    assert list(catalogue.found) == ["cat"]
    assert {reason_of(catalogue, name)[0] for name in ("zebra", "ant")} == {"manifest-invalid"}
    assert "zebra/manifest.yaml:" in reason_of(catalogue, "zebra")[1]


def test_dm04_all_errors_of_a_manifest_are_kept(plugins: Path, make_plugin: MakePlugin) -> None:
    (make_plugin("cat") / "manifest.yaml").write_text("plugin: {name: cat}\n", encoding="utf-8")
    broken = find(plugins).broken["cat"]
    assert len(broken.reason.problems) == 5
    assert "and 4 more" in broken.reason.text


@pytest.mark.parametrize("filename", ["manifest.yaml", "manifest.yml"])
def test_dm03_the_manifest_may_have_either_suffix(
    plugins: Path, make_plugin: MakePlugin, filename: str
) -> None:
    root = make_plugin("cat")
    (root / "manifest.yaml").rename(root / filename)
    found = find(plugins).found["cat"]
    assert found.manifest.file == root / filename


def test_dm05_plugin_json_is_read_instead(plugins: Path, tripwire: str) -> None:
    root = plugins / "sample"
    root.mkdir()
    (root / "plugin.json").write_text(PLUGIN_JSON, encoding="utf-8")
    (root / "sample.py").write_text(tripwire, encoding="utf-8")
    found = find(plugins).found["sample"]
    assert (found.manifest.source, found.manifest.type, found.module) == ("plugin.json", "execute", "sample")


def test_dm08_types_are_held_against_the_hosts_vocabulary(plugins: Path, make_plugin: MakePlugin) -> None:
    make_plugin("cat")
    vocabulary = Vocabulary(frozenset({"animals"}), frozenset({"native"}), frozenset({"python"}))
    code, text = reason_of(find(plugins, manifests=ManifestReader(vocabulary)), "cat")
    assert code == "manifest-invalid"
    assert "animals" in text


@pytest.mark.parametrize(("directory", "name"), [("My_Cat", "my-cat"), ("my.cat", "My_Cat"), ("cat", "CAT")])
def test_dm07_names_are_compared_as_pep_503_normalises_them(
    plugins: Path, make_plugin: MakePlugin, directory: str, name: str
) -> None:
    make_plugin(directory, name=name)
    catalogue = find(plugins)
    assert list(catalogue.found) == [name]
    assert catalogue.get(directory) is catalogue.found[name]


def test_dm07_a_name_that_differs_from_the_directory_is_broken(
    plugins: Path, make_plugin: MakePlugin
) -> None:
    make_plugin("cat", name="dog")
    broken = find(plugins).broken["cat"]
    assert broken.reason.code == "name-mismatch"
    assert broken.reason.problems[0].path == "plugin.name"
    assert broken.reason.problems[0].file == str(plugins / "cat" / "manifest.yaml")


@pytest.mark.parametrize("name", ["json", "pluginkit", "typing", "asyncio"])
def test_dm07_a_plugin_named_like_a_standard_module_is_refused(
    plugins: Path, make_plugin: MakePlugin, name: str
) -> None:
    make_plugin(name)
    code, text = reason_of(find(plugins), name)
    assert code == "name-reserved"
    assert f"'{name}-plugin'" in text


def test_dm11_everything_wrong_with_a_plugin_is_told_at_once(plugins: Path, make_plugin: MakePlugin) -> None:
    make_plugin("json", name="cat", entrypoint="nowhere:Cat")
    broken = find(plugins).broken["json"]
    assert broken.reason.code == "name-mismatch"
    assert [problem.path for problem in broken.reason.problems] == [
        "plugin.name",
        "plugin.name",
        "plugin.entrypoint",
    ]


def test_dm01_a_plugins_directory_may_be_a_symbolic_link(
    plugins: Path, make_plugin: MakePlugin, tmp_path: Path
) -> None:
    make_plugin("cat", parent=tmp_path / "releases")
    (plugins / "cat").symlink_to(tmp_path / "releases" / "cat")
    found = find(plugins).found["cat"]
    assert found.root == plugins / "cat"


def test_dm01_two_paths_to_one_directory_are_read_once(plugins: Path, make_plugin: MakePlugin) -> None:
    make_plugin("cat")
    (plugins / "zz-link").symlink_to("cat")
    catalogue = find(plugins)
    assert [entry.name for entry in catalogue] == ["cat"]
    assert "zz-link leads to the same files as" in catalogue.notices[0]


@pytest.mark.parametrize("link", ["aa-link", "cat.v2"])
def test_dm01_of_two_paths_to_one_directory_the_usable_one_is_kept(
    plugins: Path, make_plugin: MakePlugin, link: str
) -> None:
    make_plugin("cat")
    (plugins / link).symlink_to("cat")
    catalogue = find(plugins)
    assert list(catalogue.found) == ["cat"]
    assert not catalogue.broken


def test_dm01_a_plugins_dir_given_twice_is_read_once(
    plugins: Path, make_plugin: MakePlugin, tmp_path: Path
) -> None:
    make_plugin("cat")
    (tmp_path / "again").symlink_to(plugins)
    catalogue = discover(plugins_dirs=[plugins, tmp_path / "again", str(plugins)])
    assert list(catalogue.found) == ["cat"]
    assert not catalogue.conflicts


def test_dm11_a_link_to_nothing_is_broken(plugins: Path) -> None:
    (plugins / "cat").symlink_to("releases/7")
    (plugins / "dog.py").symlink_to("nowhere.py")
    (plugins / "loop").symlink_to("loop")
    catalogue = find(plugins)
    assert reason_of(catalogue, "cat")[0] == "dangling-symlink"
    assert "releases/7" in reason_of(catalogue, "cat")[1]
    assert catalogue.broken["dog"].origin.kind == "file"
    assert reason_of(catalogue, "loop")[0] == "unreadable"


@pytest.mark.parametrize("target", ["nowhere.yaml", "../cat.yaml"])
def test_dm11_a_manifest_that_is_a_link_is_broken(
    plugins: Path, make_plugin: MakePlugin, target: str
) -> None:
    root = make_plugin("cat")
    (root / "manifest.yaml").rename(plugins / "cat.yaml")
    (root / "manifest.yaml").symlink_to(target)
    code, text = reason_of(find(plugins), "cat")
    assert code == "symlink-inside"
    assert target in text


def test_dm11_a_fifo_as_manifest_is_broken_and_hangs_nobody(plugins: Path, make_plugin: MakePlugin) -> None:
    os.mkfifo(make_plugin("cat", name=None) / "manifest.yaml")
    code, text = reason_of(find(plugins), "cat")
    assert code == "manifest-invalid"
    assert "FIFO" in text


def test_dm11_a_directory_as_manifest_is_broken(plugins: Path, make_plugin: MakePlugin) -> None:
    (make_plugin("cat", name=None) / "manifest.yaml").mkdir()
    assert reason_of(find(plugins), "cat")[0] == "manifest-invalid"


def test_dm11_an_unreadable_directory_is_broken(
    public_directory: Path, make_plugin: MakePlugin, unprivileged: Callable[[], AbstractContextManager[None]]
) -> None:
    make_plugin("cat", parent=public_directory).chmod(0)
    make_plugin("dog", parent=public_directory)
    with unprivileged():
        catalogue = find(public_directory)
    assert reason_of(catalogue, "cat")[0] == "unreadable"
    assert list(catalogue.found) == ["dog"]


def test_cf01_a_plugins_dir_that_is_missing_is_a_notice(tmp_path: Path, make_plugin: MakePlugin) -> None:
    make_plugin("cat", parent=tmp_path / "here")
    catalogue = discover(plugins_dirs=[tmp_path / "missing", tmp_path / "here"])
    assert list(catalogue.found) == ["cat"]
    assert "does not exist" in catalogue.notices[0]
    assert not catalogue.problems


def test_cf01_a_plugins_dir_that_is_a_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (problem,) = discover(plugins_dirs=[tmp_path / "file"]).problems
    assert "is a file" in problem.message
    assert problem.file == str(tmp_path / "file")


def test_cf01_a_plugins_dir_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (problem,) = discover(plugins_dirs=[tmp_path / "loop"]).problems
    assert "cannot be read" in problem.message


def test_dm13_among_directories_the_first_by_path_wins(tmp_path: Path, make_plugin: MakePlugin) -> None:
    for parent in ("z", "a"):
        make_plugin("cat", parent=tmp_path / parent)
    (conflict,) = (catalogue := discover(plugins_dirs=[tmp_path / "z", tmp_path / "a"])).conflicts
    assert catalogue.found["cat"].root == tmp_path / "a" / "cat"
    assert conflict.loser.origin.path == tmp_path / "z" / "cat"


def test_dm14_one_plugin_can_be_read_wherever_it_is(
    tmp_path: Path, make_plugin: MakePlugin, tripwire: str
) -> None:
    (tmp_path / "dog.py").write_text(tripwire, encoding="utf-8")
    cat, dog = read_plugin(f"{make_plugin('cat', parent=tmp_path)}/"), read_plugin(tmp_path / "dog.py")
    assert isinstance(cat, Found)
    assert (cat.name, cat.root) == ("cat", tmp_path / "cat")
    assert isinstance(dog, Found)
    missing = read_plugin(tmp_path / "cow")
    assert isinstance(missing, Broken)
    assert "no such file" in missing.reason.text


def test_cf01_a_plugins_dir_that_no_system_can_have_is_a_problem() -> None:
    (problem,) = discover(plugins_dirs=["a\0b"]).problems
    assert "cannot be read" in problem.message


def test_dm01_names_that_are_not_utf8_do_no_harm(plugins: Path, make_plugin: MakePlugin) -> None:
    make_plugin("cat")
    os.mkdir(os.fsencode(plugins) + b"/bad\xff")
    catalogue = find(plugins)
    assert list(catalogue.found) == ["cat"]
    (broken,) = catalogue.broken.values()
    assert broken.reason.code == "no-manifest"


def test_dm02_nothing_is_searched_that_was_not_asked_for() -> None:
    assert len(discover()) == 0
