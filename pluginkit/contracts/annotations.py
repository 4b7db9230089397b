"""Finding out whether a rule is in an annotation, before anything is resolved.

Most hookspecs declare none, and must not pay for it: their annotations, which are text under
`from __future__ import annotations`, may name what only a type checker imports. So a text is
looked at for `Annotated`, and for names that stand for it; only then it is worth resolving.
If resolving fails, the question is whether a rule would have been there: it is an error then,
for nobody should rely on a check that is not made.
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
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any

from pluginkit.contracts.rule import Rule

_DOTTED_NAME = re.compile(r"[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*")


class Names:
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
        return finds(annotation, Texts(self._text_may_hold_rule))

    def must_hold_rule(self, annotation: object) -> bool:
        """Whether an annotation that cannot be resolved would have a rule, as far as can be seen."""
        return finds(annotation, Texts(self._text_must_hold_rule))

    def _text_may_hold_rule(self, text: str, texts: Texts) -> bool:
        return "Annotated" in text or any(
            value is Annotated or finds(value, texts) for value in self._values_in(text)
        )

    def _text_must_hold_rule(self, text: str, texts: Texts) -> bool:
        if any(finds(value, texts) for value in self._values_in(text)):
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
        return not is_rule(value)

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


class Texts:
    """Looks into each text once: types may be defined by themselves, and a text may be its own name."""

    def __init__(self, look: Callable[[str, Texts], bool]) -> None:
        self._look = look
        self._seen: set[str] = set()

    def finds(self, text: str) -> bool:
        """Whether a rule is in the text; False if it was looked into before."""
        if text in self._seen:
            return False
        self._seen.add(text)
        return self._look(text, self)


def finds(value: object, texts: Texts, inside: tuple[object, ...] = ()) -> bool:
    """Whether a rule is in an annotation, or in what it is made of; `inside` are the names it is part of."""
    if isinstance(value, str):
        return texts.finds(value)
    if isinstance(value, typing.ForwardRef):
        return texts.finds(value.__forward_arg__)
    if is_alias(value):
        if any(value is one for one in inside):
            return False
        inside = (*inside, value)
    return is_rule(value) or any(finds(part, texts, inside) for part in parts_of(value))


def is_rule(value: object) -> bool:
    """Whether it is a rule, or a class of rules."""
    return isinstance(value, Rule) or (isinstance(value, type) and issubclass(value, Rule))


def parts_of(annotation: object) -> Iterable[object]:
    """What an annotation is made of; other objects are made of nothing."""
    if isinstance(annotation, typing.NewType):
        return (annotation.__supertype__,)
    if is_alias(annotation):
        try:
            return (annotation.__value__,)  # type: ignore[attr-defined]  # a TypeAliasType of Python 3.12
        except NameError:
            return ()
    if typing.get_origin(annotation) is typing.Literal:
        return ()
    # The arguments of a Callable are a list in the list.
    lists = ((one if isinstance(one, list) else (one,)) for one in typing.get_args(annotation))
    return itertools.chain.from_iterable(lists)


def is_alias(annotation: object) -> bool:
    """Whether it was made with `type Name = …`."""
    return type(annotation).__name__ == "TypeAliasType"
