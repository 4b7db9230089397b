"""Our reading of installed distributions, held against importlib-metadata's."""

from __future__ import annotations

import sys
from pathlib import Path

import importlib_metadata
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pluginkit.discovery.files import read_regular
from pluginkit.discovery.installed import Installed, advertised, entry_points, headers, read
from tests.support.dists import Wheel

FIELDS = (
    "Name",
    "Version",
    "Summary",
    "Author",
    "Author-email",
    "License",
    "Requires-Python",
    "Requires-Dist",
    "Project-URL",
)


def environment() -> list[importlib_metadata.Distribution]:
    return [importlib_metadata.Distribution.at(path) for path in _info_directories()]


def _info_directories() -> list[Path]:
    found: dict[str, Path] = {}
    for place in map(Path, sys.path):
        for info in sorted(place.glob("*.dist-info")):
            found.setdefault(importlib_metadata.Distribution.at(info).name.lower(), info)
    return list(found.values())


def test_dm02_every_distribution_of_this_environment_reads_as_importlib_metadata_reads_it() -> None:
    distributions = environment()
    assert len(distributions) > 20
    for distribution in distributions:
        ours = read(str(distribution._path))  # type: ignore[attr-defined]  # its place has no public name
        assert isinstance(ours, Installed)
        for field in FIELDS:
            theirs = distribution.metadata.get_all(field) or []
            mine = ours.fields.get(field.lower(), [])
            assert [" ".join(text.split()) for text in mine] == [" ".join(text.split()) for text in theirs], (
                field
            )
        assert str(ours.version) == distribution.version
        listed = {str(path) for path in distribution.files or ()}
        assert listed <= {*(ours.files or ())}


@pytest.mark.parametrize("group", ["console_scripts", "pytest11", "no.such.group"])
def test_dm02_every_entry_point_of_this_environment_is_found(group: str) -> None:
    found = advertised(group, sys.path)
    ours = {point for distribution in found.distributions for point in distribution.entry_points}
    theirs = {(point.name, point.value) for point in importlib_metadata.entry_points(group=group)}
    assert ours == theirs
    assert not found.problems


LINES = st.sampled_from(
    [
        "[a]",
        "[b]",
        "[ a ]",
        "[]",
        "[a",
        "# c",
        "; c",
        "",
        "  ",
        "x = m:X",
        "x=m:X",
        "y  =  n.o [e]",
        "z",
        "=",
        "q = a = b",
        "[a] x",
    ]
)


@given(st.lists(LINES, max_size=12))
@example(["[a]", "x = m", "x = m"])
def test_dm02_entry_points_are_read_as_importlib_metadata_reads_them(lines: list[str]) -> None:
    lines = [line for line in lines if line[:1] != ";" and line.strip() not in ("z", "[ a ]", "[a", "[a] x")]
    text = "\n".join(lines)
    theirs = importlib_metadata.EntryPoints._from_text(text)
    assert entry_points(text, "a") == list(dict.fromkeys((p.name, p.value) for p in theirs if p.group == "a"))


@given(st.text(max_size=200))
def test_dm11_entry_points_of_any_text_are_pairs(text: str) -> None:
    assert all(len(point) == 2 for point in entry_points(text, "a"))


NAMES = st.sampled_from(["Name", "Version", "Summary", "License", "X-Y"])
VALUES = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=20).map(str.strip)


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=8), VALUES)
def test_dm02_headers_are_read_as_the_email_package_reads_them(
    fields: list[tuple[str, str]], body: str
) -> None:
    from email import message_from_string

    text = "".join(f"{name}: {value}\n" for name, value in fields) + f"\nName: {body}\n"
    theirs = message_from_string(text)
    assert headers(text) == {name.lower(): theirs.get_all(name) for name, _ in fields}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=120))
def test_dm11_whatever_the_metadata_holds_it_is_a_value(tmp_path: Path, content: bytes) -> None:
    info = tmp_path / "cat-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_bytes(b"Name: cat\nVersion: 1.0\n" + content)
    (info / "RECORD").write_bytes(content)
    (info / "direct_url.json").write_bytes(content)
    outcome = read(str(info))
    assert isinstance(outcome, Installed) or outcome.code == "metadata-unreadable"


def test_dm11_json_nested_without_end_is_no_editable_installation(tmp_path: Path) -> None:
    info = Wheel(name="cat").unpack(tmp_path)
    (info / "direct_url.json").write_text("[" * 100_000, encoding="utf-8")
    outcome = read(str(info))
    assert isinstance(outcome, Installed)
    assert not outcome.editable


def test_dm02_file_names_with_commas_and_quotes_are_read_from_the_record(tmp_path: Path) -> None:
    info = tmp_path / "cat-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: cat\nVersion: 1.0\n", encoding="utf-8")
    (info / "RECORD").write_text(
        'cat/__init__.py,sha256=x,1\n"a,b.txt",,\n"say ""hi"".txt",,\nsolo.py,,\n', encoding="utf-8"
    )
    outcome = read(str(info))
    assert isinstance(outcome, Installed)
    assert set(outcome.files or ()) == {"cat/__init__.py", "a,b.txt", 'say "hi".txt', "solo.py"}
    assert outcome.top_level == {"cat", "solo"}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_dm11_a_file_that_holds_more_than_its_size_says_is_read_and_still_bounded() -> None:
    assert b"VmPeak" in read_regular("/proc/self/status", max_bytes=100_000)
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_regular("/proc/self/status", max_bytes=10)
