"""The slips that plugin authors make most, found and answered with the right form beside the wrong.

An error that only says "hook missing" leaves its reader to find out why. Most often the hook is
there: unmarked, marked for another project, spelt a little differently, or inside a class that
the entrypoint does not name. We look for it, without running anything of the plugin.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pluginkit.contracts.hook_info import HookSpecInfo
from pluginkit.contracts.implementation import Given
from pluginkit.contracts.signatures import passed
from pluginkit.errors import nearest


@dataclass(frozen=True)
class Slip:
    """Where the missing hook hides: a clause that ends the sentence, and the code to change."""

    clause: str
    wrong: tuple[str, ...]
    right: tuple[str, ...]
    function: Callable[..., object]


def side_by_side(wrong: Sequence[str], right: Sequence[str]) -> str:
    """The wrong and the right code, ready to stand under a sentence.

    >>> print(side_by_side(["def speak(self, loud):"], ["def speak(self, is_loud):"]))
    <BLANKLINE>
          wrong:  def speak(self, loud):
          right:  def speak(self, is_loud):
    """
    return "".join(_block("wrong:", wrong) + _block("right:", right))


def _block(label: str, lines: Sequence[str]) -> list[str]:
    return [
        f"\n      {label if number == 0 else ' ' * len(label)}  {line}" for number, line in enumerate(lines)
    ]


def where_it_hides(target: object, spec: HookSpecInfo, project: str) -> Slip | None:
    """Find the method that was meant as the missing hook `spec` of a plugin's object, if any."""
    methods = methods_of(target)
    free = {name: value for name, value in methods.items() if not hasattr(value, f"{project}_impl")}
    name = spec.name if spec.name in free else nearest(spec.name, (n for n in free if n[0] != "_"))
    if name is not None:
        return _unmarked(free[name], name, spec, project)
    return _in_a_class(target, spec, project)


def is_unmarked(target: object, spec: HookSpecInfo, project: str) -> bool:
    """Whether the object has a method of just the hook's name without this project's mark."""
    function = methods_of(target).get(spec.name)
    return function is not None and not hasattr(function, f"{project}_impl")


def methods_of(target: object) -> Mapping[str, Callable[..., object]]:
    """The functions of an object, class or module by name, properties never run."""
    owners = [vars(target)] if inspect.ismodule(target) else _namespaces(target)
    found: dict[str, Callable[..., object]] = {}
    for owner in owners:
        for name, value in owner.items():
            plain = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
            if inspect.isroutine(plain):
                found[name] = plain
    return found


def _namespaces(target: object) -> list[Mapping[str, object]]:
    cls = target if inspect.isclass(target) else type(target)
    bases: list[Mapping[str, object]] = [vars(base) for base in reversed(cls.__mro__) if base is not object]
    return bases if cls is target else [*bases, getattr(target, "__dict__", {})]


def _unmarked(function: Callable[..., object], name: str, spec: HookSpecInfo, project: str) -> Slip:
    """A method of the hook's name, or nearly, that does not carry this project's mark."""
    if other := _mark_of_another(function, project):
        return Slip(
            f"{name!r} is marked for the project {other!r}, while this host's is {project!r}",
            (f'hookimpl = HookimplMarker("{other}")',),
            (f'hookimpl = HookimplMarker("{project}")',),
            function,
        )
    found = Given.read(name, function, project)
    return Slip(
        f"there is a method {name!r} without @hookimpl",
        (found.written(),),
        ("@hookimpl", found.corrected(passed(spec), name=spec.name)),
        function,
    )


def _in_a_class(target: object, spec: HookSpecInfo, project: str) -> Slip | None:
    """The entrypoint names a module, but the hooks are in a class of it."""
    if not isinstance(target, types.ModuleType):
        return None
    package = target.__name__.partition(".")[0]
    for name, value in vars(target).items():
        # Not the classes that it imports from elsewhere, such as a base of its own.
        if not inspect.isclass(value) or value.__module__.partition(".")[0] != package:
            continue
        function = methods_of(value).get(spec.name)
        if function is not None and hasattr(function, f"{project}_impl"):
            module = target.__name__.rpartition(".")[2]
            return Slip(
                f"the entrypoint names the module; the hook is in its class {name!r}",
                (f'entrypoint: "{module}"',),
                (f'entrypoint: "{module}:{name}"',),
                function,
            )
    return None


def _mark_of_another(function: Callable[..., object], project: str) -> str | None:
    """The project that a function's `@hookimpl` was made for, if it is not this one."""
    marks: Mapping[str, object] = getattr(function, "__dict__", {})
    for mark, options in marks.items():
        if mark.endswith("_impl") and mark != f"{project}_impl" and isinstance(options, Mapping):
            return mark.removesuffix("_impl")
    return None
