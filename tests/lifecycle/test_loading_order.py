"""Requirements first, wishes where possible, ties by name (LC15)."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pluginkit.lifecycle.order import Wishes, load_order

NAMES = [f"p{i}" for i in range(7)]
names = st.lists(st.sampled_from([*NAMES, "absent"]), max_size=3, unique=True)
plugin_sets = st.dictionaries(
    st.sampled_from(NAMES), st.builds(Wishes, requires=names, before=names, after=names)
)


def test_lc15_requirements_come_first_and_ties_go_by_name() -> None:
    plugins = {"zebra": Wishes(), "ant": Wishes(requires=["zebra"]), "bee": Wishes()}
    assert load_order(plugins).names == ("bee", "zebra", "ant")


def test_lc15_a_cycle_is_printed_and_the_others_load() -> None:
    plugins = {
        "a": Wishes(requires=["b"]),
        "b": Wishes(requires=["c"]),
        "c": Wishes(requires=["a"]),
        "free": Wishes(),
    }
    order = load_order(plugins)
    assert order.cycles == {"a": ("a", "b", "c", "a"), "b": ("b", "c", "a", "b"), "c": ("c", "a", "b", "c")}
    assert order.names == ("free",)


def test_lc15_who_requires_itself_is_a_cycle_of_one() -> None:
    assert load_order({"a": Wishes(requires=["a"])}).cycles == {"a": ("a", "a")}


def test_lc15_before_and_after_are_kept_where_they_can_be() -> None:
    plugins = {"a": Wishes(after=["c"]), "b": Wishes(), "c": Wishes(), "d": Wishes(before=["b"])}
    order = load_order(plugins)
    assert order.names == ("c", "a", "d", "b")
    assert order.ignored == ()


def test_lc15_one_plugins_contradictory_wishes_harm_nobody() -> None:
    plugins = {"bad": Wishes(before=["good"], after=["good"]), "good": Wishes()}
    order = load_order(plugins)
    assert order.names == ("bad", "good")
    assert order.ignored == (("bad", "after: good"),)


def test_a_wish_for_something_that_is_in_a_cycle_counts_for_nothing() -> None:
    plugins = {"a": Wishes(requires=["a"]), "b": Wishes(after=["a"])}
    assert load_order(plugins).names == ("b",)


@given(plugin_sets)
def test_lc15_every_requirement_is_kept_and_nobody_is_lost(plugins: dict[str, Wishes]) -> None:
    order = load_order(plugins)
    place = {name: index for index, name in enumerate(order.names)}
    assert set(order.names) | set(order.cycles) == set(plugins)
    assert not set(order.names) & set(order.cycles)
    for name in order.names:
        for needed in plugins[name].requires:
            if needed in place:
                assert place[needed] < place[name]
    for name, cycle in order.cycles.items():
        assert cycle[0] == cycle[-1] == name
        assert all(after in plugins[before].requires for before, after in pairwise(cycle))


@given(plugin_sets)
def test_lc15_every_wish_is_kept_or_reported(plugins: dict[str, Wishes]) -> None:
    order = load_order(plugins)
    place = {name: index for index, name in enumerate(order.names)}
    for name in order.names:
        for other in plugins[name].before:
            kept = other not in place or place[name] < place[other]
            assert kept or (name, f"before: {other}") in order.ignored
        for other in plugins[name].after:
            kept = other not in place or place[other] < place[name]
            assert kept or (name, f"after: {other}") in order.ignored


@given(plugin_sets)
def test_the_order_does_not_depend_on_how_the_plugins_were_found(plugins: dict[str, Wishes]) -> None:
    shuffled = sorted(plugins, reverse=True)
    assert load_order({name: plugins[name] for name in shuffled}).names == load_order(plugins).names
