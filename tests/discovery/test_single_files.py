"""Plugins that are one file: manifests derived from their source text, or written beside them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pluginkit.discovery import Broken, Found, discover, read_plugin
from pluginkit.versions import Version

BESIDE = 'plugin: {{name: {name}, type: animal, format: native, entrypoint: "{entry}", language: python, version: 1.0.0}}'


def find(plugins: Path) -> dict[str, Found | Broken]:
    return {entry.name: entry for entry in discover(plugins_dirs=[plugins])}


def found(plugins: Path, name: str) -> Found:
    entry = find(plugins)[name]
    assert isinstance(entry, Found), entry
    return entry


def broken(plugins: Path, name: str) -> Broken:
    entry = find(plugins)[name]
    assert isinstance(entry, Broken), entry
    return entry


def test_dm15_a_single_file_gets_a_derived_manifest(plugins: Path, tripwire: str) -> None:
    source = f'"""A cat that speaks.\n\nAnd more."""\n__version__ = "1.2.3"\n{tripwire}'
    (plugins / "my-cat.py").write_text(source, encoding="utf-8")
    cat = found(plugins, "my-cat")
    assert (cat.root, cat.package, cat.module) == (plugins / "my-cat.py", "my_cat", "")
    assert cat.manifest.type == "pluggy"
    assert cat.manifest.source == "derived"
    assert str(cat.manifest.entrypoint) == "my_cat"
    assert cat.manifest.version == Version.parse("1.2.3")
    assert cat.manifest.about.description == "A cat that speaks."
    assert str(cat.origin) == f"file:{plugins / 'my-cat.py'}"


@pytest.mark.parametrize(
    ("source", "version", "description"),
    [
        ("", "0.0.0", ""),
        ("x = 1", "0.0.0", ""),
        ("__version__ = '1.2'", "1.2", ""),
        ("__version__ = '1.2.3-alpha.beta'", "1.2.3-alpha.beta", ""),
        ("__version__: str = '2.0rc1'", "2.0rc1", ""),
        ("import x\n__version__ = x.version()", "0.0.0", ""),
        ("__version__ = 3", "0.0.0", ""),
        ("def f():\n    __version__ = '9.9.9'", "0.0.0", ""),
        ("'  One line.  '\n__version__ = '1.0.0'\n__version__ = '2.0.0'", "1.0.0", "One line."),
        ("# -*- coding: latin-1 -*-\n'\xe9t\xe9'", "0.0.0", "\xe9t\xe9"),
    ],
)
def test_dm15_version_and_description_are_read_from_the_text(
    plugins: Path, source: str, version: str, description: str
) -> None:
    (plugins / "cat.py").write_bytes(source.encode("latin-1"))
    manifest = found(plugins, "cat").manifest
    assert (str(manifest.version), manifest.about.description) == (version, description)


def test_dm15_a_version_that_is_none_is_an_error_with_its_line(plugins: Path) -> None:
    (plugins / "cat.py").write_text('"""Cat."""\n__version__ = "new"\n', encoding="utf-8")
    reason = broken(plugins, "cat").reason
    assert reason.code == "manifest-invalid"
    assert reason.problems[0].line == 2
    assert reason.problems[0].found == "'new'"


@pytest.mark.parametrize(
    ("source", "line"),
    [("def f(:\n", 1), ("x = 1\nprint 'x'\n", 2), ("\0", None), ("(" * 500, 1), ("-" * 9000 + "x", None)],
)
def test_dm11_a_file_that_is_not_python_is_broken_with_its_line(
    plugins: Path, source: str, line: int | None
) -> None:
    (plugins / "cat.py").write_text(source, encoding="utf-8")
    (plugins / "dog.py").write_text("", encoding="utf-8")
    reason = broken(plugins, "cat").reason
    assert reason.code == "syntax-error"
    if line is not None:
        assert f"cat.py:{line}: " in reason.text
    assert isinstance(find(plugins)["dog"], Found)


def test_dm11_a_name_that_no_plugin_can_have_is_broken(plugins: Path) -> None:
    (plugins / "my cat.py").write_text("", encoding="utf-8")
    reason = broken(plugins, "my cat").reason
    assert reason.code == "manifest-invalid"
    assert reason.problems[0].path == "plugin.name"


def test_dm07_a_file_named_like_a_standard_module_is_refused(plugins: Path) -> None:
    (plugins / "json.py").write_text("", encoding="utf-8")
    assert broken(plugins, "json").reason.code == "name-reserved"


def test_dm11_a_fifo_named_like_a_plugin_hangs_nobody(plugins: Path) -> None:
    os.mkfifo(plugins / "cat.py")
    reason = broken(plugins, "cat").reason
    assert reason.code == "unreadable"
    assert "not a regular file" in reason.text


def test_dm11_a_file_too_large_to_parse_is_broken(plugins: Path) -> None:
    with (plugins / "cat.py").open("wb") as file:
        file.truncate(5 * 1024 * 1024)
    assert "larger than" in broken(plugins, "cat").reason.text


@pytest.mark.parametrize("suffix", [".manifest.yaml", ".manifest.yml"])
@pytest.mark.parametrize("entry", ["cat:Cat", "cat"])
def test_dm15_a_manifest_beside_the_file_is_read(
    plugins: Path, tripwire: str, suffix: str, entry: str
) -> None:
    (plugins / "cat.py").write_text(tripwire + "not python", encoding="utf-8")
    (plugins / f"cat{suffix}").write_text(BESIDE.format(name="cat", entry=entry), encoding="utf-8")
    cat = found(plugins, "cat")
    assert (cat.manifest.type, cat.module, cat.package) == ("animal", "", "cat")


def test_dm07_the_manifest_beside_must_have_the_files_name(plugins: Path) -> None:
    (plugins / "cat.py").write_text("", encoding="utf-8")
    (plugins / "cat.manifest.yaml").write_text(BESIDE.format(name="dog", entry="cat"), encoding="utf-8")
    assert broken(plugins, "cat").reason.code == "name-mismatch"


def test_dm09_a_single_file_has_no_other_module(plugins: Path) -> None:
    (plugins / "cat.py").write_text("", encoding="utf-8")
    (plugins / "dog.py").write_text("", encoding="utf-8")
    (plugins / "cat.manifest.yaml").write_text(BESIDE.format(name="cat", entry="dog:Dog"), encoding="utf-8")
    reason = broken(plugins, "cat").reason
    assert reason.code == "entrypoint-missing"
    assert "single module 'cat'" in reason.text


@pytest.mark.parametrize("content", ["plugin: [", None])
def test_dm11_a_bad_manifest_beside_is_broken(plugins: Path, content: str | None) -> None:
    (plugins / "cat.py").write_text("", encoding="utf-8")
    if content is None:
        (plugins / "cat.manifest.yaml").symlink_to("nowhere")
    else:
        (plugins / "cat.manifest.yaml").write_text(content, encoding="utf-8")
    assert broken(plugins, "cat").reason.code == ("manifest-invalid" if content else "symlink-inside")


def test_dm15_a_manifest_without_its_file_is_a_notice(plugins: Path) -> None:
    (plugins / "cat.manifest.yaml").write_text("", encoding="utf-8")
    catalogue = discover(plugins_dirs=[plugins])
    assert len(catalogue) == 0
    assert catalogue.notices == ("the manifest cat.manifest.yaml describes cat.py, which is not beside it",)


def test_dm15_a_link_to_a_file_is_followed_and_read_once(plugins: Path, tmp_path: Path) -> None:
    (tmp_path / "cat.py").write_text("", encoding="utf-8")
    (plugins / "cat.py").symlink_to(tmp_path / "cat.py")
    (plugins / "dog.py").symlink_to("cat.py")
    assert list(find(plugins)) == ["cat"]


def test_dm15_equal_files_that_share_their_disk_space_are_two_plugins(plugins: Path) -> None:
    (plugins / "cat.py").write_text("", encoding="utf-8")
    os.link(plugins / "cat.py", plugins / "dog.py")
    assert list(find(plugins)) == ["cat", "dog"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=st.binary(max_size=80) | st.text("x='\"\\n():#_[]", max_size=60).map(str.encode))
def test_dm11_whatever_a_file_holds_it_is_a_value(tmp_path: Path, source: bytes) -> None:
    path = tmp_path / "cat.py"
    path.write_bytes(source)
    entry = read_plugin(path)
    assert isinstance(entry, Found) or entry.reason.code in {"syntax-error", "manifest-invalid"}
