"""HT05: calls, errors and seconds per plugin and hook, when switched on."""

from __future__ import annotations

import threading
from typing import Any

from pluginkit.hooks import Provider
from pluginkit.markers import hookimpl, hookspec


class Contract:
    @hookspec
    def work(self, value: int) -> int:
        """All answers."""

    @hookspec(firstresult=True)
    def pick(self, value: int) -> int:
        """The first answer."""


class Plugin:
    @hookimpl
    def work(self, value: int) -> int:
        if value < 0:
            raise ValueError("negative")
        return value

    @hookimpl
    def pick(self, value: int) -> int:
        return value


def counted(made: Any) -> dict[tuple[str, str], tuple[int, int]]:
    return {(one.plugin, one.hook): (one.calls, one.errors) for one in made.table.metrics()}


def test_ht05_calls_and_errors_are_counted_per_plugin_and_hook(zoo: Any) -> None:
    made = zoo(Contract, timing=True, a=Plugin, b=Plugin)
    assert made.table.timing is True
    made.hook.work(value=1)
    made.hook.work(value=-1)
    made.hook.pick(value=1)
    made.hook.work.using(errors="group")(value=1)
    made.hook.work.attributed(value=1)
    made.hook.work.only("a")(value=1)
    assert counted(made) == {("a", "work"): (5, 1), ("b", "work"): (4, 1), ("a", "pick"): (1, 0)}
    assert len(made.failures) == 2


def test_ht05_total_and_longest_time_are_seconds(zoo: Any) -> None:
    made = zoo(Contract, timing=True, a=Plugin)
    for _ in range(3):
        made.hook.work(value=1)
    (one,) = made.table.metrics()
    assert 0 < one.longest_seconds <= one.total_seconds < 30


def test_ht05_nothing_is_counted_while_it_is_off(zoo: Any) -> None:
    made = zoo(Contract, a=Plugin)
    made.hook.work(value=1)
    made.table.timing = True
    made.hook.work(value=1)
    made.table.timing = False
    made.hook.work(value=1)
    assert counted(made) == {("a", "work"): (1, 0)}


def test_ht05_numbers_go_on_over_a_reload_and_end_with_the_plugin(zoo: Any) -> None:
    made = zoo(Contract, timing=True, a=Plugin, b=Plugin)
    made.hook.work(value=1)
    new = Provider("a", Plugin())
    made.table.commit(made.table.stage(remove=[made.providers["a"]], add=[new]))
    made.hook.work(value=1)
    assert counted(made)["a", "work"] == (2, 0)
    made.table.commit(made.table.stage(remove=[new]))
    assert counted(made) == {("b", "work"): (2, 0)}


def test_ht05_without_on_failure_errors_are_counted_all_the_same(zoo: Any) -> None:
    made = zoo(Contract, timing=True, a=Plugin)
    made.table._on_failure = None
    made.add(b=Plugin)
    made.hook.work(value=-1)
    assert counted(made)["b", "work"] == (1, 1)


def test_ht05_calls_of_many_threads_add_up(zoo: Any) -> None:
    made = zoo(Contract, timing=True, a=Plugin)

    def call() -> None:
        for _ in range(500):
            made.hook.work(value=1)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(made) == {("a", "work"): (4000, 0)}


def test_ht05_a_wrapper_is_a_call_of_its_own(zoo: Any) -> None:
    class Around:
        @hookimpl(wrapper=True)
        def work(self) -> Any:
            return (yield)

    made = zoo(Contract, timing=True, a=Plugin, around=Around)
    made.hook.work(value=1)
    assert counted(made) == {("a", "work"): (1, 0), ("around", "work"): (1, 0)}
