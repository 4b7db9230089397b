"""LG10: what plugins say by whatever way arrives with their names."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pluginkit import Host
from pluginkit.contracts.samples import Animal
from pluginkit.host_logs import _Names
from pluginkit.logs import Entry, LogChain
from pluginkit.testing import write_plugin

CAT = """\
import logging, sys, warnings
from loguru import logger
from pluginkit import hookimpl

class Cat:
    def __init__(self, ctx):
        self.ctx = ctx

    @hookimpl
    def speak(self, is_loud):
        logging.getLogger("some.library").warning("by %s", "logging")
        self.ctx.log.warning("by the context")
        logger.info("by loguru")
        print("by print")
        sys.stderr.write("by ")
        sys.stderr.write("stderr\\n")
        warnings.warn("by warnings", stacklevel=1)
        return "MEOW!"
"""


@pytest.fixture
def seen(chain: LogChain) -> list[Entry]:
    found: list[Entry] = []
    chain.add_sink(found.append)
    return found


@pytest.fixture
def host(tmp_path: Path, chain: LogChain) -> Iterator[Host]:
    write_plugin(tmp_path / "plugins", "my-cat", CAT, type="animal", entrypoint="my_cat:Cat", version="1.2.3")
    with Host(contracts={"animal": Animal}, plugins_dir=tmp_path / "plugins", entry_point_group=None) as made:
        yield made


def _by(seen: list[Entry]) -> dict[str, Entry]:
    return {entry.message: entry for entry in seen if entry.message.startswith("by ")}


def test_lg10_logging_loguru_print_and_warnings_carry_plugin_version_generation_and_hook(
    chain: LogChain, host: Host, seen: list[Entry]
) -> None:
    detach = host.attach_logs(chain)
    with chain.capture(), warnings.catch_warnings():
        warnings.simplefilter("always")
        with chain.capture(stdlib=False, streams=False):
            host.hook.speak(is_loud=True)
    found = _by(seen)
    assert set(found) == {
        "by logging", "by the context", "by loguru", "by print", "by stderr", "by warnings",
    }  # fmt: skip
    for entry in found.values():
        assert entry.plugin == "my-cat", entry
        assert entry.fields["plugin_version"] == "1.2.3"
        assert entry.fields["generation"] == host.plugins["my-cat"].generation
        assert entry.fields["hook"] == "speak"
        assert entry.caller.startswith("my_cat.py:")
    assert found["by print"].fields["stream"] == "stdout"
    assert (found["by print"].level, found["by stderr"].level) == ("info", "warn")
    assert found["by logging"].module == "some.library"
    detach()
    assert host.logs is None


def test_wp19_lg10_records_of_a_job_carry_its_ids(chain: LogChain, host: Host, seen: list[Entry]) -> None:
    host.attach_logs(chain)
    with chain.capture(warnings=False), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        job = host.submit("speak", is_loud=True)
        job.result(10)
    for entry in _by(seen).values():
        assert entry.fields["job_id"] == job.id
        assert entry.fields["worker_id"]


def test_lg10_the_level_of_one_plugin_is_its_own(chain: LogChain, host: Host, seen: list[Entry]) -> None:
    host.attach_logs(chain)
    chain.set_level("my-cat", "error")
    with chain.capture(warnings=False), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        host.hook.speak(is_loud=True)
        logging.getLogger("host").warning("the host's own")
    assert [entry.message for entry in seen] == ["the host's own"]


def test_lg10_debug_of_one_logger_passes_the_root_when_asked_for_at_run_time(
    chain: LogChain, seen: list[Entry]
) -> None:
    with chain.capture(streams=False, warnings=False):
        logging.getLogger("fine.part").debug("kept")
        chain.set_level("fine", "trace")
        logging.getLogger("fine.part").log(5, "finest")
        logging.getLogger("other").log(5, "not kept")
    assert [entry.message for entry in seen] == ["kept", "finest"]


def test_lg10_everything_is_as_it_was_after_the_end(chain: LogChain) -> None:
    before = (sys.stdout, sys.stderr, warnings.showwarning, logging.root.level, list(logging.root.handlers))
    capture = chain.capture()
    assert sys.stdout is not before[0]
    capture.undo()
    capture.undo()
    assert (
        sys.stdout,
        sys.stderr,
        warnings.showwarning,
        logging.root.level,
        list(logging.root.handlers),
    ) == before
    chain.capture()
    chain.close()
    assert (
        sys.stdout,
        sys.stderr,
        warnings.showwarning,
        logging.root.level,
        list(logging.root.handlers),
    ) == before


def test_lg10_what_others_put_in_place_meanwhile_stays(
    chain: LogChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    capture = chain.capture(stdlib=False, warnings=False)
    later = io.StringIO()
    sys.stdout = later
    capture.undo()
    assert sys.stdout is later


def test_lg10_a_sink_that_prints_and_logs_by_logging_does_not_feed_itself(
    chain: LogChain, host: Host
) -> None:
    seen: list[str] = []

    def printing(entry: Entry) -> None:
        print("printed by the sink")
        seen.append(entry.message)

    host.attach_logs(chain)
    chain.add_sink(printing)
    with chain.capture(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        host.hook.speak(is_loud=True)
    assert seen.count("by print") == 1
    assert "printed by the sink" not in seen


def test_lg10_what_the_host_prints_is_not_logged_and_still_printed(
    chain: LogChain, seen: list[Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    with chain.capture():
        print("the host's")
        sys.stdout.writelines(["a\n", "b\n"])
        assert sys.stdout.encoding
    assert seen == []
    assert capsys.readouterr().out == "the host's\na\nb\n"


def test_lg10_a_line_that_was_begun_is_logged_at_the_end_and_a_long_one_in_pieces(
    chain: LogChain, seen: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pluginkit.logs.capture._LONGEST_LINE", 10)
    code = "import sys\nsys.stdout.write('0123456789abc')\nsys.stdout.write('tail')\nsys.stdout.write('\\n\\nbegun')\n"
    write_plugin(
        tmp_path / "plugins", "cat",
        code + "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud): return ''\n",
        type="animal", entrypoint="cat:Cat",
    )  # fmt: skip
    with (
        chain.capture(),
        Host(contracts={"animal": Animal}, plugins_dir=tmp_path / "plugins", entry_point_group=None),
    ):
        pass
    assert [entry.message for entry in seen if "stream" in entry.fields] == ["0123456789abc", "tail", "begun"]


def test_lg10_logging_with_wrong_arguments_and_with_exceptions_arrives(
    chain: LogChain, seen: list[Entry]
) -> None:
    with chain.capture(streams=False, warnings=False):
        # Not by a logger: the handlers of pytest would raise.
        (handler,) = (
            one for one in logging.root.handlers if type(one).__module__ == "pluginkit.logs.capture"
        )
        handler.handle(logging.makeLogRecord({"name": "x", "msg": "%d %d", "args": ("one",), "levelno": 30}))
        try:
            raise ValueError("v")
        except ValueError:
            logging.getLogger("x").exception("failed", extra={"cats": 3})
    assert seen[0].message == "'%d %d' with 1 arguments: TypeError"
    assert seen[1].exception is not None
    assert seen[1].exception.endswith("ValueError: v\n")
    assert seen[1].fields["cats"] == 3


def test_lg10_warnings_of_logging_still_reach_stderr_where_nobody_set_a_handler_up() -> None:
    code = """
