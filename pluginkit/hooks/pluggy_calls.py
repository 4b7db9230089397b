"""The ways to call that pluggy's hook callers have besides the plain one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from pluggy import HookImpl

from pluginkit.hooks.arguments import warn_of_missing
from pluginkit.hooks.checks import Checks
from pluginkit.hooks.entry import Body
from pluginkit.hooks.multicall import CheckedImpl, PluggyBody
from pluginkit.hooks.reading import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from pluginkit.hooks.manager import PluginManager

History: TypeAlias = list[tuple[Mapping[str, Any], Callable[[Any], object] | None]]


class PluggyCalls:
    """What a hook and a subset of it have in common; implementations are in pluggy's order.

    `spec` and `history` are pluggy's: the specification, and the calls kept of a historic hook.
    `checks` has the rules that the specification declares, or is None.
    """

    name: str
    manager: PluginManager

    @property
    def spec(self) -> Any:
        raise NotImplementedError

    @property
    def history(self) -> History | None:
        raise NotImplementedError

    @property
    def checks(self) -> Checks | None:
        raise NotImplementedError

    def get_hookimpls(self) -> list[HookImpl]:
        """All registered implementations; the last is called first."""
        raise NotImplementedError

    def has_spec(self) -> bool:
        """Whether the hook has a specification."""
        return self.spec is not None

    def is_historic(self) -> bool:
        """Whether calls are kept for plugins that come later."""
        return self.history is not None

    @property
    def firstresult(self) -> bool:
        return bool(self.has_spec() and self.spec.opts.get("firstresult"))

    @property
    def names(self) -> tuple[str, ...] | None:
        """All arguments that the specification knows, or None if there is none."""
        return (*self.spec.argnames, *self.spec.kwargnames) if self.has_spec() else None

    def call_historic(
        self,
        result_callback: Callable[[Any], object] | None = None,
        kwargs: Mapping[str, object] | None = None,
    ) -> None:
        """Call the hook now, and for each plugin that is registered later.

        Args:
            result_callback: gets each result that is not None.
            kwargs: the arguments.
        """
        if self.history is None:
            raise AssertionError(f"hook {self.name!r} is not historic")
        arguments = self.completed(kwargs or {})
        if self.checks is not None:
            # Now, not when a plugin comes: then nobody could be told.
            arguments = self.checks.arguments(arguments)
        self.history.append((arguments, result_callback))
        results = self.run(self.get_hookimpls(), arguments)
        if result_callback is not None and isinstance(results, list):
            for result in results:
                result_callback(result)

    def call_extra(self, methods: Sequence[Callable[..., object]], kwargs: Mapping[str, object]) -> Any:
        """Call the hook with more functions taking part, as if they were registered last."""
        self.refuse_historic()
        arguments = self.completed(kwargs)
        implementations = _with_extra(self.get_hookimpls(), methods)
        values = self.values_of(arguments)
        if values is None:
            return self.run(implementations, arguments)
        return self.body_for(implementations)(*values)

    def run(self, implementations: Sequence[HookImpl], arguments: Mapping[str, Any]) -> Any:
        """Call implementations the way that the manager says, monitors included."""
        if self.checks is not None:
            arguments = self.checks.arguments(arguments)
            implementations = [CheckedImpl.of(one, self.checks) for one in implementations]
        return self.manager._hookexec(self.name, implementations, arguments, self.firstresult)

    def values_of(self, arguments: Mapping[str, Any]) -> list[Any] | None:
        """The arguments in the order in which a body takes them, or None for an irregular call.

        Irregular is one whose arguments are not exactly the spec's, or that is monitored.
        """
        names = self.names
        if names is None or not self.manager.is_direct or len(arguments) != len(names):
            return None
        try:
            return [arguments[name] for name in names]
        except KeyError:
            return None

    def body_for(self, implementations: Sequence[HookImpl]) -> Body:
        """The body of these implementations; it takes the spec's arguments, or one mapping."""
        names = self.names
        if names is None or self.all_known(implementations, names):
            return self.written(implementations, names).function()
        mapped = self.written(implementations, None).function()
        return lambda *values: mapped(dict(zip(names, values, strict=True)))

    def written(
        self,
        implementations: Sequence[HookImpl],
        names: Sequence[str] | None,
        taken: frozenset[str] = frozenset(),
    ) -> PluggyBody:
        """The body of these implementations as text and names; see `PluggyBody`."""
        return PluggyBody(
            self.name, implementations, names, firstresult=self.firstresult, taken=taken, checks=self.checks
        )

    @staticmethod
    def all_known(implementations: Iterable[HookImpl], names: Sequence[str]) -> bool:
        """False only for a spec that came late and does not fit an implementation that was there."""
        return all(name in names for one in implementations for name in one.argnames)

    def completed(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments with the spec's defaults; what is missing is warned of at the caller's line."""
        if not self.has_spec():
            return given
        arguments = {**self.spec.kwargdefaults, **given}
        warn_of_missing(self.spec.argnames, arguments)
        return arguments

    def refuse_historic(self) -> None:
        if self.history is not None:
            raise AssertionError("Cannot directly call a historic hook - use call_historic instead.")


def place_of(implementation: HookImpl, implementations: Sequence[HookImpl]) -> int:
    """Where pluggy inserts an implementation: by kind, and last among those of its kind.

    The order is trylast, normal, tryfirst, and after these the wrappers in the same three.
    """
    first_wrapper = len(implementations)
    while first_wrapper and _is_wrapper(implementations[first_wrapper - 1]):
        first_wrapper -= 1
    start, end = 0, first_wrapper
    if _is_wrapper(implementation):
        start, end = first_wrapper, len(implementations)
    if implementation.trylast:
        return start
    if not implementation.tryfirst:
        while end > start and implementations[end - 1].tryfirst:
            end -= 1
    return end


def _is_wrapper(implementation: HookImpl) -> bool:
    return implementation.wrapper or implementation.hookwrapper


def _with_extra(implementations: list[HookImpl], methods: Sequence[Callable[..., object]]) -> list[HookImpl]:
    for method in methods:
        extra = HookImpl(None, "<temp>", method, {**DEFAULT_OPTIONS})  # type: ignore[typeddict-item]  # these are they
        implementations.insert(place_of(extra, implementations), extra)
    return implementations
