"""What people type for a hook's arguments, on the command line and in the config, becomes what the hook takes."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.contracts import (
    Animal,
    CallContext,
    Contract,
    Execute,
    HookSpecInfo,
    arguments_from_text,
    arguments_from_values,
)
from pluginkit.errors import UsageError
from pluginkit.markers import hookspec

if TYPE_CHECKING:
    from somewhere_else import Elsewhere  # type: ignore[import-not-found]  # the point of the test

SPEAK = Contract.of("animal", Animal).hooks["speak"]
EXECUTE = Contract.of("execute", Execute).hooks["execute"]


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Everything:
    @hookspec
    def boolean(self, value: bool) -> None: ...
    @hookspec
    def text(self, value: str) -> None: ...
    @hookspec
    def whole(self, value: int) -> None: ...
    @hookspec
    def number(self, value: float) -> None: ...
    @hookspec
    def path(self, value: Path) -> None: ...
    @hookspec
    def colour(self, value: Colour) -> None: ...
    @hookspec
    def choice(self, value: Literal["fast", "slow", 3]) -> None: ...
    @hookspec
    def maybe(self, value: Optional[int]) -> None: ...  # noqa: UP045  # the older form is read alike
    @hookspec
    def either(self, value: str | int | None) -> None: ...
    @hookspec
    def numbers(self, value: int | bool) -> None: ...
    @hookspec
    def many(self, value: Sequence[int]) -> None: ...
    @hookspec
    def mapping(self, value: Mapping[str, Any]) -> None: ...
    @hookspec
    def anything(self, value: Any) -> None: ...
    @hookspec
    def unknown(self, value: Elsewhere) -> None: ...
    @hookspec
    def bare(self, value): ...
    @hookspec
    def defaulted(self, first: int, second: int = 2) -> None: ...
    @hookspec
    def context_and_more(self, ctx: CallContext, times: int) -> None: ...


HOOKS = Contract.of("everything", Everything).hooks


def read(hook: str, text: str) -> object:
    return arguments_from_text(HOOKS[hook], {"value": text})["value"]


def refusal(
    spec: HookSpecInfo, given: Mapping[str, Any], reader: Callable[..., Any] = arguments_from_text
) -> str:
    with pytest.raises(UsageError) as caught:
        reader(spec, given)
    return str(caught.value)


@pytest.mark.parametrize(
    ("hook", "text", "value"),
    [
        *(("boolean", text, True) for text in ("true", "True", "yes", "on", "1", " TRUE ")),
        *(("boolean", text, False) for text in ("false", "no", "off", "0")),
        ("text", "3", "3"),
        ("text", "", ""),
        ("whole", "-3", -3),
        ("number", "1e3", 1000.0),
        ("path", "a/b", Path("a/b")),
        ("colour", "RED", Colour.RED),
        ("choice", "fast", "fast"),
        ("choice", "3", 3),
        ("maybe", "3", 3),
        ("maybe", "null", None),
        ("maybe", "", None),
        ("either", "3", 3),
        ("either", "three", "three"),
        ("either", "None", None),
        ("numbers", "3", 3),
        ("numbers", "yes", True),
        ("many", "[1, 2]", [1, 2]),
        ("mapping", '{"a": null}', {"a": None}),
        *((hook, "[1]", [1]) for hook in ("anything", "unknown", "bare")),
        *((hook, "no JSON", "no JSON") for hook in ("anything", "unknown", "bare")),
    ],
)
def test_cl04_text_is_read_by_the_annotation_of_the_spec(hook: str, text: str, value: object) -> None:
    result = read(hook, text)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("hook", "text", "says"),
    [
        ("boolean", "maybe", "value: must be true or false (found 'maybe')"),
        ("whole", "3.5", "value: must be a whole number (found '3.5')"),
        ("number", "three", "value: must be a number (found 'three')"),
        ("colour", "REDD", "value: must be one of RED, GREEN; did you mean 'RED'? (found 'REDD')"),
        ("choice", "quick", "value: must be one of fast, slow, 3"),
        ("maybe", "three", "value: must be a whole number (found 'three')"),
        ("numbers", "three", "value: fits none of int, bool (found 'three')"),
        ("many", "1, 2", "value: must be JSON: Extra data at character 2 (found '1, 2')"),
    ],
)
def test_cl04_text_that_does_not_fit_is_refused_with_what_would(hook: str, text: str, says: str) -> None:
    assert says in refusal(HOOKS[hook], {"value": text})


def test_cl04_json_nested_without_end_is_refused_and_not_a_crash() -> None:
    assert "value: is nested too deeply" in refusal(HOOKS["many"], {"value": "[" * 100_000})


def test_cl04_unknown_and_missing_parameters_are_named_at_once() -> None:
    assert refusal(SPEAK, {"is_load": "true"}) == (
        "hook speak(is_loud: bool) -> str cannot be called so:\n"
        "  is_load: no such parameter; did you mean 'is_loud'?\n"
        "  is_loud: is missing"
    )


def test_cl04_a_parameter_with_a_default_may_be_left_out() -> None:
    assert arguments_from_text(HOOKS["defaulted"], {"first": "1"}) == {"first": 1}
    assert "first: is missing" in refusal(HOOKS["defaulted"], {"second": "1"})


def test_cl04_keys_of_execute_are_values_of_its_context() -> None:
    ctx = arguments_from_text(EXECUTE, {"label": "plugin.get", "id": "7", "tags": '["a"]'})["ctx"]
    assert isinstance(ctx, CallContext)
    assert dict(ctx.values) == {"label": "plugin.get", "id": 7, "tags": ["a"]}


def test_cl04_a_context_may_be_given_as_json_with_more_keys_beside() -> None:
    ctx = arguments_from_text(EXECUTE, {"ctx": '{"label": "plugin.get"}', "id": "7"})["ctx"]
    assert isinstance(ctx, CallContext)
    assert dict(ctx.values) == {"label": "plugin.get", "id": 7}


def test_cl04_without_any_key_the_context_is_empty() -> None:
    ctx = arguments_from_text(EXECUTE, {})["ctx"]
    assert isinstance(ctx, CallContext)
    assert not ctx.values


def test_cl04_parameters_beside_a_context_are_not_its_values() -> None:
    arguments = arguments_from_text(HOOKS["context_and_more"], {"times": "2", "label": "x"})
    assert (arguments["times"], dict(arguments["ctx"].values)) == (2, {"label": "x"})  # type: ignore[attr-defined]  # a CallContext
    assert refusal(HOOKS["context_and_more"], {"label": "x"}).endswith("so:\n  times: is missing")


@pytest.mark.parametrize("text", ["[]", "7", '"plugin.get"'])
def test_cl04_a_context_of_anything_but_a_mapping_is_refused(text: str) -> None:
    assert "ctx: a CallContext is made of a mapping" in refusal(EXECUTE, {"ctx": text})


def test_cf01_values_of_the_config_are_passed_as_they_are() -> None:
    assert arguments_from_values(SPEAK, {"is_loud": True}) == {"is_loud": True}
    nested = {"a": [1]}
    assert arguments_from_values(HOOKS["mapping"], {"value": nested})["value"] is nested


def test_cf01_a_context_is_made_of_what_the_config_says() -> None:
    for given_as in (
        {"label": "x", "id": 1},
        {"ctx": {"label": "x", "id": 1}},
        {"ctx": {"label": "x"}, "id": 1},
    ):
        ctx = arguments_from_values(EXECUTE, given_as)["ctx"]
        assert isinstance(ctx, CallContext)
        assert dict(ctx.values) == {"label": "x", "id": 1}


def test_cf01_a_ready_context_is_kept() -> None:
    ctx = CallContext({"label": "x"})
    assert arguments_from_values(EXECUTE, {"ctx": ctx}) == {"ctx": ctx}


@pytest.mark.parametrize("value", [7, None, [], {1: 2}])
def test_cf01_a_context_of_anything_but_a_mapping_with_text_keys_is_refused(value: object) -> None:
    assert "ctx: a CallContext is made of a mapping" in refusal(
        EXECUTE, {"ctx": value}, arguments_from_values
    )


def test_cf01_wrong_names_in_the_config_are_refused() -> None:
    assert "no such parameter; did you mean 'is_loud'?" in refusal(
        SPEAK, {"is_load": True}, arguments_from_values
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON)
def test_cl04_json_comes_through_unchanged(value: object) -> None:
    assert read("anything", json.dumps(value)) == value


@given(text=st.text())
def test_cl04_text_for_text_comes_through_unchanged(text: str) -> None:
    assert read("text", text) == text


@given(
    hook=st.sampled_from([name for name, spec in HOOKS.items() if spec.parameters == ("value",)]),
    text=st.text(),
)
def test_cl04_any_text_is_read_or_refused_with_a_usage_error(hook: str, text: str) -> None:
    try:
        arguments = arguments_from_text(HOOKS[hook], {"value": text})
    except UsageError as error:
        assert str(error).splitlines()[1].startswith("  value: ")  # noqa: PT017  # either outcome is right
    else:
        assert set(arguments) == {"value"}
