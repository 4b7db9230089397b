"""Every error of pluginkit, told apart by who is to blame.

`UsageError` is the host program's or the user's mistake, `PluginError` a plugin's defect,
`PluginkitError` alone our own fault. Exit codes of the command line follow from that.

Reasons and problems are values, not exceptions: what is wrong with one plugin must never
stop the others, so it is carried along beside them and shown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pluginkit.printable import hanging, one_line, quoted

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one file, with all that is needed to mend it.

    `path` is the dotted path of the field (`plugin.version`), `found` the value as it stands
    in the file (its repr), `example` a right one as the user would type it. `line` and
    `column` count from 1.

    >>> print(Problem("must be a semantic version", path="plugin.version", found="'1.2'",
    ...               example='version: "1.2.3"', file="manifest.yaml", line=3))
    manifest.yaml:3: plugin.version: must be a semantic version (found '1.2'; right would be version: "1.2.3")
    """

    message: str
    path: str = ""
    found: str | None = None
    example: str | None = None
    file: str | Path | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        where = ""
        if self.file is not None:
            file = one_line(str(self.file))
            where = f"{file}:{self.line}: " if self.line is not None else f"{file}: "
        elif self.line is not None:
            where = f"line {self.line}: "
        field = f"{one_line(self.path)}: " if self.path else ""
        extras = []
        if self.found is not None:
            extras.append(f"found {self.found}")
        if self.example is not None:
            extras.append(f"right would be {self.example}")
        tail = f" ({'; '.join(extras)})" if extras else ""
        return f"{where}{field}{self.message}{tail}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a plugin is in the state it is in: a stable code for programs, a sentence for people.

    Codes are lower-case words joined by `-` and are listed in the reference of states.
    """

    code: str
    text: str
    problems: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        return self.text


class PluginkitError(Exception):
    """The base of all errors that pluginkit raises."""


class UsageError(PluginkitError):
    """The host program or the user asked for something that cannot be."""


class ConfigError(UsageError):
    """The host's configuration, or a plugin's config file, is wrong; `problems` names each key."""

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(_with_problems(message, self.problems))


class UnknownName(UsageError, LookupError):
    """A name that nothing has; `nearest` is the closest known one, or None.

    >>> raise UnknownName("plugin", "cta", ["cat", "dog"])
    Traceback (most recent call last):
    ...
    pluginkit.errors.UnknownName: no plugin named 'cta'; did you mean 'cat'?
    """

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.nearest = nearest(name, self.known)
        super().__init__(f"no {kind} named {quoted(name)}{did_you_mean(name, self.known)}")


class ContractDefinitionError(UsageError):
    """A contract (class of hookspecs) or a hookspec of the host is wrong in itself."""


class DuplicateName(UsageError):
    """Something of that name is registered already."""


class StateError(UsageError):
    """The operation is not possible in the state that the host or the plugin is in."""


class PluginError(PluginkitError):
    """A plugin's defect. `plugin` is its name, `reason` the code and sentence shown by `list`."""

    def __init__(self, plugin: str, reason: Reason) -> None:
        self.plugin = plugin
        self.reason = reason
        super().__init__(_with_problems(f"plugin {plugin!r}: {reason.text}", reason.problems))


class ManifestError(PluginError):
    """The manifest cannot be used; `problems` holds every error, each with file and field."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.reason.problems


class LoadError(PluginError):
    """The plugin's code could not be brought up; `step` says where (import, contract, on_load …)."""

    def __init__(self, plugin: str, reason: Reason, *, step: str = "import") -> None:
        self.step = step
        super().__init__(plugin, reason)


class ContractError(LoadError):
    """The plugin does not fulfil its contract; the problems name hook and difference."""

    def __init__(self, plugin: str, reason: Reason) -> None:
        super().__init__(plugin, reason, step="contract")


