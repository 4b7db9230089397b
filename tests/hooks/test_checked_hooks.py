"""SE08, SE09: what a contract declares for the values of a hook's calls is done at each call."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest

from pluginkit import Bytes, ContractDefinitionError, HookErrors, InvalidArgument, InvalidValue, Text
from pluginkit.hooks import HookTable
from pluginkit.markers import hookimpl, hookspec

Name = Annotated[str, Text(max_characters=10)]
Greeting = Annotated[str, Text(max_characters=20)]


class Greeter:
    @hookspec
    def greet(self, name: Name, title: Name | None = None, n: int = 1) -> Greeting:
        """All greetings."""

    @hookspec(firstresult=True, required=False)
    def first(self, name: Name) -> Greeting:
        """The first greeting."""

    @hookspec(required=False)
    def clean(
        self, name: Annotated[str, Text(max_characters=5, sanitise=True)]
    ) -> Annotated[str, Text(max_characters=8, sanitise=True)]:
        """All greetings, made harmless."""

    @hookspec(required=False)
    def tags(self, names: list[Name]) -> list[Greeting]:
        """Several texts of each."""

    @hookspec(required=False)
    def plain(self, name: str, arguments: int = 0) -> str:
        """Not checked."""

    @hookspec(historic=True, required=False)
    def born(self, name: Annotated[str, Text(max_characters=5, keep="\n")]) -> Greeting:
        """For those that come later, too."""


class Cat:
    """Says of each greeting what it was asked, and gives what it was told to."""

    def __init__(self, answer: Any = "Meow") -> None:
        self.answer = answer
        self.heard: list[Any] = []

    @hookimpl
    def greet(self, name: Any, title: Any) -> Any:
        self.heard.append((name, title))
        return self.answer

    @hookimpl
    def first(self, name: Any) -> Any:
        return self.answer

    @hookimpl
    def clean(self, name: Any) -> Any:
        self.heard.append(name)
        return self.answer

    @hookimpl
    def tags(self, names: Any) -> Any:
        self.heard.append(names)
        return self.answer

    @hookimpl
    def plain(self, name: Any) -> Any:
        return self.answer


POLICIES = ["record", "raise", "group"]


def ways(hook: Any) -> dict[str, Any]:
    """Each form of a call, as a function that gives what the call gives."""

    def awaited(**kwargs: Any) -> Any:
        return asyncio.run(hook.awaited(**kwargs))

    return {
        "plain": hook,
        "timeout": hook.using(timeout=30),
        "attributed": hook.attributed,
        "awaited": awaited,
        "only": hook.only("cat"),
        **{policy: hook.using(errors=policy) for policy in POLICIES},
    }


# What is not declared costs nothing


def test_se08_an_undeclared_hook_has_the_very_text_that_it_had(zoo: Any) -> None:
    hook = zoo(Greeter, cat=Cat, valid_name=Cat).hook
    assert hook.plain.source() == (
        "def plain(name, arguments_2):\n"
        "    results = []\n"
        "    try:\n"
        "        result = cat(name)\n"
        "        if result is not None:\n"
        "            results.append(result)\n"
        "    except BaseException as error:\n"
        "        if failed(implementations[0], error):\n"
        "            raise\n"
        "    try:\n"
        "        result = valid_name(name)\n"
        "        if result is not None:\n"
        "            results.append(result)\n"
        "    except BaseException as error:\n"
        "        if failed(implementations[1], error):\n"
        "            raise\n"
        "    return results\n"
    )
    assert hook.plain.spec.checks is None


def test_se08_a_declared_hook_checks_first_and_each_answer(zoo: Any) -> None:
    hook = zoo(Greeter, valid_name=Cat).hook
    assert hook.first.source() == (
        "def first(name):\n"
        "    name = valid_name(name)\n"
        "    try:\n"
        "        result = valid_result(valid_name_2(name))\n"
        "        if result is not None:\n"
        "            return result\n"
        "    except BaseException as error:\n"
        "        if failed(implementations[0], error):\n"
        "            raise\n"
        "    return None\n"
    )
    assert hook.first(name="Tom") == "Meow"


# Arguments


@pytest.mark.parametrize("timing", [False, True])
@pytest.mark.parametrize("name", ["Tom\0", "x" * 11, 3, None])
def test_se08_a_bad_argument_is_the_callers_and_no_plugin_is_called(
    zoo: Any, name: Any, timing: bool
) -> None:
    cat = Cat()
    table = zoo(Greeter, cat=cat, timing=timing)
    for way, call in ways(table.hook.greet).items():
        with pytest.raises(InvalidArgument, match="hook 'greet', argument 'name': ") as caught:
            call(name=name)
        assert (caught.value.hook, caught.value.argument) == ("greet", "name"), way
        assert not hasattr(caught.value, "__notes__"), way
    assert cat.heard == []
    assert table.failures == []
    assert table.table.metrics() == ()


def test_se08_a_good_argument_comes_as_it_is(zoo: Any) -> None:
    cat = Cat()
    hook = zoo(Greeter, cat=cat).hook.greet
    for way, call in ways(hook).items():
        given = call(name="Tom", title="Dr.")
        assert cat.heard.pop() == ("Tom", "Dr."), way
        if way == "attributed":
            assert [outcome.result for outcome in given] == ["Meow"]
        else:
            assert given == ("Meow" if way == "only" else ["Meow"]), way
    assert cat.heard == []


def test_se08_a_default_is_the_hosts_own_and_only_what_is_passed_is_checked(zoo: Any) -> None:
    class Contract:
        @hookspec
        def greet(self, name: Annotated[str, Text(max_characters=3)] = "too long") -> None:
            """Greets."""

    class Dog:
        heard: list[Any] = []  # noqa: RUF012  # one dog

        @hookimpl
        def greet(self, name: str) -> None:
            self.heard.append(name)

    hook = zoo(Contract, cat=Dog).hook.greet
    hook()
    asyncio.run(hook.awaited())
    assert Dog.heard == ["too long", "too long"]
    with pytest.raises(InvalidArgument, match="9 characters are more than the 3"):
        hook(name="too long!")


def test_se09_implementations_get_the_cleaned_argument(zoo: Any) -> None:
    cat = Cat()
    for call in ways(zoo(Greeter, cat=cat).hook.clean).values():
        call(name="\x1bTom\0 and Tim")
        assert cat.heard.pop() == "Tom a"


def test_se08_each_element_of_a_list_is_checked(zoo: Any) -> None:
    cat = Cat(answer=["a", "b"])
    table = zoo(Greeter, cat=cat)
    names = ["Tom", "Tim"]
    assert table.hook.tags(names=names) == [["a", "b"]]
    assert cat.heard == [names]
    assert cat.heard[0] is not names
    with pytest.raises(InvalidArgument, match="argument 'names': element 1: NUL"):
        table.hook.tags(names=["Tom", "T\0m"])
    cat.answer = ["fine", "b\0"]
    assert table.hook.tags(names=names) == []
    assert "hook 'tags', result: element 1: NUL" in table.failed()[0]
    cat.answer = "a text"
    assert table.hook.tags(names=names) == []
    assert table.failed()[1].endswith("result: it has to be list, not str")


# Results


def test_se08_a_bad_result_is_that_plugins_error_and_the_others_remain(zoo: Any) -> None:
    table = zoo(Greeter, cat=Cat("Me\0w"), dog=Cat("Woof"), owl=Cat(None), pig=Cat(3), timing=True)
    assert table.hook.greet(name="Tom") == ["Woof"]
    assert table.failed() == [
        (
            "plugin 'cat' 1.0.0 in hook 'greet': InvalidValue: hook 'greet', result: "
            "NUL (U+0000) at index 2 of 4 characters is not allowed: 'Me\\x00w'"
        ),
        "plugin 'pig' 1.0.0 in hook 'greet': InvalidValue: hook 'greet', result: it has to be str, not int",
    ]
    assert [(row.plugin, row.calls, row.errors) for row in table.table.metrics()] == [
        ("cat", 1, 1),
        ("dog", 1, 0),
        ("owl", 1, 0),
        ("pig", 1, 1),
    ]


def test_se08_a_bad_result_under_each_policy(zoo: Any) -> None:
    hook = zoo(Greeter, cat=Cat("Me\0w"), dog=Cat("Woof")).hook.greet
    with pytest.raises(InvalidValue, match="hook 'greet', result: NUL") as raised:
        hook.using(errors="raise")(name="Tom")
    assert not isinstance(raised.value, InvalidArgument)
    assert raised.value.argument is None
    assert raised.value.__notes__ == ["plugin 'cat' 1.0.0 in hook 'greet'"]
    with pytest.raises(HookErrors) as grouped:
        hook.using(errors="group")(name="Tom")
    assert [str(error) for error in grouped.value.exceptions] == [str(raised.value)]
    assert grouped.value.results == ["Woof"]


@pytest.mark.parametrize("errors", POLICIES)
def test_se08_a_bad_awaited_result_is_treated_the_same(zoo: Any, errors: str) -> None:
    class Async:
        @hookimpl
        async def greet(self) -> str:
            await asyncio.sleep(0)
            return "M\u202ew"

    table = zoo(Greeter, cat=Async, cow=Cat(b"Moo"), dog=Cat("Woof"), owl=Cat(None))
    call = table.hook.greet.using(errors=errors).awaited
    if errors == "record":
        assert asyncio.run(call(name="Tom")) == ["Woof"]
    else:
        with pytest.raises((InvalidValue, HookErrors)) as caught:
            asyncio.run(call(name="Tom"))
        assert getattr(caught.value, "results", ["Woof"]) == ["Woof"]
    blamed = {failure.plugin for failure in table.failures}
    assert blamed == {"cat", "cow"} if errors != "raise" else blamed <= {"cat", "cow"}


def test_se08_a_bad_result_does_not_end_the_search_for_a_first_one(zoo: Any) -> None:
    hook = zoo(Greeter, cat=Cat("Me\0w"), dog=Cat("Woof")).hook.first
    assert hook(name="Tom") == "Woof"
    assert hook.using(timeout=30)(name="Tom") == "Woof"
    assert asyncio.run(hook.awaited(name="Tom")) == "Woof"
    with pytest.raises(InvalidValue, match="NUL"):
        hook.only("cat")(name="Tom")
    with pytest.raises(HookErrors) as grouped:
        hook.using(errors="group")(name="Tom")
    assert grouped.value.results == "Woof"


def test_se08_attributed_calls_tell_of_it(zoo: Any) -> None:
    bad, good = zoo(Greeter, cat=Cat("Me\0w"), dog=Cat("Woof")).hook.greet.attributed(name="Tom")
    assert isinstance(bad.error, InvalidValue)
    assert (bad.plugin, bad.result) == ("cat", None)
    assert (good.plugin, good.result, good.error) == ("dog", "Woof", None)


def test_se09_results_are_cleaned_wherever_they_are_seen(zoo: Any) -> None:
    table = zoo(Greeter, cat=Cat("\x1b[1mMeow, meow"))
    for way, call in ways(table.hook.clean).items():
        given = call(name="Tom")
        if way == "attributed":
            assert [outcome.result for outcome in given] == ["[1mMeow,"]
        else:
            assert given == ("[1mMeow," if way == "only" else ["[1mMeow,"])
    assert table.failures == []


# Wrappers


class Wrapper:
    def __init__(self, change: Any) -> None:
        self.change = change
        self.seen: list[Any] = []

    @hookimpl(wrapper=True)
    def greet(self) -> Any:
        results = yield
        self.seen.append(results and list(results))
        return self.change(results)

    @hookimpl(wrapper=True)
    def first(self) -> Any:
        return self.change((yield))

    @hookimpl(wrapper=True)
    def clean(self) -> Any:
        return self.change((yield))


class OldWrapper:
    @hookimpl(hookwrapper=True)
    def greet(self) -> Any:
        outcome = yield
        outcome.force_result(["Me\0w"])


def spoil(results: list[Any]) -> list[Any]:
    results.append("\0")
    return results


def spoil_and_fail(results: list[Any]) -> list[Any]:
    results.append("\0")
    raise OSError("no more")


def awaited(hook: Any) -> Any:
    return lambda **kwargs: asyncio.run(hook.awaited(**kwargs))


def test_se08_wrappers_see_checked_results_and_may_change_them(zoo: Any) -> None:
    wrapper = Wrapper(lambda results: [text.upper() for text in results])
    table = zoo(Greeter, w=wrapper, cat=Cat("Me\0w"), dog=Cat("Woof"))
    assert table.hook.greet(name="Tom") == ["WOOF"]
    assert awaited(table.hook.greet)(name="Tom") == ["WOOF"]
    assert wrapper.seen == [["Woof"], ["Woof"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda results: [*results, "\0"], "InvalidValue: hook 'greet', result: NUL"),
        (spoil, "InvalidValue: hook 'greet', result: NUL"),
        (spoil_and_fail, "OSError: no more"),
        (
            tuple,
            "InvalidValue: hook 'greet', result: from a wrapper, it has to be the list of results, not tuple",
        ),
        (lambda results: "text", "from a wrapper, it has to be the list of results, not str"),
    ],
)
def test_se08_a_wrapper_that_spoils_the_results_loses_its_say(zoo: Any, change: Any, said: str) -> None:
    table = zoo(Greeter, w=Wrapper(change), dog=Cat("Woof"))
    assert table.hook.greet(name="Tom") == ["Woof"]
    assert awaited(table.hook.greet)(name="Tom") == ["Woof"]
    with pytest.raises(HookErrors) as grouped:
        table.hook.greet.using(errors="group")(name="Tom")
    assert grouped.value.results == ["Woof"]
    assert [failure.plugin for failure in table.failures] == ["w"] * 3
    assert all(said in failure for failure in table.failed())
    with pytest.raises((InvalidValue, OSError)) as raised:
        table.hook.greet.using(errors="raise")(name="Tom")
    assert raised.value.__notes__ == ["plugin 'w' 1.0.0 in hook 'greet'"]


def test_se08_lists_that_a_wrapper_spoils_and_gives_back_are_as_they_were(zoo: Any) -> None:
    class Contract:
        @hookspec
        def tags(self) -> list[Name]:
            """Several texts of each."""

        @hookspec(firstresult=True)
        def first(self) -> list[Name]:
            """Several texts of one."""

    class Dog:
        @hookimpl
        def tags(self) -> list[str]:
            return ["a"]

        @hookimpl
        def first(self) -> list[str]:
            return ["a"]

    class Vandal:
        @hookimpl(wrapper=True)
        def tags(self) -> Any:
            results = yield
            results[0].append("\0")
            return results

        @hookimpl(wrapper=True)
        def first(self) -> Any:
            result = yield
            result.append("\0")
            raise OSError("no more")

    table = zoo(Contract, w=Vandal, dog=Dog)
    assert table.hook.tags() == [["a"]]
    assert table.hook.first() == ["a"]
    assert [failure.plugin for failure in table.failures] == ["w", "w"]


def test_se08_a_wrapper_around_one_that_gives_nothing(zoo: Any) -> None:
    class Nothing:
        @hookimpl(wrapper=True)
        def greet(self) -> Any:
            yield

    table = zoo(Greeter, outer=Wrapper(lambda results: results), z=Nothing, dog=Cat("Woof"))
    assert table.hook.greet(name="Tom") is None


def test_se08_an_old_wrapper_is_held_to_it_as_well(zoo: Any) -> None:
    table = zoo(Greeter, w=OldWrapper, dog=Cat("Woof"))
    assert table.hook.greet(name="Tom") == ["Woof"]
    assert [failure.plugin for failure in table.failures] == ["w"]


def test_se08_what_a_wrapper_gives_in_the_place_of_an_error_is_checked(zoo: Any) -> None:
    class Saver:
        @hookimpl(wrapper=True)
        def first(self) -> Any:
            try:
                return (yield)
            except InvalidValue:
                return "\0"

    table = zoo(Greeter, w=Saver, cat=Cat("Me\0w"), errors="raise")
    with pytest.raises(InvalidValue) as raised:
        table.hook.first(name="Tom")
    assert "plugin 'w' 1.0.0 in hook 'first'" in raised.value.__notes__


def test_se08_a_wrapper_around_a_first_result(zoo: Any) -> None:
    table = zoo(Greeter, w=Wrapper(lambda result: f"{result}\0"), cat=Cat("Meow"))
    assert table.hook.first(name="Tom") == "Meow"
    assert zoo(Greeter, w=Wrapper(str.upper), cat=Cat("Meow")).hook.first(name="Tom") == "MEOW"
    assert zoo(Greeter, w=Wrapper(lambda _: None), cat=Cat("Meow")).hook.first(name="Tom") is None
    assert zoo(Greeter, w=Wrapper(lambda _: None), cat=Cat("Meow")).hook.greet(name="Tom") is None
    assert [failure.plugin for failure in table.failures] == ["w"]


def test_se08_only_with_the_plugins_own_wrapper(zoo: Any) -> None:
    class Both(Cat):
        @hookimpl(wrapper=True, specname="greet")
        def around(self) -> Any:
            return (yield) + "\0"

    table = zoo(Greeter, cat=Both())
    with pytest.raises(InvalidValue, match="result: NUL"):
        table.hook.greet.only("cat")(name="Tom")
    assert table.hook.greet.using(errors="record").only("cat")(name="Tom") == "Meow"


def test_se09_what_a_wrapper_gives_is_cleaned(zoo: Any) -> None:
    hook = zoo(Greeter, w=Wrapper(lambda results: [*results, "\x1bGrrr"]), cat=Cat("Meow")).hook.clean
    assert hook(name="Tom") == ["Meow", "Grrr"]


def test_se08_wrappers_of_a_hook_without_a_rule_for_results_are_free(zoo: Any) -> None:
    class Contract:
        @hookspec
        def greet(self, name: Name) -> str:
            """Greets."""

    class Loud:
        @hookimpl(wrapper=True)
        def greet(self, name: str) -> Any:
            return (*(yield), f"{name}\0")

    class Dog:
        @hookimpl
        def greet(self) -> str:
            return "W\0of"

    hook = zoo(Contract, w=Loud, dog=Dog).hook.greet
    assert hook(name="Tom") == ("W\0of", "Tom\0")
    assert asyncio.run(hook.awaited(name="Tom")) == ("W\0of", "Tom\0")
    with pytest.raises(InvalidArgument):
        hook(name="Tom\0")


# Historic hooks


class Born:
    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.heard: list[str] = []

    @hookimpl
    def greet(self) -> None:
        return None

    @hookimpl
    def born(self, name: str) -> Any:
        self.heard.append(name)
        return self.answer


def test_se08_a_bad_historic_call_is_refused_now_and_never_made_again(zoo: Any) -> None:
    table = zoo(Greeter)
    with pytest.raises(InvalidArgument, match="argument 'name': NUL"):
        table.hook.born.call_historic(kwargs={"name": "T\0m"})
    cat = Born("Meow")
    table.add(cat=cat)
    assert cat.heard == []


def test_se08_results_of_historic_calls_are_checked_now_and_later(zoo: Any) -> None:
    table = zoo(Greeter, cat=Born("Me\0w"), dog=Born("Woof"))
    given: list[str] = []
    table.hook.born.call_historic(given.append, {"name": "Tom"})
    table.add(cow=Born("M\0o"), owl=Born("Hoo"))
    assert given == ["Woof", "Hoo"]
    assert [failure.plugin for failure in table.failures] == ["cat", "cow"]


def test_se08_a_historic_hook_may_have_a_rule_for_its_results_only(zoo: Any) -> None:
    class Contract:
        @hookspec(historic=True)
        def born(self, name: str) -> Greeting:
            """For those that come later, too."""

    class Dog:
        @hookimpl
        def born(self, name: str) -> str:
            return name

    table = zoo(Contract, dog=Dog)
    given: list[str] = []
    for name in ("Tom", "T\0m"):
        table.hook.born.call_historic(given.append, {"name": name})
    assert given == ["Tom"]
    assert [failure.plugin for failure in table.failures] == ["dog"]


# Hooks of modules, and everything else


class Lenient:
    @staticmethod
    @hookspec
    def greet(name: Name, title: Annotated[str, Text(max_characters=4)] = "a long default") -> Greeting:
        """Greets."""
        raise NotImplementedError


def test_se08_lenient_hooks_check_what_they_get(zoo: Any) -> None:
    from pluginkit.hooks import Provider

    class Free:
        @hookimpl
        def greet(self, title: str) -> str:
            return title

    table = HookTable(errors="raise")
    table.add_hookspecs(Lenient)
    table.commit(table.stage(add=[Provider("free", Free())]))
    hook: Any = table.hook.greet
    assert hook(name="Tom", title="Dr.") == ["Dr."]
    assert hook(name="Tom") == ["a long default"]
    assert hook(name="Tom", title="Dr.", other="\0") == ["Dr."]
    with pytest.warns(UserWarning, match="'name'"):
        assert hook(title="Dr.") == ["Dr."]
    for more in ({}, {"other": 1}):
        with pytest.raises(InvalidArgument, match="argument 'title'"):
            hook(name="Tom", title="Dr.\0", **more)
        with pytest.raises(InvalidArgument, match="argument 'title'"):
            hook.only("free")(name="Tom", title="Dr.\0", **more)


def test_se08_one_hook_of_two_contracts_needs_the_same_rules() -> None:
    class Other:
        @hookspec
        def greet(self, name: str, title: str | None = None, n: int = 1) -> str:
            """Greets."""

    table = HookTable()
    table.add_contract(Greeter, name="greeter")
    table.add_contract(Greeter, name="again")
    with pytest.raises(ContractDefinitionError, match="hook 'greet' of 'other' is there already"):
        table.add_contract(Other, name="other")


def test_se08_bytes_are_checked_too(zoo: Any) -> None:
    class Contract:
        @hookspec
        def draw(self) -> Annotated[bytes, Bytes(max_bytes=4)]:
            """Draws."""

    class Painter:
        @hookimpl
        def draw(self) -> bytes:
            return b"\0" * 4

    class Vandal:
        @hookimpl
        def draw(self) -> bytes:
            return b"\0" * 5

    table = zoo(Contract, painter=Painter, vandal=Vandal)
    assert table.hook.draw() == [b"\0" * 4]
    assert table.failed()[0].endswith("hook 'draw', result: 5 bytes are more than the 4 bytes allowed")


def test_se08_arguments_with_the_names_of_the_text_itself_are_checked(zoo: Any) -> None:
    class Contract:
        @hookspec
        def greet(self, results: Name, valid_results: Name, valid_result: int) -> Greeting:
            """Greets."""

    class Dog:
        @hookimpl
        def greet(self, results: str, valid_results: str, valid_result: int) -> str:
            return f"{results} {valid_results} {valid_result}"

    hook = zoo(Contract, valid_results=Dog).hook.greet
    assert hook(results="a", valid_results="b", valid_result=1) == ["a b 1"]
    for name in ("results", "valid_results"):
        with pytest.raises(InvalidArgument, match=f"argument '{name}'"):
            hook(**{"results": "a", "valid_results": "b", "valid_result": 1, name: "\0"})


def test_se08_a_mistake_of_one_plugin_as_a_caller_is_that_plugins_error(zoo: Any) -> None:
    class Chatty:
        hook: Any = None

        @hookimpl
        def greet(self) -> Any:
            return self.hook.first(name="\0")

    table = zoo(Greeter, chatty=Chatty, dog=Cat("Woof"))
    Chatty.hook = table.hook
    assert table.hook.greet(name="Tom") == ["Woof"]
    assert [failure.plugin for failure in table.failures] == ["chatty"]


@pytest.mark.parametrize("errors", POLICIES)
def test_se08_refused_values_keep_no_plugin_alive(errors: Any) -> None:
    import contextlib
    import gc

    from pluginkit.hooks import Provider

    table = HookTable(errors=errors)
    table.add_contract(Greeter, name="greeter")
    providers = [
        Provider("w", Wrapper(lambda results: [*results, "\0"])),
        Provider("bad", Cat("\0")),
        Provider("good", Cat("Meow")),
    ]
    table.commit(table.stage(add=providers))
    gc.disable()
    try:
        calls = ways(table.hook.greet)
        del calls["awaited"]  # whatever asyncio.run raises is in a cycle of its own
        for call in calls.values():
            for name in ("Tom", "\0"):
                with contextlib.suppress(InvalidValue, HookErrors, LookupError):
                    call(name=name)
        staged = table.stage(remove=providers)
        table.commit(staged)
        assert [retired.wait(10) for retired in staged.retired] == [True, True, True]
    finally:
        gc.enable()
