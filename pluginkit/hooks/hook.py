"""One hook of a table: its function, and the version behind it.

A change of the hook swaps one reference, the body behind the entry function. What is put there
first is a stub, which generates the real body at the first call, so that a hundred changes
before it cost one generation.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pluginkit.errors import UsageError
from pluginkit.hooks.arguments import gathered, refuse_positional
from pluginkit.hooks.configured import Configured
from pluginkit.hooks.entry import Body, Entry, Parameters
from pluginkit.hooks.gate import AtGate, Gate
from pluginkit.hooks.late import LateResults
from pluginkit.hooks.pins import Pinned, Pins
from pluginkit.hooks.spec import HookSpec
from pluginkit.hooks.values import Implementation
from pluginkit.hooks.version import Variant, Version
from pluginkit.markers.typed import ErrorPolicy

_log = logging.getLogger("pluginkit")


class HookState:
    """Everything about one hook. Hosts see `function`, which carries the public methods.

    Args:
        spec: what the contract says.
        version: the implementations to begin with.
        policy: what calls do about errors unless they say otherwise.
        late: where answers are counted that came after their call's timeout.
        pins: who has pinned the table's hooks.
        lock: the table's. It makes a transaction's swaps, and what historic calls have to
            agree on with them, one step. A call takes it only to generate a body.
    """

    def __init__(
        self,
        spec: HookSpec,
        version: Version,
        policy: ErrorPolicy,
        *,
        late: LateResults,
        pins: Pins,
        lock: threading.RLock,
    ) -> None:
        self.spec = spec
        self.policy: ErrorPolicy = policy
        self.late = late
        self._pins = pins
        self._lock = lock
        self._history: list[tuple[dict[str, Any], Callable[[Any], object] | None]] = []
        parameters = Parameters(spec.argnames, spec.defaults, spec.strict, spec.doc, spec.annotations)
        self._entry = Entry(spec.name, parameters, self.stub(version), self._irregular)
        self._bound = Entry(spec.name, parameters, _as_tuple, self._irregular).function
        self.function = self._entry.function
        self._add_public_names()

    @property
    def version(self) -> Version:
        """The implementations that are committed, whatever gates and pins say to the one who calls."""
        version: Version = self._entry.body.version  # type: ignore[attr-defined]  # set by stub and _generate
        return version

    # The swap

    def stub(self, version: Version) -> Body:
        """The body to `install` for a version."""
        stub = partial(self.refuse_plain if self.spec.historic else self._first_call, version)
        stub.version = version  # type: ignore[attr-defined]  # a partial takes any attribute
        return stub

    def install(self, body: Body) -> None:
        """Make calls that begin from now on run `body`; under the lock."""
        self._entry.body = self._pins.in_front_of(self, body)

    def for_call(self, timeout: float | None = None) -> Version:
        """The version that a call beginning now is to run: it waits at a closed gate.

        Raises `CallTimeout` if it has waited there for `timeout` seconds.
        """

        def ask(body: Body) -> Version:
            if isinstance(body, AtGate):
                return body.for_call(timeout)
            version: Version = body.version  # type: ignore[attr-defined]  # every body carries its version
            return version

        body = self._entry.body
        return body.for_call(ask) if isinstance(body, Pinned) else ask(body)

    def again(self, version: Version, values: tuple[Any, ...]) -> Any:
        """Make a plain call that gate or pin has stopped, in this version."""
        if self.spec.historic:
            return self.refuse_plain(version)
        return version.body(Variant(self.policy))(*values)

    # Gates and pins

    def close(self, gate: Gate) -> Body:
        """Put the gate in the place of the body, which is returned; under the lock."""
        former = self._innermost()
        self._entry.body = self._pins.in_front_of(self, AtGate(gate, self, self.version))
        return former

    def is_gated(self) -> bool:
        """Whether a call that begins now would wait."""
        body = self._innermost()
        return isinstance(body, AtGate) and not body.gate.lets_pass() and not self._pins.is_here()

    def is_behind(self, place: AtGate) -> bool:
        """Whether the hook is still behind this place at its gate."""
        return self._innermost() is place

    def reopen(self, gate: Gate) -> None:
        """Give a hook that is still behind the gate its implementations back."""
        with self._lock:
            body = self._innermost()
            if isinstance(body, AtGate) and body.gate is gate:
                self.install(self.stub(body.version))

    def unpin(self) -> None:
        """No pin keeps an older version any more; under the lock."""
        self._entry.body = self._innermost()

    def _innermost(self) -> Body:
        body = self._entry.body
        return body.body if isinstance(body, Pinned) else body

    def _first_call(self, version: Version, *values: Any) -> Any:
        return self._generated(version)(*values)

    def _generated(self, version: Version) -> Body:
        """The real body in the place of the stub; other threads wait for it instead of making it twice."""
        with self._lock:
            place: Entry | Pinned = self._entry
            if isinstance(place.body, Pinned):
                place = place.body
            current = place.body
            if isinstance(current, AtGate):
                # This call began before the gate was closed.
                return version.body(Variant(self.policy))
            if current.version is version and not isinstance(current, partial):  # type: ignore[attr-defined]  # a function takes any attribute
                return current
            body = version.made(Variant(self.policy))
            body.version = version  # type: ignore[attr-defined]  # a function takes any attribute
            if current.version is version:  # type: ignore[attr-defined]  # as above
                place.body = body
            return body

    def refuse_plain(self, version: Version, *values: Any) -> Any:
        raise UsageError(
            f"hook {self.spec.name!r} is historic, so its calls are kept for plugins that come later; "
            f"write host.hook.{self.spec.name}.call_historic(kwargs={{…}})"
        )

    # Arguments

    def bound(self, version: Version, given: Mapping[str, Any]) -> tuple[bool, tuple[Any, ...]]:
        """Whether a call's arguments come as one mapping, and the body's positional arguments.

        Raises:
            TypeError: the arguments are not those of a strict hook's signature.
            UsageError: an implementation needs one that a lenient call does not give.
        """
        if self.spec.strict:
            return False, self._bound(**given)
        return True, (gathered(self.spec, version.implementations, given),)

    def _irregular(self, given: dict[str, Any], extra: dict[str, Any], *positional: Any) -> Any:
        """A plain call of a lenient hook that lacks arguments or has others."""
        refuse_positional(self.spec.name, positional)
        version = self.for_call()
        if self.spec.historic:
            return self.refuse_plain(version)
        arguments = gathered(self.spec, version.implementations, {**given, **extra})
        return version.body(Variant(self.policy, mapping=True))(arguments)

    # Historic calls

    def call_historic(
        self,
        result_callback: Callable[[Any], object] | None = None,
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """Call the hook now, and again for every implementation that is added later.

        Args:
            result_callback: gets each result that is not None, now and later.
            kwargs: the arguments of the call.

        Raises:
            InvalidArgument: the spec has a rule that does not allow one of the arguments.
            UsageError: the hook is not historic.
        """
        if not self.spec.historic:
            raise UsageError(
                f"hook {self.spec.name!r} is not historic; mark it with @hookspec(historic=True) "
                f"or call it plainly: host.hook.{self.spec.name}(…)"
            )
        # Under the lock an implementation is either in this version or replayed to by its commit.
        with self._lock:
            version = self.version
            is_mapping, values = self.bound(version, kwargs or {})
            arguments = values[0] if is_mapping else dict(zip(self.spec.argnames, values, strict=True))
            if self.spec.checks is not None:
                # Now, not when a plugin comes: then nobody could be told.
                arguments = self.spec.checks.arguments(arguments)
            self._history.append((arguments, result_callback))
        for result in version.body(Variant(self.policy, mapping=True))(arguments):
            if result_callback is not None:
                result_callback(result)

    def history(self) -> tuple[tuple[dict[str, Any], Callable[[Any], object] | None], ...]:
        return tuple(self._history)

    def replay(self, history: Iterable[Any], version: Version, implementation: Implementation) -> None:
        """Make earlier historic calls for one new implementation; nothing here stops a commit."""
        body = version.with_only(implementation).body(Variant("record", mapping=True))
        for arguments, callback in history:
            results = body(arguments)
            if results and callback is not None:
                try:
                    callback(results[0])
                except Exception:
                    _log.exception("result_callback of historic hook %r failed", self.spec.name)

    # What hosts see

    def implementations(self) -> tuple[Implementation, ...]:
        """The implementations in call order: wrappers from the outermost, then the others."""
        return self.version.implementations

    def source(self) -> str:
        """The generated text that a plain call runs now."""
        return self.version.source(Variant(self.policy))

    def _add_public_names(self) -> None:
        plain = Configured(self)
        function = self.function
        function.name = self.spec.name
        function.spec = self.spec
        function.using = plain.using
        function.attributed = plain.attributed
        function.awaited = plain.awaited
        function.only = plain.only
        function.call_historic = self.call_historic
        function.implementations = self.implementations
        function.source = self.source


def _as_tuple(*values: Any) -> tuple[Any, ...]:
    return values
