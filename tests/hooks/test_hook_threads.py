"""Many threads call while others register and unregister: no error, and no half of a change."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pluginkit.hooks import HookTable, PluginManager, Provider
from pluginkit.markers import hookimpl, hookspec

CALLERS = 8
CHANGES = 10_000


class Contract:
    @hookspec
    def ask(self, value: int) -> tuple[int, int]:
        """Everybody answers with its generation."""

    @hookspec
    def other(self, value: int) -> int:
        """A second hook that changes with the first."""


class Part:
    """One of two plugins that always change together; both have to answer, with one generation."""

    def __init__(self, generation: int) -> None:
        self.generation = generation

    @hookimpl
    def ask(self, value: int) -> int:
        return self.generation

    @hookimpl
    def other(self) -> int:
        return self.generation


class Around:
    def __init__(self, generation: int) -> None:
        self.generation = generation

    @hookimpl(wrapper=True)
    def ask(self) -> Any:
        results = yield
        return [*results, self.generation]


def run_against(change: Callable[[], None], call: Callable[[], str | None]) -> None:
    """Call in eight threads until the changes are made; `call` says what is wrong, or None."""
    wrong: list[str] = []
    over = threading.Event()

    def caller() -> None:
        while not over.is_set() and not wrong:
            try:
                problem = call()
            except BaseException as error:
                problem = f"{type(error).__name__}: {error}"
            if problem is not None:
                wrong.append(problem)

    threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        change()
    finally:
        over.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert wrong == []


@pytest.mark.soak
def test_lh13_a_table_changes_whole_under_eight_calling_threads(soak_length: Callable[[int], int]) -> None:
    table = HookTable(errors="raise")
    table.add_contract(Contract, name="contract")
    makers = {"a": Part, "b": Part, "around": Around}
    now = [Provider(name, make(0)) for name, make in makers.items()]
    table.commit(table.stage(add=now))

    def change() -> None:
        nonlocal now
        for generation in range(1, soak_length(CHANGES)):
            new = [Provider(name, make(generation)) for name, make in makers.items()]
            table.commit(table.stage(remove=now, add=new))
            now = new

    newest = threading.local()

    def call() -> str | None:
        results = table.hook.ask(value=1)
        if len(results) != 3 or len(set(results)) != 1:
            return f"a mixture: {results}"
        if results[0] < getattr(newest, "seen", 0):
            return f"back in time: {results[0]} after {newest.seen}"
        newest.seen = results[0]
        others = table.hook.other.using(errors="group")(value=1)
        return None if len(others) == 2 and len(set(others)) == 1 else f"a mixture: {others}"

    run_against(change, call)


@pytest.mark.soak
def test_lh13_a_manager_registers_under_eight_calling_threads(soak_length: Callable[[int], int]) -> None:
    manager = PluginManager("pluginkit")
    manager.add_hookspecs(Contract)
    manager.register(Part(-1), name="always")
    subset = manager.subset_hook_caller("ask", [manager.get_plugin("always")])

    def change() -> None:
        for generation in range(soak_length(CHANGES)):
            part = Part(generation)
            manager.register(part, name="part")
            manager.unregister(part)

    def call() -> str | None:
        results = manager.hook.ask(value=1)
        if results[-1:] != [-1] or len(results) > 2:
            return f"wrong: {results}"
        with_extra = manager.hook.ask.call_extra([lambda value: value], {"value": 7})
        if 7 not in with_extra or -1 not in with_extra:
            return f"wrong: {with_extra}"
        return None if len(subset(value=1)) <= 1 else "wrong subset"

    run_against(change, call)


@pytest.mark.soak
def test_lh13_specs_and_monitors_come_and_go_under_calling_threads(soak_length: Callable[[int], int]) -> None:
    manager = PluginManager("pluginkit")
    manager.register(Part(1), name="part")

    def change() -> None:
        manager.add_hookspecs(Contract)
        for _ in range(soak_length(1_000)):
            undo = manager.add_hookcall_monitoring(lambda *_: None, lambda *_: None)
            undo()

    def call() -> str | None:
        results = manager.hook.ask(value=1)
        return None if results == [1] else f"wrong: {results}"

    run_against(change, call)


@pytest.mark.soak
def test_lh13_a_hook_gets_its_specification_under_calling_threads(soak_length: Callable[[int], int]) -> None:
    """The arguments of a call that is on its way in then change their form; lines that run keep their names."""
    for _ in range(soak_length(1_000)):
        manager = PluginManager("pluginkit")
        manager.register(Part(1), name="part")

        def change(manager: PluginManager = manager) -> None:
            manager.add_hookspecs(Contract)
            for _ in range(3):
                undo = manager.add_hookcall_monitoring(lambda *_: None, lambda *_: None)
                undo()

        def call(manager: PluginManager = manager) -> str | None:
            results = manager.hook.ask(value=1)
            return None if results == [1] else f"wrong: {results}"

        run_against(change, call)
