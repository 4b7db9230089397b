"""`await hook.awaited(…)`: plain and `async` implementations together, on the running event loop.

All implementations begin at once; results keep the order of calls. An `async` one runs as a
task of the loop. A plain one runs in a thread of its own, with the caller's context variables,
so that one which blocks holds up neither the loop nor the others; if what it gives has to be
awaited, it is. A firstresult hook asks one after the other, as it promises to stop at the
first answer. Wrappers run in the loop's thread, around everything.

When the time is over, or the policy `raise` has its error, or the caller is cancelled, tasks
are cancelled and threads left behind; what those still give is dropped and counted.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pluginkit.errors import CallTimeout, passes_through
from pluginkit.hooks import wrapping
from pluginkit.hooks.arguments import optional, picked
from pluginkit.hooks.frames import awaited_call
from pluginkit.hooks.late import LateResults
from pluginkit.hooks.policy import Errors, Failures
from pluginkit.hooks.values import Implementation
from pluginkit.hooks.version import Version
from pluginkit.markers.typed import ErrorPolicy

if TYPE_CHECKING:
    from pluginkit.hooks.hook import HookState

# The loop itself refers to its tasks weakly.
_left_behind: set[asyncio.Task[Any]] = set()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one implementation gave.

    An error is a value here: a task that raised SystemExit would end the whole loop.
    """

    result: Any = None
    error: BaseException | None = None


async def call_async(
    version: Version,
    arguments: Mapping[str, Any],
    policy: ErrorPolicy,
    timeout: float | None,  # noqa: ASYNC109  # asyncio.timeout cannot say who had not answered
    late: LateResults,
) -> Any:
    """Make one call of all implementations of a version.

    Args:
        version: what to call.
        arguments: all arguments, by name.
        policy: what errors lead to, as in a plain call.
        timeout: seconds for the whole call.
        late: counts what comes from threads that were left behind.

    Raises:
        InvalidArgument: the hook's spec has a rule that does not allow one of the arguments.
        CallTimeout: not all have answered in time; each that has not is reported.
        HookErrors: the policy is `group` and something failed.
    """
    with awaited_call():
        return await _Call(version, arguments, policy, timeout, late).outcome()


async def version_for(hook: HookState, timeout: float | None) -> Version:  # noqa: ASYNC109  # as above
    """The version that a call is to run; a closed gate is waited for beside the loop."""
    if hook.is_gated():
        return await asyncio.to_thread(hook.for_call, timeout)
    return hook.for_call(timeout)


