"""The nouns of a hook table: who provides, what is implemented, what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pluginkit.errors import UsageError, describe_exception
from pluginkit.markers.typed import Outcome

__all__ = ["CallFailure", "Implementation", "Outcome", "Provider"]


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """Who registers implementations: one generation of one plugin, or an object of the host.

    Two generations of one plugin are two providers of the same name; the table swaps one for
    the other in one transaction. A table holds the target exactly as long as the provider is
    committed to it.

    Args:
        name: the plugin's name; one table knows each name once.
        target: the object, class or module whose functions carry `@hookimpl`.
        version: the plugin's version, for notes on its errors.
        priority: 0 to 100; those with a higher one are called earlier.
        host: an object of the host's own; it is called before all plugins.
        lenient: an unknown hook is a warning instead of an error, as with pluggy.

    Raises:
        UsageError: the priority is outside of 0 to 100.
    """

    name: str
    target: Any = field(repr=False)
    version: str | None = None
    priority: int = 50
    host: bool = False
    lenient: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.priority <= 100:
            raise UsageError(
                f"plugin {self.name!r}: priority {self.priority} is outside of 0 to 100 (50 is the middle)"
            )

    def __str__(self) -> str:
        return f"plugin {self.name!r}" + (f" {self.version}" if self.version else "")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Implementation:
    """One function of a provider that implements one hook.

    `argnames` are the parameters without, `kwargnames` those with a default; only these two
    kinds are ever passed. `opts` is what `@hookimpl` noted.
    """

    hook: str
    function: Callable[..., Any]
    argnames: tuple[str, ...]
    kwargnames: tuple[str, ...]
    opts: Mapping[str, Any] = field(repr=False)
    provider: Provider
    asyncness: Literal["no", "perhaps", "yes"] = "no"
    # Calls are made in the order of this key, see `order.py`.
    rank: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def plugin(self) -> str:
        return self.provider.name

    @property
    def plugin_name(self) -> str:
        return self.provider.name

    @property
    def version(self) -> str | None:
        return self.provider.version

    @property
    def wrapper(self) -> bool:
        return bool(self.opts["wrapper"])

    @property
    def hookwrapper(self) -> bool:
        return bool(self.opts["hookwrapper"])

    @property
    def is_wrapper(self) -> bool:
        """Whether it surrounds the others, in either of pluggy's two styles."""
        return self.wrapper or self.hookwrapper

    @property
    def is_optional(self) -> bool:
        return bool(self.opts["optionalhook"])

    def __str__(self) -> str:
        return f"{self.provider} in hook {self.hook!r}"


@dataclass(frozen=True, slots=True)
class CallFailure:
    """One implementation raised in one call; `time` is the wall clock's.

    The error's traceback holds the plugin's frames, and with them its generation. Keep the
    text (`str(failure)`, `traceback.format_exception`) where memory must be freed on unload.
    """

    plugin: str
    version: str | None
    hook: str
    error: BaseException
    time: float = field(default_factory=time.time)

    def __str__(self) -> str:
        version = f" {self.version}" if self.version else ""
        return f"plugin {self.plugin!r}{version} in hook {self.hook!r}: {describe_exception(self.error)}"
