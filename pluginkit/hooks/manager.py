"""`PluginManager`: pluggy's, with generated dispatch behind its hooks.

One changed import gives a project that uses pluggy the same results at a fraction of the cost
of a call:

    from pluginkit import PluginManager        # was: from pluggy import PluginManager

It is a subclass of `pluggy.PluginManager`; names, blocking, validation and tracing are
pluggy's own code. What differs is listed in the class's docstring.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import pluggy
from pluggy import HookImpl

from pluginkit.hooks.caller import Caller
from pluginkit.hooks.multicall import multicall
from pluginkit.hooks.reading import DEFAULT_OPTIONS, hookable


class PluginManager(pluggy.PluginManager):
    """A drop-in for `pluggy.PluginManager`.

    - A hook, `pm.hook.name`, is a function with pluggy's methods as attributes, and no instance
      of `pluggy.HookCaller`. Put into a class it would be bound; put it into an instance.
    - `unregister` forgets the distribution of a plugin too, so that nothing keeps it alive.
    - A wrapper with a second `yield` fails the call as in pluggy, but the wrappers around it
      are still left.
    - Registering is safe while other threads call: each call runs on the implementations that
      were there when it began.

    >>> from pluginkit import HookimplMarker, HookspecMarker, PluginManager
    >>> hookspec, hookimpl = HookspecMarker("zoo"), HookimplMarker("zoo")
    >>> class Animals:
    ...     @hookspec
    ...     def speak(self, is_loud): "What the animal says."
    >>> class Cat:
    ...     @hookimpl
    ...     def speak(self, is_loud): return "MEOW!" if is_loud else "Meow"
    >>> manager = PluginManager("zoo")
    >>> manager.add_hookspecs(Animals)
    >>> manager.register(Cat(), name="cat")
    'cat'
    >>> manager.hook.speak(is_loud=True)
    ['MEOW!']
    """

    def __init__(self, project_name: str) -> None:
        self._change_lock = threading.RLock()
        super().__init__(project_name)
        self._inner_hookexec = multicall

    # Dispatch

    @property
    def is_direct(self) -> bool:
        """Whether calls go straight to their bodies: nobody monitors them or took their place."""
        overridden = type(self)._hookexec is not PluginManager._hookexec
        return self._inner_hookexec is multicall and not overridden

    @property
    def _inner_hookexec(self) -> Any:
        # pluggy's add_hookcall_monitoring puts its own function here, and the former one back.
        return self.__dict__["_inner_hookexec"]

    @_inner_hookexec.setter
    def _inner_hookexec(self, execute: Any) -> None:
        self.__dict__["_inner_hookexec"] = execute
        for hook in self.hook.__dict__.values():
            hook._caller.reset()

    def subset_hook_caller(self, name: str, remove_plugins: Iterable[object]) -> Any:
        """The named hook without some plugins; it stays current, and `repr` tells it from the hook."""
        hook: Any = getattr(self.hook, name)
        implementing = {implementation.plugin for implementation in hook.get_hookimpls()}
        removed = implementing.intersection(remove_plugins)
        return hook._caller.subset(removed) if removed else hook

    # Changes

    def add_hookspecs(self, module_or_class: Any) -> None:
        """Add the hook specifications of a module or class.

        Raises:
            ValueError: there is none, or one for a hook that has one.
            PluginValidationError: a plugin that is registered implements one wrongly.
        """
        found = [
            (name, options)
            for name in dir(module_or_class)
            if (options := self.parse_hookspec_opts(module_or_class, name)) is not None
        ]
        if not found:
            raise ValueError(f"did not find any {self.project_name!r} hooks in {module_or_class!r}")
        with self._change_lock:
            for name, options in found:
                hook = self._hook_named(name)
                hook.set_specification(module_or_class, options)
                for implementation in hook.get_hookimpls():
                    self._verify_hook(hook, implementation)

    def register(self, plugin: object, name: str | None = None) -> str | None:
        """Register a plugin and return its name, or None if the name is blocked.

        Raises:
            ValueError: the name or the plugin is registered already.
            PluginValidationError: an implementation does not fit its hook; nothing has changed.
        """
        if plugin is None:
            return None
        plugin_name = name or self.get_canonical_name(plugin)
        with self._change_lock:
            if self.is_blocked(plugin_name):
                return None
            self._require_new(plugin, plugin_name)
            prepared = [
                (hook_name, implementation, self._is_verified(hook_name, implementation))
                for hook_name, implementation in self._implementations_of(plugin, plugin_name)
            ]
            # Everything that can fail, but for what historic calls do, has been done.
            self._name2plugin[plugin_name] = plugin
            for hook_name, implementation, is_verified in prepared:
                hook = self._hook_named(hook_name)
                if not is_verified and hook.has_spec():
                    # A historic call to an implementation before this one added the spec.
                    self._verify_hook(hook, implementation)
                hook._maybe_apply_history(implementation)
                hook._add_hookimpl(implementation)
        return plugin_name

    def unregister(self, plugin: object | None = None, name: str | None = None) -> Any | None:
        """Unregister a plugin, by object or name, and return it; nothing here refers to it any more."""
        with self._change_lock:
            removed = super().unregister(plugin, name)
            self._plugin_distinfo[:] = [row for row in self._plugin_distinfo if row[0] is not removed]
        return removed

    def _require_new(self, plugin: object, plugin_name: str) -> None:
        if plugin_name in self._name2plugin:
            raise ValueError(f"Plugin name already registered: {plugin_name}={plugin}\n{self._name2plugin}")
        if plugin in self._name2plugin.values():
            raise ValueError(
                f"Plugin already registered under a different name: {plugin_name}={plugin}\n{self._name2plugin}"
            )

    def _implementations_of(self, plugin: object, plugin_name: str) -> Iterable[tuple[str, HookImpl]]:
        for attribute in dir(plugin):
            options = self.parse_hookimpl_opts(plugin, attribute)
            if options is None:
                continue
            for option, default in DEFAULT_OPTIONS.items():
                options.setdefault(option, default)  # type: ignore[misc]  # option is one of the TypedDict's keys
            found = hookable(plugin, attribute)
            if found is None:
                raise AssertionError(f"{plugin!r}.{attribute} is not a hookable attribute")
            yield options["specname"] or attribute, HookImpl(plugin, plugin_name, found[1], options)

    def _is_verified(self, hook_name: str, implementation: HookImpl) -> bool:
        hook = getattr(self.hook, hook_name, None)
        if hook is None or not hook.has_spec():
            return False
        self._verify_hook(hook, implementation)
        return True

    def _hook_named(self, name: str) -> Any:
        hook = getattr(self.hook, name, None)
        if hook is None:
            hook = Caller(name, self).function
            setattr(self.hook, name, hook)
        return hook
