"""The rules that a hookspec declares for its arguments and its result.

    def greet(self, name: Annotated[str, Text(max_characters=80)]) -> Annotated[str, Text()]:

Most hookspecs declare none, and must not pay for it: their annotations, which are text under
`from __future__ import annotations`, may name what only a type checker imports. So they are
resolved only if `Annotated`, or a name that stands for it, is in them. But a rule that cannot
be read is an error: nobody should rely on a check that is not made.

`typing` does the resolving; what remains is to tell where a rule may stand: around the whole
`str` or `bytes`, around each element of a `list`, and either of them `| None`.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import itertools
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pluginkit.contracts.rule import Rule, wrong_type
from pluginkit.errors import ContractDefinitionError, InvalidValue

# As in `__annotations__`; no argument can have this name.
RESULT = "return"
_NO_RULES: Mapping[str, Declared] = types.MappingProxyType({})
_DOTTED_NAME = re.compile(r"[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class Declared:
    """A rule for one argument or result, or for each element of a list of them.

    With `optional` it may be None, with `optional_items` each element may.
    """

    rule: Rule
    is_list: bool = False
    optional: bool = False
    optional_items: bool = False

    def check(self, value: object) -> object:
        """The value as it may be used. Raises `InvalidValue` if there is none."""
        if self.optional and value is None:
            return None
        if not self.is_list:
            return self.rule.check(value)
        if not issubclass(type(value), list):
            raise InvalidValue(wrong_type("list", value))
        # A new list: whoever gave this one can go on changing it.
        items = list.copy(typing.cast("list[object]", value))
        return [self._checked_item(index, item) for index, item in enumerate(items)]

    def _checked_item(self, index: int, item: object) -> object:
        if self.optional_items and item is None:
            return None
        try:
            return self.rule.check(item)
        except InvalidValue as error:
            raise InvalidValue(f"element {index}: {error.problem}") from None


def rules_of(
    function: Callable[..., Any], names: Collection[str], *, where: str, owner: object = None
) -> Mapping[str, Declared]:
    """The rules in the annotations of a hookspec, by argument; that of the result is at `RESULT`.

    Args:
        function: the hookspec.
        names: the arguments that a call passes.
        where: what errors call the hookspec, such as `hook 'greet' of contract 'greeter'`.
        owner: the contract class, whose own names may stand in annotations.

    Raises:
        ContractDefinitionError: a rule cannot be read, or stands where no value can be checked.
    """
    plain = inspect.unwrap(function)
    plain = getattr(plain, "__func__", plain)
    annotations: Mapping[str, Any] = getattr(plain, "__annotations__", {})
    names_known = _Names(getattr(plain, "__globals__", {}), owner)
    found = {}
    for name, annotation in annotations.items():
        if not names_known.may_hold_rule(annotation):
            continue
        what = f"{where}, {'result' if name == RESULT else f'parameter {name!r}'}"
        declared = _Reader(names_known, what).declared(annotation)
        if declared is None:
            continue
        if name != RESULT and name not in names:
            raise ContractDefinitionError(f"{what}: has a rule, but calls do not pass it")
        found[name] = declared
    return types.MappingProxyType(found) if found else _NO_RULES


class _Names:
    """The names that annotations of one hookspec can use, and whether a rule is behind them."""

    def __init__(self, module: dict[str, Any], owner: object) -> None:
        self._module = module
        self._bases = owner.__mro__ if isinstance(owner, type) else ()

    @functools.cached_property
    def known(self) -> dict[str, Any]:
        """All of them, for evaluating an annotation."""
        own = {name: value for base in reversed(self._bases) for name, value in vars(base).items()}
        # A hook named `list` is not what an annotation means by it.
        return {k: v for k, v in own.items() if not inspect.isfunction(v)} | self._module

    def may_hold_rule(self, annotation: object) -> bool:
        """Whether it is worth resolving."""
        return _finds(annotation, _Texts(self._text_may_hold_rule))

    def must_hold_rule(self, annotation: object) -> bool:
        """Whether an annotation that cannot be resolved would have a rule, as far as can be seen."""
        return _finds(annotation, _Texts(self._text_must_hold_rule))

    def _text_may_hold_rule(self, text: str, texts: _Texts) -> bool:
        return "Annotated" in text or any(
            value is Annotated or _finds(value, texts) for value in self._values_in(text)
        )

    def _text_must_hold_rule(self, text: str, texts: _Texts) -> bool:
        if any(_finds(value, texts) for value in self._values_in(text)):
            return True
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except SyntaxError:
            return False
        return any(not self._is_no_rule(node) for node in self._metadata(tree))

    def _metadata(self, tree: ast.AST) -> Iterator[ast.expr]:
        """What stands behind the type in each `Annotated[…]`."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
                name = ast.unparse(node.value)
                if name.rpartition(".")[2] == "Annotated" or self._value(name) is Annotated:
                    yield from node.slice.elts[1:]

    def _is_no_rule(self, node: ast.expr) -> bool:
        try:
            value = eval(compile(ast.Expression(node), "<annotation>", "eval"), self.known)  # noqa: S307  # the host's own annotation, as typing evaluates it
        except Exception:
            return False
        return not _is_rule(value)

    def _values_in(self, text: str) -> Iterator[object]:
        for match in _DOTTED_NAME.finditer(text):
            yield self._value(match[0])

    def _value(self, dotted: str) -> object:
        """What a name such as `rules.NAME` stands for; None if that is not known without running code."""
        first, *others = (part.strip() for part in dotted.split("."))
        holders = (self._module, *map(vars, self._bases), vars(builtins))
        value: object = next((holder[first] for holder in holders if first in holder), None)
        for other in others:
            value = vars(value).get(other) if isinstance(value, (types.ModuleType, type)) else None
        return value


