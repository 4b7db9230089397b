"""A hook of a `PluginManager`: pluggy's `HookCaller`, with a generated body.

As in a hook table, the hook is a generated function that stays the same object; pluggy's
methods are its attributes. What pluggy tolerates is tolerated: missing arguments are a warning, others
are passed to who wants them, and without a spec anything goes.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pluggy import HookCaller, HookImpl

from pluginkit.contracts.declared import rules_of
from pluginkit.hooks.arguments import refuse_positional
from pluginkit.hooks.checks import Checks
from pluginkit.hooks.entry import ABSENT, Body, Entry, Parameters
from pluginkit.hooks.naming import RESERVED
from pluginkit.hooks.pluggy_calls import History, PluggyCalls, place_of

if TYPE_CHECKING:
    from pluginkit.hooks.manager import PluginManager


class Caller(PluggyCalls):
    """The state behind one hook.

    Under the lock the list of implementations is changed and a stub put before the body; the
    next call generates it anew. A call that has begun runs on what it began with.
    """

    def __init__(self, name: str, manager: PluginManager) -> None:
        self.name = name
        self.manager = manager
        self._spec: Any = None
        self._checks: Checks | None = None
        self._lock = threading.RLock()
        self._implementations: list[HookImpl] = []
        self._is_generated = False
        self._subsets: weakref.WeakSet[SubsetCaller] = weakref.WeakSet()
        self._entry = Entry(name, None, partial(self._first_call, None), self._irregular)
        self.function = self._entry.function
        self._add_public_names()

    @property
    def spec(self) -> Any:
        return self._spec

    @property
    def checks(self) -> Checks | None:
        return self._checks

    @property
    def history(self) -> History | None:
        # pytest sets this attribute of the hook to forget the calls of its last session.
        history: History | None = self.function._call_history
        return history

    def get_hookimpls(self) -> list[HookImpl]:
        """All registered implementations; the last is called first."""
        return self._implementations.copy()

    def set_specification(self, specmodule_or_class: Any, spec_opts: Any) -> None:
        """Give the hook its specification; it can have only one.

        Raises:
            ValueError: it has one.
            ContractDefinitionError: it declares a rule that cannot be read.
        """
        if self._spec is not None:
            raise ValueError(
                f"Hook {self._spec.name!r} is already registered within namespace {self._spec.namespace}"
            )
        # pluggy's own class reads the specification, and gives it the form that projects know.
        spec: Any = HookCaller(self.name, self.manager._hookexec, specmodule_or_class, spec_opts).spec
        parameters = Parameters(
            names=(*spec.argnames, *spec.kwargnames),
            defaults=spec.kwargdefaults,
            strict=False,
            doc=spec.function.__doc__,
            annotations=getattr(spec.function, "__annotations__", {}),
        )
        where = f"hook {self.name!r} of project {self.manager.project_name!r}"
        rules = rules_of(spec.function, parameters.names, where=where, owner=specmodule_or_class)
        with self._lock:
            self._checks = Checks(self.name, rules, parameters.defaults) if rules else None
            self._spec = self.function.spec = spec
            if spec_opts.get("historic"):
                self.function._call_history = []
            self._entry.respecify(parameters, self._stub())
            self.reset()

    def source(self) -> str:
        """The generated text that a call runs."""
        return self.written(self._implementations, self.names).text()

    # What the manager does with it

    def add(self, implementation: HookImpl) -> None:
        """Put an implementation in its place."""
        with self._lock:
            self._implementations.insert(place_of(implementation, self._implementations), implementation)
            self._changed()

    def remove_plugin(self, plugin: object) -> None:
        """Take all implementations of a plugin out.

        Raises:
            ValueError: it has none here.
        """
        with self._lock:
            remaining = [one for one in self._implementations if one.plugin != plugin]
            if len(remaining) == len(self._implementations):
                raise ValueError(f"plugin {plugin!r} not found")
            self._implementations[:] = remaining
            self._changed()

    def apply_history(self, implementation: HookImpl) -> None:
        """Make the historic calls of before for an implementation that comes now."""
        for arguments, callback in self.history or ():
            results = self.run([implementation], arguments)
            if isinstance(results, list) and results and callback is not None:
                callback(results[0])

    def subset(self, removed: set[Any]) -> SubsetCaller:
        """The same hook without some plugins, for as long as somebody keeps it."""
        subset = SubsetCaller(self, removed)
        self._subsets.add(subset)
        return subset

    def _changed(self) -> None:
        """Have the body generated anew at the next call, under the lock."""
        if self._is_generated:
            self.reset()
        for subset in self._subsets if len(self._subsets) else ():
            subset.reset()

    def reset(self) -> None:
        """Forget the generated body; monitors may have come or gone."""
        with self._lock:
            self._is_generated = False
            self._entry.body = self._stub()
            self._entry.outline()

    def _stub(self) -> Body:
        """The body that stands in for the generated one; under the lock.

        It remembers in what form its arguments come: a call may be on its way in while another
        thread gives the hook its specification.
        """
        return partial(self._first_call if self.manager.is_direct else self._through_manager, self.names)

    # Calls

    def _first_call(self, names: tuple[str, ...] | None, *values: Any) -> Any:
        self.refuse_historic()
        with self._lock:
            is_direct = self.manager.is_direct
            if is_direct and not self._is_generated:
                self._generate()
        if not is_direct:
            # A monitor comes at this moment, and has not got to this hook yet.
            return self._through_manager(names, *values)
        return self.function(**_by_name(names, values))

    def _generate(self) -> None:
        """Put the calls of the present implementations into the function itself, if they fit there."""
        names = self.names
        if names is not None and (
            RESERVED.intersection(names) or not self.all_known(self._implementations, names)
        ):
            self._entry.body = self.body_for(self._implementations)
        else:
            body = self.written(self._implementations, names, self._entry.taken() - _SHARED)
            self._entry.inline(body.lines(), body.names(), body.helpers())
        self._is_generated = True

    def _through_manager(self, names: tuple[str, ...] | None, *values: Any) -> Any:
        """The body while calls are monitored."""
        self.refuse_historic()
        return self.run(self.get_hookimpls(), _by_name(names, values))

    def _irregular(self, given: Mapping[str, Any], extra: Mapping[str, Any], *positional: Any) -> Any:
        """A call that lacks arguments of the spec, or has others."""
        refuse_positional(self.name, positional)
        self.refuse_historic()
        named = {name: value for name, value in given.items() if value is not ABSENT}
        return self.run(self.get_hookimpls(), self.completed({**named, **extra}))

    def _add_public_names(self) -> None:
        function: Any = self.function
        function.name = self.name
        function.spec = None
        for name in _PLUGGYS_NAMES:
            setattr(function, name, getattr(self, name))
        # Names of pluggy's that begin with an underscore and are used by others all the same.
        function._hookimpls = self._implementations
        function._call_history = None
        function._add_hookimpl = self.add
        function._remove_plugin = self.remove_plugin
        function._maybe_apply_history = self.apply_history
        function._caller = self


_SHARED = RESERVED - {"implementations"}
"""Names that all generated lines of one hook may use at once: helpers and local variables.

