"""The built-in contract `execute`: one method, one context, any work.

For plugins whose work no contract of the host describes: a route handler, a script, a task. The
context says what to do and takes what came of it. A plugin with several pieces of work derives
from `LabelDispatch` and gets `execute` for free.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ClassVar, TypeVar

from pluginkit.contracts.call_context import CallContext
from pluginkit.errors import DuplicateName, LabelError
from pluginkit.markers import hookimpl, hookspec

__all__ = ["CallContext", "Execute", "LabelDispatch", "on_label"]

_Handler = TypeVar("_Handler", bound=Callable[..., object])
_LABELS = "__pluginkit_labels__"


class Execute:
    """The contract of type `execute`, known to every host."""

    version = "1.0.0"
    exact = True  # without ctx there is nothing to do: execute(self) is a mistake, not a short form

    @hookspec
    def execute(self, ctx: CallContext) -> object:
        """Do the work that `ctx` describes and return its result, or None for no result.

        The values of `ctx` are the input; `ctx.set_value` leaves more than one output behind.
        """
        raise NotImplementedError


def on_label(*labels: str) -> Callable[[_Handler], _Handler]:
    """Mark a method of a `LabelDispatch` as the work of one label, or of several.

    Raises:
        TypeError: no label was given, or the method does not take `ctx`.
    """
    if not labels or not all(labels) or callable(labels[0]):
        raise TypeError('on_label takes the labels as text: write @on_label("plugin.get")')

    def mark(method: _Handler) -> _Handler:
        try:
            inspect.signature(method).bind("self", "ctx")
        except TypeError:
            raise TypeError(
                f"{method.__qualname__} cannot be called with a context; write def {method.__name__}(self, ctx):"
            ) from None
        setattr(method, _LABELS, labels)
        return method

    return mark


class LabelDispatch:
    """Base of an `execute` plugin whose calls say by label which work they want.

    Labels are collected when the class is made, so a label given twice fails the load. A
    subclass inherits the labels of its base and may bind one of them anew.

    >>> class Greetings(LabelDispatch):
    ...     @on_label("greeting.say")
    ...     def say(self, ctx):
    ...         return f"Hello, {ctx.get_value('who')}!"
    >>> Greetings().execute(CallContext({"label": "greeting.say", "who": "World"}))
    'Hello, World!'
    >>> Greetings().execute(CallContext({"label": "greeting.said"}))
    Traceback (most recent call last):
    ...
    pluginkit.errors.LabelError: no work for the label 'greeting.said'; did you mean 'greeting.say'? (known: greeting.say)
    """

    labels: ClassVar[Mapping[str, str]] = MappingProxyType({})  # label to the method's name

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        own: dict[str, str] = {}
        for name, method in vars(cls).items():
            for label in getattr(method, _LABELS, ()):
                if label in own:
                    raise DuplicateName(
                        f"the label {label!r} stands above two methods of {cls.__qualname__}, "
                        f"{own[label]!r} and {name!r}; each label selects one"
                    )
                own[label] = name
        inherited = {
            label: name for base in reversed(cls.__mro__[1:]) for label, name in _labels_of(base).items()
        }
        cls.labels = MappingProxyType(inherited | own)

    @hookimpl
    def execute(self, ctx: CallContext) -> object:
        """Call the method whose `@on_label` names the context's label, and return what it returns.

        Raises:
            LabelError: the context has no label, or one that no method serves; both name the
                known ones.
        """
        label = ctx.get_value("label")
        if not isinstance(label, str) or label not in self.labels:
            raise LabelError(label, self.labels)
        work: Callable[[CallContext], object] = getattr(self, self.labels[label])
        return work(ctx)


def _labels_of(base: type) -> Mapping[str, str]:
    return base.labels if issubclass(base, LabelDispatch) else {}
