"""Arguments of the services as plain values.

A subclass of `str` may say that it equals whatever it is compared with, and the system would still be
given what is in it. So the rules are asked about the very value that is used.
"""

from __future__ import annotations

import os


def plain_text(value: object, what: str) -> str:
    """The text itself, without what a subclass makes of it; TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is a text, not {type(value).__name__}")
    return str.__str__(value)


def plain_path(path: object) -> str:
    """The text of a path or a path object, which is asked only once: it may answer differently each time."""
    # Not os.fspath alone: bytes have encodings, and a number would be a descriptor of the host's.
    text: object = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str):
        raise TypeError(f"a path is a text or a path object of text, not {type(path).__name__}")
    text = str.__str__(text)
    if not text or "\0" in text:
        raise ValueError(f"not a path: {text!r}")
    return text
