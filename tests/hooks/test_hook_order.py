"""LH18: the order of calls depends on who a plugin is, never on when it came."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.errors import UsageError
from pluginkit.hooks import HookTable, Provider
from pluginkit.markers import hookimpl, hookspec


class Contract:
    @hookspec
    def who(self) -> str:
        """Everybody answers with its name."""


def plugin(name: str, **options: Any) -> Any:
    def who() -> str:
        return name

    holder = type("Holder", (), {})()
    holder.who = hookimpl(**options)(who)
    return holder


def test_lh18_priority_from_high_to_low_then_name(zoo: Any) -> None:
    made = zoo(
        Contract,
        zebra=Provider("zebra", plugin("zebra"), priority=90),
        beta=Provider("beta", plugin("beta")),
        alpha=Provider("alpha", plugin("alpha")),
        low=Provider("low", plugin("low"), priority=0),
    )
    assert made.hook.who() == ["zebra", "alpha", "beta", "low"]


def test_lh18_tryfirst_and_trylast_come_before_priority(zoo: Any) -> None:
    made = zoo(
        Contract,
        a=Provider("a", plugin("a", trylast=True), priority=100),
        b=Provider("b", plugin("b")),
        c=Provider("c", plugin("c", tryfirst=True), priority=0),
    )
    assert made.hook.who() == ["c", "b", "a"]


def test_lh18_the_hosts_own_objects_come_first_in_order_of_registration(zoo: Any) -> None:
    made = zoo(
        Contract,
        a=Provider("a", plugin("a"), priority=100),
        z=Provider("z", plugin("z"), host=True, priority=0),
    )
    made.add(m=Provider("m", plugin("m"), host=True, priority=100))
    made.add(b=Provider("b", plugin("b", tryfirst=True)))
    assert made.hook.who() == ["b", "z", "m", "a"]


def test_lh18_a_reload_does_not_reorder(zoo: Any) -> None:
    made = zoo(Contract, **{name: plugin(name) for name in "abcd"})
    for name in "cabd":
        old = made.providers[name]
        new = Provider(name, plugin(name.upper()))
        made.table.commit(made.table.stage(remove=[old], add=[new]))
        assert [answer.lower() for answer in made.hook.who()] == list("abcd")


@pytest.mark.parametrize("priority", [-1, 101])
def test_lh18_a_priority_outside_of_0_to_100_is_an_error(priority: int) -> None:
    with pytest.raises(UsageError, match=f"plugin 'cat': priority {priority} is outside of 0 to 100"):
        Provider("cat", object(), priority=priority)


@given(
    st.permutations(
        [
            (f"p{n}", priority, wish)
            for n, (priority, wish) in enumerate(
                [
                    (50, {}),
                    (50, {"tryfirst": True}),
                    (10, {}),
                    (90, {"trylast": True}),
                    (90, {}),
                    (50, {"trylast": True}),
                ]
            )
        ]
    )
)
def test_lh18_any_order_of_arrival_gives_the_same_order_of_calls(arrivals: list[Any]) -> None:
    table = HookTable()
    table.add_contract(Contract, name="contract")
    for name, priority, wish in arrivals:
        table.commit(table.stage(add=[Provider(name, plugin(name, **wish), priority=priority)]))
    assert table.hook.who() == ["p1", "p4", "p0", "p2", "p3", "p5"]