class _Call:
    """One call that is under way."""

    def __init__(
        self,
        version: Version,
        arguments: Mapping[str, Any],
        policy: ErrorPolicy,
        timeout: float | None,
        late: LateResults,
    ) -> None:
        checks = version.spec.checks
        self._version = version
        self._arguments = arguments if checks is None else checks.arguments(arguments)
        self._checked = None if checks is None else checks.result
        self._timeout = timeout
        self._late = late
        self._failures: Failures = version.failures(policy)
        self._errors: Errors | None = [] if policy == "group" else None
        self._ends = None if timeout is None else time.monotonic() + timeout
        self._firstresult = version.spec.firstresult

    async def outcome(self) -> Any:
        """The results, with the wrappers around them."""
        outcome: Any = None if self._firstresult else []
        entered: list[tuple[Implementation, wrapping.Wrapper]] = []
        flying: list[BaseException] = []
        try:
            for implementation in self._version.implementations:
                if implementation.is_wrapper:
                    self._enter(implementation, entered)
            outcome = await self._answers()
        except BaseException as error:
            flying.append(error)
        for implementation, wrapper in reversed(entered):
            outcome = self._failures.leave(wrapper, outcome, flying, implementation, self._errors)
        if flying:
            raise flying.pop()
        if self._errors:
            raise self._failures.grouped(self._errors, outcome)
        return outcome

    def _enter(
        self, implementation: Implementation, entered: list[tuple[Implementation, wrapping.Wrapper]]
    ) -> None:
        try:
            wrapper = self._called(implementation)
            if implementation.hookwrapper:
                wrapper = wrapping.adapted(wrapper, implementation, self._version.spec.name)
            entered.append((implementation, wrapping.entered(wrapper)))
        except BaseException as error:
            if self._failures.failed(implementation, error, self._errors):
                raise

    async def _answers(self) -> Any:
        """What the implementations give: all at once, or one after the other until one answers."""
        others = [one for one in self._version.implementations if not one.is_wrapper]
        if not self._firstresult:
            return [result for result in await self._together(others) if result is not None]
        for implementation in others:
            for result in await self._together([implementation]):
                if result is not None:
                    return result
        return None

    async def _together(self, implementations: Sequence[Implementation]) -> list[Any]:
        tasks = {asyncio.ensure_future(self._one(one)): one for one in implementations}
        try:
            await self._until_settled(tasks)
            return self._results([(one, task.result()) for task, one in tasks.items() if task.done()])
        finally:
            self._forget(tasks)

    def _forget(self, tasks: dict[asyncio.Task[_Answer], Implementation]) -> None:
        """Empty the dictionary: a frame that has it may be in the traceback of an error in it."""
        while tasks:
            task, implementation = tasks.popitem()
            if not task.done():
                self._leave_behind(task, implementation)

    async def _until_settled(self, tasks: Mapping[asyncio.Task[_Answer], Implementation]) -> None:
        """Return when all are done, or when one ended the call for all."""
        pending = set(tasks)
        while pending:
            remaining = None if self._ends is None else max(0.0, self._ends - time.monotonic())
            done, pending = await asyncio.wait(
                pending, timeout=remaining, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                raise self._timed_out([tasks[task] for task in tasks if task in pending])
            if any(self._ends_call(task.result().error) for task in done):
                return

    def _ends_call(self, error: BaseException | None) -> bool:
        return error is not None and (not self._failures.isolating or passes_through(error))

    def _results(self, answers: list[tuple[Implementation, _Answer]]) -> list[Any]:
        """The good results in call order; the policy decides about the others."""
        results = []
        while answers:
            implementation, answer = answers.pop(0)
            if answer.error is None:
                results.append(answer.result)
            elif self._failures.failed(implementation, answer.error, self._errors):
                answers.clear()
                try:
                    raise answer.error
                finally:
                    # As above: an error must not be held by a frame of its own traceback.
                    del answer
        return results

    def _timed_out(self, waiting: Sequence[Implementation]) -> CallTimeout:
        error = CallTimeout(self._version.spec.name, self._timeout or 0.0, [one.plugin for one in waiting])
        for implementation in waiting:
            self._failures.note(implementation, error)
        return error

    async def _one(self, implementation: Implementation) -> _Answer:
        """Get the answer of one implementation, whatever kind it is of."""
        begun = time.perf_counter()
        try:
            if implementation.asyncness == "yes":
                answer = _Answer(await self._called(implementation))
            else:
                answer = await self._in_thread(implementation)
                if inspect.isawaitable(answer.result):
                    answer = _Answer(await answer.result)
            return answer if self._checked is None else _Answer(self._checked(answer.result), answer.error)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            return _Answer(error=error)
        finally:
            if self._version.metrics is not None:
                counter = self._version.metrics.counter(implementation.plugin, implementation.hook)
                counter.spent(time.perf_counter() - begun)

    def _leave_behind(self, task: asyncio.Task[_Answer], implementation: Implementation) -> None:
        """Cancel a task without waiting: a plugin may take its time to end, or refuse to."""

        def ended(task: asyncio.Task[_Answer]) -> None:
            _left_behind.discard(task)
            if not task.cancelled():
                self._late.add(implementation.plugin, implementation.hook)

        _left_behind.add(task)
        task.add_done_callback(ended)
        task.cancel()

    def _called(self, implementation: Implementation) -> Any:
        return implementation.function(
            *picked(implementation, self._arguments), **optional(implementation, self._arguments)
        )

    async def _in_thread(self, implementation: Implementation) -> _Answer:
        mailbox = _Mailbox(lambda: self._late.add(implementation.plugin, implementation.hook))
        future = mailbox.future
        run = contextvars.copy_context().run

        def work() -> None:
            # Without a variable, which would hold the error whose traceback holds this frame.
            mailbox.put(_answer_of(lambda: self._called(implementation)))

        threading.Thread(target=run, args=(work,), name=f"hook {implementation.hook}", daemon=True).start()
        return await future


class _Mailbox:
    """Brings an answer from a thread to the loop, or counts it if nobody waits for it any more."""

    def __init__(self, late: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._late = late
        # Given away with the answer: the answering thread's frames know this object.
        self.future: asyncio.Future[_Answer] = self._loop.create_future()

    def put(self, answer: _Answer) -> None:
        """Hand in the answer, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._settle, answer)
        except RuntimeError:
            # The loop was closed meanwhile.
            self._late()

    def _settle(self, answer: _Answer) -> None:
        future = self.future
        del self.future
        if future.done():
            self._late()
        else:
            future.set_result(answer)


def _is_cancelled() -> bool:
    """Whether somebody wants the present task to end, rather than the plugin having said so itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _answer_of(call: Callable[[], Any]) -> _Answer:
    try:
        return _Answer(call())
    except BaseException as error:
        return _Answer(error=error)
