"""Plugins among installed distributions, laid out as pip lays them out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from pluginkit.discovery import Broken, Catalogue, Found, discover
from pluginkit.versions import Version, VersionRange
from tests.support.dists import GROUP, Wheel

MANIFEST = 'plugin: {{name: {name}, type: animal, format: native, entrypoint: "{entry}", language: python, version: {version}}}'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    directory = tmp_path / "site"
    directory.mkdir()
    return directory


@pytest.fixture
def install(site: Path, tripwire: str) -> Callable[..., Path]:
    """Lay out a distribution whose modules leave a mark when they run; return its metadata directory."""

    def lay_out(
        name: str = "cat-dist",
        files: Mapping[str, str] | None = None,
        plugins: Mapping[str, str] | None = None,
        target: Path = site,
        **rest: object,
    ) -> Path:
        content = {
            path: tripwire + text if path.endswith(".py") else text for path, text in (files or {}).items()
        }
        points = {"cat": "cat_pkg:Cat"} if plugins is None else plugins
        return Wheel(name=name, files=content, plugins=points, **rest).unpack(target)  # type: ignore[arg-type]  # the rest of Wheel's fields

    return lay_out


def find(*path: Path) -> Catalogue:
    return discover(entry_point_group=GROUP, path=[str(directory) for directory in path])


def manifest(name: str = "cat", entry: str = "cat_pkg:Cat", version: str = "1.0.0") -> str:
    return MANIFEST.format(name=name, entry=entry, version=version)


def test_dm02_an_entry_point_is_a_plugin(site: Path, install: Callable[..., Path]) -> None:
    info = install(files={"cat_pkg/__init__.py": ""}, version="1.0")
    cat = find(site).found["cat"]
    assert (cat.root, cat.package, cat.module) == (site / "cat_pkg", "cat_pkg", "")
    assert cat.entry_point == "cat_pkg:Cat"
    assert (cat.origin.path, cat.origin.distribution, cat.origin.editable) == (info, "cat-dist", False)
    assert str(cat.origin) == "pip:cat-dist 1.0"


def test_dm02_without_a_manifest_one_is_derived_from_the_metadata(
    site: Path, install: Callable[..., Path]
) -> None:
    install(
        files={"cat_pkg/__init__.py": ""},
        version="1.0rc1",
        headers=[
            "Summary: Speaks",
            "Author: UNKNOWN",
            "Author-email: Ann <ann@example.com>, bob@example.com",
            "Maintainer: Cleo",
            "Project-URL: Changelog, https://example.com/changes",
            "Project-URL: Homepage, https://example.com/cat",
            "License: MIT",
            "        and more of it",
            "Requires-Python: >=3.11",
            "Requires-Dist: pluggy>=1.7",
            'Requires-Dist: rich; extra == "colour"',
            'Requires-Dist: tomli>=2; python_version < "3.11"',
        ],
    )
    derived = find(site).found["cat"].manifest
    assert (derived.name, derived.type, derived.source, derived.file) == ("cat", "pluggy", "derived", None)
    assert derived.version == Version.parse_pep440("1.0rc1")
    assert str(derived.entrypoint) == "cat_pkg:Cat"
    assert derived.about.description == "Speaks"
    assert derived.about.maintainers == ("Ann <ann@example.com>", "bob@example.com", "Cleo")
    assert derived.about.url == "https://example.com/cat"
    assert derived.about.license == "MIT"
    assert derived.requires.python == VersionRange.parse(">=3.11")
    assert derived.requires.packages == ("pluggy>=1.7", 'tomli>=2; python_version < "3.11"')


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        (["Home-page: https://a.example"], "https://a.example"),
        (
            ["Project-URL: Docs, https://d.example", "Project-URL: Source, https://s.example"],
            "https://s.example",
        ),
        (["Project-URL: Docs, https://d.example"], "https://d.example"),
        ([], ""),
    ],
)
def test_dm02_the_url_is_the_home_of_the_project(
    site: Path, install: Callable[..., Path], headers: list[str], url: str
) -> None:
    install(files={"cat_pkg/__init__.py": ""}, headers=headers)
    assert find(site).found["cat"].manifest.about.url == url


def test_dm02_a_range_of_pythons_that_is_none_is_a_notice(site: Path, install: Callable[..., Path]) -> None:
    install(files={"cat_pkg/__init__.py": ""}, headers=["Requires-Python: three"])
    cat = find(site).found["cat"]
    assert cat.manifest.requires.python == VersionRange()
    assert "Requires-Python of cat-dist 1.0 is not heeded" in cat.notices[0]


def test_dm02_the_group_is_the_hosts_own(site: Path, install: Callable[..., Path]) -> None:
    install(
        files={"cat_pkg/__init__.py": ""},
        plugins={},
        entry_points={"llm": {"cat": "cat_pkg"}, "console_scripts": {"dog": "cat_pkg:main"}},
    )
    assert len(find(site)) == 0
    catalogue = discover(entry_point_group="llm", path=[str(site)])
    assert list(catalogue.found) == ["cat"]


def test_dm02_several_entry_points_of_one_distribution_share_its_package(
    site: Path, install: Callable[..., Path]
) -> None:
    install(
        files={"zoo/__init__.py": "", "zoo/cat.py": "", "zoo/dog.py": ""},
        plugins={"cat": "zoo.cat:Cat", "dog": "zoo.dog : Dog [extra]"},
    )
    catalogue = find(site)
    assert [(entry.name, entry.module) for entry in catalogue.found.values()] == [
        ("cat", "cat"),
        ("dog", "dog"),
    ]
    assert {entry.root for entry in catalogue.found.values()} == {site / "zoo"}
    assert not catalogue.conflicts


def test_dm03_a_manifest_in_the_package_is_read(site: Path, install: Callable[..., Path]) -> None:
    install(
        files={
            "cat_pkg/__init__.py": "",
            "cat_pkg/main.py": "",
            "cat_pkg/manifest.yaml": manifest(entry="main:Cat"),
        },
        version="1.0",
    )
    cat = find(site).found["cat"]
    assert (cat.manifest.type, cat.module, cat.manifest.file) == (
        "animal",
        "main",
        site / "cat_pkg/manifest.yaml",
    )
    assert cat.notices == ()
    assert str(cat.manifest.version) == "1.0"


def test_dm06_the_installed_version_counts_and_a_difference_is_told(
    site: Path, install: Callable[..., Path]
) -> None:
    install(
        files={"cat_pkg/__init__.py": "", "cat_pkg/manifest.yaml": manifest(version="1.0.0")},
        version="1.1.dev3",
    )
    cat = find(site).found["cat"]
    assert cat.manifest.version == Version.parse_pep440("1.1.dev3")
    assert "gives version 1.0.0, but cat-dist 1.1.dev3 is installed" in cat.notices[0]


def test_dm02_a_manifest_that_the_distribution_does_not_list_is_not_its_own(
    site: Path, install: Callable[..., Path]
) -> None:
    install(files={"cat_pkg/__init__.py": ""})
    (site / "cat_pkg" / "manifest.yaml").write_text("left by somebody else", encoding="utf-8")
    assert find(site).found["cat"].manifest.source == "derived"


def test_dm11_a_listed_manifest_that_is_gone_is_told(site: Path, install: Callable[..., Path]) -> None:
    install(files={"cat_pkg/__init__.py": "", "cat_pkg/manifest.yaml": manifest()})
    (site / "cat_pkg" / "manifest.yaml").unlink()
    broken = find(site).broken["cat"]
    assert broken.reason.code == "manifest-invalid"
    assert "does not exist" in broken.reason.text


def test_dm07_the_manifest_must_have_the_entry_points_name(site: Path, install: Callable[..., Path]) -> None:
    install(files={"cat_pkg/__init__.py": "", "cat_pkg/manifest.yaml": manifest(name="dog")})
    broken = find(site).broken["cat"]
    assert broken.reason.code == "name-mismatch"
    assert "its entry point is 'cat'" in broken.reason.text


def test_dm07_a_manifest_speaks_for_the_entry_point_that_it_names(
    site: Path, install: Callable[..., Path]
) -> None:
    install(
        files={"zoo/__init__.py": "", "zoo/manifest.yaml": manifest(name="dog", entry="zoo:Dog")},
        plugins={"cat": "zoo:Cat", "dog": "zoo:Dog"},
    )
    catalogue = find(site)
    assert catalogue.found["cat"].manifest.source == "derived"
    assert catalogue.found["dog"].manifest.source == "manifest.yaml"


def test_dm07_each_entry_point_may_have_a_manifest_of_its_own(
    site: Path, install: Callable[..., Path]
) -> None:
    install(
        files={
            "zoo/__init__.py": "",
            "zoo/manifest.yaml": "not read: each has its own",
            "zoo/cat.manifest.yaml": manifest(entry="zoo:Cat"),
            "zoo/dog.manifest.yml": manifest(name="dog", entry="zoo:Dog"),
        },
        plugins={"cat": "zoo:Cat", "dog": "zoo:Dog"},
    )
    catalogue = find(site)
    assert [str(entry.manifest.entrypoint) for entry in catalogue.found.values()] == ["zoo:Cat", "zoo:Dog"]


@pytest.mark.parametrize("filename", ["manifest.yaml", "cat_pkg.manifest.yaml"])
def test_dm11_a_bad_manifest_in_the_package_is_broken(
    site: Path, install: Callable[..., Path], filename: str
) -> None:
    top = filename != "manifest.yaml"
    install(
        files={
            "cat_pkg.py" if top else "cat_pkg/__init__.py": "",
            filename if top else f"cat_pkg/{filename}": "x",
        }
    )
    assert find(site).broken["cat"].reason.code == "manifest-invalid"


def test_dm11_two_manifests_in_the_package_are_an_error(site: Path, install: Callable[..., Path]) -> None:
    install(
        files={"cat_pkg/__init__.py": "", "cat_pkg/manifest.yaml": manifest(), "cat_pkg/plugin.json": "{}"}
    )
    assert find(site).broken["cat"].reason.code == "two-manifests"


@pytest.mark.parametrize("filename", ["cat_pkg.manifest.yaml", "cat.manifest.yml"])
def test_dm02_a_single_module_may_have_its_manifest_beside_it(
    site: Path, install: Callable[..., Path], filename: str
) -> None:
    install(files={"cat_pkg.py": "", filename: manifest()})
    cat = find(site).found["cat"]
    assert (cat.root, cat.package, cat.module) == (site / "cat_pkg.py", "cat_pkg", "")
    assert cat.manifest.type == "animal"


def test_dm02_a_package_in_a_namespace_package_is_found(site: Path, install: Callable[..., Path]) -> None:
    install(
        files={"ns/deep/cat/__init__.py": "", "ns/deep/cat/main.py": ""},
        plugins={"cat": "ns.deep.cat.main:Cat"},
    )
    install("dog-dist", files={"ns/deep/dog/__init__.py": ""}, plugins={"dog": "ns.deep.dog"})
    catalogue = find(site)
    cat, dog = catalogue.found.values()
    assert (cat.root, cat.package, cat.import_name) == (
        site / "ns/deep/cat",
        "ns.deep.cat",
        "ns.deep.cat.main",
    )
    assert (dog.root, dog.package, dog.module) == (site / "ns/deep/dog", "ns.deep.dog", "")


@pytest.mark.parametrize(
    "init",
    [
        "__path__ = __import__('pkgutil').extend_path(__path__, __name__)",
        "__import__('pkg_resources').declare_namespace(__name__)",
    ],
)
def test_dm02_older_namespace_packages_are_namespace_packages(
    site: Path, install: Callable[..., Path], init: str
) -> None:
    install(files={"ns/__init__.py": init, "ns/cat/__init__.py": ""}, plugins={"cat": "ns.cat"})
    cat = find(site).found["cat"]
    assert (cat.root, cat.package) == (site / "ns/cat", "ns.cat")


def test_dm02_a_module_in_a_shared_namespace_is_a_root_by_itself(
    site: Path, install: Callable[..., Path]
) -> None:
    install(files={"ns/cat.py": ""}, plugins={"cat": "ns.cat:Cat"})
    install("dog-dist", files={"ns/dog.py": ""}, plugins={"dog": "ns.dog:Dog"})
    cat, dog = find(site).found.values()
    assert (cat.root, cat.package, cat.module) == (site / "ns/cat.py", "ns.cat", "")
    assert (dog.root, dog.package) == (site / "ns/dog.py", "ns.dog")


def test_dm02_a_directory_without_init_that_is_its_own_is_the_package(
    site: Path, install: Callable[..., Path]
) -> None:
    install(files={"cat_pkg/main.py": "", "cat_pkg/helpers.py": ""}, plugins={"cat": "cat_pkg.main:Cat"})
    cat = find(site).found["cat"]
    assert (cat.root, cat.package, cat.module) == (site / "cat_pkg", "cat_pkg", "main")


def test_dm02_a_module_inside_a_legacy_namespace_is_a_root_by_itself(
    site: Path, install: Callable[..., Path]
) -> None:
    init = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)"
    install(files={"ns/__init__.py": init, "ns/cat.py": ""}, plugins={"cat": "ns.cat"})
    assert find(site).found["cat"].root == site / "ns/cat.py"


def test_dm02_a_package_without_source_is_a_package(site: Path, install: Callable[..., Path]) -> None:
    install(files={"cat_pkg/__init__.pyc": "", "cat_pkg/main.pyc": ""}, plugins={"cat": "cat_pkg.main"})
    cat = find(site).found["cat"]
    assert (cat.root, cat.module) == (site / "cat_pkg", "main")


@pytest.mark.parametrize("value", ["", "not a module", "a..b", "../x:Y", "cat_pkg:", "cat pkg"])
def test_dm11_an_entry_point_with_a_broken_value_is_broken(
    site: Path, install: Callable[..., Path], value: str
) -> None:
    install(files={"cat_pkg/__init__.py": ""}, plugins={"cat": value, "dog": "cat_pkg:Dog"})
    catalogue = find(site)
    assert catalogue.broken["cat"].reason.code == "entry-point-invalid"
    assert list(catalogue.found) == ["dog"]


def test_dm11_a_name_that_no_plugin_can_have_is_broken(site: Path, install: Callable[..., Path]) -> None:
    install(files={"cat_pkg/__init__.py": ""}, plugins={"my cat/..": "cat_pkg"})
    assert find(site).broken["my cat/.."].reason.code == "entry-point-invalid"


def test_lh05_a_name_with_an_underscore_in_front_is_kept(site: Path, install: Callable[..., Path]) -> None:
    install(files={"cat_pkg/__init__.py": ""}, plugins={"_cat": "cat_pkg"})
    assert list(find(site).found) == ["_cat"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("dog_pkg:Dog", "package-not-found"),
        ("cat_pkg.nowhere:Cat", "entrypoint-missing"),
        ("gone:Cat", "package-not-found"),
        ("ns.nowhere", "package-not-found"),
        ("ns", "entrypoint-missing"),
    ],
)
def test_dm09_an_entry_point_to_nothing_is_broken(
    site: Path, install: Callable[..., Path], value: str, code: str
) -> None:
    install(files={"cat_pkg/__init__.py": "", "gone.py": "", "ns/sub/data.txt": ""}, plugins={"cat": value})
    (site / "gone.py").unlink()
    (site / "dog_pkg.py").write_text("somebody else's", encoding="utf-8")
    assert find(site).broken["cat"].reason.code == code


def test_dm09_a_link_inside_an_installed_package_is_refused(site: Path, install: Callable[..., Path]) -> None:
    install(files={"cat_pkg/__init__.py": "", "cat_pkg/main.py": ""}, plugins={"cat": "cat_pkg.main"})
    (site / "cat_pkg" / "main.py").rename(site / "main.py")
    (site / "cat_pkg" / "main.py").symlink_to(site / "main.py")
    assert find(site).broken["cat"].reason.code == "symlink-inside"


@pytest.mark.parametrize("package", ["json", "pluginkit"])
def test_dm07_a_package_named_like_a_standard_module_is_refused(
    site: Path, install: Callable[..., Path], package: str
) -> None:
    install(files={f"{package}/__init__.py": ""}, plugins={"cat": package, "dog": f"{package}.nowhere"})
    catalogue = find(site)
    assert {broken.reason.code for broken in catalogue.broken.values()} == {"name-reserved"}
    assert len(catalogue.broken["dog"].reason.problems) == 2


@pytest.mark.parametrize("what", ["gone", "directory", "bytes", "fifo", "empty", "unversioned", "nonsense"])
def test_dm11_unusable_metadata_is_a_value(site: Path, install: Callable[..., Path], what: str) -> None:
    info = install(files={"cat_pkg/__init__.py": ""})
    metadata = info / "METADATA"
    metadata.unlink()
    if what == "directory":
        metadata.mkdir()
    elif what == "fifo":
        os.mkfifo(metadata)
    elif what != "gone":
        content = {"bytes": b"Name: \xff", "empty": b"", "unversioned": b"Name: x\nVersion:\n"}
        metadata.write_bytes(content.get(what, b"Name: x\nVersion: new\n"))
    install("dog-dist", files={"dog/__init__.py": ""}, plugins={"dog": "dog"})
    catalogue = find(site)
    broken = catalogue.broken["cat"]
    assert broken.reason.code == "metadata-unreadable"
    assert str(broken.origin) == "pip:cat_dist 1.0"
    assert list(catalogue.found) == ["dog"]


@pytest.mark.parametrize("filename", ["RECORD", "direct_url.json"])
def test_dm11_unreadable_lists_are_values(site: Path, install: Callable[..., Path], filename: str) -> None:
    info = install(files={"cat_pkg/__init__.py": ""})
    (info / filename).unlink(missing_ok=True)
    os.mkfifo(info / filename)
    assert find(site).broken["cat"].reason.code == "metadata-unreadable"


@pytest.mark.parametrize("what", ["fifo", "bytes"])
def test_dm11_entry_points_that_cannot_be_read_are_a_problem_of_the_place(
    site: Path, install: Callable[..., Path], what: str
) -> None:
    path = install(files={"cat_pkg/__init__.py": ""}) / "entry_points.txt"
    path.unlink()
    if what == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes(b"\xff" + f"[{GROUP}]".encode())
    catalogue = find(site)
    assert len(catalogue) == 0
    assert catalogue.problems[0].file == str(path)


def test_dm11_a_package_that_cannot_be_looked_into_is_broken(
    public_directory: Path,
    install: Callable[..., Path],
    unprivileged: Callable[[], AbstractContextManager[None]],
) -> None:
    install(files={"ns/cat.py": ""}, plugins={"cat": "ns.cat"}, target=public_directory)
    (public_directory / "ns").chmod(0o111)
    try:
        with unprivileged():
            catalogue = find(public_directory)
    finally:
        (public_directory / "ns").chmod(0o755)
    assert catalogue.broken["cat"].reason.code == "unreadable"


def test_dm02_without_a_list_of_files_the_package_is_looked_for_beside_the_metadata(
    site: Path, install: Callable[..., Path]
) -> None:
    info = install(files={"cat_pkg/__init__.py": "", "cat_pkg/manifest.yaml": manifest()})
    (info / "RECORD").unlink()
    assert find(site).found["cat"].manifest.type == "animal"
    assert install(plugins={"cat": "nowhere"}, name="none-dist").exists()
    (site / "none_dist-1.0.dist-info" / "RECORD").unlink()
    assert find(site).conflicts[0].loser.name == "cat"


def test_dm13_two_distributions_of_one_plugin_name_conflict(site: Path, install: Callable[..., Path]) -> None:
    install("b-dist", files={"b_pkg/__init__.py": ""}, plugins={"cat": "b_pkg"})
    install("a-dist", files={"a_pkg/__init__.py": ""}, plugins={"Cat": "a_pkg"})
    catalogue = find(site)
    (conflict,) = catalogue.conflicts
    assert catalogue.get("cat").origin.distribution == "a-dist"
    assert (conflict.name, str(conflict.winner), str(conflict.loser.origin)) == (
        "cat",
        "pip:a-dist 1.0",
        "pip:b-dist 1.0",
    )


def test_dm02_a_distribution_that_is_hidden_on_the_path_is_left_out_as_imports_do(
    tmp_path: Path, install: Callable[..., Path]
) -> None:
    install(files={"cat_pkg/__init__.py": ""}, version="1.0", target=tmp_path / "first")
    install("Cat.Dist", files={"cat_pkg/__init__.py": ""}, version="2.0", target=tmp_path / "second")
    catalogue = find(tmp_path / "first", tmp_path / "first", tmp_path / "second")
    assert str(catalogue.found["cat"].manifest.version) == "1.0"
    assert not catalogue.conflicts
    assert "is hidden by" in catalogue.notices[0]


def test_pk04_what_a_newer_version_no_longer_offers_is_gone(site: Path, install: Callable[..., Path]) -> None:
    install(files={"cat_pkg/__init__.py": ""}, version="9.0")
    install(files={"cat_pkg/__init__.py": ""}, version="10.0", plugins={})
    install(files={"cat_pkg/__init__.py": ""}, version="junk")
    catalogue = find(site)
    assert len(catalogue) == 0
    assert len(catalogue.notices) == 2


def test_dm02_what_pip_leaves_of_a_failed_removal_is_passed_by(
    site: Path, install: Callable[..., Path]
) -> None:
    install(files={"cat_pkg/__init__.py": ""}).rename(site / "~at_dist-1.0.dist-info")
    assert len(find(site)) == 0


def test_dm02_whatever_else_is_on_the_path_does_no_harm(
    tmp_path: Path, site: Path, install: Callable[..., Path]
) -> None:
    install(files={"cat_pkg/__init__.py": ""})
    (tmp_path / "archive.zip").write_bytes(b"PK")
    (site / "file.dist-info").write_text("", encoding="utf-8")
    (site / "dangling.egg-info").symlink_to("nowhere")
    (site / "old.egg-link").write_text("/nowhere\n.", encoding="utf-8")
    catalogue = find(tmp_path / "archive.zip", tmp_path / "missing", site)
    assert list(catalogue.found) == ["cat"]
    assert not catalogue.problems


def test_dm02_what_is_no_text_on_the_path_is_passed_by(site: Path, install: Callable[..., Path]) -> None:
    install(files={"cat_pkg/__init__.py": ""})
    path: list[object] = [None, 3, b"/bytes", "a\0b", site, str(site)]
    catalogue = discover(entry_point_group=GROUP, path=path)  # type: ignore[arg-type]  # as sys.path may be
    assert list(catalogue.found) == ["cat"]


def test_dm13_a_directory_plugin_wins_over_an_installed_one(
    site: Path, tmp_path: Path, install: Callable[..., Path], make_plugin: Callable[..., Path]
) -> None:
    install(files={"cat_pkg/__init__.py": ""})
    make_plugin("cat")
    catalogue = discover(plugins_dirs=[tmp_path / "plugins"], entry_point_group=GROUP, path=[str(site)])
    assert catalogue.found["cat"].origin.kind == "directory"
    (conflict,) = catalogue.conflicts
    assert str(tmp_path / "plugins" / "cat") in conflict.reason.text
    assert "pip:cat-dist 1.0" in conflict.reason.text


def test_dm13_a_package_name_that_is_taken_is_a_conflict(
    site: Path, tmp_path: Path, install: Callable[..., Path], make_plugin: Callable[..., Path]
) -> None:
    install(files={"cat/__init__.py": ""}, plugins={"other-name": "cat"})
    make_plugin("cat")
    catalogue = discover(plugins_dirs=[tmp_path / "plugins"], entry_point_group=GROUP, path=[str(site)])
    assert list(catalogue.found) == ["cat"]
    (conflict,) = catalogue.conflicts
    assert conflict.name == "other-name"
    assert "the package name 'cat' is taken" in conflict.reason.text
    assert isinstance(conflict.loser, Found)


def test_dm02_sys_path_is_searched_by_default(
    site: Path, install: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(files={"cat_pkg/__init__.py": ""})
    monkeypatch.syspath_prepend(str(site))
    assert "cat" in discover(entry_point_group=GROUP)


def test_dm02_an_installation_is_seen_though_no_clock_has_ticked(
    site: Path, install: Callable[..., Path]
) -> None:
    install(files={"cat_pkg/__init__.py": ""}, version="1.0")
    status = site.stat()
    assert str(find(site).found["cat"].manifest.version) == "1.0"
    (site / "cat_dist-1.0.dist-info").rename(site.parent / "gone")
    install(files={"cat_pkg/__init__.py": ""}, version="2.0")
    os.utime(site, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert str(find(site).found["cat"].manifest.version) == "2.0"


def test_dm11_broken_entries_are_listed_by_type(site: Path, install: Callable[..., Path]) -> None:
    install(plugins={"cat": "nowhere"})
    (entry,) = find(site)
    assert isinstance(entry, Broken)
    assert "pip install --force-reinstall" in entry.reason.text
