"""SE08, SE09: rules in the annotations of a hookspec are found, wherever one can stand, or refused."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import pytest

from pluginkit import Bytes, ContractDefinitionError, HookspecMarker, InvalidValue, Text, hookspec
from pluginkit.contracts import Contract, ensure_distinct
from pluginkit.contracts.declared import Declared
from pluginkit.contracts.rule import Rule

HEAD = """
import typing
from typing import Annotated, NewType, Optional, TYPE_CHECKING, Union
import typing as t
from pluginkit import Bytes, Text, hookspec
import rules_of_a_host as rules
Name = Annotated[str, Text(max_characters=80)]
Names = list[Name]
"""
Write = Callable[..., type]


@pytest.fixture(params=["as objects", "as text"])
def written(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Write:
    """`written("name: Name", "str")`: a contract with the hook `greet`, its annotations in both forms."""
    rules = types.ModuleType("rules_of_a_host")
    exec("from pluginkit import Text\nSHORT = Text(max_characters=5)\nAlias = None", vars(rules))
    monkeypatch.setitem(sys.modules, "rules_of_a_host", rules)
    future = "from __future__ import annotations\n" if request.param == "as text" else ""

    def write(parameters: str, result: str = "str", *, body: str = "", head: str = "") -> type:
        source = (
            f"{future}{HEAD}{head}\nclass Greeter:\n    {body or 'pass'}\n"
            f"    @hookspec\n    def greet(self, {parameters}) -> {result}:\n        'Greets.'\n"
        )
        module: dict[str, Any] = {"__name__": "contract_of_a_test"}
        exec(compile(source, "<contract>", "exec", dont_inherit=True), module)
        found: type = module["Greeter"]
        return found

    return write


def rules_in(contract: type) -> Mapping[str, Declared]:
    return Contract.of("greeter", contract).hooks["greet"].rules


def refusal_of(contract: type) -> str:
    with pytest.raises(ContractDefinitionError) as caught:
        Contract.of("greeter", contract)
    return str(caught.value)


SHORT = Text(max_characters=80)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("Annotated[str, Text(max_characters=80)]", Declared(SHORT)),
        ("typing.Annotated[str, Text(max_characters=80)]", Declared(SHORT)),
        ("t . Annotated[str, Text(max_characters=80)]", Declared(SHORT)),
        ("Name", Declared(SHORT)),
        ("'Name'", Declared(SHORT)),
        ("Annotated['str', Text(max_characters=80)]", Declared(SHORT)),
        ("Annotated[str, 'a name', Text(max_characters=80), 3]", Declared(SHORT)),
        ("Annotated[Name, 'a name']", Declared(SHORT)),
        ("Annotated[str, rules.SHORT]", Declared(Text(max_characters=5))),
        ("Annotated[bytes, Bytes(max_bytes=9)]", Declared(Bytes(max_bytes=9))),
        ("Annotated[NewType('UserName', str), Text(max_characters=80)]", Declared(SHORT)),
        ("Name | None", Declared(SHORT, optional=True)),
        ("Optional[Name]", Declared(SHORT, optional=True)),
        ("Union[None, Name]", Declared(SHORT, optional=True)),
        ("Annotated[str | None, Text(max_characters=80)]", Declared(SHORT, optional=True)),
        ("list[Name]", Declared(SHORT, is_list=True)),
        ("typing.List[Name]", Declared(SHORT, is_list=True)),
        ("list['Name']", Declared(SHORT, is_list=True)),
        ("typing.List['Name']", Declared(SHORT, is_list=True)),
        ("Names", Declared(SHORT, is_list=True)),
        ("Names | None", Declared(SHORT, is_list=True, optional=True)),
        ("list[Name | None]", Declared(SHORT, is_list=True, optional_items=True)),
        ("Annotated[list[Name], 'of people']", Declared(SHORT, is_list=True)),
    ],
)
def test_se08_a_rule_is_found_where_one_can_stand(
    written: Write, annotation: str, expected: Declared
) -> None:
    rules = rules_in(written(f"name: {annotation}, n: int", annotation))
    assert rules == {"name": expected, "return": expected}


@pytest.mark.parametrize(
    "annotation",
    [
        "int",
        "None",
        "Annotated[str, 'a name']",
        "list[Annotated[int, 3]]",
        "typing.Text",
        "dict[str, list[int]]",
        "typing.Callable[[int], str]",
        "'Missing'",
        "Annotated['Missing', 'a name']",
        "Annotated['Missing', len]",
        "'Annotated[Missing, 1, len]'",
        "'list[str, 1] | Annotated[Missing, 2]'",
        "'Annotated[not python'",
        "'it is Annotated'",
        "'Annotated[str]'",
        "NewType('UserName', str)",
        "Annotated[str, LOOP]",
        "typing.Literal['ITSELF', 'Name']",
        "Json",
        "'ITSELF'",
    ],
)
def test_se08_without_a_rule_nothing_is_checked_and_nothing_fails(written: Write, annotation: str) -> None:
    head = "ITSELF = 'ITSELF'\nLOOP = []\nLOOP.append(LOOP)\nJson = Union[str, 'list[Json]']"
    assert rules_in(written(f"name: {annotation}", annotation, head=head)) == {}


def test_se08_a_rule_of_the_class_itself_is_found(written: Write) -> None:
    body = "RULE = Text(max_characters=80)\n    def list(self): ..."
    assert rules_in(written("name: Annotated[str, RULE]", body=body)) == {"name": Declared(SHORT)}


def test_se08_a_hook_named_as_a_type_does_not_hide_the_type() -> None:
    source = (
        "from __future__ import annotations\n"
        f"{HEAD}class Greeter:\n"
        "    @hookspec\n    def list(self) -> list[Name]: ...\n"
        "    @hookspec\n    def str(self) -> list[Annotated[str, Text()]]: ...\n"
    ).replace("import rules_of_a_host as rules", "")
    module: dict[str, Any] = {}
    exec(compile(source, "<contract>", "exec", dont_inherit=True), module)
    hooks = Contract.of("greeter", module["Greeter"]).hooks
    assert hooks["list"].rules == {"return": Declared(SHORT, is_list=True)}
    assert hooks["str"].rules == {"return": Declared(Text(), is_list=True)}


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ("dict[str, Name]", "a rule cannot stand inside dict[str, "),
        ("list[list[Name]]", "a rule cannot stand inside list[list["),
        ("tuple[Name, ...]", "it stands around a whole str or bytes, or around each element of a list"),
        ("Name | int", "a rule cannot stand inside"),
        ("typing.Callable[[Name], str]", "a rule cannot stand inside"),
        ("NewType('UserName', dict[str, Name])", "a rule cannot stand inside"),
        ("Text(max_characters=3)", "Text(max_characters=3) is no type; write Annotated[str, Text(…)]"),
        ("Text", "<class 'pluginkit.contracts.text.Text'> is no type; write Annotated[str, Text(…)]"),
        ("Annotated[str, Text]", "Text is the class of a rule; write a rule: Text(…)"),
        ("Annotated[str, Text(), Text(keep='\\n')]", r"has 2 rules, Text() and Text(keep='\n'); make it one"),
        ("Annotated[Name, Text()]", "has 2 rules, Text(max_characters=80) and Text(); make it one"),
        ("Annotated[int, Text()]", "Text() is a rule for str, and not for int; write Annotated[str, …]"),
        ("Annotated[list[str], Text()]", "Text() is a rule for str, and not for list[str]"),
        ("Annotated[str, Bytes(max_bytes=3)]", "Bytes(max_bytes=3) is a rule for bytes, and not for str"),
    ],
)
def test_se08_a_rule_elsewhere_is_refused_and_not_ignored(written: Write, annotation: str, said: str) -> None:
    assert said in refusal_of(written(f"name: {annotation}"))
    text = refusal_of(written("name: str", annotation))
    assert text.startswith("hook 'greet' of 'greeter', result: ")
    assert said in text


@pytest.mark.parametrize(
    "annotation",
    [
        "Annotated[str, Tetx()]",
        "Annotated[str, rules.LONG]",
        "Annotated[Missing, Text()]",
        "Annotated[str, Text(max_characters=0)]",
        "Optional[Annotated[Missing, rules.SHORT]]",
        "dict[Missing, Name]",
        "t.Annotated[str, Hidden]",
    ],
)
def test_se08_a_rule_that_cannot_be_read_is_refused(annotation: str) -> None:
    rules = types.ModuleType("rules")
    vars(rules)["SHORT"] = Text(max_characters=5)
    module = {"rules": rules}
    source = (
        f"from __future__ import annotations\n{HEAD.replace('import rules_of_a_host as rules', '')}"
        f"class Greeter:\n    @hookspec\n    def greet(self, name: {annotation}): ...\n"
    )
    exec(compile(source, "<contract>", "exec", dont_inherit=True), module)
    said = refusal_of(module["Greeter"])  # type: ignore[arg-type]  # a class, made in the text
    assert said.startswith("hook 'greet' of 'greeter', parameter 'name': its rule cannot be read, for ")
    assert "has to be in the module of the contract, and not be imported for type checkers only" in said


def test_se08_a_text_inside_an_annotation_is_looked_into(written: Write) -> None:
    said = refusal_of(written("name: list['Annotated[Missing, Text()]']"))
    assert "its rule cannot be read, for NameError: name 'Missing' is not defined" in said


@pytest.mark.skipif(sys.version_info < (3, 12), reason="`type X = …` is of Python 3.12")
def test_se08_a_rule_behind_a_type_statement_is_found(written: Write) -> None:
    head = (
        "type Word = Annotated[str, Text(max_characters=80)]\ntype Words = list[Word]\ntype Gone = Missing\n"
    )
    head += "type Json = str | list[Json]"
    assert rules_in(written("name: Word, gone: Gone, json: Json", "Words | None", head=head)) == {
        "name": Declared(SHORT),
        "return": Declared(SHORT, is_list=True, optional=True),
    }


class TypeAliasType:
    """What `type Name = …` makes, on a Python that does not have it."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self) -> None:
        """What typing asks of anything that stands for a type."""

    @property
    def __value__(self) -> Any:
        if self.value is None:
            raise NameError("name 'Missing' is not defined")
        return self.value


