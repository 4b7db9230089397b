"""What is printed: data on stdout, characters that any stream can carry, nothing that commands a terminal."""

from __future__ import annotations

import enum
import json
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.cli.encoding import make_safe
from pluginkit.cli.log_lines import log_on_stderr
from pluginkit.cli.paths import shown_path
from pluginkit.cli.session import Session
from pluginkit.cli.table import Table, width
from pluginkit.cli.values import plain, readable
from pluginkit.printable import printable
from pluginkit.testing import write_plugin


@dataclass
class Point:
    x: int
    y: object


class Size(enum.Enum):
    SMALL = "s"


class Level(enum.IntEnum):
    HIGH = 3


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


class Odd:
    def __repr__(self) -> str:
        return "<odd>"


CASES: list[tuple[object, object]] = [
    (None, None),
    (True, True),
    (3, 3),
    ("text", "text"),
    (1.5, 1.5),
    (math.nan, "nan"),
    (-math.inf, "-inf"),
    (b"hi", "aGk="),
    (bytearray(b"hi"), "aGk="),
    (memoryview(b"hi"), "aGk="),
    (Path("a/b"), "a/b"),
    (Size.SMALL, "s"),
    (Level.HIGH, 3),
    (Point(1, (2, Size.SMALL)), {"x": 1, "y": [2, "s"]}),
    (Point, repr(Point)),
    ({1: {2}}, {"1": [2]}),
    (frozenset({"b", "a"}), ["a", "b"]),
    (range(3), [0, 1, 2]),
    (Odd(), "<odd>"),
    (Unprintable(), "<Unprintable, whose repr raises RuntimeError>"),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_cl07_any_value_of_a_plugin_has_a_form_for_json(number: int) -> None:
    value, expected = CASES[number]
    assert plain(value) == expected
    json.dumps(plain(value), allow_nan=False)


def test_cl07_a_value_that_holds_itself_ends() -> None:
    value: list[object] = []
    value.append(value)
    assert "[...]" in json.dumps(plain(value))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_cl07_plain_data_stays_as_it_is(value: object) -> None:
    assert plain(value) == value


def test_text_is_readable_as_it_is_and_the_rest_as_json() -> None:
    assert readable("a\nb") == "a\nb"
    assert readable({"größe": (1, None)}) == '{"größe": [1, null]}'


def test_cl07_control_characters_are_shown_and_not_obeyed() -> None:
    assert printable("a\x1b[2J\x07\r\x9b") == "a\\x1b[2J\\x07\\r\\x9b"
    assert printable("tab\tline\nend") == "tab\tline\nend"
    assert printable("wide\N{NO-BREAK SPACE}猫 ¯\\_(ツ)_/¯") == "wide\N{NO-BREAK SPACE}猫 ¯\\_(ツ)_/¯"
    assert printable("\N{RIGHT-TO-LEFT OVERRIDE}x") == "\\u202ex"
    assert printable("\udcff") == "\\udcff"


@given(st.text())
def test_cl07_what_is_printed_never_holds_an_escape(text: str) -> None:
    assert not set(printable(text)) & {"\x1b", "\x9b", "\x07", "\x08", "\r"}


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", "… → ¯ 猫"), ("latin-1", "... -> ¯ \\u732b"), ("ascii", "... -> \\xaf \\u732b")],
)
def test_cl07_a_stream_that_lacks_a_character_gets_it_spelt_out(
    make_stream: Callable[[str], Any], encoding: str, expected: str
) -> None:
    stream = make_stream(encoding)
    make_safe(stream)
    stream.write("… → ¯ 猫")
    assert stream.text == expected


def test_cl07_decoding_errors_are_not_ours_to_mend() -> None:
    import codecs

    handler = codecs.lookup_error("pluginkit-ascii")
    error = UnicodeDecodeError("utf-8", b"x", 0, 1, "no")
    with pytest.raises(UnicodeDecodeError):
        handler(error)


@pytest.mark.usefixtures("project")
def test_cl07_the_whole_command_line_works_in_ascii(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "umlaut", "", type="animal", about={"description": "Größe → groß"})
    assert "Gr\\xf6\\xdfe -> gro\\xdf" in cli("info", "umlaut", encoding="ascii").stdout
    done = cli("info", "umlaut", "--json", encoding="ascii")
    assert done.data["plugin"]["manifest"]["about"]["description"] == "Größe → groß"
    assert "Größe → groß" in cli("info", "umlaut", "--json").stdout
    assert cli("list", terminal=True, encoding="ascii").stdout.startswith("+")


@pytest.mark.usefixtures("project")
def test_cl07_what_plugins_print_does_not_end_up_in_the_data(cli: Callable[..., Any]) -> None:
    code = (
        "print('at import')\nfrom pluginkit import hookimpl\nclass Chatty:\n"
        "    def on_start(self): print('at start')\n"
        "    def on_stop(self): print('at stop')\n"
        "    @hookimpl\n    def speak(self, is_loud):\n        print('in the call')\n        return 'hm'\n"
    )
    write_plugin("plugins", "chatty", code, type="animal", entrypoint="chatty:Chatty")

    done = cli("call", "speak", "is_loud=no", "--json")

    assert [one["result"] for one in done.data["results"]] == ["Meow", "hm"]
    for words in ("at import", "at start", "in the call", "at stop"):
        assert words in done.stderr


def test_tables_count_wide_characters_twice_and_combining_ones_not() -> None:
    assert (width("猫"), width("e\N{COMBINING ACUTE ACCENT}"), width("é")) == (2, 1, 1)


def test_a_cell_is_one_line_and_what_is_missing_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(("A", "B"), notes="WHY")
    table.add("one\ntwo", None)
    table.add("", "x", note="first\n  second")
    table.show()
    assert capsys.readouterr().out.splitlines() == [
        "A        B  WHY",
        "one two  -",
        "-        x  first second",
    ]


def test_paths_are_shown_as_the_user_would_type_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "a" / "b") == "a/b"
    assert shown_path("/elsewhere") == "/elsewhere"


def test_a_current_directory_that_is_gone_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert shown_path("/somewhere/x") == "/somewhere/x"
    monkeypatch.chdir(tmp_path)


def test_what_is_logged_is_told_as_diagnostics_by_its_level(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("pluginkit.plugin.cat")
    before = logging.getLogger("pluginkit").handlers[:]
    session = Session()
    with log_on_stderr(session):
        log.info("not shown")
        log.warning("careful, %s", "cat")
        try:
            raise ValueError("x")
        except ValueError:
            log.exception("went wrong")
        session.debug = True
        log.debug("shown now")
        log.warning("bad %d arguments", "text")  # noqa: PLE1205, PLE1206, RUF100  # the record cannot be formatted
    assert logging.getLogger("pluginkit").handlers == before
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == [
        "pluginkit: notice: careful, cat",
        "pluginkit: error: went wrong: ValueError: x",
        "debug: shown now",
    ]
    assert "--- Logging error ---" in lines[3]
