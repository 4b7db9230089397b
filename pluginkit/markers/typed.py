"""What type checkers are told about hooks: nothing here does anything at run time.

A contract's method `def speak(self, is_loud: bool) -> str` becomes, through `@hookspec`, a
`Hookspec` that carries the method's parameters `P`, what one plugin answers `T`, and what a
call of the hook gives `R`. Looked up on the contract class it stays a `Hookspec`, which
`implements` compares with a plugin's method. Looked up on `host.hooks(Animal)`, whose type is
the contract itself, it becomes a `Hook`, and the call is checked:

    host.hooks(Animal).speak(is_loud=True)      # list[str]
    host.hooks(Animal).speak(is_lout=True)      # error: unexpected keyword argument

    @implements(Animal.speak)
    def speak(self, is_loud: bool) -> int: ...  # error: has to return str

This form was chosen over a generic `Host[Animal]` (a host has many contracts) and over hooks
as module-level objects (a contract is a class, and its plugins need not import it).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import (
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    TypeAlias,
    TypeVar,
    overload,
)

from pluginkit.markers.marks import HookspecOpts

ErrorPolicy: TypeAlias = Literal["record", "raise", "group"]

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S")
T_co = TypeVar("T_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T_co]):
    """What one implementation made of one call; `seconds` is how long it took.

    >>> Outcome("cat", "1.0.0", result="MEOW!", seconds=0.001).ok
    True
    """

    plugin: str
    version: str | None
    result: T_co | None = None
    error: BaseException | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it answered, be it with None."""
        return self.error is None


class Hook(Protocol[P, T_co, R_co]):
    """A hook as the host calls it; see `pluginkit.hooks` for what each form does.

    At run time it is a function with the spec's signature, which stays the same object for as
    long as its table: plugins come and go behind it.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    @property
    def name(self) -> str: ...

    @property
    def spec(self) -> Any: ...

    @property
    def using(self) -> Using[P, T_co, R_co]: ...

    def attributed(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Outcome[T_co], ...]: ...

    def awaited(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R_co]: ...

    def only(self, plugin: str) -> Callable[P, T_co | None]: ...

    def call_historic(
        self,
        result_callback: Callable[[T_co], object] | None = None,
        kwargs: Mapping[str, object] | None = None,
    ) -> None: ...

    def implementations(self) -> Sequence[Any]: ...

    def source(self) -> str: ...


class Using(Protocol[P, T_co, R_co]):
    """`hook.using(errors=…, timeout=…)`: the same hook, called in another way."""

    def __call__(
        self, *, errors: ErrorPolicy | None = None, timeout: float | None = None
    ) -> Configured[P, T_co, R_co]: ...


class Configured(Protocol[P, T_co, R_co]):
    """What `using` gives: the forms of the call, each with the chosen policy and timeout."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    def attributed(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Outcome[T_co], ...]: ...

    def awaited(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R_co]: ...

    def only(self, plugin: str) -> Callable[P, T_co | None]: ...


class Hookspec(Protocol[P, T_co, R_co]):
    """A method of a contract: on the class it is the spec, on `host.hooks(Contract)` the hook."""

    # What the marker noted; it tells a hookspec from any other method.
    @property
    def pluginkit_spec(self) -> HookspecOpts: ...

    @overload
    def __get__(self, instance: None, owner: type, /) -> Hookspec[P, T_co, R_co]: ...
    @overload
    def __get__(self, instance: object, owner: type, /) -> Hook[P, T_co, R_co]: ...

    def __call__(self, instance: Any, /, *args: P.args, **kwargs: P.kwargs) -> T_co: ...


class ListMarker(Protocol):
    """`@hookspec(…)`: a call gives the list of all answers."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]], /
    ) -> Hookspec[P, T, list[T]]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Any, P], T], /) -> Hookspec[P, T, list[T]]: ...


class FirstMarker(Protocol):
    """`@hookspec(firstresult=True)`: a call gives one answer, or None if nobody had one."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]], /
    ) -> Hookspec[P, T, T | None]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Any, P], T], /) -> Hookspec[P, T, T | None]: ...


class ContractMarker(Protocol):
    """The type of `hookspec`, for methods of contract classes.

    Specs that are module functions have no `self`; mark those with a `HookspecMarker`.
    """

    @property
    def project_name(self) -> str: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]], /
    ) -> Hookspec[P, T, list[T]]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[Any, P], T], /) -> Hookspec[P, T, list[T]]: ...
    @overload
    def __call__(self, *, firstresult: Literal[True], required: bool = ...) -> FirstMarker: ...
    @overload
    def __call__(
        self,
        *,
        firstresult: Literal[False] = ...,
        historic: bool = ...,
        required: bool = ...,
    ) -> ListMarker: ...


class Implements(Protocol[P, T]):
    """`@implements(Contract.hook)`: takes methods with the hook's parameters and answer."""

    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], Coroutine[Any, Any, T | None]], /
    ) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T | None]]: ...
    @overload
    def __call__(
        self, method: Callable[Concatenate[S, P], T | None], /
    ) -> Callable[Concatenate[S, P], T | None]: ...


class ImplementsAsWrapper(Protocol[P, R]):
    """`@implements(Contract.hook, wrapper=True)`: takes generators around the hook's results."""

    def __call__(
        self, method: Callable[Concatenate[S, P], Generator[None, R, R]], /
    ) -> Callable[Concatenate[S, P], Generator[None, R, R]]: ...
