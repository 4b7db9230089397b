"""LH16: the caller leaves when the time is over; what ran goes on, and its answer is dropped."""

from __future__ import annotations

import contextvars
import threading
from typing import Any

import pytest

from pluginkit.errors import CallTimeout
from pluginkit.markers import hookimpl, hookspec


class Contract:
    @hookspec
    def work(self) -> str:
        """All answers."""

    @hookspec(firstresult=True)
    def pick(self) -> str:
        """The first answer."""


class Quick:
    @hookimpl
    def work(self) -> str:
        return "quick"


@pytest.fixture
def slow() -> Any:
    """A plugin that works until the test lets it go, and says when it is done."""

    class Slow:
        def __init__(self) -> None:
            self.begun, self.go_on, self.done = threading.Event(), threading.Event(), threading.Event()

        @hookimpl
        def work(self) -> str:
            self.begun.set()
            self.go_on.wait(30)
            return "slow"

        @hookimpl
        def pick(self) -> str:
            return self.work()

    plugin = Slow()
    yield plugin
    plugin.go_on.set()


def wait_for_threads(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(30)


def test_lh16_a_call_in_time_gives_its_results(zoo: Any) -> None:
    made = zoo(Contract, quick=Quick)
    assert made.hook.work.using(timeout=30.0)() == ["quick"]
    assert [one.result for one in made.hook.work.using(timeout=30.0).attributed()] == ["quick"]
    assert made.hook.work.using(timeout=30.0).only("quick")() == "quick"
    assert made.table.late_results() == {}


def test_lh16_a_call_that_takes_longer_is_a_call_timeout(zoo: Any, slow: Any) -> None:
    made = zoo(Contract, slow=slow)
    with pytest.raises(
        CallTimeout, match=r"hook 'work' did not finish within 0\.05 s; no answer from: 'slow'"
    ) as caught:
        made.hook.work.using(timeout=0.05)()
    assert (caught.value.hook, caught.value.timeout, caught.value.plugins) == ("work", 0.05, ("slow",))
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.__notes__ == ["plugin 'slow' 1.0.0 in hook 'work'"]


def test_lh16_the_failure_is_kept_with_the_plugin_that_was_running(zoo: Any, slow: Any) -> None:
    made = zoo(Contract, a=Quick, slow=slow)
    with pytest.raises(CallTimeout):
        made.hook.work.using(timeout=0.05, errors="group")()
    assert [(failure.plugin, type(failure.error)) for failure in made.failures] == [("slow", CallTimeout)]


@pytest.mark.parametrize("hook", ["work", "pick"])
def test_lh16_the_late_result_is_dropped_and_counted(zoo: Any, slow: Any, hook: str) -> None:
    made = zoo(Contract, slow=slow)
    with pytest.raises(CallTimeout):
        getattr(made.hook, hook).using(timeout=0.05)()
    slow.go_on.set()
    wait_for_threads(f"hook {hook}")
    assert made.table.late_results() == {("slow", hook): 1}


def test_lh16_an_abandoned_call_begins_no_further_implementation(zoo: Any, slow: Any) -> None:
    asked = []

    class Last:
        @hookimpl(trylast=True)
        def work(self) -> None:
            asked.append("last")

    class Wrapping:
        @hookimpl(wrapper=True)
        def work(self) -> Any:
            try:
                return (yield)
            finally:
                asked.append("cleaned up")

    made = zoo(Contract, slow=slow, last=Last, wrapping=Wrapping)
    with pytest.raises(CallTimeout):
        made.hook.work.using(timeout=0.05)()
    slow.go_on.set()
    wait_for_threads("hook work")
    assert asked == ["cleaned up"]


def test_lh16_errors_reach_the_caller_across_the_thread(zoo: Any) -> None:
    class Failing:
        @hookimpl
        def work(self) -> str:
            raise ValueError("no")

    made = zoo(Contract, failing=Failing)
    with pytest.raises(ValueError, match="no"):
        made.hook.work.using(timeout=30.0, errors="raise")()


def test_lh16_the_callers_context_variables_are_there(zoo: Any) -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    class Reading:
        @hookimpl
        def work(self) -> str:
            return variable.get()

    made = zoo(Contract, reading=Reading)
    variable.set("the caller's")
    assert made.hook.work.using(timeout=30.0)() == ["the caller's"]


PROGRAM = """
import _thread, threading
from pluginkit import hookimpl, hookspec
from pluginkit.errors import CallTimeout
from pluginkit.hooks import HookTable, Provider

go_on = threading.Event()

class Contract:
    @hookspec
    def work(self): "A hook."

class Plugin:
    @hookimpl
    def work(self):
        WORK
        go_on.wait()
        return "late"

table = HookTable()
table.add_contract(Contract, name="contract")
table.commit(table.stage(add=[Provider("plugin", Plugin())]))
"""


def test_lh16_ctrl_c_while_waiting_abandons_the_call(child: Any) -> None:
    done = child(
        PROGRAM.replace("WORK", "_thread.interrupt_main()")
        + """
try:
    table.hook.work.using(timeout=60.0)()
except KeyboardInterrupt:
    print("interrupted")
go_on.set()
for thread in threading.enumerate():
    if thread.name == "hook work":
        thread.join()
print(table.late_results())
"""
    )
    assert done.stdout.splitlines() == ["interrupted", "{('plugin', 'work'): 1}"]


def test_lh16_threads_of_hanging_plugins_do_not_keep_the_process_alive(child: Any) -> None:
    done = child(
        PROGRAM.replace("WORK", "pass")
        + """
try:
    table.hook.work.using(timeout=0.05)()
except CallTimeout as error:
    print(error)
"""
    )
    assert "did not finish within 0.05 s" in done.stdout
