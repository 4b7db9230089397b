"""Marks are read by pluggy's rules, and nothing of a plugin runs for it."""

from __future__ import annotations

import functools
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.hooks.reading import hookable, marked, parameter_names
from pluginkit.markers import hookimpl


def names(target: object) -> list[str]:
    return [name for name, _, _ in marked(target, "pluginkit", "impl")]


def call(target: object, name: str) -> Any:
    return next(function for found, function, _ in marked(target, "pluginkit", "impl") if found == name)()


class Kinds:
    @hookimpl
    def method(self) -> Any:
        return self

    @hookimpl
    @classmethod
    def mark_above_classmethod(cls) -> Any:
        return cls

    @classmethod
    @hookimpl
    def mark_below_classmethod(cls) -> Any:
        return cls

    @hookimpl
    @staticmethod
    def mark_above_staticmethod() -> str:
        return "static"

    @staticmethod
    @hookimpl
    def mark_below_staticmethod() -> str:
        return "static"

    @property
    def trap(self) -> str:
        raise AssertionError("it ran")

    def unmarked(self) -> None: ...

    @classmethod
    def unmarked_classmethod(cls) -> None: ...


ALL = [
    "mark_above_classmethod",
    "mark_above_staticmethod",
    "mark_below_classmethod",
    "mark_below_staticmethod",
    "method",
]


def test_lh05_all_kinds_of_functions_of_an_instance_are_bound_as_getattr_binds_them() -> None:
    target = Kinds()
    assert names(target) == ALL
    assert call(target, "method") is target
    assert call(target, "mark_above_classmethod") is call(target, "mark_below_classmethod") is Kinds
    assert call(target, "mark_above_staticmethod") == call(target, "mark_below_staticmethod") == "static"


def test_lh05_functions_of_a_class_are_not_bound_to_an_instance() -> None:
    assert names(Kinds) == ALL
    assert call(Kinds, "mark_above_classmethod") is Kinds
    with pytest.raises(TypeError):
        call(Kinds, "method")


def test_lh05_what_an_instance_stores_itself_is_taken_as_it_is() -> None:
    class Storing:
        __slots__ = ("__dict__", "empty", "slotted")

        def __init__(self) -> None:
            self.stored = hookimpl(lambda: "stored")
            self.slotted = hookimpl(lambda: "slotted")
            self.bound = Kinds().method
            self.number = 42

    target = Storing()
    assert names(target) == ["bound", "slotted", "stored"]
    assert call(target, "stored") == "stored"
    assert call(target, "slotted") == "slotted"
    assert isinstance(call(target, "bound"), Kinds)


def test_lh05_modules_and_plain_namespaces_work() -> None:
    module = ModuleType("plugin")
    module.one = hookimpl(lambda: 1)  # type: ignore[attr-defined]  # marks are attributes that checkers do not see
    module.two = Kinds().method  # type: ignore[attr-defined]  # marks are attributes that checkers do not see
    module.three = Kinds  # type: ignore[attr-defined]  # marks are attributes that checkers do not see
    assert names(module) == ["one", "two"]
    assert call(module, "one") == 1
    assert names(SimpleNamespace(one=hookimpl(lambda: 1))) == ["one"]


def test_lh05_inherited_and_overridden_functions() -> None:
    class Child(Kinds):
        def method(self) -> str:
            return "unmarked now"

        @hookimpl
        def unmarked(self) -> str:  # type: ignore[override]  # narrower on purpose
            return "marked now"

    found = names(Child())
    assert "method" not in found
    assert "unmarked" in found


@pytest.mark.parametrize("strange", [42, None, "text", object(), [hookimpl], {}])
def test_lh05_other_objects_have_no_marks(strange: object) -> None:
    assert names(strange) == []
    assert hookable(strange, "__class__") is None


def test_lh05_an_object_that_hides_its_dict_is_read_by_its_class() -> None:
    class Hiding:
        __dict__ = 42  # type: ignore[assignment]  # wrong on purpose

        @hookimpl
        def method(self) -> str:
            return "found"

    assert call(Hiding(), "method") == "found"


def test_lh05_a_mark_that_is_no_mapping_is_none() -> None:
    def function() -> None: ...

    function.pluginkit_impl = "odd"  # type: ignore[attr-defined]  # marks are attributes that checkers do not see
    assert names(SimpleNamespace(function=function)) == []


def plain(a: int, b: int, c: int = 1, *args: int, d: int = 2, **kwargs: int) -> None: ...


class Holder:
    def method(self, a: int, b: int = 1) -> None: ...

    def no_self(a: int, b: int = 1) -> None: ...  # type: ignore[misc]  # wrong on purpose

    @staticmethod
    def static(a: int, b: int = 1) -> None: ...

    @functools.wraps(plain)
    def wrapping(self, *args: Any, **kwargs: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (plain, (("a", "b"), ("c",))),
        (Holder.method, (("a",), ("b",))),
        (Holder().method, (("a",), ("b",))),
        (Holder.no_self, (("a",), ("b",))),
        (Holder.static, (("a",), ("b",))),
        (lambda: None, ((), ())),
        (len, ((), ())),
        (functools.wraps(Holder().method)(lambda *args: None), (("a",), ("b",))),
    ],
)
def test_lh05_parameters_without_and_with_defaults(function: Any, expected: Any) -> None:
    assert parameter_names(function) == expected


@given(st.integers(0, 4), st.integers(0, 4), st.booleans(), st.booleans())
def test_lh05_parameters_are_those_that_pluggy_finds(
    required: int, optional: int, method: bool, bound: bool
) -> None:
    from pluggy._hooks import varnames

    parameters = [f"r{n}" for n in range(required)] + [f"o{n}=0" for n in range(optional)]
    namespace: dict[str, Any] = {}
    if method:
        exec(f"class Made:\n    def made({', '.join(['self', *parameters])}): ...\n", namespace)
        function = (namespace["Made"]() if bound else namespace["Made"]).made
    else:
        exec(f"def made({', '.join(parameters)}): ...\n", namespace)
        function = namespace["made"]
    assert parameter_names(function) == varnames(function)
