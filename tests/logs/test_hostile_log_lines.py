"""SE10: whatever a plugin logs, one record stays one record, and nothing of it commands a terminal."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.logs import AuditLog, DecodeError, Entry, FileSink, LogChain, LoggerJob
from pluginkit.logs.reading import last
from pluginkit.queue import PersistentQueue

FORGED = "fed\n2026-11-27 10:00:00.000 error dog: forged"
MESSAGES = [
    FORGED, "fed\r12:00:00.000 error dog: forged", "\x1b[2J\x1b]0;owned\x07", "\x9b31m", "a\u2028b\u2029c\x85d", "\u202etxt.exe",
    "<red>blood</red> <level>x</level> \\<b>", "{0.__class__} {} {missing} {{", "%s %(name)s %n", '"}\n{"@level":"error"', "\0", "\udcff",
]  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def is_harmless(shown: str) -> bool:
    """Whether no line but the first could be taken for a record, and no character for a command."""
    first, *others = shown.removesuffix("\n").split("\n")
    return first.isprintable() and all(line.isprintable() and line.startswith("  ") for line in others)


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("way", ["loguru", "chain", "logging", "field", "exception"])
def test_se10_a_logged_text_stays_one_record_in_the_file_and_one_entry_on_the_console(
    chain: LogChain, tmp_path: Path, message: str, way: str
) -> None:
    console, plain = io.StringIO(), io.StringIO()
    chain.add_file(tmp_path / "app.log")
    chain.add_console(plain, colour=False)
    chain.add_console(console, json=True)
    with chain.capture(streams=False, warnings=False):
        _log(chain, way, message)
    lines = (tmp_path / "app.log").read_bytes().split(b"\n")
    assert len(lines) == 2
    assert lines[0].isascii()
    assert lines[0].decode().isprintable()
    record = json.loads(lines[0])
    expected = {"field": record.get("text"), "exception": record.get("@exception", "")}
    assert message in str(expected.get(way, record["@message"]))
    assert record["@level"] == "info" if way != "exception" else "error"
    assert json.loads(console.getvalue()) == record
    assert is_harmless(plain.getvalue()), plain.getvalue()


def _log(chain: LogChain, way: str, message: str) -> None:
    if way == "loguru":
        chain.logger.info(message)
    elif way == "chain":
        chain.log("info", message)
    elif way == "logging":
        logging.getLogger("se10.cat").setLevel(logging.INFO)
        logging.getLogger("se10.cat").info(message)
    elif way == "field":
        chain.logger.bind(text=message).info("fed")
    else:
        try:
            raise ValueError(message)
        except ValueError:
            chain.logger.exception("broke")


@pytest.mark.parametrize("message", MESSAGES)
def test_se10_on_a_coloured_terminal_only_our_own_colours_are_commands(message: str) -> None:
    from pluginkit.logs import ConsoleSink

    terminal, calm = Terminal(), Terminal()
    fields = {"plugin": message, message: message}
    entry = Entry.made("info", message, fields)
    hostile = Entry(
        entry.time,
        "info",
        message,
        message,
        message,
        message,
        fields=fields,
        exception=f"{message}\n{message}",
    )
    ConsoleSink(terminal, colour=True).write([hostile])
    ConsoleSink(calm, colour=True).write(
        [Entry(entry.time, "info", "", "", "x", fields={"plugin": "a", "b": "c"})]
    )
    commands = set(_commands(calm.getvalue()))
    assert set(_commands(terminal.getvalue())) <= commands
    rest = terminal.getvalue()
    for command in commands:
        rest = rest.replace(command, "")
    assert is_harmless(rest), rest


def _commands(text: str) -> list[str]:
    return ["\x1b" + piece[: piece.find("m") + 1] for piece in text.split("\x1b")[1:]]


def test_se10_a_message_of_several_lines_is_told_apart_from_a_forged_record() -> None:
    from pluginkit.logs import ConsoleSink

    stream = io.StringIO()
    ConsoleSink(stream, colour=False, location=False).write([Entry.made("info", FORGED, {"plugin": "cat"})])
    first, second = stream.getvalue().splitlines()
    assert first.endswith("info  cat: fed")
    assert second == "  2026-11-27 10:00:00.000 error dog: forged"


@pytest.mark.parametrize("message", MESSAGES)
def test_se10_a_record_by_way_of_the_queue_stays_one_line(tmp_path: Path, message: str) -> None:
    queue = PersistentQueue(tmp_path / "logs.db", "'; DROP TABLE queues; --")
    chain = LogChain("zoo")
    chain.asynchronous(queue, [FileSink(tmp_path / "app.log")])
    queue.put(LoggerJob("warn", message, text=message))
    assert chain.close()
    assert queue.close()
    (record,) = last(tmp_path / "app.log")
    assert (record["@level"], record["@message"], record["text"]) == ("warn", message, message)
    assert len((tmp_path / "app.log").read_bytes().splitlines()) == 1


def test_se10_a_forged_moment_or_level_in_a_queued_record_does_not_make_another_record(
    tmp_path: Path,
) -> None:
    stamp = '2026"}\n{"@level":"error","@message":"forged"}'
    queued = json.dumps({"@timestamp": stamp, "@level": "warn", "@message": "hungry"})
    assert json.loads(Entry.from_json(queued).json())["@timestamp"] == stamp
    queue = PersistentQueue(tmp_path / "logs.db")
    chain = LogChain("zoo")
    chain.asynchronous(queue, [FileSink(tmp_path / "app.log")])
    queue.put(queued.encode())
    assert chain.close()
    assert queue.close()
    (record,) = last(tmp_path / "app.log")
    assert (record["@level"], record["@message"]) == ("warn", "hungry")


@pytest.mark.parametrize(
    "odd", [{"@exception": 5}, {"@process": float("inf")}, {"@timestamp": ["x"]}, {"@thread": {}}]
)
def test_se10_a_queued_record_with_parts_of_other_kinds_is_none_or_is_shown(odd: dict[str, Any]) -> None:
    from pluginkit.logs.console import line_of

    text = json.dumps({"@level": "warn", "@message": "x", **odd})
    try:
        entry = Entry.from_json(text)
    except DecodeError:
        return
    assert is_harmless(line_of(entry, colour=False, location=True))


@pytest.mark.parametrize("text", MESSAGES)
def test_se10_an_audit_record_is_one_line_whatever_it_is_about(
    tmp_path: Path, text: str, records: Callable[[Path], list[dict[str, Any]]]
) -> None:
    path = tmp_path / "audit.log"
    audit = AuditLog(path)
    audit.record("failed", text, error=ValueError(text), kind=text, seq=99, **{text: text})
    audit.record("loaded", "cat")
    audit.close()
    first, second = records(path)
    assert len(path.read_bytes().splitlines()) == 2
    assert path.read_bytes().isascii()
    # What a record is about cannot stand in for what it says of itself.
    assert (first["kind"], first["plugin"], first["seq"], first[text]) == ("failed", text, 1, text)
    assert (second["kind"], second["plugin"], second["seq"]) == ("loaded", "cat", 2)


@pytest.mark.parametrize("name", ["@level", "@message", "@timestamp", "@exception"])
def test_se10_a_field_cannot_stand_in_for_the_records_own(chain: LogChain, tmp_path: Path, name: str) -> None:
    chain.add_file(tmp_path / "app.log")
    chain.logger.bind(**{name: "forged"}).info("fed")
    (record,) = last(tmp_path / "app.log")
    assert record[f"_{name}"] == "forged"
    assert record.get(name) != "forged"


def test_se10_what_our_own_logger_is_told_on_stderr_begins_no_line_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "a file\n2026 error: forged\x1b[2J"
    place.write_text("")
    audit = AuditLog(place / "audit.log")
    audit.record("loaded", "cat")
    audit.close()
    shown = capfd.readouterr().err
    assert "forged" in shown
    assert all(
        line.isprintable() and line.startswith(("pluginkit: ", "  ")) for line in shown.splitlines()
    ), shown
