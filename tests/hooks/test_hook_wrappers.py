"""Wrappers of both styles, and what their failures lead to under each policy."""

from __future__ import annotations

from typing import Any

import pytest

from pluginkit.errors import ContainedError, ContractError, HookErrors
from pluginkit.markers import hookimpl, hookspec


class Contract:
    @hookspec
    def run(self, log: list[str]) -> str:
        """All answers."""

    @hookspec(firstresult=True)
    def pick(self, log: list[str]) -> str:
        """The first answer."""

    @hookspec(historic=True)
    def seen(self) -> str:
        """A historic hook."""


class Plain:
    @hookimpl
    def run(self, log: list[str]) -> str:
        log.append("plain")
        return "answer"

    @hookimpl
    def pick(self, log: list[str]) -> str:
        log.append("plain")
        return "answer"


def wrapper(
    name: str,
    *,
    before: BaseException | None = None,
    after: BaseException | None = None,
    tryfirst: bool = False,
    trylast: bool = False,
) -> Any:
    """A plugin whose wrapper notes what happens to it, and may raise before or after its yield."""

    class Wrapping:
        def _around(self, log: list[str]) -> Any:
            log.append(f"{name} in")
            if before is not None:
                raise before
            try:
                result = yield
            except BaseException as error:
                log.append(f"{name} saw {type(error).__name__}")
                raise
            log.append(f"{name} out")
            if after is not None:
                raise after
            return [*result, name] if isinstance(result, list) else f"{result} {name}"

        @hookimpl(wrapper=True, tryfirst=tryfirst, trylast=trylast)
        def run(self, log: list[str]) -> Any:
            return (yield from self._around(log))

        @hookimpl(wrapper=True, tryfirst=tryfirst, trylast=trylast)
        def pick(self, log: list[str]) -> Any:
            return (yield from self._around(log))

    return Wrapping()


def test_lh05_wrappers_surround_and_may_replace_the_results(zoo: Any) -> None:
    made = zoo(Contract, plain=Plain, b=wrapper("b"), a=wrapper("a"))
    log: list[str] = []
    assert made.hook.run(log=log) == ["answer", "b", "a"]
    assert log == ["a in", "b in", "plain", "b out", "a out"]
    assert made.hook.pick(log=[]) == "answer b a"


def test_lh05_tryfirst_makes_a_wrapper_the_outermost(zoo: Any) -> None:
    made = zoo(Contract, a=wrapper("a"), z=wrapper("z", tryfirst=True), m=wrapper("m", trylast=True))
    log: list[str] = []
    made.hook.run(log=log)
    assert log == ["z in", "a in", "m in", "m out", "a out", "z out"]


def test_lh05_a_wrapper_that_catches_decides_what_the_call_gives(zoo: Any) -> None:
    class Saving:
        @hookimpl(wrapper=True)
        def run(self, log: list[str]) -> Any:
            try:
                return (yield)
            except ValueError:
                return ["saved"]

    class Failing:
        @hookimpl
        def run(self, log: list[str]) -> str:
            raise ValueError("no")

    made = zoo(Contract, errors="raise", saving=Saving, failing=Failing)
    assert made.hook.run(log=[]) == ["saved"]
    assert made.failed() == ["plugin 'failing' 1.0.0 in hook 'run': ValueError: no"]


def test_lh05_old_style_wrappers_get_a_result(zoo: Any) -> None:
    class Old:
        @hookimpl(hookwrapper=True)
        def run(self, log: list[str]) -> Any:
            log.append("old in")
            outcome = yield
            outcome.force_result([*outcome.get_result(), "old"])

    log: list[str] = []
    assert zoo(Contract, old=Old, plain=Plain).hook.run(log=log) == ["answer", "old"]
    assert log == ["old in", "plain"]


def test_lh06_an_old_style_wrapper_that_raises_warns_at_the_callers_line(zoo: Any) -> None:
    pluggy = pytest.importorskip("pluggy")

    class Old:
        @hookimpl(hookwrapper=True)
        def run(self) -> Any:
            yield
            raise ZeroDivisionError

    made = zoo(Contract, old=Old, plain=Plain)
    for _ in range(2):  # the first call goes through the stub
        with pytest.warns(pluggy.PluggyTeardownRaisedWarning, match="Plugin: old, Hook: run") as warned:
            assert made.hook.run(log=[]) == ["answer"]
        assert warned[0].filename == __file__
    assert made.failed() == ["plugin 'old' 1.0.0 in hook 'run': ZeroDivisionError"] * 2