Not the name of the implementations themselves: while a call runs in earlier lines, those have theirs.
"""


def _by_name(names: tuple[str, ...] | None, values: tuple[Any, ...]) -> dict[str, Any]:
    """The arguments of a call that has come to a stub: one mapping where the hook had no specification."""
    mapping: dict[str, Any] = values[0] if names is None else dict(zip(names, values, strict=True))
    return mapping


_PLUGGYS_NAMES = (
    "has_spec",
    "is_historic",
    "set_specification",
    "get_hookimpls",
    "call_historic",
    "call_extra",
    "source",
)


class SubsetCaller(PluggyCalls):
    """A hook without some plugins.

    It follows the hook's changes and keeps no plugin alive that leaves the hook.
    """

    def __init__(self, caller: Caller, removed: set[Any]) -> None:
        self.name = caller.name
        self.manager = caller.manager
        self._caller = caller
        self._removed = removed
        self._lock = threading.Lock()
        self._body: Body | None = None

    def __repr__(self) -> str:
        return f"<_SubsetHookCaller {self.name!r}>"

    @property
    def spec(self) -> Any:
        return self._caller.spec

    @property
    def checks(self) -> Checks | None:
        return self._caller.checks

    @property
    def history(self) -> History | None:
        return self._caller.history

    def get_hookimpls(self) -> list[HookImpl]:
        """The implementations that take part; the last is called first."""
        return [one for one in self._caller.get_hookimpls() if one.plugin not in self._removed]

    def reset(self) -> None:
        """The hook has changed."""
        with self._lock:
            self._body = None

    def __call__(self, **kwargs: Any) -> Any:
        """Call the hook without those plugins."""
        self.refuse_historic()
        values = self.values_of(kwargs)
        if values is None:
            return self.run(self.get_hookimpls(), self.completed(kwargs))
        return self._current_body()(*values)

    def _current_body(self) -> Body:
        body = self._body
        if body is None:
            with self._lock:
                body = self._body = self.body_for(self.get_hookimpls())
        return body
