"""`implements`: a `hookimpl` that knows its hook, so that type checkers compare the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, overload

from pluginkit.errors import ContractDefinitionError
from pluginkit.markers.marks import HookimplMarker

if TYPE_CHECKING:
    from pluginkit.markers.typed import Hookspec, Implements, ImplementsAsWrapper, P, R, T


@overload
def implements(
    spec: Hookspec[P, T, R], *, tryfirst: bool = ..., trylast: bool = ..., wrapper: Literal[False] = ...
) -> Implements[P, T]: ...
@overload
def implements(
    spec: Hookspec[P, T, R], *, tryfirst: bool = ..., trylast: bool = ..., wrapper: Literal[True]
) -> ImplementsAsWrapper[P, R]: ...
def implements(spec: Any, *, tryfirst: bool = False, trylast: bool = False, wrapper: bool = False) -> Any:
    """Mark a method as the implementation of one hook of a contract.

    It does what `@hookimpl` does, and lets mypy and pyright check the method against the
    contract: its parameters, all of them, by name and type, and what it returns. `async`
    methods, and None where there is nothing to say, are fine for any hook. The method may have
    another name than the hook.

    Args:
        spec: the method of the contract class, such as `Animal.speak`.
        tryfirst: run as early as possible.
        trylast: run as late as possible.
        wrapper: surround the others; the method is a generator with one `yield`.

    Raises:
        ContractDefinitionError: `spec` is no hookspec.

    >>> from pluginkit.contracts.samples import Animal
    >>> class Cat:
    ...     @implements(Animal.speak)
    ...     def say(self, is_loud: bool) -> str: return "MEOW!" if is_loud else "Meow"
    >>> Cat.say.pluginkit_impl["specname"]
    'speak'
    """
    mark = next((name for name in getattr(spec, "__dict__", ()) if name.endswith("_spec")), None)
    if mark is None:
        raise ContractDefinitionError(f"{spec!r} is no hookspec; name one: @implements(Contract.hook)")
    hookimpl = HookimplMarker(mark.removesuffix("_spec"))
    decorate: Callable[..., Any] = hookimpl(
        specname=spec.__name__, tryfirst=tryfirst, trylast=trylast, wrapper=wrapper
    )
    return decorate