@pytest.mark.parametrize("hook", ["run", "pick"])
@pytest.mark.parametrize("errors", ["record", "group"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_lh06_a_failing_wrapper_does_not_lose_the_others_answers(
    zoo: Any, hook: str, errors: str, moment: str
) -> None:
    broken: Any = {moment: OSError("broken")}
    failing = wrapper("b", **broken)
    made = zoo(Contract, errors=errors, plain=Plain, c=wrapper("c"), b=failing, a=wrapper("a"))
    log: list[str] = []
    expected: Any = ["answer", "c", "a"] if hook == "run" else "answer c a"
    if errors == "record":
        assert getattr(made.hook, hook)(log=log) == expected
    else:
        with pytest.raises(HookErrors) as caught:
            getattr(made.hook, hook)(log=log)
        assert caught.value.results == expected
        assert [str(error) for error in caught.value.exceptions] == ["broken"]
    assert log[0] == "a in"
    assert log[-1] == "a out"
    assert made.failed() == [f"plugin 'b' 1.0.0 in hook '{hook}': OSError: broken"]


def test_lh06_under_raise_a_failing_wrapper_fails_the_call_through_the_outer_ones(zoo: Any) -> None:
    made = zoo(Contract, errors="raise", plain=Plain, b=wrapper("b", after=OSError("broken")), a=wrapper("a"))
    log: list[str] = []
    with pytest.raises(OSError, match="broken") as caught:
        made.hook.run(log=log)
    assert log == ["a in", "b in", "plain", "b out", "a saw OSError"]
    assert caught.value.__notes__ == ["plugin 'b' 1.0.0 in hook 'run'"]
    assert made.failed() == ["plugin 'b' 1.0.0 in hook 'run': OSError: broken"]


@pytest.mark.parametrize("errors", ["record", "raise", "group"])
def test_lh07_system_exit_in_a_wrapper_is_contained(zoo: Any, errors: str) -> None:
    made = zoo(Contract, errors=errors, plain=Plain, b=wrapper("b", after=SystemExit(3)))
    if errors == "record":
        assert made.hook.run(log=[]) == ["answer"]
        return
    with pytest.raises((ContainedError, HookErrors)) as caught:
        made.hook.run(log=[])
    error = caught.value.exceptions[0] if isinstance(caught.value, HookErrors) else caught.value
    assert isinstance(error, ContainedError)
    assert isinstance(error.__cause__, SystemExit)


@pytest.mark.parametrize("errors", ["record", "raise", "group"])
def test_lh07_ctrl_c_passes_through_wrappers_that_would_hold_it_back(zoo: Any, errors: str) -> None:
    log: list[str] = []

    class Swallowing:
        @hookimpl(wrapper=True)
        def run(self) -> Any:
            try:
                yield
            except BaseException:
                log.append("swallowing")
            return ["nothing happened"]

    class Failing:
        @hookimpl(wrapper=True, tryfirst=True)
        def run(self) -> Any:
            try:
                yield
            finally:
                log.append("failing")
                raise OSError("on the way")

    class Interrupted:
        @hookimpl
        def run(self) -> str:
            raise KeyboardInterrupt

    made = zoo(Contract, errors=errors, swallowing=Swallowing, failing=Failing, interrupted=Interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.hook.run(log=[])
    assert log == ["swallowing", "failing"]
    assert made.failed() == ["plugin 'failing' 1.0.0 in hook 'run': OSError: on the way"]


@pytest.mark.parametrize("errors", ["record", "raise"])
def test_lh07_ctrl_c_of_a_wrapper_passes(zoo: Any, errors: str) -> None:
    made = zoo(
        Contract, errors=errors, plain=Plain, b=wrapper("b", after=KeyboardInterrupt()), a=wrapper("a")
    )
    log: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        made.hook.run(log=log)
    assert log[-1] == "a saw KeyboardInterrupt"
    assert made.failures == []


def test_lh05_a_wrapper_without_or_with_two_yields_is_its_own_failure(zoo: Any) -> None:
    class Twice:
        @hookimpl(wrapper=True)
        def run(self) -> Any:
            yield
            yield

    class Never:
        @hookimpl(wrapper=True)
        def run(self) -> Any:
            if self is None:
                yield
            return []

    made = zoo(Contract, twice=Twice, never=Never, plain=Plain)
    assert made.hook.run(log=[]) == ["answer"]
    assert [text.split(":")[0] for text in made.failed()] == [
        "plugin 'never' 1.0.0 in hook 'run'",
        "plugin 'twice' 1.0.0 in hook 'run'",
    ]
    assert "did not yield" in made.failed()[0]
    assert "has second yield" in made.failed()[1]


def test_lh05_more_wrappers_than_python_nests_blocks(zoo: Any) -> None:
    made = zoo(Contract, plain=Plain, **{f"w{n:02}": wrapper(f"w{n:02}") for n in range(60)})
    assert made.hook.run(log=[]) == ["answer", *(f"w{n:02}" for n in reversed(range(60)))]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wrapper": True}, "a wrapper needs a yield"),
        ({"hookwrapper": True}, "a wrapper needs a yield"),
        ({"wrapper": True, "hookwrapper": True}, "exclude each other"),
    ],
)
def test_lh03_what_is_no_wrapper_is_refused(zoo: Any, options: Any, message: str) -> None:
    class Bad:
        def run(self) -> list[str]:
            return []

    hookimpl(**options)(Bad.run)
    with pytest.raises(ContractError, match=message) as caught:
        zoo(Contract, bad=Bad)
    assert caught.value.plugin == "bad"
    assert "hook 'run'" in str(caught.value)


def test_lh03_a_historic_hook_has_no_wrappers(zoo: Any) -> None:
    class Bad:
        @hookimpl(wrapper=True)
        def seen(self) -> Any:
            yield

    with pytest.raises(ContractError, match="nothing to wrap"):
        zoo(Contract, bad=Bad)


def test_lh05_an_old_style_wrapper_without_or_with_two_yields_is_its_own_failure(zoo: Any) -> None:
    class Twice:
        @hookimpl(hookwrapper=True)
        def run(self) -> Any:
            yield
            yield

    class Never:
        @hookimpl(hookwrapper=True)
        def run(self) -> Any:
            if self is None:
                yield

    made = zoo(Contract, twice=Twice, never=Never, plain=Plain)
    assert made.hook.run(log=[]) == ["answer"]
    assert ["did not yield" in made.failed()[0], "has second yield" in made.failed()[1]] == [True, True]
