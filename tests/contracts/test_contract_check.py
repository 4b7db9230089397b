"""LH03: a plugin that breaks its contract is told so at load, with the wrong and the right code."""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pluggy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.contracts import Animal, Contract, Execute, Transformer, check, newest_fulfilled, remarks
from pluginkit.errors import Problem
from pluginkit.markers import HookimplMarker, hookimpl, hookspec

ANIMAL = Contract.of("animal", Animal)
TRANSFORMER = Contract.of("transformer", Transformer)
EXECUTE = Contract.of("execute", Execute)


def implementations(target: object, project: str = "pluginkit") -> dict[str, Any]:
    """The marked functions of an object, as the hook table finds them."""
    found = {}
    for name, member in inspect.getmembers_static(target):
        options = getattr(getattr(member, "__func__", member), f"{project}_impl", None)
        if options is not None:
            found[options["specname"] or name] = getattr(target, name)
    return found


def problems(target: object, contract: Contract = ANIMAL, **options: Any) -> tuple[Problem, ...]:
    return check(contract, implementations(target), plugin="cat", target=target, **options)


def only(target: object, contract: Contract = ANIMAL, **options: Any) -> Problem:
    (problem,) = problems(target, contract, **options)
    return problem


def code(problem: Problem) -> list[str]:
    """The lines of code under the sentence, without their indentation."""
    return [re.sub(r"^(wrong:|right:) +", r"\1 ", line.strip()) for line in problem.message.splitlines()[1:]]


def animal(function: Callable[..., Any], **options: Any) -> object:
    """A plugin object whose class implements `speak` by this function."""
    function.__qualname__ = "Cat.speak"
    return type("Cat", (), {"speak": hookimpl(**options)(function)})()


# What is allowed


def test_lh03_a_fulfilled_contract_has_no_problems_and_no_remarks() -> None:
    class Cat:
        @hookimpl
        def speak(self, is_loud: bool) -> str:
            return "Meow"

    assert problems(Cat()) == ()
    assert remarks(ANIMAL, implementations(Cat()), target=Cat()) == ()


def accepted() -> Iterator[Callable[..., Any]]:
    def fewer(self): ...
    def own_default(self, is_loud, volume=11): ...
    def defaulted(self, is_loud=False): ...
    def keyword_only_of_its_own(self, is_loud, *, cache=None): ...
    def rest_beside_all_names(self, is_loud, *args, **kwargs): ...
    def another_name_for_self(this, is_loud): ...
    async def awaited(self, is_loud): ...
    @functools.wraps(fewer)
    def wrapped(*args, **kwargs): ...

    yield from (fewer, own_default, defaulted, keyword_only_of_its_own, rest_beside_all_names)
    yield from (another_name_for_self, awaited, wrapped)


@pytest.mark.parametrize("function", list(accepted()), ids=lambda function: function.__name__)
def test_lh03_what_pluggy_allows_is_allowed(function: Callable[..., Any]) -> None:
    assert problems(animal(function)) == ()


@pytest.mark.parametrize("options", [{"wrapper": True}, {"hookwrapper": True}])
def test_lh03_a_wrapper_fulfils_the_hook_that_it_wraps(options: dict[str, bool]) -> None:
    def speak(self):
        return (yield)

    assert problems(animal(speak, **options)) == ()


def test_lh03_functions_static_and_class_methods_and_modules_can_implement() -> None:
    class Cat:
        @staticmethod
        @hookimpl
        def speak(is_loud): ...

    class Dog:
        @classmethod
        @hookimpl
        def speak(cls, is_loud): ...

    module = types.ModuleType("pig")
    exec("def speak(is_loud): ...", module.__dict__)
    hookimpl(module.speak)
    assert problems(Cat()) == problems(Dog()) == problems(Dog) == problems(module) == ()


def test_lh03_the_unbound_function_of_a_class_is_read_without_its_self() -> None:
    class Cat:
        @hookimpl
        def speak(self, is_loud): ...

    assert check(ANIMAL, {"speak": Cat.speak}, plugin="cat") == ()


def test_lh03_a_function_without_readable_signature_is_taken_to_want_nothing() -> None:
    with pytest.raises(ValueError, match="no signature"):
        inspect.signature(max)
    assert check(ANIMAL, {"speak": max}, plugin="cat") == ()


