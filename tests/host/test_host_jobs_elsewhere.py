"""A host's jobs in other processes: what is sent, what is refused, and what answers there (WP21)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pluginkit import Host, hookimpl, host_elsewhere
from pluginkit.contracts.samples import Animal
from pluginkit.errors import ConfigError, UsageError
from pluginkit.jobs import JobError, NotPortable

CAT = """
import os
from pluginkit import hookimpl
class Cat:
    def on_load(self, ctx):
        self.ctx = ctx
    @hookimpl
    def speak(self, is_loud):
        return f"VERSION {os.getpid()}" if is_loud else self.ctx.jobs.submit(lambda: 1 // 0).result(20)
"""
CONFIG = """
application: {app_name: zoo}
contracts: {animal: "pluginkit.contracts.samples:Animal"}
directories: {plugins_dir: plugins}
worker_pool: {wp_max_workers: 1, executor: EXECUTOR}
"""


def configured(directory: Path, executor: str) -> Path:
    file = directory / "config.yaml"
    file.write_text(CONFIG.replace("EXECUTOR", executor), "utf-8")
    return file


def host_of(zoo: Any, executor: str = "processes", **arguments: Any) -> Host:
    file = configured(zoo.directory, executor)
    host = Host.from_config(file, entry_point_group=None, state_dir=zoo.directory / "state", **arguments)
    zoo.hosts.append(host)
    return host.__enter__()


def test_wp21_hooks_run_in_other_processes_by_plugin_and_hook_name(
    zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    zoo.add("cat", CAT.replace("VERSION", "one"))
    host = host_of(zoo)
    job = host.submit("speak", "cat", is_loud=True)
    assert job.owner == "cat"
    outcome = job.result(60)
    assert (outcome.plugin, outcome.version) == ("cat", "1.0.0")
    assert outcome.result is not None
    version, pid = outcome.result.split()
    assert (version, pid == str(os.getpid())) == ("one", False)
    # What a plugin submits over there runs there, in threads; its error comes as a text.
    (failed,) = host.submit("speak", is_loud=False).result(60)
    assert isinstance(failed.error, JobError)
    assert "ZeroDivisionError" in str(failed.error.__notes__)
    # A reload here is one there.
    zoo.add("cat", CAT.replace("VERSION", "two"))
    assert host.reload("cat").ok
    (later,) = [job.result(60) for job in host.submit_each("speak", is_loud=True)]
    assert later.result == f"two {pid}"
    # And who is not there is told, with the reason.
    monkeypatch.setattr(sys, "pk_is_here", True, raising=False)
    zoo.add("dog", "import sys\nsys.pk_is_here\n" + CAT)
    host.load("dog")
    with pytest.raises(JobError, match=r"was to call it, plugin 'dog' is failed: .*'pk_is_here'"):
        host.submit("speak", is_loud=True).result(60)


def test_wp21_a_plugins_object_cannot_be_sent_and_the_refusal_says_how_to_name_it(zoo: Any) -> None:
    zoo.add("cat", CAT)
    host = host_of(zoo)
    for refused in (host.plugins["cat"].instance.speak, lambda: 1):
        with pytest.raises(NotPortable, match=r'host\.submit\("transform", "shout", text="…"\)'):
            host.pool.submit(refused, is_loud=True)
    numbers = host.pool.metrics()
    assert (numbers.submissions, numbers.failed_submissions) == (0, 2)


def test_wp21_what_only_this_host_has_is_refused_at_submit(zoo: Any, tmp_path: Path) -> None:
    class Own:
        @hookimpl
        def speak(self, is_loud: bool) -> str:
            return "own"

    host = host_of(zoo, "tests.jobs.far_away:make_threads")
    host.register(Own(), type="animal", name="own")
    with pytest.raises(UsageError, match="'own' is an object of this host; name a plugin"):
        host.submit("speak", is_loud=True)
    other = host_of(zoo, "processes", contracts={"animal": Animal})
    zoo.add("cat", CAT)
    other.load("cat")
    with pytest.raises(
        UsageError, match=r"do not know the contracts that were given to Host\(…\); name them in"
    ):
        other.submit("speak", is_loud=True)


def test_wp21_without_a_config_file_hooks_cannot_run_elsewhere(
    zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pluginkit.config import Config

    zoo.speaker("cat")
    config = Config.load(None, environ={}, overrides={"worker_pool.executor": "processes"})
    host = zoo.started(config=config)
    with pytest.raises(UsageError, match="this host was made without one"):
        host.submit("speak", is_loud=True)


@pytest.mark.parametrize(("executor", "found"), [("thread", "'thread'"), ("'dask:'", "'dask:'")])
def test_wp21_a_wrong_name_of_an_executor_is_an_error_of_the_file(
    tmp_path: Path, executor: str, found: str
) -> None:
    with pytest.raises(
        ConfigError, match=rf"worker_pool\.executor: must be threads, processes.*found {found}"
    ):
        Host.from_config(configured(tmp_path, executor))


@pytest.mark.parametrize(
    ("executor", "said"),
    [
        ("'tests.jobs.far_away:nothing'", "has no attribute 'nothing'"),
        ("'tests.jobs.far_away:make_nothing'", "which is no concurrent.futures.Executor"),
        ("'tests.nowhere:make'", "No module named 'tests.nowhere'"),
        ("'dask:tcp://127.0.0.1:1'", "pip install 'pluginkit[dask]'"),
    ],
)
def test_wp21_an_executor_that_cannot_be_had_is_told_by_the_job(
    zoo: Any, monkeypatch: pytest.MonkeyPatch, executor: str, said: str
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    host = host_of(zoo, executor)
    error = host.pool.submit(int).exception(20)
    assert error is not None
    assert f"config.yaml: worker_pool.executor: {executor.strip(chr(39))}: " in str(error.__cause__)
    assert said in str(error.__cause__)


def test_wp21_an_executor_of_a_module_beside_the_file(zoo: Any) -> None:
    (zoo.directory / "pk_beside.py").write_text(
        "from concurrent.futures import ThreadPoolExecutor\ndef make(): return ThreadPoolExecutor(1, 'pk-beside')\n"
    )
    host = host_of(zoo, "'pk_beside:make'")
    assert host.pool.submit(int, "4").result(20) == 4
    assert str(zoo.directory) not in sys.path
    sys.modules.pop("pk_beside")


THUMBS = """
import os
from pluginkit import hookimpl

def shrink(picture, by=2):
    return f"{picture} by {by} in {os.getpid()}"

def heed(ctx):
    ctx.check()

class Cat:
    def on_load(self, ctx):
        self.ctx = ctx
        self.early = ctx.jobs.submit(shrink, "early")
    def method(self):
        return 1
    @hookimpl
    def speak(self, is_loud):
        return ""
"""


def test_wp21_a_function_of_a_plugins_module_is_sent_by_its_name(zoo: Any) -> None:
    zoo.add("cat", THUMBS)
    host = host_of(zoo)
    plugin, shrink, heed = host.plugins["cat"], *map(host.plugins["cat"].get, ("shrink", "heed"))
    early = plugin.instance.early.result(60)
    job = plugin.instance.ctx.jobs.submit(shrink, "cat.png", by=3)
    assert (job.owner, job.result(60)) == ("cat", early.replace("early by 2", "cat.png by 3"))
    assert not early.endswith(str(os.getpid()))
    for refused, why in ((plugin.instance.method, "code of a plugin"), (heed, "has a parameter ctx")):
        with pytest.raises(NotPortable, match=why):
            plugin.instance.ctx.jobs.submit(refused)
    # Another plugin's function, and the host's own, are sent as what they are.
    assert plugin.instance.ctx.jobs.submit(os.getpid).result(60) == int(early.split()[-1])


def test_wp21_a_function_that_is_not_there_over_there_is_told(zoo: Any, over_there: dict[Any, Any]) -> None:
    zoo.add("cat", THUMBS)
    host = host_of(zoo, "tests.jobs.far_away:make_threads")
    jobs, shrink = host.plugins["cat"].instance.ctx.jobs, host.plugins["cat"].get("shrink")
    assert jobs.submit(shrink, "cat.png").result(20)
    ((other, _),) = over_there.values()
    other.unload("cat")
    error = jobs.submit(shrink, "cat.png").exception(20)
    assert "was to call it, plugin 'cat' is unloaded" in str(error)


@pytest.fixture
def over_there() -> Iterator[dict[Any, Any]]:
    """The hosts of what is another process otherwise; here an executor of threads stands for it."""
    hosts = host_elsewhere._hosts
    yield hosts
    for host, _ in hosts.values():
        host.close()
    hosts.clear()


def test_wp21_over_there_one_host_is_built_and_looks_again_after_a_reload(
    zoo: Any, over_there: dict[Any, Any]
) -> None:
    zoo.add("cat", CAT.replace("VERSION", "one"))
    host = host_of(zoo, "tests.jobs.far_away:make_threads")
    assert host.submit("speak", "cat", is_loud=True).result(20).result == f"one {os.getpid()}"
    ((other, _),) = over_there.values()
    assert other is not host
    assert other.config.worker_pool.executor == "threads"
    first = other.plugins["cat"].generation
    host.submit("speak", is_loud=True).result(20)
    assert other.plugins["cat"].generation == first
    zoo.add("cat", CAT.replace("VERSION", "two"))
    assert host.reload("cat").ok
    assert host.submit("speak", "cat", is_loud=True).result(20).result == f"two {os.getpid()}"
    ((same, _),) = over_there.values()
    assert same is other


def test_wp21_an_error_over_there_is_sent_as_a_text_and_tried_again_here(
    zoo: Any, over_there: dict[Any, Any]
) -> None:
    zoo.add("cat", CAT)
    host = host_of(zoo, "tests.jobs.far_away:make_threads")
    job = host.pool.submit(host.job("speak", "cat", is_loud=False).with_retry(2))
    outcome = job.result(20)
    assert type(outcome.error) is JobError
    assert "cat.py" in str(outcome.error.__notes__)
    assert job.attempts == 3


def test_wp21_who_is_missing_over_there_is_named(zoo: Any, over_there: dict[Any, Any]) -> None:
    zoo.add("cat", CAT)
    host = host_of(zoo, "tests.jobs.far_away:make_threads")
    host.submit("speak", is_loud=True).result(20)
    ((other, _),) = over_there.values()
    other.unload("cat")
    error = host.submit("speak", is_loud=True).exception(20)
    assert "was to call it, plugin 'cat' is unloaded: without the hook" in str(error)
    other.plugins._replace({}, ())
    error = host.submit("speak", is_loud=True).exception(20)
    assert "was to call it, plugin 'cat' is not there" in str(error)


def test_wp21_a_dask_client_is_made_for_the_pool_and_closed_with_it(
    zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Client:
        def __init__(self, address: str, *, set_as_default: bool) -> None:
            asked.append((address, set_as_default))

        def get_executor(self, *, pure: bool) -> Executor:
            asked.append(("pure", pure))
            return ThreadPoolExecutor(1)

        def close(self) -> None:
            asked.append("closed")

    asked: list[Any] = []
    module: Any = ModuleType("distributed")
    module.Client = Client
    monkeypatch.setitem(sys.modules, "distributed", module)
    host = host_of(zoo, "'dask:tcp://10.0.0.1:8786'")
    assert host.pool.submit(int, "4").result(20) == 4
    host.close()
    assert asked == [("tcp://10.0.0.1:8786", False), ("pure", False), "closed"]