class _Texts:
    """Looks into each text once: types may be defined by themselves, and a text may be its own name."""

    def __init__(self, look: Callable[[str, _Texts], bool]) -> None:
        self._look = look
        self._seen: set[str] = set()

    def finds(self, text: str) -> bool:
        """Whether a rule is in the text; False if it was looked into before."""
        if text in self._seen:
            return False
        self._seen.add(text)
        return self._look(text, self)


def _finds(value: object, texts: _Texts, inside: tuple[object, ...] = ()) -> bool:
    """Whether a rule is in an annotation, or in what it is made of; `inside` are the names it is part of."""
    if isinstance(value, str):
        return texts.finds(value)
    if isinstance(value, typing.ForwardRef):
        return texts.finds(value.__forward_arg__)
    if _is_alias(value):
        if any(value is one for one in inside):
            return False
        inside = (*inside, value)
    return _is_rule(value) or any(_finds(part, texts, inside) for part in _parts(value))


def _is_rule(value: object) -> bool:
    return isinstance(value, Rule) or (isinstance(value, type) and issubclass(value, Rule))


def _parts(annotation: object) -> Iterable[object]:
    """What an annotation is made of; other objects are made of nothing."""
    if isinstance(annotation, typing.NewType):
        return (annotation.__supertype__,)
    if _is_alias(annotation):
        try:
            return (annotation.__value__,)  # type: ignore[attr-defined]  # a TypeAliasType of Python 3.12
        except NameError:
            return ()
    if typing.get_origin(annotation) is typing.Literal:
        return ()
    # The arguments of a Callable are a list in the list.
    parts = ((one if isinstance(one, list) else (one,)) for one in typing.get_args(annotation))
    return itertools.chain.from_iterable(parts)


def _is_alias(annotation: object) -> bool:
    """Whether it was made with `type Name = …`."""
    return type(annotation).__name__ == "TypeAliasType"


class _Reader:
    """Reads the rule of one annotation; `where` is what errors call it."""

    def __init__(self, names: _Names, where: str) -> None:
        self._names = names
        self._where = where

    def declared(self, annotation: object) -> Declared | None:
        """The rule, or None if there is none after all."""
        holder = types.SimpleNamespace(__annotations__={"value": annotation})
        try:
            hint = typing.get_type_hints(holder, globalns=self._names.known, include_extras=True)["value"]
        except Exception as error:
            if self._names.must_hold_rule(annotation):
                raise self._error(
                    f"its rule cannot be read, for {type(error).__name__}: {error}; what {annotation!r} names has "
                    f"to be in the module of the contract, and not be imported for type checkers only"
                ) from error
            return None
        return self._read(hint) if _finds(hint, _Texts(lambda _text, _texts: False)) else None

    def _read(self, hint: object) -> Declared:
        base, rules, optional = _peeled(hint)
        if rules:
            return Declared(self._only(rules, base), optional=optional)
        if typing.get_origin(base) is list:
            (element,) = typing.get_args(base)
            inner, rules, optional_items = _peeled(element)
            if rules:
                return Declared(self._only(rules, inner), True, optional, optional_items)
        if _is_rule(base):
            raise self._error(f"{base!r} is no type; write Annotated[str, Text(…)]")
        raise self._error(
            f"a rule cannot stand inside {hint!r}; it stands around a whole str or bytes, or around each "
            f"element of a list: list[Annotated[str, Text(…)]]"
        )

    def _only(self, rules: list[object], base: object) -> Rule:
        """The one rule of a value of type `base`."""
        first, *others = rules
        if others:
            raise self._error(f"has {len(rules)} rules, {' and '.join(map(repr, rules))}; make it one")
        if not isinstance(first, Rule):
            name = typing.cast("type", first).__name__
            raise self._error(f"{name} is the class of a rule; write a rule: {name}(…)")
        if base is not first.python_type:
            needed = first.python_type.__name__
            shown = base.__name__ if isinstance(base, type) else repr(base)
            raise self._error(
                f"{first!r} is a rule for {needed}, and not for {shown}; write Annotated[{needed}, …]"
            )
        return first

    def _error(self, text: str) -> ContractDefinitionError:
        return ContractDefinitionError(f"{self._where}: {text}")


def _peeled(hint: object) -> tuple[object, list[object], bool]:
    """The type inside `Annotated`, names for types and `| None`, the rules around it, and whether it may be None."""
    rules: list[object] = []
    optional = False
    while True:
        if typing.get_origin(hint) is Annotated:
            hint, *extras = typing.get_args(hint)
            rules += filter(_is_rule, extras)
        elif isinstance(hint, typing.NewType) or _is_alias(hint):
            (hint,) = _parts(hint)
        elif len(others := [one for one in _alternatives(hint) if one is not type(None)]) == 1:
            hint, optional = others[0], True
        else:
            return hint, rules, optional


def _alternatives(hint: object) -> tuple[object, ...]:
    """The types of a union."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else ()
