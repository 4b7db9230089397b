"""What `pluginkit.contracts` offers is there by its name, whoever imported which module before."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import pluginkit.contracts as room

RunChild = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("name", room.__all__)
def test_lh03_every_offered_name_is_there_and_at_home_in_this_room(name: str) -> None:
    assert name in dir(room)
    assert getattr(room, name).__module__.startswith("pluginkit.contracts.")


def test_lh03_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(str(room.__file__)).read_text(encoding="utf-8"))
    imports = [
        node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module != "typing"
    ]
    declared = {alias.asname: node.module for node in imports for alias in node.names if alias.asname}
    assert declared == {name: getattr(room, name).__module__ for name in room.__all__}


def test_lh03_no_module_has_the_name_of_something_offered() -> None:
    modules = {path.stem for path in Path(str(room.__file__)).parent.glob("*.py")}
    assert modules & set(room.__all__) == set()


def test_lh03_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'pluginkit\.contracts' has no attribute 'Animel'"):
        _ = room.Animel  # type: ignore[attr-defined]  # the point of the test


def test_cl05_reading_a_contract_imports_neither_the_check_nor_the_samples(child: RunChild) -> None:
    done = child(
        "import sys; from pluginkit.contracts import Contract, Execute; print(*sys.modules, sep='\\n')"
    )
    loaded = {name for name in done.stdout.split() if name.startswith("pluginkit.contracts.")}
    assert loaded == {
        f"pluginkit.contracts.{name}"
        for name in ("definition", "declared", "annotations", "rule", "hook_info", "execute", "call_context")
    }
