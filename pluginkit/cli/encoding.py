"""Output that never fails for its characters: what a stream cannot carry is written in ASCII.

A log file in Latin-1, a terminal in the C locale, a file name that is no valid UTF-8: none of
them may turn an answer into a traceback.
"""

from __future__ import annotations

import codecs
from typing import TextIO

_HANDLER = "pluginkit-ascii"
_SPELLINGS = {
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
}


def make_safe(stream: TextIO) -> None:
    """Let `stream` spell out what its encoding lacks, instead of raising UnicodeEncodeError."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        codecs.register_error(_HANDLER, _spell_out)
        reconfigure(errors=_HANDLER)


def carries_unicode(stream: TextIO) -> bool:
    """Whether all characters reach the reader as they are."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")


def _spell_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    spelt = (_SPELLINGS.get(character) or ascii(character)[1:-1] for character in lost)
    return "".join(spelt), error.end
