"""LH06, LH07, LH21: a raising plugin stops nobody else, and everybody knows that it was it."""

from __future__ import annotations

import asyncio
import dataclasses
import traceback
from typing import Any

import pytest

from pluginkit.errors import ContainedError, HookErrors
from pluginkit.hooks import CallFailure, HookTable, Outcome, Provider
from pluginkit.markers import hookimpl, hookspec


class Contract:
    @hookspec
    def work(self, value: int) -> int:
        """All answers."""

    @hookspec(firstresult=True)
    def pick(self, value: int) -> int:
        """The first answer."""


def good(answer: int) -> Any:
    class Good:
        @hookimpl
        def work(self, value: int) -> int:
            return value + answer

        @hookimpl
        def pick(self, value: int) -> int:
            return value + answer

    return Good()


def bad(error: BaseException) -> Any:
    class Bad:
        @hookimpl
        def work(self, value: int) -> int:
            raise error

        @hookimpl
        def pick(self, value: int) -> int:
            raise error

    return Bad()


class OwnBaseException(BaseException):
    """What a library may derive its control flow from."""


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    """Nothing can be added to it, not even a note."""

    text: str


def test_lh06_record_gives_the_good_results_and_reports_the_errors(zoo: Any) -> None:
    error = ValueError("no")
    made = zoo(Contract, a=good(1), b=bad(error), c=good(2))
    assert made.hook.work(value=10) == [11, 12]
    (failure,) = made.failures
    assert (failure.plugin, failure.version, failure.hook, failure.error) == ("b", "1.0.0", "work", error)
    assert str(failure) == "plugin 'b' 1.0.0 in hook 'work': ValueError: no"
    assert failure.time > 0


def test_lh06_record_goes_on_to_the_next_for_a_first_result(zoo: Any) -> None:
    made = zoo(Contract, a=bad(ValueError("no")), b=good(1), c=bad(ValueError("never asked")))
    assert made.hook.pick(value=10) == 11
    assert made.failed() == ["plugin 'a' 1.0.0 in hook 'pick': ValueError: no"]


def test_lh06_raise_ends_with_the_first_error(zoo: Any) -> None:
    asked = []

    class Last:
        @hookimpl
        def work(self, value: int) -> None:
            asked.append(value)

    made = zoo(Contract, errors="raise", a=good(1), b=bad(ValueError("no")), c=Last)
    with pytest.raises(ValueError, match="no"):
        made.hook.work(value=10)
    assert asked == []
    assert made.failed() == ["plugin 'b' 1.0.0 in hook 'work': ValueError: no"]


def test_lh06_group_raises_all_with_the_good_results(zoo: Any) -> None:
    made = zoo(Contract, errors="group", a=bad(ValueError("a")), b=good(1), c=bad(TypeError("c")))
    with pytest.raises(HookErrors) as caught:
        made.hook.work(value=10)
    assert caught.value.results == [11]
    assert [type(error) for error in caught.value.exceptions] == [ValueError, TypeError]
    assert len(made.failures) == 2
    with pytest.raises(HookErrors) as caught:
        made.hook.pick(value=10)
    assert len(caught.value.exceptions) == 1


def test_lh06_parts_of_a_group_keep_the_results(zoo: Any) -> None:
    made = zoo(Contract, errors="group", a=bad(ValueError("a")), b=good(1), c=bad(TypeError("c")))
    seen = []

    def handle_value_errors() -> None:
        try:
            made.hook.work(value=10)
        except* ValueError as some:
            seen.append(some.results)  # type: ignore[attr-defined]  # HookErrors derives itself

    with pytest.raises(HookErrors) as caught:
        handle_value_errors()
    seen.append(caught.value.results)
    assert [str(error) for error in caught.value.exceptions] == ["c"]
    assert seen == [[11], [11]]


def test_lh06_a_call_may_choose_another_policy(zoo: Any) -> None:
    made = zoo(Contract, a=bad(ValueError("no")), b=good(1))
    assert made.hook.work(value=1) == [2]
    with pytest.raises(ValueError, match="no"):
        made.hook.work.using(errors="raise")(value=1)
    with pytest.raises(HookErrors):
        made.hook.work.using(errors="group")(value=1)
    configured = made.hook.work.using(errors="group").using(errors="record")
    assert configured(value=1) == [2]


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), OwnBaseException("own")])
def test_lh07_other_base_exceptions_are_contained(zoo: Any, error: BaseException) -> None:
    made = zoo(Contract, a=bad(error), b=good(1))
    assert made.hook.work(value=10) == [11]
    assert made.hook.pick(value=10) == 11
    assert made.failures[0].error is error
    for policy in ("raise", "group"):
        with pytest.raises((ContainedError, HookErrors)) as caught:
            made.hook.work.using(errors=policy)(value=10)
        raised: Any = caught.value.exceptions[0] if isinstance(caught.value, HookErrors) else caught.value
        assert raised.__cause__ is error
        assert raised.plugin == "a"
        assert f"plugin 'a' 1.0.0 in hook 'work' raised {type(error).__name__}" in str(raised)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()])
@pytest.mark.parametrize("policy", ["record", "raise", "group"])
def test_lh07_ctrl_c_and_cancellation_pass(zoo: Any, error: BaseException, policy: str) -> None:
    made = zoo(Contract, errors=policy, a=good(1), b=bad(error))
    with pytest.raises(type(error)) as caught:
        made.hook.work(value=10)
    assert caught.value is error
    assert made.failures == []


