"""LG12: the audit trail."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pluginkit import Host, events
from pluginkit.contracts.samples import Animal
from pluginkit.errors import Reason
from pluginkit.logs import AuditLog
from pluginkit.testing import write_plugin

if TYPE_CHECKING:
    import pytest

Records = Callable[[Path], list[dict[str, Any]]]

CAT = "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud):\n        return '{}'\n"


def test_lg12_a_plugins_life_is_one_record_each_with_what_is_known(tmp_path: Path, records: Records) -> None:
    audit = AuditLog(tmp_path / "audit.log")
    root = write_plugin(tmp_path / "plugins", "cat", CAT.format("Meow"), type="animal", entrypoint="cat:Cat")
    write_plugin(tmp_path / "plugins", "dog", "broken(", type="animal", entrypoint="dog:Dog")
    host = Host(contracts={"animal": Animal}, plugins_dir=tmp_path / "plugins", entry_point_group=None)
    audit.attach(host.events)
    with host:
        (root / "cat.py").write_text(CAT.format("Meow!"), "utf-8")
        assert host.reload("cat", quiet=0.0).ok
        host.unload("cat")
    audit.close()
    found = records(tmp_path / "audit.log")
    kinds = {name: [one["kind"] for one in found if one["plugin"] == name] for name in ("cat", "dog")}
    assert kinds["cat"] == ["loaded", "started", "reloaded", "stopped", "unloaded"]
    assert kinds["dog"] == ["failed"]
    assert "SyntaxError" in str(found)
    assert [record["seq"] for record in found] == list(range(1, len(found) + 1))
    assert all(record["ts"] and record["process"] for record in found)


def test_lg12_kinds_that_come_to_be_known_later_are_recorded_as_they_are(
    tmp_path: Path, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = {"capability_granted", "capability_denied", "guard"}
    for module in (events, __import__("pluginkit.logs.audit", fromlist=["x"])):
        monkeypatch.setattr(module, "EVENT_KINDS", events.EVENT_KINDS | later)
    audit = AuditLog(tmp_path / "audit.log")
    bus = events.EventBus()
    audit.attach(bus)
    bus.publish("capability_denied", "cat", capability="network", reason=Reason("denied", "no grant"), seq=9)
    bus.publish("guard", "cat", error=ValueError("x"), places=("a", Path("b")))
    audit.close()
    bus.publish("guard", "dog")
    first, second = records(tmp_path / "audit.log")
    assert (first["kind"], first["capability"], first["reason"]["code"]) == (
        "capability_denied",
        "network",
        "denied",
    )
    assert (first["seq"], first["_seq"]) == (1, 9)
    assert (second["error"], second["places"]) == ("ValueError: x", ["a", "b"])


def test_lg12_numbers_and_lines_have_one_order_under_threads_and_rotation(
    tmp_path: Path, records: Records
) -> None:
    audit = AuditLog(tmp_path / "audit.log", max_bytes=2_000)

    def write() -> None:
        for number in range(50):
            audit.record("x", "cat", number=number)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    audit.close()
    assert [record["seq"] for record in records(tmp_path / "audit.log")] == list(range(1, 201))


def test_lg12_a_trail_that_cannot_be_written_is_told_once_and_stops_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    audit = AuditLog(tmp_path / "file" / "audit.log")
    audit.record("x")
    audit.record("y")
    assert "NotADirectoryError" in audit.last_error or "FileExistsError" in audit.last_error
    assert capfd.readouterr().err.count("fails") == 1
    audit.close()
