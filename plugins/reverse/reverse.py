"""The text backwards, code point by code point.

A letter that is written as two code points (`e` and a combining accent) comes apart by this, and
so does an emoji with a skin colour: what people see as one character is not what Python counts.
"""

from __future__ import annotations

from pluginkit import hookimpl


@hookimpl
def transform(text: str) -> str:
    """`hello world` becomes `dlrow olleh`."""
    return text[::-1]
