"""`host.hook`: the hooks of a table as attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pluginkit.errors import did_you_mean
from pluginkit.markers.typed import Hook


class HookRelay:
    """Gives each hook as an attribute, `relay.speak`; iterating gives their names.

    An attribute stays the same object for as long as the table, whatever plugins come and go.
    """

    __slots__ = ("__dict__",)

    def __getattr__(self, name: str) -> Hook[..., Any, Any]:
        # Only reached for what is not there: hooks are instance attributes.
        raise AttributeError(f"no hook named {name!r}{did_you_mean(name, self)}")

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(vars(self)))

    def __contains__(self, name: object) -> bool:
        return name in vars(self)

    def __len__(self) -> int:
        return len(vars(self))

    def __repr__(self) -> str:
        return f"<HookRelay: {', '.join(self) or 'no hooks'}>"
