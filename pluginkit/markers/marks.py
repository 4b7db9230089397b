"""The markers themselves: they leave a note on a function and change nothing else about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict, TypeVar, overload

F = TypeVar("F", bound=Callable[..., object])


class HookspecOpts(TypedDict):
    """What `@hookspec` notes: pluggy's four options, and `required`, which pluggy ignores."""

    firstresult: bool
    historic: bool
    warn_on_impl: Warning | None
    warn_on_impl_args: Mapping[str, Warning] | None
    required: bool


class HookimplOpts(TypedDict):
    """What `@hookimpl` notes, exactly pluggy's options."""

    wrapper: bool
    hookwrapper: bool
    optionalhook: bool
    tryfirst: bool
    trylast: bool
    specname: str | None


class HookspecMarker:
    """Marks the hooks that a host offers, as `<project_name>_spec` on the function.

    >>> hookspec = HookspecMarker("zoo")
    >>> @hookspec(firstresult=True)
    ... def keeper_of(animal): "Who looks after the animal."
    >>> keeper_of.zoo_spec["firstresult"]
    True
    """

    __slots__ = ("project_name",)

    def __init__(self, project_name: str) -> None:
        self.project_name = project_name

    @overload
    def __call__(
        self,
        function: F,
        firstresult: bool = ...,
        historic: bool = ...,
        warn_on_impl: Warning | None = ...,
        warn_on_impl_args: Mapping[str, Warning] | None = ...,
        *,
        required: bool = ...,
    ) -> F: ...
    @overload
    def __call__(
        self,
        function: None = ...,
        firstresult: bool = ...,
        historic: bool = ...,
        warn_on_impl: Warning | None = ...,
        warn_on_impl_args: Mapping[str, Warning] | None = ...,
        *,
        required: bool = ...,
    ) -> Callable[[F], F]: ...
    def __call__(
        self,
        function: F | None = None,
        firstresult: bool = False,
        historic: bool = False,
        warn_on_impl: Warning | None = None,
        warn_on_impl_args: Mapping[str, Warning] | None = None,
        *,
        required: bool = True,
    ) -> F | Callable[[F], F]:
        """Mark a function, or give a decorator that marks it with these options.

        Args:
            function: the function, when used without parentheses.
            firstresult: stop at the first implementation that gives something other than
                None; the call then gives that one result instead of a list.
            historic: keep every call and make it again for plugins that come later.
            warn_on_impl: a warning to issue for every implementation of this hook.
            warn_on_impl_args: argument name to the warning for implementations that take it.
            required: whether a plugin of the contract's type has to implement the hook.

        Raises:
            ValueError: both `firstresult` and `historic`, which contradict each other.
        """
        if historic and firstresult:
            raise ValueError("cannot have a historic firstresult hook")
        options: HookspecOpts = {
            "firstresult": firstresult,
            "historic": historic,
            "warn_on_impl": warn_on_impl,
            "warn_on_impl_args": warn_on_impl_args,
            "required": required,
        }
        return _mark(function, f"{self.project_name}_spec", options)


class HookimplMarker:
    """Marks the functions with which a plugin implements hooks, as `<project_name>_impl`.

    >>> hookimpl = HookimplMarker("zoo")
    >>> class Cat:
    ...     @hookimpl(tryfirst=True)
    ...     def speak(self, is_loud): return "MEOW!" if is_loud else "Meow"
    >>> Cat.speak.zoo_impl["tryfirst"]
    True
    """

    __slots__ = ("project_name",)

    def __init__(self, project_name: str) -> None:
        self.project_name = project_name

    @overload
    def __call__(
        self,
        function: F,
        hookwrapper: bool = ...,
        optionalhook: bool = ...,
        tryfirst: bool = ...,
        trylast: bool = ...,
        specname: str | None = ...,
        wrapper: bool = ...,
    ) -> F: ...
    @overload
    def __call__(
        self,
        function: None = ...,
        hookwrapper: bool = ...,
        optionalhook: bool = ...,
        tryfirst: bool = ...,
        trylast: bool = ...,
        specname: str | None = ...,
        wrapper: bool = ...,
    ) -> Callable[[F], F]: ...
    def __call__(
        self,
        function: F | None = None,
        hookwrapper: bool = False,
        optionalhook: bool = False,
        tryfirst: bool = False,
        trylast: bool = False,
        specname: str | None = None,
        wrapper: bool = False,
    ) -> F | Callable[[F], F]:
        """Mark a function, or give a decorator that marks it with these options.

        Args:
            function: the function, when used without parentheses.
            hookwrapper: pluggy's old wrapper: one `yield`, which gives a `pluggy.Result`.
            optionalhook: the hook need not exist in the host.
            tryfirst: run as early as possible.
            trylast: run as late as possible.
            specname: the hook's name, when the function is called something else.
            wrapper: surround the others: one `yield`, which gives their results; what is
                returned takes their place.
        """
        options: HookimplOpts = {
            "wrapper": wrapper,
            "hookwrapper": hookwrapper,
            "optionalhook": optionalhook,
            "tryfirst": tryfirst,
            "trylast": trylast,
            "specname": specname,
        }
        return _mark(function, f"{self.project_name}_impl", options)


def _mark(function: F | None, attribute: str, options: object) -> F | Callable[[F], F]:
    def mark(marked: F) -> F:
        setattr(marked, attribute, options)
        return marked

    return mark if function is None else mark(function)
