"""Rules of the house that no linter knows, over every file that git would keep.

- A silenced checker says why: `# noqa: S102  # compiled from the plugin's own snapshot`.
- No path of one machine and no host of a package registry, which would be wrong for everybody else.
- No file that has grown a second subject.
- Names of test files are unique, for they are imported by name.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

MAX_LINES = {"pluginkit": 500, "tests": 700}

SILENCED = re.compile(
    r"# *(?:(?:type|pyright): *ignore(?:\[[^\]]*\])?|noqa(?:: *[A-Z]+\d+(?:, *[A-Z]+\d+)*)?|pragma: *no cover)"
    r"(?P<reason> +[#-] *\w.*)?"
)
ELSEWHERE = re.compile(
    r"(?:^|[^.\w])/(?:work/(?:main|shared)|farm|root/[.]pyenv)\b|\b(?:py(?:pi|thonhosted)|npmjs)[.](?:org|com)\b",
    re.MULTILINE,
)


def kept_files() -> list[Path]:
    """Tracked files and new ones that are not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return [path for path in map(Path, names) if path.is_file() and not path.is_symlink()]


def problems_of(path: Path, text: str) -> Iterator[str]:
    """Every breach of the rules in one file, with its line."""
    for match in ELSEWHERE.finditer(text):
        yield f"{path}:{line_of(text, match)}: {match[0].strip()!r} is true on one machine only"
    if path.suffix != ".py" or "data" in path.parts:
        return
    for match in SILENCED.finditer(text):
        if match["reason"] is None:
            yield f"{path}:{line_of(text, match)}: say why: {match[0].strip()}  # because …"
    if text.count("\n") > MAX_LINES.get(path.parts[0], 300):
        yield f"{path}: {text.count(chr(10))} lines; has it grown a second subject?"


def line_of(text: str, match: re.Match[str]) -> int:
    """The line where a match begins, from 1."""
    return text.count("\n", 0, match.start()) + 1


def twice(files: list[Path]) -> Iterator[str]:
    """Test files that share their name."""
    tests = [path for path in files if path.name.startswith("test_") and "data" not in path.parts]
    names = Counter(path.name for path in tests)
    for name in sorted(name for name, count in names.items() if count > 1):
        yield f"{name}: {', '.join(str(path) for path in tests if path.name == name)} share their name"


def main() -> int:
    """Print each problem; the exit status is 1 if there is one."""
    files = kept_files()
    problems = list(twice(files))
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        problems += problems_of(path, text)
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