class UnknownSymbol(PluginError, LookupError):
    """A plugin has no symbol or implementation of that name."""

    def __init__(self, plugin: str, symbol: str, known: Iterable[str] = (), *, kind: str = "symbol") -> None:
        self.symbol = symbol
        known = tuple(known)
        self.nearest = nearest(symbol, known)
        text = f"has no {kind} named {symbol!r}{did_you_mean(symbol, known)}"
        super().__init__(plugin, Reason(f"unknown-{kind}", text))


class LabelError(UsageError, LookupError):
    """An `execute` call selects no work: its label is missing (None), no text, or unknown."""

    def __init__(self, label: object, known: Iterable[str]) -> None:
        self.label = label
        self.known = tuple(sorted(known))
        labels = one_line(", ".join(self.known)) or "none"
        if label is None:
            text = "the call has no label; set one: CallContext({'label': …})"
        elif not isinstance(label, str):
            text = f"a label is text, not {type(label).__name__}: {label!r}"
        else:
            text = f"no work for the label {label!r}"
            near = nearest(label, self.known)
            text += f"; did you mean {near!r}?" if near is not None else ""
        super().__init__(f"{text} (known: {labels})")


class CallCancelled(PluginkitError):
    """A call's context was cancelled or ran out of time; `__cause__` says which."""


class ContainedError(PluginError):
    """Stands for a BaseException of a plugin, such as SystemExit; that one is its `__cause__`."""

    @classmethod
    def of(cls, where: str, plugin: str, error: BaseException) -> ContainedError:
        made = cls(
            plugin, Reason("call-failed", f"{where} raised {describe_exception(error)}; it is contained")
        )
        made.__cause__ = error
        made.add_note(where)
        return made


class AsyncImplementation(PluginError):
    """A plain call met an implementation that is `async`; `await host.hook.NAME.awaited(…)` serves it."""

    def __init__(self, plugin: str, hook: str) -> None:
        self.hook = hook
        text = f"implements hook {hook!r} as a coroutine; call it with: await host.hook.{hook}.awaited(…)"
        super().__init__(plugin, Reason("async-implementation", text))


class CallTimeout(PluginkitError, TimeoutError):
    """A hook call took longer than its `timeout`; `plugins` are those that had not answered.

    What they run goes on, since a thread cannot be ended from outside; its late result is
    dropped and counted.
    """

    def __init__(self, hook: str, timeout: float, plugins: Iterable[str]) -> None:
        self.hook = hook
        self.timeout = timeout
        self.plugins = tuple(plugins)
        waiting = ", ".join(map(repr, self.plugins)) or "none"
        super().__init__(f"hook {hook!r} did not finish within {timeout:g} s; no answer from: {waiting}")


class InvalidValue(PluginkitError, ValueError):
    """A value breaks the rule that a host declared for it, such as `Text(max_characters=80)`.

    `problem` says what is wrong, with no more of the value than a short, escaped excerpt. In a
    call, `hook` is the hook's name, and `argument` the argument's; for what a plugin gave, which
    is that plugin's mistake, `argument` is None. Outside of calls both are None.
    """

    def __init__(self, problem: str, hook: str | None = None, argument: str | None = None) -> None:
        self.problem = problem
        self.hook = hook
        self.argument = argument
        what = "result" if argument is None else f"argument {argument!r}"
        super().__init__(problem if hook is None else f"hook {hook!r}, {what}: {problem}")


class InvalidArgument(InvalidValue, UsageError):
    """A hook was called with a value that its contract does not allow; no plugin was called."""


class HookErrors(PluginkitError, ExceptionGroup[Exception]):
    """All errors of one hook call with the policy `group`; `results` is what the others answered."""

    results: Any

    def __new__(cls, message: str, errors: Sequence[Exception], results: Any = None) -> Self:
        made = super().__new__(cls, message, errors)
        made.results = results
        return made

    def __init__(self, message: str, errors: Sequence[Exception], results: Any = None) -> None:
        super().__init__(message, errors)

    def derive(self, errors: Sequence[Exception]) -> HookErrors:  # type: ignore[override]  # part of the group only
        return HookErrors(self.message, errors, self.results)


