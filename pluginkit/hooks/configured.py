"""The other forms of a hook call: another error policy, a timeout, one plugin, by name, awaited."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from pluginkit.errors import UnknownName, UsageError
from pluginkit.hooks.observing import Observer, Progress
from pluginkit.hooks.timeouts import finish_within
from pluginkit.hooks.version import Variant, Version
from pluginkit.markers.typed import ErrorPolicy, Outcome

if TYPE_CHECKING:
    from pluginkit.hooks.hook import HookState

_POLICIES = ("record", "raise", "group")


class Configured:
    """A hook with options for its calls. It may be kept: every call runs on the current version.

    Args:
        hook: the hook.
        errors: the policy; None for the one that is usual for the form of the call.
        timeout: seconds that the caller waits; None for as long as it takes.
    """

    __slots__ = ("_errors", "_hook", "_timeout")

    def __init__(
        self, hook: HookState, errors: ErrorPolicy | None = None, timeout: float | None = None
    ) -> None:
        if errors is not None and errors not in _POLICIES:
            raise UsageError(
                f"errors={errors!r} is no policy; it is one of {', '.join(map(repr, _POLICIES))}"
            )
        if timeout is not None and timeout <= 0:
            raise UsageError(f"timeout={timeout!r} seconds is no time; it has to be more than 0")
        self._hook = hook
        self._errors: ErrorPolicy | None = errors
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"<hook {self._hook.spec.name!r} using errors={self._errors!r}, timeout={self._timeout!r}>"

    def using(self, *, errors: ErrorPolicy | None = None, timeout: float | None = None) -> Self:
        """The same hook with another policy or timeout; what is not named stays.

        Args:
            errors: `record`, `raise` or `group`, see `pluginkit.hooks.policy`.
            timeout: seconds until the caller gets `CallTimeout`. The implementation that was
                running goes on in its thread, since nothing can end it; those after it are
                not begun, and the late result is dropped and counted.
        """
        return type(self)(
            self._hook,
            self._errors if errors is None else errors,
            self._timeout if timeout is None else timeout,
        )

    def __call__(self, **kwargs: Any) -> Any:
        """Call the hook; gives what a plain call gives."""
        return self._run(
            self._hook.for_call(self._timeout), Variant(self._errors or self._hook.policy), kwargs
        )

    def attributed(self, **kwargs: Any) -> tuple[Outcome[Any], ...]:
        """Call the hook and say of each implementation, in call order, what it made of it.

        An answer of None is listed too, and by default an error is an outcome like any other.
        Wrappers run as always; one is listed only if it fails, since what it changes about the
        results belongs to no single plugin.
        """
        observer = Observer()
        try:
            self._run(self._hook.for_call(self._timeout), Variant(self._errors or "record"), kwargs, observer)
        except BaseException:
            observer.taken()
            raise
        # Without a variable: an error in it would hold this frame, and this frame the error.
        return observer.taken()

    def only(self, plugin: str) -> Callable[..., Any]:
        """The call of one plugin's implementation alone, which gives its answer, not a list.

        By default it raises what the plugin raises. Only the plugin's own wrappers take part;
        if it implements the hook twice, the first answer that is not None counts.

        Raises:
            UnknownName: when called, if no such plugin implements the hook at that time.
        """

        def call(**kwargs: Any) -> Any:
            whole = self._hook.for_call(self._timeout)
            version = whole.of_plugin(plugin)
            if not version.implementations:
                known = (implementation.plugin for implementation in whole.implementations)
                raise UnknownName(f"plugin with hook {self._hook.spec.name!r}", plugin, known)
            return self._run(version, Variant(self._errors or "raise", first=True), kwargs)

        return call

    async def awaited(self, **kwargs: Any) -> Any:
        """Call the hook on the running event loop, plain and `async` implementations together.

        See `pluginkit.hooks.awaiting` for order, concurrency and timeouts.
        """
        from pluginkit.hooks.awaiting import call_async, version_for

        version = await version_for(self._hook, self._timeout)
        self._refuse_historic(version)
        is_mapping, values = self._hook.bound(version, kwargs)
        arguments = values[0] if is_mapping else dict(zip(self._hook.spec.argnames, values, strict=True))
        policy = self._errors or self._hook.policy
        return await call_async(version, arguments, policy, self._timeout, self._hook.late)

    def _run(
        self, version: Version, variant: Variant, kwargs: dict[str, Any], observer: Progress | None = None
    ) -> Any:
        self._refuse_historic(version)
        is_mapping, values = self._hook.bound(version, kwargs)
        if self._timeout is not None and observer is None:
            observer = Progress()
        variant = Variant(variant.errors, variant.first, is_mapping, observed=observer is not None)
        body = version.body(variant)
        if observer is None:
            return body(*values)
        if self._timeout is None:
            return body(observer, *values)
        return finish_within(
            self._timeout, lambda: body(observer, *values), observer, version, self._hook.late
        )

    def _refuse_historic(self, version: Version) -> None:
        if version.spec.historic:
            self._hook.refuse_plain(version)
