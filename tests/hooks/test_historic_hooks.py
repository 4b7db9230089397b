"""Historic hooks: a call is made again for everybody who comes later."""

from __future__ import annotations

from typing import Any

import pytest

from pluginkit.errors import UsageError
from pluginkit.hooks import HookTable, Provider
from pluginkit.markers import hookimpl, hookspec


class Contract:
    @hookspec(historic=True)
    def seen(self, what: str, where: str = "here") -> str:
        """Remembered for plugins that come later."""

    @hookspec
    def plain(self) -> str:
        """Not remembered."""


class Watcher:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    @hookimpl
    def seen(self, what: str, where: str) -> str | None:
        self.calls.append((what, where))
        return what.upper() if what else None


def test_lh05_a_historic_call_reaches_those_who_are_there_and_those_who_come(zoo: Any) -> None:
    early, late = Watcher(), Watcher()
    made = zoo(Contract, early=early)
    results: list[str] = []
    made.hook.seen.call_historic(results.append, {"what": "mouse"})
    made.hook.seen.call_historic(kwargs={"what": "", "where": "there"})
    made.add(late=late)
    assert early.calls == late.calls == [("mouse", "here"), ("", "there")]
    assert results == ["MOUSE", "MOUSE"]


def test_lh05_a_reloaded_plugin_hears_it_as_a_new_one_and_nobody_else_does(zoo: Any) -> None:
    first, other = Watcher(), Watcher()
    made = zoo(Contract, first=first, other=other)
    made.hook.seen.call_historic(kwargs={"what": "mouse"})
    second = Provider("first", Watcher())
    made.table.commit(made.table.stage(remove=[made.providers["first"]], add=[second]))
    assert second.target.calls == [("mouse", "here")]
    assert other.calls == [("mouse", "here")]


def test_lh05_a_plain_call_of_a_historic_hook_says_what_to_write(zoo: Any) -> None:
    made = zoo(Contract, early=Watcher())
    for call in (made.hook.seen, made.hook.seen.attributed, made.hook.seen.using(timeout=1.0)):
        with pytest.raises(UsageError, match=r"write host\.hook\.seen\.call_historic\(kwargs=\{…\}\)"):
            call(what="mouse")


def test_lh05_a_historic_call_of_a_plain_hook_says_what_to_write(zoo: Any) -> None:
    with pytest.raises(UsageError, match=r"mark it with @hookspec\(historic=True\)"):
        zoo(Contract).hook.plain.call_historic()


def test_lh05_arguments_of_historic_calls_are_checked(zoo: Any) -> None:
    watcher = Watcher()
    made = zoo(Contract)
    with pytest.raises(TypeError, match="'what'"):
        made.hook.seen.call_historic(kwargs={"where": "there"})
    made.add(late=watcher)
    assert watcher.calls == []


def test_lh06_a_failing_replay_does_not_fail_the_commit(zoo: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        @hookimpl
        def seen(self) -> str:
            raise ValueError("no")

    def refuse(result: str) -> None:
        raise OSError(f"no place for {result}")

    made = zoo(Contract, errors="raise")
    made.hook.seen.call_historic(refuse, {"what": "mouse"})
    made.add(failing=Failing, watcher=Watcher())
    assert made.failed() == ["plugin 'failing' 1.0.0 in hook 'seen': ValueError: no"]
    assert "result_callback of historic hook 'seen' failed" in caplog.text
    assert "no place for MOUSE" in caplog.text


def test_lh06_policies_hold_for_historic_calls(zoo: Any) -> None:
    class Failing:
        @hookimpl
        def seen(self) -> str:
            raise ValueError("no")

    watcher = Watcher()
    made = zoo(Contract, a=Failing, watcher=watcher)
    made.hook.seen.call_historic(kwargs={"what": "mouse"})
    assert watcher.calls == [("mouse", "here")]
    assert len(made.failures) == 1


def test_lh05_lenient_historic_hooks_are_as_pluggys() -> None:
    table = HookTable()
    table.add_hookspecs(Contract)
    watcher = Watcher()
    table.hook.seen.call_historic(kwargs={"what": "mouse", "other": 1})
    table.commit(table.stage(add=[Provider("watcher", watcher)]))
    assert watcher.calls == [("mouse", "here")]
    with pytest.raises(UsageError, match="call_historic"):
        table.hook.seen()


def test_lh05_calls_within_a_historic_call_see_the_table_as_it_is(zoo: Any) -> None:
    late = Watcher()

    class Adding:
        @hookimpl
        def seen(self) -> None:
            if "late" not in made.providers:
                made.add(late=late)

    made = zoo(Contract, adding=Adding)
    made.hook.seen.call_historic(kwargs={"what": "mouse"})
    assert late.calls == [("mouse", "here")]
