"""Names of plugins, and of what else a manifest may name: harmless in paths, logs and shells."""

from __future__ import annotations

import re

LONGEST_NAME = 64

PLUGIN_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
WORD = r"[A-Za-z](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]*"

_PLUGIN_NAME = re.compile(rf"{PLUGIN_NAME}\Z")
_WORD = re.compile(rf"{WORD}\Z")
_IDENTIFIER = re.compile(rf"{IDENTIFIER}\Z")


def normalise_name(name: str) -> str:
    """The form by which plugin names are compared: as PEP 503 normalises them.

    >>> normalise_name("My_Cat.v2")
    'my-cat-v2'
    """
    folded = re.sub(r"[-_.]+", "-", name)
    # Beyond ASCII are no names of plugins, but letters that become one of ours: the Kelvin sign is no k.
    return folded.lower() if folded.isascii() else folded


def plugin_name(text: str) -> str:
    """Give `text` back if it can name a plugin.

    Raises ValueError with a sentence otherwise. A name becomes part of paths, of module names,
    of log lines and commands, so it has nothing in it that means something there.
    """
    if len(text) > LONGEST_NAME:
        raise ValueError(f"must not be longer than {LONGEST_NAME} characters")
    if not _PLUGIN_NAME.match(text):
        raise ValueError(
            "must be a plugin name: letters, digits, '-', '_' and '.', with a letter or digit at both ends"
        )
    return text


def word(text: str) -> str:
    """Give `text` back if it can name a type, a format, a language or an implementation."""
    if len(text) > LONGEST_NAME:
        raise ValueError(f"must not be longer than {LONGEST_NAME} characters")
    if not _WORD.match(text):
        raise ValueError("must be a word: a letter, then letters, digits, '-', '_' and '.'")
    return text


def identifier(text: str) -> str:
    """Give `text` back if it can name a hook: an identifier of Python, in ASCII."""
    if len(text) > LONGEST_NAME:
        raise ValueError(f"must not be longer than {LONGEST_NAME} characters")
    if not _IDENTIFIER.match(text):
        raise ValueError("must be a name as in Python: a letter or '_', then letters, digits and '_'")
    return text
