"""Print pip constraints that hold every dependency of pyproject.toml at its lower bound.

A bound that nobody runs is a guess: `make lowest` installs these and runs the suite.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

from pip._vendor.packaging.requirements import Requirement  # every environment has pip, none else yet


def lowest(requirement: Requirement) -> str:
    """Return the constraint, or exit when a requirement has no single lower bound."""
    bounds = [s.version for s in requirement.specifier if s.operator in {">=", "~=", "=="}]
    if len(bounds) != 1:
        sys.exit(f"pyproject.toml: {requirement} needs exactly one lower bound")
    return f"{requirement.name}=={bounds[0]}"


def requirements(project: dict[str, Any]) -> list[Requirement]:
    """All that users can install: the dependencies and those of every extra."""
    extras: dict[str, list[str]] = project.get("optional-dependencies", {})
    return [Requirement(text) for texts in (project["dependencies"], *extras.values()) for text in texts]


if __name__ == "__main__":
    pyproject = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(*map(lowest, requirements(pyproject["project"])), sep="\n")
