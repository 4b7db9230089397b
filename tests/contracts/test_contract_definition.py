"""What `Contract.of` reads from a class of hookspecs, and which classes it refuses with what advice."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

import pytest

from pluginkit.contracts import Animal, Contract, Execute, Processor, ensure_distinct
from pluginkit.errors import ContractDefinitionError
from pluginkit.markers import HookspecMarker, hookspec

if TYPE_CHECKING:
    from somewhere_else import Elsewhere  # type: ignore[import-not-found]  # the point of the test


def refusal(cls: object) -> str:
    with pytest.raises(ContractDefinitionError) as caught:
        Contract.of("animal", cls)  # type: ignore[arg-type]  # what a host may pass by mistake
    return str(caught.value)


def test_lh03_hooks_are_read_with_signature_options_and_documentation() -> None:
    class Reader:
        @hookspec(firstresult=True)
        def read(self, text: str, count: int = 3) -> Optional[str]:  # noqa: UP045  # resolved like any other form
            """Read some.

            A second paragraph.
            """

        @hookspec(required=False, historic=True)
        def told(self, what: "Elsewhere", often): ...  # noqa: UP037  # quoted twice over

        def helper(self) -> None: ...

        constant = 3

    contract = Contract.of("reader", Reader)
    read, told = contract.hooks["read"], contract.hooks["told"]
    assert list(contract.hooks) == ["read", "told"]
    assert contract.required == ("read",)
    assert (contract.type, contract.cls, contract.version, contract.exclusive) == (
        "reader",
        Reader,
        "1.0.0",
        False,
    )
    assert (read.name, read.contract, read.parameters, read.defaults) == (
        "read",
        "reader",
        ("text", "count"),
        {"count": 3},
    )
    assert str(read) == "read(text: str, count: int = 3) -> Optional[str]"
    assert str(told) == "told(what: 'Elsewhere', often)"
    assert read.doc == "Read some.\n\nA second paragraph."
    assert (read.firstresult, read.historic, read.required) == (True, False, True)
    assert (told.firstresult, told.historic, told.required) == (False, True, False)
    assert (read.exact, read.is_async, told.doc) == (False, False, "")
    assert read.annotations == {"text": str, "count": int, "return": Optional[str]}  # noqa: UP045  # as above


def test_lh03_annotations_that_only_type_checkers_know_stay_text_and_do_not_hide_the_others() -> None:
    class Mixed:
        @hookspec
        def hook(self, known: int, unknown: Elsewhere, bare, none: None) -> None: ...

    assert Contract.of("mixed", Mixed).hooks["hook"].annotations == {
        "known": int,
        "unknown": "Elsewhere",
        "none": type(None),
        "return": type(None),
    }


def test_lh03_annotations_given_as_objects_are_kept() -> None:
    class Plain:
        @hookspec
        def hook(self, a, b): ...

    Plain.hook.__annotations__.update({"a": int, "b": None})
    assert Contract.of("plain", Plain).hooks["hook"].annotations == {"a": int, "b": type(None)}


def test_lh03_inherited_hooks_come_first_and_an_overridden_one_counts_once() -> None:
    class Base:
        @hookspec
        def one(self, a): ...

        @hookspec
        def two(self): ...

    class Derived(Base):
        @hookspec
        def three(self): ...

        @hookspec(required=False)
        def one(self, a, b): ...  # type: ignore[override]  # a newer form of the hook

    contract = Contract.of("derived", Derived)
    assert list(contract.hooks) == ["one", "two", "three"]
    assert contract.hooks["one"].parameters == ("a", "b")
    assert contract.required == ("two", "three")


def test_lh03_an_async_spec_says_so() -> None:
    class Slow:
        @hookspec
        async def fetch(self, url: str) -> bytes: ...

    assert Contract.of("slow", Slow).hooks["fetch"].is_async


def test_lh04_version_exclusive_and_exact_are_read_from_the_class() -> None:
    class Store:
        version = "1.2.0-rc.1"
        exclusive = "first"
        exact = True

        @hookspec
        def store(self, key): ...

    contract = Contract.of("store", Store)
    assert (contract.version, contract.exclusive, contract.hooks["store"].exact) == (
        "1.2.0-rc.1",
        "first",
        True,
    )


def test_lh04_a_hook_named_version_is_a_hook() -> None:
    class Versioned:
        @hookspec
        def version(self) -> str: ...

    contract = Contract.of("versioned", Versioned)
    assert (contract.version, list(contract.hooks)) == ("1.0.0", ["version"])


def test_lh03_specs_of_another_project_are_read_under_its_name() -> None:
    class Foreign:
        @HookspecMarker("llm")
        def register(self, models): ...

    assert list(Contract.of("models", Foreign, project="llm").hooks) == ["register"]
    assert refusal(Foreign) == (
        "contract 'animal': the hookspecs of " + Foreign.__qualname__ + " are marked for the project 'llm', "
        "but this host's project is 'pluginkit'; use HookspecMarker('pluginkit')"
    )


def bad_class(**attributes: object) -> type:
    return type("Bad", (), attributes)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (
            "def speak(self, is_loud, /): ...",
            "Bad.speak: parameter 'is_loud' is positional-only; drop the '/'",
        ),
        ("def speak(self, *, is_loud): ...", "Bad.speak: parameter 'is_loud' is keyword-only; drop the '*'"),
        ("def speak(self, *words): ...", "Bad.speak: parameter '*words' has no name to call it by"),
        ("def speak(self, **words): ...", "Bad.speak: parameter '**words' has no fixed names"),
        ("def speak(): ...", "Bad.speak has no self; write def speak(self)"),
        ("def speak(is_loud): ...", "Bad.speak has no self; write def speak(self, is_loud)"),
    ],
)
def test_lh03_a_spec_that_cannot_be_called_by_keyword_is_refused(source: str, says: str) -> None:
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    assert says in refusal(bad_class(speak=hookspec(namespace["speak"])))


@pytest.mark.parametrize("wrap", [staticmethod, classmethod])
def test_lh03_a_spec_that_is_no_plain_method_is_refused(wrap: type) -> None:
    def speak(self, is_loud): ...

    message = refusal(bad_class(speak=wrap(hookspec(speak))))
    assert message == f"Bad.speak is a {wrap.__name__}; a hookspec is a plain method: def speak(self, …)"


def test_lh03_an_override_without_the_marker_is_refused_because_it_would_drop_the_hook() -> None:
    class Quiet(Animal):
        def speak(self, is_loud: bool) -> str: ...  # type: ignore[override]  # the point of the test

    assert "overrides the hookspec of Animal without @hookspec" in refusal(Quiet)


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({}, "contract 'animal': Bad has no method with @hookspec; write @hookspec above def speak(self, …)"),
        ({"bark": lambda self: None}, "write @hookspec above def bark(self, …)"),
    ],
)
def test_lh03_a_class_without_hookspecs_is_refused(attributes: dict[str, object], says: str) -> None:
    assert says in refusal(bad_class(**attributes))


def test_lh03_a_module_is_no_contract_and_the_error_names_the_lenient_way() -> None:
    assert "Host(hookspecs=[specs])" in refusal(types.ModuleType("specs"))


def test_lh03_an_instance_is_no_contract() -> None:
    message = refusal(Animal())
    assert message.endswith("not a class; pass the class itself: contracts={'animal': Animal}")


@pytest.mark.parametrize(
    ("attribute", "value", "says"),
    [
        ("version", "1.2", "Bad.version is '1.2', which is no semantic version"),
        ("version", 2, "Bad.version is 2, which is no semantic version"),
        ("exclusive", "frist", "Bad.exclusive is 'frist'; it is False, True or \"first\""),
        ("exclusive", 1, 'Bad.exclusive is 1; it is False, True or "first"'),
        ("exact", "yes", "Bad.exact is 'yes'; it is True or False"),
    ],
)
def test_lh04_wrong_class_attributes_are_refused(attribute: str, value: object, says: str) -> None:
    def speak(self): ...

    assert says in refusal(bad_class(speak=hookspec(speak), **{attribute: value}))


def contract_with(type_name: str, function: Callable[..., object]) -> Contract:
    return Contract.of(type_name, type(type_name.title(), (), {"speak": hookspec(function)}))


def test_lh03_two_contracts_may_share_a_hook_of_one_signature_only() -> None:
    def plain(self, is_loud): ...
    def alike(self, is_loud: bool) -> str: ...
    def other(self, loud): ...

    first, same, different = contract_with("a", plain), contract_with("b", alike), contract_with("c", other)
    ensure_distinct([first, same])
    with pytest.raises(ContractDefinitionError, match=r"'a' has speak\(is_loud\), 'c' has speak\(loud\)"):
        ensure_distinct([first, same, different])


def test_lh04_versions_of_one_type_may_differ_in_a_hook() -> None:
    def old(self): ...
    def new(self, is_loud): ...

    ensure_distinct([contract_with("a", old), contract_with("a", new)])


def test_lh08_the_built_in_contracts_are_distinct() -> None:
    ensure_distinct(
        [Contract.of("execute", Execute), Contract.of("animal", Animal), Contract.of("p", Processor)]
    )


def test_lh03_a_contract_cannot_be_changed() -> None:
    contract = Contract.of("animal", Animal)
    with pytest.raises(TypeError):
        contract.hooks["speak"] = contract.hooks["speak"]  # type: ignore[index]  # the point of the test