def test_lh05_an_optional_hook_may_be_unknown() -> None:
    class Cat:
        @hookimpl
        def speak(self): ...

        @hookimpl(optionalhook=True)
        def purr(self): ...

    assert problems(Cat()) == ()


def test_lh03_hooks_of_the_hosts_lenient_specs_are_welcome_beside_the_contract() -> None:
    class Cat:
        @hookimpl
        def speak(self): ...

        @hookimpl
        def startup(self): ...

    assert problems(Cat(), allowed={"startup"}) == ()
    assert only(Cat()).message.startswith("contract 'animal' has no hook 'startup'; known: speak")


def test_lh05_parsed_implementations_are_read_through_their_function_and_options() -> None:
    @dataclass
    class Parsed:
        function: Callable[..., Any]
        opts: Mapping[str, Any]

    def speak(is_loud):
        yield

    assert check(ANIMAL, {"speak": Parsed(speak, {"wrapper": True})}, plugin="cat") == ()
    assert len(check(ANIMAL, {"speak": Parsed(speak, {})}, plugin="cat")) == 1


# The likeliest mistakes


def test_lh03_forgotten_hookimpl_is_shown_with_the_method_that_lacks_it() -> None:
    class Cat:
        def speak(self, is_loud): ...

    problem = only(Cat())
    assert problem.message.splitlines()[0] == (
        "hook 'speak' of contract 'animal' is not implemented; there is a method 'speak' without @hookimpl"
    )
    assert code(problem) == [
        "wrong: def speak(self, is_loud):",
        "right: @hookimpl",
        "def speak(self, is_loud):",
    ]
    assert problem.path.endswith("Cat.speak")
    assert (problem.file, problem.line) == (__file__, Cat.speak.__code__.co_firstlineno)


def test_lh03_forgotten_hookimpl_is_found_under_a_similar_name_too() -> None:
    class Cat:
        def speaks(self, loudly): ...

    problem = only(Cat())
    assert "there is a method 'speaks' without @hookimpl" in problem.message
    assert code(problem) == [
        "wrong: def speaks(self, loudly):",
        "right: @hookimpl",
        "def speak(self, is_loud):",
    ]


@pytest.mark.parametrize("wrap", [staticmethod, classmethod, lambda function: function])
def test_lh03_looking_for_the_unmarked_method_runs_no_property(wrap: Any) -> None:
    class Cat:
        @property
        def speaking(self) -> None:
            raise AssertionError("a property of the plugin was run")

        speak = wrap(lambda self: None)

    assert "there is a method 'speak'" in only(Cat()).message


def test_lh03_a_method_of_the_object_itself_is_found() -> None:
    cat = types.SimpleNamespace(speak=lambda is_loud: "Meow")
    assert "there is a method 'speak' without @hookimpl" in only(cat).message


def test_lh03_a_misspelt_hook_is_one_problem_with_the_nearest_name() -> None:
    class Cat:
        @hookimpl
        def speek(self, is_loud): ...

    problem = only(Cat())
    assert problem.message.startswith("contract 'animal' has no hook 'speek'; did you mean 'speak'?")
    assert code(problem) == ["wrong: def speek(self, is_loud):", "right: def speak(self, is_loud):"]


def test_lh05_a_misspelt_specname_is_corrected_where_it_stands() -> None:
    class Cat:
        @hookimpl(specname="speek")
        def answer(self, is_loud): ...

    assert code(only(Cat())) == ['wrong: specname="speek"', 'right: specname="speak"']


def test_lh03_wrong_parameter_name_is_shown_beside_the_right_one() -> None:
    class Cat:
        @hookimpl
        def speak(self, loud): ...

    problem = only(Cat())
    assert problem.message.splitlines()[0] == (
        "takes 'loud', which hook 'speak' does not pass; did you mean 'is_loud'?"
    )
    assert code(problem) == ["wrong: def speak(self, loud):", "right: def speak(self, is_loud):"]
    assert problem.path.endswith("Cat.speak")


def test_lh03_forgotten_self_is_recognised_by_the_hooks_own_parameter() -> None:
    def speak(is_loud): ...

    problem = only(animal(speak))
    assert problem.message.startswith("lacks self")
    assert code(problem) == ["wrong: def speak(is_loud):", "right: def speak(self, is_loud):"]


