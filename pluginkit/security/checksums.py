"""Checksum files: `<hex> <filename>` on each line, the form of `sha256sum`.

A file list vouches for a whole plugin or for nothing: a file that is not listed is refused like
one whose content differs, because it would be imported just the same. The line `<hex> .` stands
for all files at once; its number is the tree's digest.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

from pluginkit.security.subject import refuse
from pluginkit.security.tree import checksum_names, tree_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pluginkit.security.subject import Subject

MAX_BYTES = 4 << 20
"""A list of more is refused before it is read."""

WHOLE_TREE = "."
_LINE = re.compile(r"(?P<hex>[0-9A-Fa-f]{64}) [ *]?(?P<name>[^\s*].*)")


def find_checksums(subject: Subject) -> Path | None:
    """The plugin's checksum file; raises `Refused` if there are two that may disagree."""
    directory = subject.root if subject.root.is_dir() else subject.root.parent
    present = [path for path in map(directory.joinpath, checksum_names(subject)) if path.is_file()]
    if len(present) > 1:
        both = " and ".join(path.name for path in present)
        raise refuse("checksum-malformed", f"there are {both}, which may disagree; keep one", file=directory)
    return present[0] if present else None


def read_checksums(file: Path) -> dict[str, str]:
    """The sha256 of each listed file by its path, in lower case; raises `Refused` with file and line."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        lines = data.decode("utf-8").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise refuse("checksum-malformed", f"cannot be read: {error}", file=file) from error
    listed: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line.removesuffix("\r"))
        if match is None:
            text = f"must be <64 hex digits> <filename>, as `sha256sum` writes it (found {line[:100]!r})"
            raise refuse("checksum-malformed", text, file=file, line=number)
        name = _inside(match["name"], file, number)
        if name in listed:
            raise refuse("checksum-malformed", f"{name!r} is listed twice", file=file, line=number)
        listed[name] = match["hex"].lower()
    return listed


def _inside(name: str, file: Path, line: int) -> str:
    """The path without a leading `./`; a list can only speak of the plugin's own files."""
    plain = name.removeprefix("./") if name != "./" else WHOLE_TREE
    is_odd = any(part in ("", ".", "..") for part in plain.split("/")) and plain != WHOLE_TREE
    if is_odd or "\\" in plain or any(ord(character) < 32 for character in plain):
        text = f"must be a path inside the plugin, with `/` and without `..` (found {name[:100]!r})"
        raise refuse("checksum-malformed", text, file=file, line=line)
    return plain


def check_listed(listed: Mapping[str, str], present: Mapping[str, str], file: Path) -> None:
    """Hold the plugin's files to its list; raises `Refused` for the first difference."""
    whole = listed.get(WHOLE_TREE)
    if whole is not None and not _equal(whole, tree_digest(present)):
        text = f"the files of the plugin are not those that {file.name} was made of: {_two(whole, tree_digest(present))}"
        raise refuse("checksum-mismatch", text, file=file)
    for name, wanted in listed.items():
        if name == WHOLE_TREE:
            continue
        if name not in present:
            raise refuse("listed-file-missing", f"lists {name!r}, which is not there", file=file)
        if not _equal(wanted, present[name]):
            raise refuse("checksum-mismatch", f"{name} was changed: {_two(wanted, present[name])}", file=file)
    if whole is None:
        _refuse_unlisted(listed, present, file)


def _refuse_unlisted(listed: Mapping[str, str], present: Mapping[str, str], file: Path) -> None:
    unlisted = [name for name in present if name not in listed]
    bytecode = [name for name in unlisted if name.endswith(".pyc")]
    if bytecode:
        text = f"does not list {bytecode[0]!r}, compiled code that nobody can read; remove it"
        raise refuse("unlisted-bytecode", text, file=file)
    if unlisted:
        more = f" (and {len(unlisted) - 1} more)" if len(unlisted) > 1 else ""
        text = (
            f"does not list {unlisted[0]!r}{more}; every file of the plugin has to be listed: remove it, "
            "or write the list anew with `pluginkit verify PATH --write`"
        )
        raise refuse("unlisted-file", text, file=file)


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.lower().encode(), other.lower().encode())


def _two(wanted: str, present: str) -> str:
    return f"its sha256 is {present[:16]}…, not {wanted[:16]}…"


def as_text(files: Mapping[str, str]) -> str:
    """The list of files in the form that `sha256sum -c` reads, too.

    No two trees have the same list: a name that holds the end of a line is escaped, as sha256sum does.
    """
    return "".join(_line(name, digest) for name, digest in sorted(files.items()))


def _line(name: str, digest: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{digest}  {name}\n" if escaped == name else f"\\{digest}  {escaped}\n"
