"""The rules that a hookspec declares for its arguments and its result.

    def greet(self, name: Annotated[str, Text(max_characters=80)]) -> Annotated[str, Text()]:

A rule may stand around a whole `str` or `bytes`, around each element of a `list`, and either of
them may be `| None`. Anywhere else it is an error. Which annotations are worth resolving is found
out in `annotations.py`; the resolving itself is done by `typing`.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pluginkit.contracts.annotations import Names, Texts, finds, is_alias, is_rule, parts_of
from pluginkit.contracts.rule import Rule, wrong_type
from pluginkit.errors import ContractDefinitionError, InvalidValue

# As in `__annotations__`; no argument can have this name.
RESULT = "return"
_NO_RULES: Mapping[str, Declared] = types.MappingProxyType({})


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
    known = Names(getattr(plain, "__globals__", {}), owner)
    found = {}
    for name, annotation in annotations.items():
        if not known.may_hold_rule(annotation):
            continue
        what = f"{where}, {'result' if name == RESULT else f'parameter {name!r}'}"
        declared = _Reader(known, what).declared(annotation)
        if declared is None:
            continue
        if name != RESULT and name not in names:
            raise ContractDefinitionError(f"{what}: has a rule, but calls do not pass it")
        found[name] = declared
    return types.MappingProxyType(found) if found else _NO_RULES


class _Reader:
    """Reads the rule of one annotation; `where` is what errors call it."""

    def __init__(self, names: Names, where: str) -> None:
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
        return self._read(hint) if finds(hint, Texts(lambda _text, _texts: False)) else None

    def _read(self, hint: object) -> Declared:
        base, rules, optional = _peeled(hint)
        if rules:
            return Declared(self._only(rules, base), optional=optional)
        if typing.get_origin(base) is list:
            (element,) = typing.get_args(base)
            inner, rules, optional_items = _peeled(element)
            if rules:
                return Declared(self._only(rules, inner), True, optional, optional_items)
        if is_rule(base):
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
            rules += filter(is_rule, extras)
        elif isinstance(hint, typing.NewType) or is_alias(hint):
            (hint,) = parts_of(hint)
        elif len(others := [one for one in _alternatives(hint) if one is not type(None)]) == 1:
            hint, optional = others[0], True
        else:
            return hint, rules, optional


def _alternatives(hint: object) -> tuple[object, ...]:
    """The types of a union."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else ()