def test_lh03_a_method_without_any_parameter_lacks_self() -> None:
    def speak(): ...

    assert code(only(animal(speak))) == ["wrong: def speak():", "right: def speak(self, is_loud):"]


def test_lh03_the_entrypoint_names_the_module_instead_of_the_class() -> None:
    module = types.ModuleType("cat.cat")
    source = "from pluginkit.markers import hookimpl\nclass Base:\n  pass\nclass Cat:\n  @hookimpl\n  def speak(self): ..."
    exec(source, module.__dict__)
    problem = only(module)
    assert "the entrypoint names the module; the hook is in its class 'Cat'" in problem.message
    assert code(problem) == ['wrong: entrypoint: "cat"', 'right: entrypoint: "cat:Cat"']


def test_lh03_a_class_that_the_module_imports_is_not_taken_for_its_own() -> None:
    class Cat:
        @hookimpl
        def speak(self): ...

    module = types.ModuleType("cat.cat")
    module.Cat = Cat  # type: ignore[attr-defined]  # as `from elsewhere import Cat` does
    assert code(only(module)) == ["right: @hookimpl", "def speak(is_loud):"]


def test_lh03_a_hook_marked_for_another_project_is_found() -> None:
    def speak(self, is_loud): ...

    speak.slow_impl = True  # type: ignore[attr-defined]  # an attribute that only looks like a marker's
    Cat = type("Cat", (), {"speak": HookimplMarker("llm")(speak)})
    problem = only(Cat())
    assert "'speak' is marked for the project 'llm', while this host's is 'pluginkit'" in problem.message
    assert code(problem)[1] == 'right: hookimpl = HookimplMarker("pluginkit")'


def test_lh03_a_generator_that_is_no_wrapper_is_refused() -> None:
    def speak(self, is_loud):
        yield "Meow"

    problem = only(animal(speak))
    assert problem.message.startswith("is a generator: hook 'speak' would answer with one")
    assert code(problem) == [
        "wrong: def speak(self, is_loud):", "yield …", "right: def speak(self, is_loud):", "return …",
    ]  # fmt: skip


def test_lh03_a_wrapper_without_yield_is_refused() -> None:
    def speak(self, is_loud):
        return "Meow"

    problem = only(animal(speak, wrapper=True))
    assert problem.message.startswith("is a wrapper of hook 'speak' but has no yield")
    assert code(problem)[-2:] == ["result = yield", "return result"]


@pytest.mark.parametrize(
    ("declared", "refused", "remarked"),
    [
        ("list[str]", True, False),
        ("None", True, False),
        ("MyObject", True, False),
        ("Iterator[str]", False, False),
        ("collections.abc.Iterable[str]", False, False),
        ("Iterator[str] | None", False, False),
        ("object", False, False),
        ("Any", False, False),
        ("", False, True),
    ],
)
def test_lh03_a_generator_may_answer_a_hook_that_declares_something_to_iterate(
    declared: str, refused: bool, remarked: bool
) -> None:
    def speak(self): ...
    def answer():
        yield "Meow"

    if declared:
        speak.__annotations__["return"] = declared
    contract = Contract.of("reader", type("Reader", (), {"speak": hookspec(speak)}))
    assert bool(check(contract, {"speak": answer}, plugin="cat")) is refused
    assert bool(remarks(contract, {"speak": answer})) is remarked


# Signatures


def refused() -> Iterator[Any]:
    def extra(self, is_loud, volume): ...
    def two_wrong(self, loud, volume): ...
    def positional_only(self, is_loud, /): ...
    def keyword_only(self, *, is_loud): ...
    def needed_keyword(self, is_loud, *, volume): ...
    def rest(self, *args): ...
    def named_rest(self, **kwargs): ...

    yield extra, "takes 'volume', which hook 'speak' does not pass; it passes 'is_loud'"
    yield two_wrong, "takes 'loud' and 'volume', which hook 'speak' does not pass; it passes 'is_loud'"
    yield positional_only, "takes 'is_loud' by position only; drop the '/'"
    yield keyword_only, "takes 'is_loud' by keyword only, which is never passed; drop the '*'"
    yield needed_keyword, "takes 'volume' by keyword only, which is never passed; drop the '*'"
    yield rest, "takes '*args', which stays empty"
    yield named_rest, "takes '**kwargs', which stays empty"