_LONGEST_PART = 1024
"""Characters of each part of a denial that a plugin makes up."""


class PermissionDenied(PluginError, PermissionError):
    """A plugin asked a service for what it is not granted.

    `operation` is such as `fs.read`, `target` what it was asked for, `rule` the nearest rule as
    people write it (None if there is none near), `reason.code` says why, for programs.
    """

    def __init__(
        self,
        plugin: str,
        operation: str,
        target: str,
        reason: Reason,
        *,
        rule: str | None = None,
        advice: str = "",
    ) -> None:
        import errno

        self.operation = operation
        self.target = target
        self.rule = rule
        self.advice = advice
        near = f"; the nearest rule is `{rule}`" if rule else ""
        todo = f"; {advice}" if advice else ""
        # The target is whatever the plugin made up, and the advice has it in it.
        shown, why, todo = (one_line(text, _LONGEST_PART) for text in (target, reason.text, todo))
        text = f"{operation} of '{shown}' is denied: {why}{near}{todo}"
        super().__init__(plugin, Reason(reason.code, text))
        self.errno = errno.EACCES

    def __reduce__(self) -> tuple[Any, ...]:
        # An OSError pickles by its positional arguments, which are not ours.
        return (
            _denied_again,
            (self.plugin, self.operation, self.target, self.reason, self.rule, self.advice),
        )


def _denied_again(  # all that the error carries
    plugin: str, operation: str, target: str, reason: Reason, rule: str | None, advice: str
) -> PermissionDenied:
    made = PermissionDenied(plugin, operation, target, reason, rule=rule, advice=advice)
    made.reason = reason
    made.args = (f"plugin {plugin!r}: {reason.text}",)
    return made


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is closest to `name`, or None if none is close."""
    import difflib

    candidates = sorted({str(k) for k in known})
    folded = {c.casefold(): c for c in reversed(candidates)}
    if name.casefold() in folded:
        return folded[name.casefold()]
    hits = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.55)
    return folded[hits[0]] if hits else None


def did_you_mean(name: str, known: Iterable[str], limit: int = 8) -> str:
    """The end of a sentence about an unknown name: the nearest, or what there is."""
    known = sorted({str(k) for k in known})
    near = nearest(name, known)
    if near is not None:
        return f"; did you mean {near!r}?"
    if not known:
        return "; there is none"
    shown = one_line(", ".join(known[:limit])) + (", …" if len(known) > limit else "")
    return f"; known: {shown}"


def passes_through(error: BaseException) -> bool:
    """Whether a BaseException of plugin code must reach the host's own caller.

    Ctrl-C is meant for the host, and a cancelled asyncio task has to end. All else that a
    plugin raises, SystemExit included, is the plugin's error and stays contained.
    """
    if isinstance(error, KeyboardInterrupt):
        return True
    asyncio_exceptions = sys.modules.get("asyncio.exceptions")
    return asyncio_exceptions is not None and isinstance(error, asyncio_exceptions.CancelledError)


def describe_exception(error: BaseException) -> str:
    """`Type: message`, even when the exception's own `__str__` raises.

    It is what a plugin says: further lines are indented, and nothing of it commands a terminal.
    """
    try:
        text = str(error)
    except BaseException as broken:
        if passes_through(broken):
            raise
        text = f"<{type(broken).__name__} while reading its message>"
    name = type(error).__name__
    return hanging(f"{name}: {text}" if text else name)


def _with_problems(message: str, problems: Sequence[Problem]) -> str:
    return "\n  ".join([message, *map(str, problems)]) if problems else message


def let_go_of_frames(error: BaseException) -> None:
    """Take the frames off an exception and all that led to it: they would keep their variables alive."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = None
        pending += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions
