"""Names as an attacker would choose them, and what may be shown of them."""

from __future__ import annotations

from pathlib import Path

TRAVERSING = (
    "", ".", "..", "../evil", "../../etc/passwd", "/etc/passwd", "sub/cat", "sub\\cat", "..\\evil", "~", "~root",
    "kat/../kat", "kat/", "./kat", "\uff0e\uff0e\uff0fevil", "kat\0", "file:///etc/passwd",
)  # fmt: skip
COMMANDING = (
    "kat\n2026-11-27 10:00:00.000 error kat: forged", "kat\r", "\x1b[31mkat", "\x9b2J", "\x1b]0;title\x07", "\u202ekat",
    "kat\u200b", "\u2028kat", "\ufeffkat", "<red>kat</red>", "{0.__class__}", "{kat}", "%s%n", "'; DROP TABLE queues; --",
    "$(touch evil)", "`touch evil`", "kat; touch evil", "kat|sh", "*", "k?t", "[a-z]*", "__class__", "__init__", "_private",
)  # fmt: skip
CONFUSABLE = (
    "\u212aat",
    "\uff4bat",
    "k\u0430t",
    "kat ",
    " kat",
    "kat.",
    "k\u0301at",
    "kat\udcff",
    "CON:",
    "kat\t",
)
LONG = ("k" * 100_000, "../" * 50_000)
HOSTILE = (*TRAVERSING, *COMMANDING, *CONFUSABLE, *LONG)
"""None of them names the plugin `kat`."""

BYTES = (b"ev\nil: running", b"\x1b[2J", b"\xff\xfe", b"$(touch evil)", b"; touch evil", b"-rf", b"'")
"""Names of files that a file system takes."""


def tree(*directories: Path) -> set[str]:
    """All that lies below these directories."""
    return {str(path) for directory in directories for path in directory.rglob("*")}


def is_tame(text: str) -> bool:
    """Whether people can be shown a text: nothing in it commands a terminal, and it has an end."""
    return all(line.isprintable() for line in text.replace("\t", "").split("\n")) and len(text) < 20_000
