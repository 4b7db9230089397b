"""Values of plugins as plain data for JSON and as text for people."""

from __future__ import annotations

import json

from pluginkit.control.values import plain

__all__ = ["plain", "readable"]


def readable(value: object) -> str:
    """A value as people read it: text as it is, all else on one line of JSON."""
    return value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
