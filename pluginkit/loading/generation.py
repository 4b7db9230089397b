"""A generation: one version of one plugin's modules, from one snapshot, apart from all others.

The identity is private, the name is public. Every module is kept in `sys.modules` under a
private key (`cat#7`, `cat#7.sub`; also in its spec and `__package__`), so that two plugins, or
two versions of one, never meet. Its `__name__` reads `cat.sub`, so that loggers, pickles and
tracebacks stay the same over reloads. Import statements of the plugin resolve inside its own
generation at any time, lazy ones included: each module's `__builtins__` carries the
generation's own `__import__`.

What must stay true: after `close()` nothing outside the plugin's own objects refers to the
generation, and `alive()` names the modules that somebody still holds.
"""

from __future__ import annotations

import builtins
import itertools
import os
import sys
import typing
import weakref
from collections.abc import Callable, Mapping
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from pluginkit.loading import facade, finder, retired, source_lines, stable
from pluginkit.loading.canaries import Canaries
from pluginkit.loading.imports import GenerationImport
from pluginkit.loading.layout import Location, layout
from pluginkit.loading.outside import Outside
from pluginkit.loading.traces import Traces

if TYPE_CHECKING:
    from pluginkit.snapshot import Snapshot

Wire = Callable[[str], "Generation | None"]
"""Answers which generation of another plugin a top-level import name means, if any."""

_numbers = itertools.count(1)
_import_statement = builtins.__import__


