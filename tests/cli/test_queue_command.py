"""`pluginkit queue`: beside a running host, and on the file when none runs (CL02, MQ07)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.queue import PersistentQueue

Cli = Callable[..., Any]


@pytest.fixture
def filled(project: Path) -> Path:
    """A queue with two dead letters, a pending and a done record, that nobody has open."""
    path = project / "logs" / "logs.db"
    with PersistentQueue(path, remove_on_complete=False) as queue:
        queue.put_many(["fine", "bad 1", b"bad\xff 2", "new"])
        queue.lease(3)
        queue.bury([2, 3], error="cannot be read")
        queue.ack(1)
    return path


@pytest.fixture
def host(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child_env: dict[str, str]
) -> Iterator[Host]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    child_env["XDG_RUNTIME_DIR"] = str(tmp_path)
    with Host.from_config(project / "config.yaml", control=True) as one:
        yield one


def test_mq07_without_a_queue_it_says_so_and_makes_none(cli: Cli, project: Path) -> None:
    said = cli("queue").stdout
    assert said.startswith("There is no queue in ")
    assert said.endswith("logs.db yet.\n")
    assert json.loads(cli("queue", "dead", "--json").stdout)["queue"] is None
    assert not (project / "logs").exists()


def test_mq07_counts_dead_replay_and_purge_on_the_file(cli: Cli, filled: Path) -> None:
    assert cli("queue").stdout == (
        "queue 'log_queue': 1 pending (3 bytes), 0 delayed, 0 leased, 1 done, 2 dead, 0 dropped\n"
    )
    lines = cli("queue", "dead").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ID", "TRIES"], ["2", "1"], ["3", "1"]]
    assert all("cannot be read" in line for line in lines[1:])
    dead = json.loads(cli("queue", "dead", "--json").stdout)["queue"]["dead"]
    assert dead[1] == {"id": 3, "attempts": 1, "error": "cannot be read", "body": "bad\\xff 2"}
    assert "1 dead letters are delivered again" in cli("queue", "replay", "2").stdout
    assert "2 pending" in cli("queue", "counts").stdout
    assert "1 records were deleted" in cli("queue", "purge", "dead", "--yes").stdout
    assert cli("queue", "dead").stdout == "No record was given up.\n"
    assert json.loads(cli("queue", "purge", "done", "--yes", "--json").stdout)["queue"]["purged"] == 1
    with PersistentQueue(filled) as queue:
        assert [record.body for record in queue.lease()] == [b"bad 1", b"new"]


def test_mq05_another_queue_of_the_file_is_asked_by_name(cli: Cli, filled: Path) -> None:
    with PersistentQueue(filled, "audit") as queue:
        queue.put("a")
    assert "queue 'audit': 1 pending" in cli("queue", "--name", "audit").stdout


def test_mq07_beside_a_running_host_its_queue_is_asked(cli: Cli, host: Host, filled: Path) -> None:
    assert "2 dead" in cli("queue").stdout, "the host has none: the file is looked at"
    with PersistentQueue(filled, remove_on_complete=False) as queue:
        host.queue = queue
        done = cli("queue")
        assert "on the running host" in done.stderr
        assert "1 pending (3 bytes)" in done.stdout
        queue.put("put by the host")
        assert "2 dead letters are delivered again" in cli("queue", "replay", "--all").stdout
        assert queue.counts().pending == 4
        assert "4 records were deleted" in cli("queue", "purge", "pending", "--yes").stdout
        assert queue.counts().pending == 0
        # Another queue of that file is not the host's, and nobody else may open the file.
        refused = cli("queue", "--name", "audit", status=2)
        assert "the queue is " in refused.stderr


def test_mq06_a_file_that_another_program_has_is_named_with_its_pid(cli: Cli, filled: Path) -> None:
    with PersistentQueue(filled):
        assert f"{filled}: the queue is " in cli("queue", status=2).stderr


def test_mq06_a_damaged_file_is_told_and_left(cli: Cli, filled: Path) -> None:
    filled.write_bytes(b"garbage" * 100)
    assert "the queue's file cannot be used: file is not a database" in cli("queue", status=2).stderr
    assert filled.read_bytes() == b"garbage" * 100


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("purge",), "say what to purge"),
        (("purge", "all", "--yes"), "say what to purge"),
        (("purge", "dead"), "pluginkit queue purge dead --yes"),
        (("replay",), "say which"),
        (("replay", "1", "--all"), "say which"),
        (("replay", "one"), "an id is a number"),
        (("dead", "1"), "takes nothing more"),
        (("clear",), "clear"),
    ],
)
def test_mq07_what_is_not_clear_is_refused_and_nothing_done(
    cli: Cli, filled: Path, arguments: tuple[str, ...], text: str
) -> None:
    assert text in cli("queue", *arguments, status=2).stderr
    assert "1 pending (3 bytes), 0 delayed, 0 leased, 1 done, 2 dead" in cli("queue").stdout


@pytest.mark.parametrize(("answer", "left"), [(True, 0), (False, 2)])
def test_mq07_purge_asks_on_a_terminal(
    cli: Cli, filled: Path, monkeypatch: pytest.MonkeyPatch, answer: bool, left: int
) -> None:
    asked: list[str] = []

    def confirm(text: str, **_: object) -> bool:
        asked.append(text)
        return answer

    monkeypatch.setattr("pluginkit.cli.commands.queue.is_terminal", lambda _: True)
    monkeypatch.setattr("click.confirm", confirm)
    cli("queue", "purge", "dead", status=0 if answer else 1)
    assert asked == ["Delete all dead records of the queue?"]
    with PersistentQueue(filled) as queue:
        assert queue.counts().dead == left


def test_mq07_ctrl_c_at_the_question_deletes_nothing(
    cli: Cli, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import click

    def abort(*_: object, **__: object) -> bool:
        raise click.Abort

    monkeypatch.setattr("pluginkit.cli.commands.queue.is_terminal", lambda _: True)
    monkeypatch.setattr("click.confirm", abort)
    assert "Nothing was deleted" in cli("queue", "purge", "dead", status=1).stderr


def test_mq07_a_request_that_fits_nothing_is_refused(cli: Cli, host: Host, filled: Path) -> None:
    from pluginkit.control.protocol import BadRequest
    from pluginkit.control.requests import answer
    from pluginkit.errors import UsageError

    with PersistentQueue(filled) as queue:
        host.queue = queue
        for wrong in ({"action": "eat"}, {"action": "purge"}, {"action": "purge", "which": "all"}):
            with pytest.raises(UsageError):
                answer(host, "queue", wrong)
        for ids in ([True], ["1"], [0], 1):
            with pytest.raises(BadRequest, match="list of ids"):
                answer(host, "queue", {"action": "replay", "ids": ids})
        assert answer(host, "queue", {})["queue"]["counts"]["dead"] == 2