import logging
from pluginkit.logs import LogChain
with LogChain("zoo") as chain:
    seen = []
    chain.add_sink(seen.append)
    with chain.capture():
        logging.getLogger("x").warning("careful")
        logging.getLogger("x").info("not shown")
print(len(seen))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("2\n", "careful\n")


def test_lg10_loguru_is_listened_to_from_its_first_import_on_and_not_imported_before() -> None:
    code = """
import sys
from pluginkit.logs import LogChain
chain = LogChain("zoo")
seen = []
chain.add_sink(lambda entry: seen.append(entry.message))
assert "loguru" not in sys.modules and "asyncio" not in sys.modules
import loguru
loguru.logger.info("first")
assert seen == ["first"], seen
assert type(loguru.__loader__).__module__ == "_frozen_importlib_external"
chain.close()
again = LogChain("zoo")
again.close()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, stderr=subprocess.DEVNULL)


def test_a_chain_that_is_closed_before_loguru_is_imported_leaves_nothing_behind() -> None:
    code = """
import sys
from pluginkit.logs import LogChain
before = list(sys.meta_path)
chain = LogChain("zoo")
chain.add_sink(print)
assert sys.meta_path != before
chain.close()
assert sys.meta_path == before
import loguru
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_hosts_log_is_the_programs_loguru_logger_with_its_name(
    host: Host, chain: LogChain, seen: list[Entry]
) -> None:
    host.log.info("ready")
    assert (seen[0].message, seen[0].fields["app"]) == ("ready", "pluginkit")
    assert host.logs is None


def test_lg10_a_print_that_is_under_way_when_the_capture_ends_does_not_end_the_process(
    child: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    program = (
        "import gc, sys\n"
        "from pluginkit.logs import LogChain\n"
        "class Ends:\n"
        "    def write(self, text):\n"
        "        if text == 'x':\n"
        "            capture.__exit__(None, None, None)\n"
        "            del globals()['capture']\n"
        "            gc.collect()\n"
        "            self.rest = [bytearray(64) for _ in range(1000)]\n"
        "        return len(text)\n"
        "    def flush(self): pass\n"
        "sys.stdout = Ends()\n"
        "capture = LogChain('app').capture()\n"
        "capture.__enter__()\n"
        "for _ in range(3): print('x')\n"
        "sys.__stdout__.write('alive')\n"
    ).replace("for _ in range(3): print", "print")
    assert child(program).stdout == "alive"


def test_lg10_names_of_versions_that_are_gone_are_not_kept() -> None:
    class Version:
        number, package = 1, "cat"

    class Plugin:
        name, version, generation = "cat", "1.0.0", 1

    class Plugins:
        def everything(self) -> list[Plugin]:
            return [Plugin()]

    names, version = _Names(Plugins()), Version()  # type: ignore[arg-type]  # all that is asked of them
    assert names.of(version)["plugin_version"] == "1.0.0"
    assert len(names._known) == 1
    del version
    assert len(names._known) == 0