def test_lh21_each_exception_says_whose_it_is_once(zoo: Any) -> None:
    error = ValueError("no")
    made = zoo(Contract, a=bad(error))
    made.hook.work(value=1)
    made.hook.work(value=1)
    made.hook.pick(value=1)
    assert error.__notes__ == ["plugin 'a' 1.0.0 in hook 'work'", "plugin 'a' 1.0.0 in hook 'pick'"]


def test_lh21_a_provider_without_version_is_named_without_one() -> None:
    error = ValueError("no")
    table = HookTable()
    table.add_contract(Contract, name="contract")
    table.commit(table.stage(add=[Provider("a", bad(error))]))
    table.hook.work(value=1)
    assert error.__notes__ == ["plugin 'a' in hook 'work'"]


def test_lh21_a_chain_of_hooks_is_read_from_the_notes(zoo: Any) -> None:
    class Outer:
        @hookimpl
        def pick(self, value: int) -> Any:
            return made.hook.work(value=value)

    made = zoo(Contract, errors="raise", inner=Provider("inner", _OnlyWork()), outer=Outer)
    with pytest.raises(ValueError, match="inside") as caught:
        made.hook.pick(value=1)
    assert caught.value.__notes__ == ["plugin 'inner' in hook 'work'", "plugin 'outer' 1.0.0 in hook 'pick'"]


class _OnlyWork:
    @hookimpl
    def work(self, value: int) -> int:
        raise ValueError("inside")


def test_lh06_an_exception_that_takes_no_note_is_contained_all_the_same(zoo: Any) -> None:
    made = zoo(Contract, a=bad(FrozenError("stiff")), b=good(1))
    assert made.hook.work(value=1) == [2]
    assert made.failures[0].plugin == "a"


def test_lh06_a_failing_on_failure_does_not_fail_the_call(caplog: pytest.LogCaptureFixture) -> None:
    def on_failure(failure: CallFailure) -> None:
        raise OSError("disk full")

    table = HookTable(on_failure=on_failure)
    table.add_contract(Contract, name="contract")
    table.commit(table.stage(add=[Provider("a", bad(ValueError("no"))), Provider("b", good(1))]))
    assert table.hook.work(value=1) == [2]
    assert "on_failure failed for plugin 'a' in hook 'work'" in caplog.text


def test_lh06_without_on_failure_nothing_else_changes() -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")
    table.commit(table.stage(add=[Provider("a", bad(ValueError("no"))), Provider("b", good(1))]))
    assert table.hook.work(value=1) == [2]


def test_lh21_attributed_says_who_gave_what(zoo: Any) -> None:
    error = ValueError("no")

    class Silent:
        @hookimpl
        def work(self, value: int) -> None:
            return None

    made = zoo(Contract, a=good(1), b=bad(error), c=Silent)
    outcomes = made.hook.work.attributed(value=10)
    assert [(one.plugin, one.version, one.result, one.error, one.ok) for one in outcomes] == [
        ("a", "1.0.0", 11, None, True),
        ("b", "1.0.0", None, error, False),
        ("c", "1.0.0", None, None, True),
    ]
    assert all(isinstance(one, Outcome) and one.seconds >= 0 for one in outcomes)
    assert len(made.failures) == 1


def test_lh21_attributed_first_result_ends_with_the_one_that_answered(zoo: Any) -> None:
    made = zoo(Contract, a=bad(ValueError("no")), b=good(1), c=good(2))
    assert [(one.plugin, one.ok) for one in made.hook.pick.attributed(value=1)] == [("a", False), ("b", True)]


def test_lh21_attributed_lists_a_wrapper_only_if_it_fails(zoo: Any) -> None:
    class Early:
        @hookimpl(wrapper=True)
        def work(self) -> Any:
            raise OSError("early")
            yield

    class Fine:
        @hookimpl(wrapper=True)
        def work(self) -> Any:
            return (yield)

    made = zoo(Contract, a=good(1), early=Early, fine=Fine)
    assert [(one.plugin, one.ok) for one in made.hook.work.attributed(value=1)] == [
        ("early", False),
        ("a", True),
    ]


def test_lh21_attributed_keeps_the_policy_that_was_asked_for(zoo: Any) -> None:
    made = zoo(Contract, errors="raise", a=bad(ValueError("no")))
    assert len(made.hook.work.attributed(value=1)) == 1
    with pytest.raises(ValueError, match="no"):
        made.hook.work.using(errors="raise").attributed(value=1)


def test_lh06_only_raises_unless_told_otherwise(zoo: Any) -> None:
    made = zoo(Contract, a=bad(ValueError("no")), b=good(1))
    with pytest.raises(ValueError, match="no"):
        made.hook.work.only("a")(value=1)
    assert made.hook.work.using(errors="record").only("a")(value=1) is None
    assert len(made.failures) == 2


def test_lh06_a_traceback_shows_the_generated_line_and_the_plugins(zoo: Any) -> None:
    made = zoo(Contract, errors="raise", cat=bad(ValueError("no")))
    with pytest.raises(ValueError, match="no") as caught:
        made.hook.work(value=1)
    text = "".join(traceback.format_exception(caught.value))
    assert "<hook work #" in text
    assert "result = cat(value)" in text
    assert "raise error" in text
    assert text.rstrip().endswith("plugin 'cat' 1.0.0 in hook 'work'")