@pytest.mark.parametrize(
    ("function", "says"), list(refused()), ids=lambda value: getattr(value, "__name__", "")
)
def test_lh03_a_signature_that_could_not_work_is_refused(function: Callable[..., Any], says: str) -> None:
    problem = only(animal(function))
    assert problem.message.splitlines()[0] == says
    assert code(problem)[1] == f"right: def {function.__name__}(self, is_loud):"


def test_lh03_the_wrong_code_is_shown_as_it_was_written() -> None:
    async def speak(self, is_loud: bool, /, volume: int = 3, *, pitch): ...

    assert code(only(animal(speak))) == [
        "wrong: async def speak(self, is_loud, /, volume=3, *, pitch):",
        "right: async def speak(self, is_loud):",
    ]


def test_lh03_a_hook_without_parameters_passes_nothing() -> None:
    class Shouter:
        @hookimpl
        def transform(self, text): ...

        @hookimpl
        def transformations(self, kind): ...

    assert only(Shouter(), TRANSFORMER).message.splitlines()[0] == (
        "takes 'kind', which hook 'transformations' does not pass; it passes nothing"
    )


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ("self", "does not take 'ctx', which hook 'execute' asks for"),
        ("self, context", "takes 'context', which hook 'execute' does not pass; did you mean 'ctx'?"),
        ("self, context, x", "takes 'context' and 'x', which hook 'execute' does not pass; it passes 'ctx'"),
        ("self, ctx, x", "takes 'x', which hook 'execute' does not pass; it passes 'ctx'"),
        ("self, *args", "takes '*args', which stays empty"),
        ("ctx", "lacks self, whose place the first parameter would take"),
    ],
)
def test_lh08_a_wrong_signature_of_execute_is_refused(parameters: str, says: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"class P:\n def execute({parameters}): ...", namespace)
    hookimpl(namespace["P"].execute)
    problem = only(namespace["P"](), EXECUTE)
    assert problem.message.splitlines()[0] == says
    assert code(problem)[1] == "right: def execute(self, ctx):"


@pytest.mark.parametrize("parameters", ["self, ctx", "self, ctx, own=None"])
def test_lh08_a_right_signature_of_execute_is_accepted(parameters: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"class P:\n def execute({parameters}): ...", namespace)
    hookimpl(namespace["P"].execute)
    assert problems(namespace["P"](), EXECUTE) == ()


def test_lh08_a_wrapper_of_execute_may_leave_ctx_out() -> None:
    class Timer:
        @hookimpl(wrapper=True)
        def execute(self):
            return (yield)

    assert problems(Timer(), EXECUTE) == ()


# Several problems, and those that belong together


def test_lh03_all_problems_come_at_once() -> None:
    class Shouter:
        @hookimpl
        def transformations(self, which): ...

        @hookimpl
        def shout(self): ...

    found = problems(Shouter(), TRANSFORMER)
    assert [problem.message.split("'")[1] for problem in found] == ["transform", "transformer", "which"]


def test_lh03_a_hook_of_another_contract_is_named_with_its_owner() -> None:
    class Shouter:
        @hookimpl
        def transform(self, text): ...

        @hookimpl
        def speak(self, is_loud): ...

    problem = only(Shouter(), TRANSFORMER, elsewhere={"speak": "animal"})
    assert problem.message.startswith(
        "hook 'speak' belongs to contract 'animal', and this plugin is of type 'transformer'"
    )


def test_lh03_a_hook_of_another_contract_does_not_hide_a_missing_one() -> None:
    class Shouter:
        @hookimpl
        def transforms(self): ...

    found = problems(Shouter(), TRANSFORMER, elsewhere={"transforms": "other"})
    assert [problem.message.split(";")[0].split(" is ")[0] for problem in found] == [
        "hook 'transform' of contract 'transformer'",
        "hook 'transforms' belongs to contract 'other', and this plugin",
    ]


def test_lh03_without_the_object_a_missing_hook_is_still_shown_as_code() -> None:
    (problem,) = check(ANIMAL, {}, plugin="cat")
    assert (problem.path, code(problem)) == ("cat", ["right: @hookimpl", "def speak(self, is_loud):"])


# Remarks


def remarked(target: object, contract: Contract = ANIMAL) -> list[str]:
    return [problem.message for problem in remarks(contract, implementations(target), target=target)]


