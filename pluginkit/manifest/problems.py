"""What is wrong with a manifest, as an exception and as text for people and programs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pluginkit.errors import ManifestError, Problem, Reason
from pluginkit.printable import one_line


class InvalidManifest(ManifestError):
    """A manifest cannot be used; `problems` holds everything that is wrong with it, by line."""

    def __init__(self, problems: Iterable[Problem], *, file: str | Path | None = None) -> None:
        ordered = tuple(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
        self.file = None if file is None else Path(file)
        plugin = self.file.parent.name if self.file is not None else ""
        super().__init__(plugin or "?", Reason("manifest-invalid", "the manifest cannot be used", ordered))


def describe_problems(problems: Iterable[Problem]) -> str:
    """Problems as plain text: each with its place, the value found, and an example of a right one.

    >>> print(describe_problems([Problem("is not known; did you mean 'animal'?", "plugin.type", "'anmal'",
    ...                                  "type: animal", "cat/manifest.yaml", 3, 3)]))
    cat/manifest.yaml: 1 problem
      line 3: plugin.type is not known; did you mean 'animal'?
        found: 'anmal'
        right: type: animal
    """
    blocks: dict[str, list[str]] = {}
    for problem in problems:
        blocks.setdefault(one_line(str(problem.file or "manifest")), []).extend(_lines(problem))
    texts = []
    for file, lines in blocks.items():
        count = sum(not line.startswith("    ") for line in lines)
        texts.append("\n".join([f"{file}: {count} problem{'s' * (count != 1)}", *lines]))
    return "\n".join(texts)


def problems_as_dicts(problems: Iterable[Problem]) -> list[dict[str, object]]:
    """Problems as plain data for JSON, always with the same keys."""
    return [
        {
            "file": None if problem.file is None else str(problem.file),
            "line": problem.line,
            "column": problem.column,
            "path": problem.path,
            "message": problem.message,
            "found": problem.found,
            "example": problem.example,
        }
        for problem in problems
    ]


def _lines(problem: Problem) -> list[str]:
    place = f"line {problem.line}: " if problem.line is not None else ""
    lines = [f"  {place}{problem.path}{' ' * bool(problem.path)}{problem.message}"]
    if problem.found is not None:
        lines.append(f"    found: {problem.found}")
    if problem.example is not None:
        lines.append(f"    right: {problem.example}")
    return lines