class Generation:
    """The modules of one plugin at one version.

    `package` is what the plugin's own code calls its root package, `public` the name that the
    rest of the program sees (the same, if it was free); `owner` is whoever may share its façade
    (one host). `installed` plugins are packages that a plain import would find too; only for the
    others does a plain `import utils` find the plugin's own `utils.py`. `wire` connects
    `import otherplugin` to that plugin's generation. `previous` is the generation that this one
    is to replace: its compiled code of unchanged files and its stable modules are used again, and
    what it has left in the process is taken over. `marks` are put among the builtins of its modules.
    """

    def __init__(
        self,
        package: str,
        snapshot: Snapshot,
        *,
        owner: object = None,
        installed: bool = False,
        wire: Wire | None = None,
        previous: Generation | None = None,
        marks: Mapping[str, object] | None = None,
    ) -> None:
        self.package = package
        self.snapshot = snapshot
        self.installed = installed
        self.number = next(_numbers)
        self.key = f"{package}#{self.number}"
        self.locations: Mapping[str, Location] = layout(snapshot)
        self.codes: dict[str, tuple[str, CodeType]] = {}
        self.wired: dict[str, Generation] = {}
        self.closed = False
        self.adopted: dict[str, ModuleType] = {}
        self._previous = previous
        self._reuse = {} if previous is None else dict(previous.codes)
        self._keys: dict[str, None] = {}
        self._released: set[str] = set()
        self._retired: weakref.WeakValueDictionary[str, ModuleType] = weakref.WeakValueDictionary()
        self.canaries = Canaries()
        self.importer = GenerationImport(self, wire=wire, plain_imports=not installed)
        self.builtins: dict[str, Any] = {
            **vars(builtins),
            **(marks or {}),
            "__import__": self.importer,
        }
        finder.register(self)
        self._owner = owner
        self._is_committed = False
        self._directory = str(snapshot.directory)
        self.facade_root = facade.claim(package, owner, snapshot.root)
        self.public = package if self.facade_root is None else self.facade_root.package
        if self.facade_root is not None and self.facade_root.committed is None:
            self.facade_root.candidate = self
        self.outside = Outside(self.public, self.builtins)
        self.traces = Traces(self.public, self.outside)

    def adopt_stable(self) -> None:
        """Use the stable modules of the previous generation whose source is the same.

        Raises ImportError if the plugin declares one that it does not have.
        """
        self.adopted = stable.adopt(self, self._previous)

    def import_module(self, name: str = "") -> ModuleType:
        """Import the module `name` relative to the root package; "" is the root itself.

        Raises ImportError if there is none, and whatever the module's code raises.
        """
        return self.import_private(f"{self.key}.{name}" if name else self.key)

    def import_private(self, key: str) -> ModuleType:
        """Import one of this generation's modules by its key in `sys.modules`."""
        module = sys.modules.get(key)
        if module is not None and not _is_initialising(module):
            return module
        if not self.closed:
            # The statement's own function: unlike `importlib.import_module` it accepts a half
            # initialised module where threads that import in a circle would wait for each other.
            try:
                _import_statement(key)
            except ModuleNotFoundError:
                if not self.closed:
                    raise
            module = sys.modules.get(key)
        if module is None:
            # Closed, maybe by another thread just now.
            module = self._retired.get(key)
        if module is None:
            raise ImportError(
                f"{self.public_name(key)!r}: generation {self.number} of this plugin was purged"
            )
        return module

    def public_name(self, key: str) -> str:
        """The name that the module kept under `key` shows to the world."""
        return self.public + key[len(self.key) :]

    def _key_of(self, public_name: str) -> str:
        return self.key + public_name[len(self.public) :]

    def relative_name(self, key: str) -> str:
        return key[len(self.key) + 1 :]

    def commit(self) -> None:
        """Let outsiders' imports of the public name mean this generation from now on.

        What the previous one has left for it (stable modules, values in the environment) is its own
        now. Cannot fail.
        """
        self._is_committed = True
        previous, self._previous = self._previous, None
        if previous is not None and not previous.closed:
            stable.move(self, previous)
            self.traces.take_over(previous.traces)
        if self.facade_root is not None:
            self.facade_root.committed = self
            self.facade_root.candidate = None

    def claim_name(self) -> facade.FacadeRoot | None:
        """The façade of the public name, which another host may have given back by now."""
        if self.facade_root is None and not self.closed:
            root = facade.claim(self.package, self._owner, self.snapshot.root)
            if root is not None and root.package == self.public:
                self.facade_root = root
                if self._is_committed:
                    root.committed = self
        return self.facade_root

    def file(self, location: Location) -> str:
        """Where a file of the snapshot lies on disk, if it still does."""
        path = location.path if os.sep == "/" else location.path.replace("/", os.sep)
        return f"{self._directory}{os.sep}{path}"

    def compiled(self, location: Location) -> CodeType:
        """The code object of one source or bytecode file of the snapshot."""
        source = self.snapshot.code[location.path]
        known = self.codes.get(location.path) or self._reuse.get(location.path)
        if known is None or known[0] != source.sha256:
            known = source.sha256, finder.compile_source(source.data, self.file(location), location.kind)
        self.codes[location.path] = known
        return known[1]

    def count(self, key: str) -> None:
        """Count what `sys.modules` has under this key as a module of this generation."""
        self._keys[key] = None

    def watch(self, module: ModuleType) -> None:
        """Remember `module` for `alive()`."""
        self.canaries.watch(module)

    @property
    def has_moved_modules(self) -> bool:
        """Whether another generation is the home of modules by now whose code was made here."""
        return bool(self._released)

    def release(self, module: ModuleType) -> None:
        """Count a module no more as this generation's: another one is its home now."""
        self._released.add(module.__name__)
        self.canaries.forget(module)

    def alive(self) -> tuple[str, ...]:
        """The public names of the modules that are still held by somebody."""
        return self.canaries.alive()

    def modules(self) -> dict[str, ModuleType]:
        """The modules imported so far, by public name."""
        found = {self.public_name(key): sys.modules.get(key) for key in tuple(self._keys)}
        return {name: module for name, module in found.items() if module is not None}

    def close(self) -> None:
        """Take the modules out of every process-wide table. Running code keeps what it has."""
        if self.closed:
            return
        self.closed = True
        self.traces.undo()
        finder.unregister(self)
        modules = self.modules()
        # A module may have put any object in its own place.
        real = {name: module for name, module in modules.items() if issubclass(type(module), ModuleType)}
        if self._is_replaced():
            retired.hand_down(module for name, module in real.items() if name not in self._released)
        for name, module in real.items():
            # Code that lives on finds what it had imported already; at every moment.
            self._retired[self._key_of(name)] = module
        for name in modules:
            sys.modules.pop(self._key_of(name), None)
        source_lines.unpin(self)
        self._release_facade()
        # Old code may live on for a while; what only served to load more of it need not.
        self._reuse.clear()
        self.codes.clear()
        self.wired.clear()
        self._previous = None
        self.importer.forget()
        # typing caches `List[PluginClass]` and the like process-wide.
        for cleanup in getattr(typing, "_cleanups", ()):
            cleanup()

    def _is_replaced(self) -> bool:
        root = self.facade_root
        return root is not None and root.committed not in (None, self)

    def _release_facade(self) -> None:
        root = self.facade_root
        if root is None:
            return
        if root.candidate is self:
            root.candidate = None
        if root.committed in (None, self):
            root.committed = None
            facade.release(root)
            return
        # Another generation serves; only the names of modules that it lacks must go.
        for name in self.locations:
            if name and name not in root.committed.locations:
                facade.withdraw(f"{self.public}.{name}")


def _is_initialising(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))