def test_lh20_an_async_implementation_of_a_plain_hook_is_remarked_on() -> None:
    async def speak(self, is_loud): ...

    (message,) = remarked(animal(speak))
    assert message.startswith("is async while hook 'speak' is not")
    assert "await host.hook.speak.awaited(…)" in message


def test_lh20_an_async_hook_is_served_by_async_and_plain_implementations_alike() -> None:
    async def fetch(self, url): ...
    async def awaited(url): ...
    def plain(url): ...

    contract = Contract.of("slow", type("Slow", (), {"fetch": hookspec(fetch)}))
    for function in (awaited, plain):
        assert (
            check(contract, {"fetch": function}, plugin="p") == remarks(contract, {"fetch": function}) == ()
        )


def test_lh03_a_misspelt_parameter_with_a_default_is_remarked_on() -> None:
    def speak(self, is_load=False, volume=11): ...

    assert remarked(animal(speak)) == [
        "takes 'is_load', which always keeps its default; did you mean 'is_loud'?"
    ]


def test_lh03_an_optional_hook_without_its_marker_is_remarked_on() -> None:
    class Shouter:
        @hookimpl
        def transform(self, text): ...

        def transformations(self): ...

    assert remarked(Shouter(), TRANSFORMER) == [
        "has a method 'transformations' without @hookimpl, so hook 'transformations' does not call it"
    ]


def test_lh03_remarks_leave_unknown_hooks_to_the_check() -> None:
    def purr(): ...

    assert remarks(ANIMAL, {"purr": purr}) == ()


# Versions


def versioned(version: str, *parameters: str) -> Contract:
    namespace: dict[str, Any] = {}
    exec(f"def speak({', '.join(['self', *parameters])}): ...", namespace)
    return Contract.of(
        "animal", type("Animal", (), {"version": version, "speak": hookspec(namespace["speak"])})
    )


def test_lh04_the_highest_version_that_a_plugin_fulfils_wins() -> None:
    def old(loud): ...
    def new(is_loud, mood): ...
    def neither(volume): ...

    offered = [versioned("1.10.0", "is_loud", "mood"), versioned("1.9.0", "loud"), versioned("1.2.0", "loud")]
    assert newest_fulfilled(offered, {"speak": old}, plugin="cat") == (offered[1], ())
    assert newest_fulfilled(offered, {"speak": new}, plugin="cat") == (offered[0], ())
    contract, found = newest_fulfilled(offered, {"speak": neither}, plugin="cat")
    assert contract is offered[0]
    assert found[0].message.startswith("takes 'volume'")


# Against pluggy itself

NAMES = st.sampled_from(["text", "width", "fill", "extra", "other"])


@given(
    spec=st.lists(NAMES.filter(lambda name: name not in ("extra", "other")), unique=True),
    plain=st.lists(NAMES, unique=True),
    with_default=st.lists(NAMES, unique=True),
)
def test_lh03_what_is_accepted_is_what_pluggy_calls_with_every_value(
    spec: list[str], plain: list[str], with_default: list[str]
) -> None:
    own = [f"{name}=None" for name in with_default if name not in plain]
    namespace: dict[str, Any] = {"hookimpl": hookimpl}
    exec(f"def hook({', '.join(['self', *spec])}): ...", namespace)
    exec(f"@hookimpl\ndef hook_impl({', '.join([*plain, *own])}): return dict(locals())", namespace)
    namespace["hook"].__qualname__ = "Specs.hook"  # which is how pluggy tells that self is no parameter
    specs = type("Specs", (), {"hook": hookspec(namespace["hook"])})
    accepted = check(Contract.of("t", specs), {"hook": namespace["hook_impl"]}, plugin="p") == ()
    assert accepted is (set(plain) <= set(spec))

    manager = pluggy.PluginManager("pluginkit")
    manager.add_hookspecs(specs)
    plugin = types.SimpleNamespace(hook=namespace["hook_impl"])
    if accepted:
        manager.register(plugin)
        (seen,) = manager.hook.hook(**{name: name.upper() for name in spec})
        expected = {name: name.upper() if name in spec else None for name in [*plain, *with_default]}
        assert seen == expected
    else:
        with pytest.raises(pluggy.PluginValidationError):
            manager.register(plugin)