def test_se08_names_for_types_are_looked_into() -> None:
    class Greeter:
        def greet(self, name: Any, gone: Any, loop: Any) -> Any: ...

    word, loop = TypeAliasType(Annotated[str, SHORT]), TypeAliasType(None)
    loop.value = list[loop]  # type: ignore[valid-type]  # as below
    Greeter.greet.__annotations__.update(
        {"name": word, "gone": TypeAliasType(None), "loop": loop, "return": TypeAliasType(list[word])}  # type: ignore[valid-type]  # an object that stands for a type
    )
    hookspec(Greeter.greet)
    assert rules_in(Greeter) == {"name": Declared(SHORT), "return": Declared(SHORT, is_list=True)}


def test_se08_a_kind_of_rule_has_to_say_what_it_checks() -> None:
    with pytest.raises(NotImplementedError, match="Rule does not say what it checks"):
        Rule().check("a")


def test_se08_annotations_without_a_rule_are_not_even_resolved(
    written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("resolved")

    contract = written("name: 'Missing', n: dict[str, int]", "list[int]")
    with monkeypatch.context() as patched:
        patched.setattr("typing.get_type_hints", refuse)
        assert rules_in(contract) == {}


def test_se08_a_rule_for_what_calls_do_not_pass_is_refused() -> None:
    from pluginkit.hooks import HookTable

    module = types.ModuleType("specs")
    source = (
        f"{HEAD.replace('import rules_of_a_host as rules', '')}@hookspec\ndef greet(*, name: Name): ...\n"
    )
    exec(source, vars(module))
    with pytest.raises(
        ContractDefinitionError, match="parameter 'name': has a rule, but calls do not pass it"
    ):
        HookTable().add_hookspecs(module)


def test_se08_two_contracts_share_a_hook_only_with_the_same_rules(written: Write) -> None:
    ruled = Contract.of("a", written("name: Name"))
    ensure_distinct([ruled, Contract.of("b", written("name: Name"))])
    with pytest.raises(ContractDefinitionError, match="hook 'greet' stands in two contracts"):
        ensure_distinct([ruled, Contract.of("b", written("name: str"))])


def test_se08_people_still_read_types_where_a_rule_is_declared(written: Write) -> None:
    hook = Contract.of("greeter", written("name: Name", "Name")).hooks["greet"]
    assert hook.annotations == {"name": str, "return": str}
    assert hook.parameters == ("name",)


def test_se08_a_rule_of_another_project_and_a_decorated_function_are_read() -> None:
    import functools

    def decorated(function: Any) -> Any:
        @functools.wraps(function)
        def inner(*args: Any) -> Any:
            return function(*args)

        return inner

    class Zoo:
        @HookspecMarker("zoo")
        @decorated
        def greet(self, name: Annotated[str, SHORT]) -> None: ...

    assert Contract.of("zoo", Zoo, "zoo").hooks["greet"].rules == {"name": Declared(SHORT)}


def test_se08_elements_are_checked_one_by_one_in_a_list_of_their_own() -> None:
    rule = Declared(Text(max_characters=3), is_list=True, optional=True, optional_items=True)
    given = ["a", None, "abc"]
    checked = rule.check(given)
    assert checked == given
    assert checked is not given
    assert rule.check(None) is None
    with pytest.raises(InvalidValue, match="element 2: 4 characters are more than the 3"):
        rule.check(["a", "b", "abcd"])
    with pytest.raises(InvalidValue, match="it has to be list, not tuple"):
        rule.check(("a",))
    with pytest.raises(InvalidValue, match="element 0: it has to be str, not NoneType"):
        Declared(Text(), is_list=True).check([None])
    with pytest.raises(InvalidValue, match="it has to be str, not NoneType"):
        Declared(Text()).check(None)


def test_se08_a_list_that_hides_elements_is_taken_for_what_it_holds() -> None:
    class Hiding(list[str]):
        def __iter__(self) -> Any:
            return iter(())

        def copy(self) -> Any:
            return []

    with pytest.raises(InvalidValue, match="element 0: NUL"):
        Declared(Text(), is_list=True).check(Hiding(["\0"]))
