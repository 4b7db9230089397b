"""What importlib-metadata finds is found, wherever it is; what it would trip over is a value."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import importlib_metadata
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pluginkit.discovery import Catalogue, discover
from pluginkit.discovery.advertised import advertised
from pluginkit.discovery.files import read_regular
from tests.support.dists import GROUP, Wheel

Child = Callable[..., subprocess.CompletedProcess[str]]
CAT = Wheel(name="cat-dist", files={"cat_pkg/__init__.py": ""}, plugins={"cat": "cat_pkg:Cat"})


def find(*path: Path) -> Catalogue:
    return discover(entry_point_group=GROUP, path=[str(place) for place in path])


class Finder(importlib_metadata.DistributionFinder):
    """A finder of distributions that are in no directory of the path, as other tools put on sys.meta_path."""

    def __init__(self, find: Callable[[], Iterable[importlib_metadata.Distribution]]) -> None:
        self._find = find

    def find_spec(self, *_: object) -> None:
        return None

    def find_distributions(self, *_: object) -> Iterable[importlib_metadata.Distribution]:
        return self._find()


class InMemory(importlib_metadata.Distribution):
    """Metadata out of a dictionary; the files lie in `root`."""

    def __init__(self, root: Path, texts: dict[str, str]) -> None:
        self.root, self.texts = root, texts

    def read_text(self, filename: str) -> str | None:
        return self.texts.get(filename)

    def locate_file(self, path: str | os.PathLike[str]) -> Path:
        return self.root / path


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(find: Callable[[], Iterable[importlib_metadata.Distribution]]) -> None:
        monkeypatch.setattr(sys, "meta_path", [Finder(find), *sys.meta_path])

    return install


@pytest.mark.parametrize("group", ["console_scripts", "pytest11", "no.such.group"])
def test_dm02_every_entry_point_of_this_environment_is_found(group: str) -> None:
    found = advertised(group, sys.path)
    ours = {point for _, points in found.distributions for point in points}
    theirs = {(point.name, point.value) for point in importlib_metadata.entry_points(group=group)}
    assert ours == theirs
    assert not found.problems


def test_dm02_without_a_group_importlib_metadata_is_not_imported(child: Child) -> None:
    script = (
        "import sys\nfrom pluginkit.discovery import discover\n"
        "discover(plugins_dirs=['plugins'], entry_point_group={})\n"
        "print('importlib_metadata' in sys.modules, 'email.parser' in sys.modules)"
    )
    assert child(script.format(None)).stdout.split() == ["False", "False"]
    # With a group that nobody has, nothing of what is installed is parsed.
    assert child(script.format("'no.such.group'")).stdout.split() == ["True", "False"]


# Distributions elsewhere than in a directory of the path


def test_dm02_a_plugin_in_an_archive_is_listed_with_the_reason(tmp_path: Path) -> None:
    broken = find(CAT.build(tmp_path)).broken["cat"]
    assert broken.reason.code == "in-archive"
    assert str(tmp_path / "cat_dist-1.0-py3-none-any.whl") in broken.reason.text
    assert str(broken.origin) == "pip:cat-dist 1.0"


def test_dm02_a_plugin_in_an_unpacked_egg_is_found(tmp_path: Path, tripwire: str) -> None:
    egg = lay_out_egg(tmp_path / "cat_dist-1.0-py3.11.egg", tripwire)
    (egg / "EGG-INFO" / "requires.txt").write_text("pluggy>=1.7\n[colour]\nrich\n", encoding="utf-8")
    cat = find(tmp_path, egg).found["cat"]
    assert (cat.root, cat.package, cat.origin.path) == (egg / "cat_pkg", "cat_pkg", egg / "EGG-INFO")
    assert cat.manifest.requires.packages == ("pluggy>=1.7",)


def test_dm02_a_plugin_in_a_packed_egg_is_listed_with_the_reason(tmp_path: Path, tripwire: str) -> None:
    egg, packed = lay_out_egg(tmp_path / "egg", tripwire), tmp_path / "cat_dist-1.0-py3.11.egg"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in filter(Path.is_file, egg.rglob("*")):
            archive.write(file, file.relative_to(egg))
    assert find(packed).broken["cat"].reason.code == "in-archive"


def lay_out_egg(egg: Path, tripwire: str) -> Path:
    files = {
        "cat_pkg/__init__.py": tripwire,
        "EGG-INFO/PKG-INFO": "Metadata-Version: 2.1\nName: cat-dist\nVersion: 1.0\n",
        "EGG-INFO/SOURCES.txt": "setup.py\nsrc/cat_pkg/__init__.py\n",
        "EGG-INFO/entry_points.txt": f"[{GROUP}]\ncat = cat_pkg:Cat\n",
    }
    for name, text in files.items():
        (egg / name).parent.mkdir(parents=True, exist_ok=True)
        (egg / name).write_text(text, encoding="utf-8")
    return egg


def test_dm02_a_package_in_another_directory_than_its_metadata_is_found(
    tmp_path: Path, tripwire: str
) -> None:
    """As where purelib and platlib differ: the metadata is in lib, the compiled package in lib64."""
    lib, lib64 = tmp_path / "lib" / "site", tmp_path / "lib64" / "site"
    info = CAT.unpack(lib)
    lib64.mkdir(parents=True)
    (lib / "cat_pkg").rename(lib64 / "cat_pkg")
    (lib64 / "cat_pkg" / "__init__.py").write_text(tripwire, encoding="utf-8")
    record = (info / "RECORD").read_text(encoding="utf-8")
    (info / "RECORD").write_text(record.replace("cat_pkg/", "../../lib64/site/cat_pkg/"), encoding="utf-8")
    assert find(lib, lib64).found["cat"].root == lib64 / "cat_pkg"
    # Where imports do not look, nothing can be imported from.
    assert find(lib).broken["cat"].reason.code == "package-not-found"


def test_dm02_a_distribution_that_another_finder_knows_is_found(
    tmp_path: Path, tripwire: str, finder: Callable[..., None]
) -> None:
    (tmp_path / "cat_pkg").mkdir()
    (tmp_path / "cat_pkg" / "__init__.py").write_text(tripwire, encoding="utf-8")
    texts = {
        "METADATA": "Metadata-Version: 2.1\nName: cat-dist\nVersion: 1.0\n",
        "RECORD": "cat_pkg/__init__.py,,\n",
        "entry_points.txt": f"[{GROUP}]\ncat = cat_pkg:Cat\n",
    }
    finder(lambda: [InMemory(tmp_path, texts)])
    cat = find().found["cat"]
    assert (cat.root, cat.origin.path, str(cat.origin)) == (tmp_path / "cat_pkg", None, "pip:cat-dist 1.0")


@pytest.mark.parametrize("text", ["", "Metadata-Version: 2.1\nName: cat-dist\n"])
def test_dm11_a_distribution_of_another_finder_without_usable_metadata_is_a_value(
    tmp_path: Path, finder: Callable[..., None], text: str
) -> None:
    texts = {"METADATA": text, "entry_points.txt": f"[{GROUP}]\ncat = cat_pkg:Cat\n"}
    finder(lambda: [InMemory(tmp_path, texts)])
    catalogue = find()
    assert catalogue.problems or catalogue.broken["cat"].reason.code == "metadata-unreadable"


def test_dm11_a_finder_that_raises_is_told_and_hides_nobody(
    tmp_path: Path, finder: Callable[..., None]
) -> None:
    CAT.unpack(tmp_path)

    def fail() -> Iterable[importlib_metadata.Distribution]:
        raise OSError("no connection")

    finder(fail)
    catalogue = find(tmp_path)
    assert list(catalogue.found) == ["cat"]
    assert "no connection" in catalogue.problems[0].message


def test_dm02_what_two_finders_find_is_listed_once(tmp_path: Path, finder: Callable[..., None]) -> None:
    info = CAT.unpack(tmp_path)
    finder(lambda: [importlib_metadata.Distribution.at(info)])
    catalogue = find(tmp_path)
    assert list(catalogue.found) == ["cat"]
    assert not catalogue.conflicts
    assert not catalogue.notices


# Damaged metadata


@pytest.mark.parametrize("filename", ["entry_points.txt", "METADATA", "RECORD"])
def test_dm11_metadata_that_one_may_not_read_is_told(
    public_directory: Path, unprivileged: Callable[[], AbstractContextManager[None]], filename: str
) -> None:
    file = CAT.unpack(public_directory) / filename
    file.chmod(0o000)
    with unprivileged():
        catalogue = find(public_directory)
    told = [str(problem) for problem in catalogue.problems]
    told += [broken.reason.text for broken in catalogue.broken.values()]
    assert len(told) == 1
    assert f"{file}: Permission denied" in told[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=120), st.sampled_from(["METADATA", "RECORD", "direct_url.json", "entry_points.txt"])
)
@example(b"cat.py,,,\n", "RECORD")
@example(b"cat.py,,many\n", "RECORD")
@example(b"\n\n", "RECORD")
@example(b"\xff", "entry_points.txt")
@example(b"one\n", "entry_points.txt")
@example(b"Version: 2\nVersion: x\n", "METADATA")
def test_dm11_whatever_the_metadata_holds_it_is_a_value(
    tmp_path: Path, content: bytes, filename: str
) -> None:
    info = CAT.unpack(tmp_path)
    with (info / filename).open("ab") as file:
        file.write(content)
    catalogue = find(tmp_path)
    assert catalogue.found or catalogue.broken or catalogue.problems


def test_dm11_a_line_of_entry_points_that_is_none_is_told_with_an_example(tmp_path: Path) -> None:
    info = CAT.unpack(tmp_path)
    (info / "entry_points.txt").write_text(f"[{GROUP}]\ncat\n", encoding="utf-8")
    (problem,) = find(tmp_path).problems
    assert problem.file == str(info / "entry_points.txt")
    assert problem.example == "name = package.module:attribute"


def test_dm11_json_nested_without_end_is_no_editable_installation(tmp_path: Path) -> None:
    info = CAT.unpack(tmp_path)
    (info / "direct_url.json").write_text("[" * 100_000, encoding="utf-8")
    assert not find(tmp_path).found["cat"].origin.editable


@pytest.mark.parametrize("name", ["a,b", 'say "hi"', "white space"])
def test_dm02_the_list_of_files_may_have_any_names(tmp_path: Path, tripwire: str, name: str) -> None:
    files = {"cat_pkg/__init__.py": tripwire, f"cat_pkg/{name}.txt": ""}
    info = Wheel(name="cat-dist", files=files, plugins={"cat": "cat_pkg"}).unpack(tmp_path)
    quoted = name.replace('"', '""')
    (info / "RECORD").write_text(f'"cat_pkg/{quoted}.txt",,\ncat_pkg/__init__.py,,\n', encoding="utf-8")
    assert find(tmp_path).found["cat"].root == tmp_path / "cat_pkg"


def test_pk04_of_two_versions_in_one_directory_the_newest_counts(tmp_path: Path) -> None:
    for version in ("9.0", "10.0", "1.0"):
        Wheel(name="cat-dist", version=version, files=CAT.files, plugins=CAT.plugins).unpack(tmp_path)
    catalogue = find(tmp_path)
    assert str(catalogue.found["cat"].manifest.version) == "10.0"
    assert len(catalogue.notices) == 2


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_dm11_a_file_that_holds_more_than_its_size_says_is_read_and_still_bounded() -> None:
    assert b"VmPeak" in read_regular("/proc/self/status", max_bytes=100_000)
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_regular("/proc/self/status", max_bytes=10)
