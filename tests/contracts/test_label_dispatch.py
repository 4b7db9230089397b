"""LH08 and LH10: `execute` by label."""

from __future__ import annotations

from typing import Any

import pytest

from pluginkit.contracts import CallContext, Contract, Execute, LabelDispatch, check, on_label
from pluginkit.errors import DuplicateName, LabelError, UsageError

EXECUTE = Contract.of("execute", Execute)


class Notes(LabelDispatch):
    @on_label("plugin.get")
    def get_note(self, ctx: CallContext) -> object:
        return ctx.get_value("id")

    @on_label("plugin.list", "plugin.index")
    def list_notes(self, ctx: CallContext) -> object:
        return ["1", "2"]

    def helper(self) -> None: ...


def run(label: object, target: LabelDispatch | None = None, **values: object) -> object:
    return (target or Notes()).execute(CallContext({"label": label, **values}))


def test_lh10_the_label_selects_the_work() -> None:
    assert run("plugin.get", id="7") == "7"
    assert run("plugin.list") == run("plugin.index") == ["1", "2"]


def test_lh10_what_a_plugin_serves_can_be_asked() -> None:
    assert dict(Notes.labels) == {
        "plugin.get": "get_note",
        "plugin.list": "list_notes",
        "plugin.index": "list_notes",
    }


def test_lh10_a_dispatching_class_fulfils_the_execute_contract() -> None:
    notes = Notes()
    assert check(EXECUTE, {"execute": notes.execute}, plugin="notes", target=notes) == ()


def test_lh10_a_missing_label_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(
        LabelError, match=r"the call has no label; .*\(known: plugin.get, plugin.index, plugin.list\)"
    ) as caught:
        Notes().execute(CallContext())
    assert caught.value.label is None
    assert caught.value.known == ("plugin.get", "plugin.index", "plugin.list")
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("plugin.gte", "no work for the label 'plugin.gte'; did you mean 'plugin.get'? (known: plugin.get,"),
        ("zzz", "no work for the label 'zzz' (known: plugin.get,"),
        (7, "a label is text, not int: 7 (known: plugin.get,"),
        (["plugin.get"], "a label is text, not list: ['plugin.get'] (known:"),
    ],
)
def test_lh10_an_unknown_label_is_an_error_that_names_the_known_ones(label: object, says: str) -> None:
    with pytest.raises(LabelError) as caught:
        run(label)
    assert str(caught.value).startswith(says)


def test_lh10_a_class_without_labels_says_so() -> None:
    class Empty(LabelDispatch):
        pass

    with pytest.raises(LabelError, match=r"\(known: none\)"):
        run("plugin.get", Empty())


def test_lh10_a_subclass_inherits_labels_and_may_bind_one_anew() -> None:
    class More(Notes):
        @on_label("plugin.index")
        def index(self, ctx: CallContext) -> object:
            return "the index"

        def get_note(self, ctx: CallContext) -> object:
            return "overridden"

    more = More()
    assert (run("plugin.index", more), run("plugin.list", more)) == ("the index", ["1", "2"])
    assert run("plugin.get", more) == "overridden"
    assert run("plugin.index") == ["1", "2"]


def test_lh10_one_label_above_two_methods_fails_when_the_class_is_made() -> None:
    with pytest.raises(
        DuplicateName, match=r"'plugin\.get' stands above two methods of .*Twice, 'one' and 'two'"
    ):

        class Twice(LabelDispatch):
            @on_label("plugin.get")
            def one(self, ctx: CallContext) -> None: ...

            @on_label("plugin.get")
            def two(self, ctx: CallContext) -> None: ...


def test_lh10_a_method_that_does_not_take_the_context_fails_when_it_is_marked() -> None:
    with pytest.raises(TypeError, match=r"write def get_note\(self, ctx\):"):

        class Wrong(LabelDispatch):
            @on_label("plugin.get")
            def get_note(self) -> None: ...


def test_lh10_on_label_without_a_label_shows_how_it_is_written() -> None:
    def work(self: object, ctx: CallContext) -> None: ...

    without_parentheses: Any = work
    for labels in ((), ("",), (without_parentheses,)):
        with pytest.raises(TypeError, match=r'write @on_label\("plugin\.get"\)'):
            on_label(*labels)


def test_lh10_exceptions_of_the_work_are_not_touched() -> None:
    class Failing(LabelDispatch):
        @on_label("fail")
        def fail(self, ctx: CallContext) -> None:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run("fail", Failing())
