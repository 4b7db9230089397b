"""The chain of a configuration, and loguru that is listened to only when somebody uses it."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.config import Config
from pluginkit.logs import Entry, FileSink, LogChain, from_config
from pluginkit.logs import chain as chain_module
from pluginkit.logs.guard import Guard, on_stderr
from pluginkit.logs.importing import when_imported
from pluginkit.queue import PersistentQueue

Records = Callable[[Path], list[dict[str, Any]]]


def _config(directory: Path, **logging: object) -> Config:
    overrides = {f"logging.{name}": value for name, value in logging.items()}
    return Config.load(None, environ={}, overrides={"directories.logs_dir": directory, **overrides})


def test_lg05_to_lg08_the_keys_of_logging_do_what_they_say(tmp_path: Path, records: Records) -> None:
    config = _config(
        tmp_path / "deep",
        log_level="WARN",
        log_levels='{"cat": "debug"}',
        log_max_size="0.0005",
        log_max_backups="2",
        log_compress="true",
        log_include_location="false",
    )
    with from_config(config) as chain:
        chain.logger.info("too fine")
        for number in range(20):
            chain.logger.bind(plugin="cat").debug("{}", number)
        assert chain.levels() == {"": "warn", "cat": "debug"}
        assert not chain.has_console
    found = records(config.log_file)
    assert found[-1]["@message"] == "19"
    assert all("@caller" not in record for record in found)
    assert len(list((tmp_path / "deep").glob("*.gz"))) == 2


def test_lg09_with_a_queue_the_file_is_written_by_way_of_it(tmp_path: Path, records: Records) -> None:
    config = _config(tmp_path)
    with PersistentQueue(config.log_mq_file) as queue:
        with from_config(config, queue=queue) as chain:
            chain.logger.info("x")
        (record,) = records(config.log_file)
    assert record["record_id"].endswith("-1")


def test_a_console_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with from_config(_config(tmp_path), console=True) as chain:
        assert chain.has_console
        chain.logger.info("seen")
    assert "seen" in stream.getvalue()


def test_a_directory_that_cannot_be_written_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(PermissionError) as caught:
        from_config(_config(tmp_path / "logs"))
    assert caught.value.filename == str(tmp_path / "logs")


def test_work_is_done_after_the_import_and_the_module_keeps_its_own_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_late_by_logs.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    done: list[int] = []
    before = list(sys.meta_path)
    when_imported("imported_late_by_logs", lambda: done.append(1))
    never = when_imported("never_imported_by_logs", lambda: done.append(2))
    assert done == []
    import imported_late_by_logs  # type: ignore[import-not-found]  # it is made above

    assert (imported_late_by_logs.x, done) == (1, [1])
    assert type(imported_late_by_logs.__spec__.loader).__name__ == "SourceFileLoader"
    never()
    never()
    assert sys.meta_path == before
    when_imported("imported_late_by_logs", lambda: done.append(3))()
    assert done == [1, 3]


def test_a_module_that_is_not_there_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    when_imported("not_there_for_logs", lambda: None)
    with pytest.raises(ModuleNotFoundError):
        import not_there_for_logs  # type: ignore[import-not-found]  # noqa: F401  # that is the point


def test_what_breaks_the_chain_itself_is_told_on_stderr_and_not_to_the_program(
    chain: LogChain, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    chain.add_sink(lambda entry: None)

    def broken(number: int) -> str:
        raise RuntimeError("broken")

    monkeypatch.setattr(chain_module, "level_of", broken)
    chain.logger.info("x")
    assert "a log record could not be taken: RuntimeError: broken" in capfd.readouterr().err


def test_a_child_after_a_fork_has_locks_of_its_own_and_nothing_of_the_parents_waits(tmp_path: Path) -> None:
    class Failing:
        def write(self, entries: Any) -> None:
            raise OSError("x")

        def close(self) -> None: ...

    told: list[str] = []
    guard = Guard(Failing(), "failing", "info", lambda text, _: told.append(text))
    guard.write(Entry.made("info", "x"))
    assert guard.waiting == 1
    held = threading.Event()
    leave = threading.Event()

    def hold() -> None:
        with guard._lock:
            held.set()
            leave.wait(10)

    holder = threading.Thread(target=hold)
    lock = guard._lock
    holder.start()
    held.wait(10)
    guard.after_fork()
    assert guard.waiting == 0
    guard.write(Entry.made("info", "y"))
    leave.set()
    holder.join()
    assert guard._lock is not lock
    assert told


def test_a_program_that_removes_all_handlers_takes_the_chain_out_and_closing_is_still_fine(
    chain: LogChain,
) -> None:
    seen: list[str] = []
    chain.add_sink(lambda entry: seen.append(entry.message))
    chain.logger.remove()
    chain.logger.info("unheard")
    chain.set_level("x", "trace")
    chain.logger.info("heard again")
    chain.logger.remove()
    chain.close()
    assert seen == ["heard again"]


def test_the_end_of_the_process_closes_a_forgotten_chain(tmp_path: Path) -> None:
    import gc
    import weakref

    chain = LogChain("zoo")
    chain.add_sink(FileSink(tmp_path / "app.log"))
    chain_module._close_at_exit(weakref.ref(chain))
    assert chain.is_closed
    reference = weakref.ref(chain)
    del chain
    gc.collect()
    chain_module._close_at_exit(reference)


def test_without_a_stderr_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", None)
    on_stderr("x")
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "__stderr__", closed)
    on_stderr("x")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_closes_its_chain_without_touching_what_is_the_parents(
    chain: LogChain, tmp_path: Path, records: Records
) -> None:
    with PersistentQueue(tmp_path / "logs.db") as queue:
        key = chain.asynchronous(queue, [FileSink(tmp_path / "app.log")])
        pid = os.fork()
        if pid == 0:
            os._exit(0 if chain.close(1.0) else 1)
        assert os.waitpid(pid, 0)[1] == 0
        chain.logger.info("the parent's")
        assert chain.complete(10)
        chain.remove(key)
    assert [record["@message"] for record in records(tmp_path / "app.log")] == ["the parent's"]
