"""QA01: the examples in the docstrings of every module of pluginkit run."""

from __future__ import annotations

import ast
import doctest
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import pluginkit

PACKAGE = Path(pluginkit.__path__[0])


def docstrings(source: str) -> Iterator[tuple[str, int, str]]:
    """`(name, line, docstring)` of all that has examples.

    Read from the source: public names say that they are of `pluginkit` itself, so that doctest's own
    search, which asks an object for its module, would miss them.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node, clean=False) or ""
            if ">>>" in text:
                yield getattr(node, "name", "module"), node.body[0].lineno - 1, text


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>>" in path.read_text(encoding="utf-8")]


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_qa01_docstring_examples_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(module_name(path))
    monkeypatch.chdir(tmp_path)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for name, line, text in docstrings(path.read_text(encoding="utf-8")):
        test = doctest.DocTestParser().get_doctest(text, vars(module), name, str(path), line)
        runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def test_the_examples_of_errors_are_among_them() -> None:
    source = (PACKAGE / "errors.py").read_text(encoding="utf-8")
    assert {"Problem", "UnknownName"} <= {name for name, _, _ in docstrings(source)}
