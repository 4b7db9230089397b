"""SE10: plugins whose directories, files and entry points are named to traverse or to inject."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pluginkit.discovery import Broken, Catalogue, Selection, discover
from tests.discovery.conftest import MakePlugin
from tests.support.dists import GROUP, Wheel, pip_install
from tests.support.hostile import BYTES, is_tame


def is_shown_safely(entry: object) -> bool:
    """Whether a broken plugin can be listed as it is: by a name on one line."""
    return isinstance(entry, Broken) and entry.name.isprintable() and "\n" not in entry.name


def place(directory: Path, name: bytes) -> Path:
    return Path(os.fsdecode(os.path.join(os.fsencode(directory), name)))


@pytest.mark.parametrize("name", BYTES)
def test_se10_a_directory_with_a_hostile_name_is_broken_and_named_on_one_line(
    plugins: Path, make_plugin: MakePlugin, name: bytes
) -> None:
    make_plugin("cat")
    place(plugins, name).mkdir()
    place(plugins, name).joinpath("manifest.yaml").write_text(
        (plugins / "cat" / "manifest.yaml").read_text("utf-8"), "utf-8"
    )
    found = discover(plugins_dirs=[plugins])
    assert set(found.found) == {"cat"}
    (broken,) = (entry for entry in found if isinstance(entry, Broken))
    assert is_shown_safely(broken)
    assert broken.origin.path == place(plugins, name)


@pytest.mark.parametrize("name", BYTES)
def test_se10_a_single_file_with_a_hostile_name_is_no_plugin(
    plugins: Path, make_plugin: MakePlugin, tripwire: str, name: bytes
) -> None:
    place(plugins, name + b".py").write_text(tripwire, "utf-8")
    (broken,) = discover(plugins_dirs=[plugins])
    assert is_shown_safely(broken)
    assert isinstance(broken, Broken)
    assert broken.reason.code == "manifest-invalid"
    assert all(str(problem).isprintable() for problem in broken.reason.problems)


def test_se10_a_link_with_a_hostile_name_that_leads_nowhere_is_named_on_one_line(plugins: Path) -> None:
    place(plugins, b"a\nb\x1b[2J").symlink_to("/nowhere")
    (broken,) = discover(plugins_dirs=[plugins])
    assert is_shown_safely(broken)
    assert isinstance(broken, Broken)
    assert broken.reason.text.isprintable()
    assert "\\x1b[2J" in broken.reason.text


def test_se10_a_link_inside_a_plugin_is_refused_and_named_on_one_line(
    plugins: Path, make_plugin: MakePlugin
) -> None:
    from pluginkit.snapshot import SymlinkInside, take

    make_plugin("cat")
    place(plugins / "cat", b"a\nb\x1b[2J.py").symlink_to("/etc/passwd")
    with pytest.raises(SymlinkInside) as caught:
        take(plugins / "cat")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "..", "a/b", "a\\b", "..%2fevil", "\u212aat", "\uff43at", "cat cat", "\x1b[2Jcat", "x" * 65, "a\u202eb"],
)  # fmt: skip
def test_se10_an_entry_point_with_a_hostile_name_is_broken(tmp_path: Path, name: str) -> None:
    (broken,) = catalogue(tmp_path, {name: "cat_pkg:Cat"})
    assert is_shown_safely(broken)
    assert isinstance(broken, Broken)
    assert broken.reason.code == "entry-point-invalid"
    assert is_tame(broken.reason.text)


def test_se10_underscores_around_a_name_do_not_make_it_longer_than_a_name_may_be(tmp_path: Path) -> None:
    # pluggy's plugins may be called `_cat`; a file of 5,000 characters cannot be made.
    long, short = "_" * 5000 + "cat", "_dog"
    found = catalogue(tmp_path, {long: "cat_pkg:Cat", short: "cat_pkg:Cat"})
    assert set(found.found) == {short}
    assert [entry.name for entry in found if isinstance(entry, Broken)] == [long]


@pytest.mark.parametrize(
    "value",
    [
        "../evil:Cat", "/etc/passwd:x", "..evil:Cat", "cat_pkg/../../evil:Cat", "cat_pkg;import os:Cat", "cat_pkg:Cat()",
        "cat_pkg:__import__('os')", "\uff43at_pkg:Cat", "cat_pkg\x1b[2J:Cat", "os:system\x00", "cat_pkg.:Cat", ":Cat",
    ],
)  # fmt: skip
def test_se10_an_entry_points_value_names_a_module_and_nothing_else(tmp_path: Path, value: str) -> None:
    (broken,) = catalogue(tmp_path, {"cat": value})
    assert isinstance(broken, Broken)
    assert broken.reason.code in {"entry-point-invalid", "metadata-unreadable"}
    assert is_tame(str(broken.reason))


@pytest.mark.install
def test_se10_what_pip_has_really_installed_is_held_to_the_same(tmp_path: Path, tripwire: str) -> None:
    points = {"cat": "cat_pkg:Cat", "../evil": "cat_pkg:Cat", "dog": "../evil:Dog"}
    wheel = Wheel(name="cat-dist", files={"cat_pkg/__init__.py": tripwire}, plugins=points).build(tmp_path)
    pip_install(wheel, tmp_path / "target")
    found = discover(entry_point_group=GROUP, path=[str(tmp_path / "target")])
    assert set(found.found) == {"cat"}
    broken = {entry.name: entry.reason.code for entry in found if isinstance(entry, Broken)}
    assert broken == {"../evil": "entry-point-invalid", "dog": "entry-point-invalid"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../cat"), ("name", '"cat\\n"'), ("name", '"cat\\e[2J"'), ("name", "\uff43at"), ("name", "cat."), ("name", "~"),
        ("entrypoint", "../evil:Cat"), ("entrypoint", "/tmp/evil:Cat"), ("entrypoint", '"cat:Cat\\n"'), ("entrypoint", "\uff43at:Cat"),
        ("type", "../animal"), ("type", '"animal\\n"'), ("type", '"<red>"'), ("version", '"1.0.0\\n2.0.0"'), ("version", "../1.0.0"),
        ("version", "\uff11.0.0"),
    ],
)  # fmt: skip
def test_se10_fields_of_a_manifest_hold_no_path_no_line_and_no_look_alike(
    plugins: Path, make_plugin: MakePlugin, field: str, value: str
) -> None:
    make_plugin("cat")
    given = {"name": "cat", "entrypoint": '"cat:Plugin"', "type": "animal", "version": "1.0.0"} | {
        field: value
    }
    lines = "".join(f"  {key}: {text}\n" for key, text in given.items())
    file = plugins / "cat" / "manifest.yaml"
    file.write_text(f"plugin:\n{lines}  format: native\n  language: python\n", "utf-8")
    (broken,) = discover(plugins_dirs=[plugins])
    assert isinstance(broken, Broken)
    assert broken.reason.code == "manifest-invalid"
    assert any(problem.path == f"plugin.{field}" for problem in broken.reason.problems)
    assert is_tame(str(broken.reason)), broken.reason


@pytest.mark.parametrize("field", ["include", "exclude"])
def test_se10_globs_choose_by_name_and_lead_nowhere(
    plugins: Path, make_plugin: MakePlugin, field: str
) -> None:
    make_plugin("cat")
    hostile = [
        "../*",
        "/etc/*",
        "[",
        "[!",
        "c[",
        "*" * 2000 + "x",
        "(?i)CAT",
        "c.*t",
        "{cat}",
        "\x1b",
        "ca\u212a",
    ]
    chosen = (Selection(include=hostile) if field == "include" else Selection(exclude=hostile)).apply(
        discover(plugins_dirs=[plugins])
    )
    reasons = [reason.code for reason in chosen.deselected.values()]
    assert reasons == (["not-included"] if field == "include" else [])
    assert not Selection(include=["c*"]).apply(discover(plugins_dirs=[plugins])).deselected


def catalogue(tmp_path: Path, points: dict[str, str]) -> Catalogue:
    """What is found of a distribution with these entry points."""
    site = tmp_path / "site"
    site.mkdir()
    Wheel(name="cat-dist", files={"cat_pkg/__init__.py": ""}, plugins=points).unpack(site)
    return discover(entry_point_group=GROUP, path=[str(site)])
