r"""Text of strangers for people: nothing in it commands a terminal, or passes for a line of its own.

Names of files, messages of exceptions and records of logs hold whatever their authors like. Where
they are shown they go through one of these, and there is no other escaping.
"""

from __future__ import annotations

from reprlib import Repr

_INDENT = "  "
_SEPARATORS = "\u2028\u2029"

_repr = Repr()
_repr.maxstring = _repr.maxother = 200
_repr.maxlevel = 3


def printable(text: str) -> str:
    r"""Text of one or more lines: control characters, which may command a terminal, made visible.

    >>> print(printable("a\x1b[2Jb\nc"))
    a\x1b[2Jb
    c
    """
    if text.isprintable():
        return text
    return "".join(character if _is_harmless(character) else ascii(character)[1:-1] for character in text)


def one_line(text: str, most: int | None = None) -> str:
    r"""Text on one line, whatever it holds; with `most`, cut after so many characters.

    >>> one_line("cat\n2026-11-27 error: forged\x1b[2K")
    'cat\\n2026-11-27 error: forged\\x1b[2K'
    """
    if not text.isprintable():
        text = printable(text).replace("\n", "\\n").replace("\t", "\\t")
    return text if most is None or len(text) <= most else f"{text[:most]}…"


def hanging(text: str) -> str:
    r"""Printable text whose first line stands out: those below it are indented, if they are not so already.

    >>> print(hanging("it failed\nerror: forged"))
    it failed
      error: forged
    """
    return indented(printable(text))


def indented(text: str) -> str:
    """The same for text that is printable already, or has commands of our own in it."""
    first, *others = text.split("\n")
    if all(line.startswith(_INDENT) or not line for line in others):
        return "\n".join([first, *others])
    return "\n".join([first, *(_INDENT + line if line else "" for line in others)])


def quoted(value: object) -> str:
    """The `repr` of what somebody gave, cut to a length and a depth that an error message can bear.

    >>> quoted("cat"), len(quoted("x" * 1_000_000)) < 300
    ("'cat'", True)
    """
    return _repr.repr(value)


def _is_harmless(character: str) -> bool:
    # Spaces beyond ASCII do not count as printable, but do no harm either, unless they end the line.
    return (
        character.isprintable()
        or character in "\n\t"
        or (character.isspace() and character >= "\xa0" and character not in _SEPARATORS)
    )
