"""The order in which a hook's implementations are called.

Wrappers first, the outermost before the others; then the rest. Among either: `tryfirst`, the
normal ones, `trylast`; in each of these the host's own objects in order of registration, then
plugins by priority from high to low, then by name. Nothing depends on when a plugin came, so a
reload does not reorder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pluginkit.hooks.values import Provider


def rank(provider: Provider, options: Mapping[str, Any], registered: int, position: int) -> tuple[Any, ...]:
    """The key to sort by; `registered` counts host objects, `position` one provider's functions."""
    is_wrapper = options["wrapper"] or options["hookwrapper"]
    wish = 2 if options["trylast"] else 0 if options["tryfirst"] else 1
    place = (0, registered, "") if provider.host else (1, -provider.priority, provider.name)
    return (not is_wrapper, wish, *place, position)
