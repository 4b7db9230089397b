"""The single texts of a manifest: each function gives the value, or says what is wrong with it.

The JSON Schema names the same functions as formats (`schema.FORMATS`), so that the hand check
and the schema cannot differ about them.
"""

from __future__ import annotations

import re

# Control characters, and those that reorder the text around them: a terminal obeys them.
UNPRINTABLE = "\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}]")
_ROUTE = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@{}%/-]*\Z")
_LONGEST_REQUIREMENT = 1000


def prose(text: str) -> str:
    """Text for people, of one or more lines."""
    if _UNPRINTABLE.search(text):
        raise ValueError("must not contain control characters")
    return text


def line(text: str) -> str:
    """Text for people, on one line, not empty."""
    if not text.strip():
        raise ValueError("must not be empty")
    if "\n" in text or "\t" in text:
        raise ValueError("must be on one line")
    return prose(text)


def web_address(text: str) -> str:
    """The address of a page that people can open."""
    if not text.startswith(("https://", "http://")) or text.split() != [text]:
        raise ValueError("must be a web address that begins with https:// or http://")
    return line(text)


def package_requirement(text: str) -> str:
    """A requirement on an installed distribution, as PEP 508 writes it."""
    from packaging.requirements import InvalidRequirement, Requirement

    if len(text) > _LONGEST_REQUIREMENT:
        raise ValueError(f"must not be longer than {_LONGEST_REQUIREMENT} characters")
    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"is not a requirement as in PEP 508: {str(error).splitlines()[0]}") from None
    return line(text)


def route(text: str) -> str:
    """The path of an HTTP route, with `:name` or `{name}` for its parameters."""
    if not _ROUTE.match(text) or not is_normal(text):
        raise ValueError("must be a path that begins with '/', of URL characters, without '//' and '..'")
    return text


def is_normal(path: str) -> bool:
    """Whether a path is written in the one way that means it, and leads nowhere else."""
    return "//" not in path and not any(part in (".", "..") for part in path.split("/"))
