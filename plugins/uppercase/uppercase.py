"""All letters as capitals."""

from __future__ import annotations

from pluginkit import hookimpl


@hookimpl
def transform(text: str) -> str:
    """`hello world` becomes `HELLO WORLD`."""
    return text.upper()
