"""What pluginkit imports is what pyproject.toml declares: an undeclared library is there only by luck."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "pluginkit"

# The test kit is imported by pytest itself, so that it is always there.
BROUGHT_BY_THE_CALLER = {"testing": {"pytest"}}


def imported_names(source: str) -> Iterator[str]:
    """The top-level names of all absolute imports, at whatever depth they stand."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = chain(project["dependencies"], *project["optional-dependencies"].values())
    return {normal(re.split(r"[<>=!~;\[ ]", requirement)[0]) for requirement in requirements}


def test_every_imported_library_is_declared() -> None:
    distributions = packages_distributions()
    undeclared = {}
    for path in PACKAGE.rglob("*.py"):
        own = {"pluginkit"} | BROUGHT_BY_THE_CALLER.get(path.relative_to(PACKAGE).parts[0], set())
        for name in set(imported_names(path.read_text(encoding="utf-8"))) - own - sys.stdlib_module_names:
            if not {normal(d) for d in distributions.get(name, ())} & declared():
                undeclared[str(path.relative_to(ROOT))] = name
    assert undeclared == {}


def test_the_walk_sees_imports_inside_functions() -> None:
    assert list(imported_names("def f():\n    import yaml.nodes\n    from rich import box\n")) == [
        "yaml",
        "rich",
    ]
