"""What an exception in an implementation leads to.

Three policies, per host and per call:

- `record` (default): the error is reported, the call goes on, the good results are returned.
- `raise`: the error is reported, and the call ends with it, as pluggy's does.
- `group`: as `record`, and at the end all errors are raised together, with the good results.

Under `record` and `group`, wrappers see the good results only. A wrapper that fails before its
`yield` is passed over; one that fails after it loses its own say, and the outcome stays what it
was inside. A firstresult hook goes on to the next implementation.

Whatever the policy, KeyboardInterrupt and asyncio's CancelledError reach the caller at once
and no wrapper can hold them back; any other BaseException, SystemExit among them, is contained:
where it would have to be raised, a `ContainedError` with the original as its cause takes its
place, so that `except Exception` in the host is enough.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from pluginkit.errors import ContainedError, HookErrors, passes_through
from pluginkit.hooks import wrapping
from pluginkit.hooks.values import CallFailure, Implementation

Report = Callable[[CallFailure], None]
Errors = list[Exception]
Leave = Callable[[wrapping.Wrapper, Any, list[BaseException]], Any]

_log = logging.getLogger("pluginkit")


class Failures:
    """Decides about the errors of one hook's implementations; bodies call its methods.

    Args:
        hook: the hook's name.
        report: gets every failure, under any policy.
        isolating: whether the others' answers matter more than the error (`record`, `group`).
    """

    def __init__(self, hook: str, report: Report | None, *, isolating: bool) -> None:
        self._hook = hook
        self._report = report
        self.isolating = isolating
        # A hook that declares a rule for its results checks here what wrappers make of them.
        self.leave_wrapper: Leave = wrapping.leave

    def failed(
        self, implementation: Implementation, error: BaseException, errors: Errors | None = None
    ) -> bool:
        """Take note of an error; gives whether it has to fly on.

        Raises:
            ContainedError: it has to fly on, but must not as it is.
        """
        if passes_through(error):
            return True
        self.note(implementation, error)
        if errors is not None:
            errors.append(contained(implementation, error))
        elif not self.isolating and not isinstance(error, Exception):
            raise contained(implementation, error) from error
        return not self.isolating

    def note(self, implementation: Implementation, error: BaseException) -> None:
        """Write on the error whose it is, and report it."""
        blame(implementation, error)
        if self._report is None:
            return
        try:
            self._report(CallFailure(implementation.plugin, implementation.version, self._hook, error))
        except Exception:
            _log.exception("on_failure failed for %s", implementation)

    def leave(
        self,
        wrapper: wrapping.Wrapper,
        outcome: Any,
        flying: list[BaseException],
        implementation: Implementation,
        errors: Errors | None = None,
    ) -> Any:
        """Run a wrapper to its end; gives the outcome from now on, and changes what is `flying`."""
        thrown = flying.copy()
        try:
            result = self.leave_wrapper(wrapper, outcome, flying)
            if thrown and passes_through(thrown[0]):
                self._noted(implementation, thrown, flying, errors)
                flying[:] = thrown
                return outcome
            if not flying or _same(flying, thrown):
                return result
            if not self._noted(implementation, thrown, flying, errors):
                return result
            flying[:] = thrown if self.isolating else [contained(implementation, flying[0])]
            return result
        finally:
            thrown.clear()

    def _noted(
        self,
        implementation: Implementation,
        thrown: list[BaseException],
        flying: list[BaseException],
        errors: Errors | None,
    ) -> bool:
        """Take note of what a wrapper raised itself; False if there is nothing to note."""
        if not flying or _same(flying, thrown) or passes_through(flying[0]):
            return False
        self.note(implementation, flying[0])
        if errors is not None:
            errors.append(contained(implementation, flying[0]))
        return True

    def grouped(self, errors: Errors, results: Any) -> HookErrors:
        """What the policy `group` raises at the end of a call."""
        grouped = HookErrors(f"hook {self._hook!r}", errors, results)
        # The list belongs to a frame that is in the errors' tracebacks.
        errors.clear()
        return grouped


def _same(some: list[BaseException], others: list[BaseException]) -> bool:
    # Exceptions may define equality in any way.
    return [id(error) for error in some] == [id(error) for error in others]


def blame(implementation: Implementation, error: BaseException) -> None:
    """Add the note `plugin 'cat' 1.0.0 in hook 'speak'`, once."""
    note = str(implementation)
    if note in getattr(error, "__notes__", ()):
        return
    try:
        error.add_note(note)
    except Exception:
        # A frozen exception takes no note; the failure's report names the plugin all the same.
        _log.debug("%s: cannot add a note to %s", note, type(error).__name__)


def contained(implementation: Implementation, error: BaseException) -> Exception:
    """The error itself, or what stands for it if an `except Exception` would not catch it."""
    if isinstance(error, Exception):
        return error
    return ContainedError.of(str(implementation), implementation.plugin, error)
