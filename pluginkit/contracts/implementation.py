"""What a plugin wrote for one hook, read from the function without calling it.

The rules of reading are pluggy's: wrapped functions are unwrapped, `self` is not a parameter,
and only plain named parameters are ever passed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasFunction(Protocol):
    """What a parsed implementation of the hook table, or of pluggy, has in common."""

    @property
    def function(self) -> Callable[..., object]: ...


Implementable = Callable[..., object] | HasFunction


@dataclass(frozen=True)
class Given:
    """One hook implementation as its author wrote it.

    `parameters` is without `self`, whose name, if any, is `implicit`. `lacks_self` is the slip
    `def speak(is_loud)` inside a class, where the first parameter receives the instance.
    """

    hook: str
    function: Callable[..., object]
    implicit: str | None
    parameters: tuple[inspect.Parameter, ...]
    lacks_self: bool
    options: Mapping[str, object]

    @classmethod
    def read(
        cls, hook: str, implementation: Implementable, project: str, expected: Collection[str] = ()
    ) -> Given:
        """Read one implementation of a hook whose parameters are `expected`."""
        function = implementation.function if isinstance(implementation, HasFunction) else implementation
        parameters = _parameters(function)
        implicit = _implicit(function, parameters, expected)
        bound = inspect.ismethod(function)
        return cls(
            hook=hook,
            function=function,
            implicit=implicit,
            parameters=parameters if implicit is None else parameters[1:],
            lacks_self=bound and implicit is None and not _takes_rest(parameters),
            options=_options(implementation, function, project),
        )

    @property
    def is_wrapper(self) -> bool:
        """Whether it surrounds the other implementations rather than being one of them."""
        return bool(self.options.get("wrapper") or self.options.get("hookwrapper"))

    @property
    def is_optional(self) -> bool:
        """Whether its author said that the hook need not exist (`optionalhook=True`)."""
        return bool(self.options.get("optionalhook"))

    @property
    def is_coroutine(self) -> bool:
        """Whether a plain call gives a coroutine, not a result."""
        return inspect.iscoroutinefunction(inspect.unwrap(self.function))

    @property
    def is_generator(self) -> bool:
        """Whether a call runs nothing yet and gives a generator."""
        return inspect.isgeneratorfunction(inspect.unwrap(self.function))

    @property
    def where(self) -> str:
        """`Cat.speak`, as the author knows it."""
        return name_of(self.function) or self.hook

    @property
    def location(self) -> tuple[str | None, int | None]:
        """File and line of the definition, when it has any."""
        return location_of(self.function)

    def written(self) -> str:
        """The definition as it stands, without annotations."""
        first = self.implicit if not self.lacks_self else None
        return self._definition(first, _shown(self.parameters))

    def corrected(self, parameters: Sequence[inspect.Parameter], *, name: str = "") -> str:
        """The definition with the parameters, and the name, that it should have."""
        first = "self" if self.lacks_self else self.implicit
        return self._definition(first, _shown(parameters), name)

    def _definition(self, first: str | None, parameters: Sequence[str], name: str = "") -> str:
        keyword = "async def" if self.is_coroutine else "def"
        name = name or getattr(self.function, "__name__", self.hook)
        return f"{keyword} {name}({', '.join([*([first] if first else []), *parameters])}):"


def name_of(function: object) -> str:
    """`Cat.speak`: the qualified name, as seen from inside the function that a class is defined in."""
    name: str = getattr(function, "__qualname__", "")
    return name.rsplit("<locals>.", 1)[-1]


def location_of(function: object) -> tuple[str | None, int | None]:
    """The file and line where a function is defined; (None, None) for one without Python code."""
    plain = inspect.unwrap(function) if callable(function) else function
    code = getattr(plain, "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code is not None else (None, None)


def _parameters(function: Callable[..., object]) -> tuple[inspect.Parameter, ...]:
    """All parameters, `self` included."""
    plain = inspect.unwrap(getattr(function, "__func__", function))
    try:
        return tuple(inspect.signature(plain).parameters.values())
    except (ValueError, TypeError):
        # Some C functions say nothing of their parameters; pluggy then passes none.
        return ()


def _implicit(
    function: Callable[..., object], parameters: tuple[inspect.Parameter, ...], expected: Collection[str]
) -> str | None:
    """The name of the parameter that Python fills in, or None.

    A bound method has one whatever its name, unless that is a parameter of the hook: then the
    author forgot `self`. For a plain function taken from a class only the name can tell.
    """
    if not parameters or _takes_rest(parameters):
        return None
    first = parameters[0].name
    if inspect.ismethod(function):
        return first if first not in expected else None
    return first if "." in name_of(inspect.unwrap(function)) and first in ("self", "cls") else None


def _takes_rest(parameters: tuple[inspect.Parameter, ...]) -> bool:
    return bool(parameters) and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL


def _options(
    implementation: Implementable, function: Callable[..., object], project: str
) -> Mapping[str, object]:
    """The options of `@hookimpl`: from the parsed implementation, or from the function's mark."""
    for options in (getattr(implementation, "opts", None), getattr(function, f"{project}_impl", None)):
        if isinstance(options, Mapping):
            return options
    return {}


def _shown(parameters: Sequence[inspect.Parameter]) -> list[str]:
    """Each parameter without its annotation, with the `/` and `*` that belong to no single one."""
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    text = str(inspect.Signature(bare))
    return [text[1:-1]] if parameters else []
