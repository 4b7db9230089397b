"""Reading marks off a plugin's object or a class of hookspecs, by pluggy's rules.

Attributes are looked up statically, in the `__dict__`s along the MRO, so that no property,
descriptor or `__getattr__` of a plugin runs while it is inspected. `inspect.getattr_static`
does the same, but on 3.12.0 its cache keeps the plugin's classes alive.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

# What `@hookimpl` notes; other libraries' marks may lack some of it.
DEFAULT_OPTIONS: Mapping[str, Any] = {
    "wrapper": False,
    "hookwrapper": False,
    "optionalhook": False,
    "tryfirst": False,
    "trylast": False,
    "specname": None,
}

_ABSENT = object()
_MODULES_CAN_HAVE = (types.FunctionType, types.MethodType)


def marked(
    target: object, project: str, kind: Literal["spec", "impl"]
) -> Iterator[tuple[str, Callable[..., Any], Mapping[str, Any]]]:
    """Each function of `target` that the project marked, as name, bound function and options.

    `target` is a module, a class or an instance. What is marked for pluginkit itself counts in
    every project, so that built-in contracts work in hosts of another. Names come in
    alphabetical order, as pluggy has them.
    """
    marks = dict.fromkeys((f"{project}_{kind}", f"pluginkit_{kind}"))
    for name in sorted(_names(target)):
        found = hookable(target, name)
        if found is None:
            continue
        holder, function = found
        options = next((options for mark in marks if (options := _mark(holder, mark)) is not None), None)
        if options is not None:
            yield name, function, options


def _mark(holder: object, mark: str) -> Mapping[str, Any] | None:
    options = getattr(holder, mark, None)
    if options is None:
        options = getattr(getattr(holder, "__func__", None), mark, None)
    return options if isinstance(options, Mapping) else None


def parameter_names(function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the parameters without and with a default, `self` or `cls` left out.

    Keyword-only parameters are not among them: pluggy never passes those.
    """
    bound = isinstance(function, types.MethodType)
    plain: Any = inspect.unwrap(function)
    if isinstance(plain, types.MethodType):
        bound, plain = True, plain.__func__
    code = getattr(plain, "__code__", None)
    if code is None:
        return (), ()
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount]
    first_default = len(names) - len(plain.__defaults__ or ())
    required, optional = names[:first_default], names[first_default:]
    if required and (bound or _is_implicit(plain, required[0])):
        required = required[1:]
    return required, optional


def _is_implicit(function: Callable[..., Any], first: str) -> bool:
    """Whether the first parameter of a function taken from a class is the instance or the class."""
    local_name = function.__qualname__.rsplit("<locals>.", 1)[-1]
    return "." in local_name and first in ("self", "cls")


def _names(target: object) -> set[str]:
    if isinstance(target, types.ModuleType):
        return {name for name, value in vars(target).items() if isinstance(value, _MODULES_CAN_HAVE)}
    holders = target.__mro__ if isinstance(target, type) else type(target).__mro__
    names = {name for holder in holders if holder is not object for name in vars(holder)}
    return names | set(_instance_dict(target))


def hookable(target: object, name: str) -> tuple[object, Callable[..., Any]] | None:
    """The object that may carry the mark, and the function bound as `getattr` would bind it."""
    if isinstance(target, types.ModuleType):
        return _unbound(vars(target).get(name))
    if isinstance(target, type):
        return _from_class(_in_mro(target, name), target, instance=None)
    value = _instance_dict(target).get(name, _ABSENT)
    static = _in_mro(type(target), name)
    if value is _ABSENT and isinstance(static, types.MemberDescriptorType):
        value = _slot(static, target)
    if value is not _ABSENT:
        # What an instance stores itself is handed out as it is, without binding.
        return _unbound(value)
    return _from_class(static, type(target), instance=target)


def _from_class(
    static: object, owner: type, instance: object | None
) -> tuple[object, Callable[..., Any]] | None:
    if isinstance(static, staticmethod):
        return static, static.__func__
    if isinstance(static, classmethod):
        return static, static.__get__(None, owner)
    if instance is not None and isinstance(static, types.FunctionType):
        return static, types.MethodType(static, instance)
    return _unbound(static)


def _unbound(value: object) -> tuple[object, Callable[..., Any]] | None:
    if isinstance(value, types.FunctionType):
        return value, value
    if isinstance(value, types.MethodType):
        return value.__func__, value
    return None


def _in_mro(owner: type, name: str) -> object:
    for holder in owner.__mro__:
        if name in vars(holder):
            return vars(holder)[name]
    return None


def _instance_dict(target: object) -> dict[str, Any]:
    try:
        found = object.__getattribute__(target, "__dict__")
    except AttributeError:
        return {}
    return found if isinstance(found, dict) else {}


def _slot(descriptor: types.MemberDescriptorType, target: object) -> object:
    try:
        return descriptor.__get__(target, type(target))
    except AttributeError:
        return _ABSENT
