"""SE10: names that stand in generated text are names in it, and nothing else."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pluginkit import hookimpl, hookspec
from pluginkit.hooks import PluginManager
from pluginkit.hooks.naming import RESERVED, identifier, labels
from tests.support.hostile import HOSTILE


class Spec:
    @hookspec
    def speak(self, is_loud: bool) -> str:
        """What it says."""
        raise NotImplementedError


class Speaker:
    def __init__(self, says: str) -> None:
        self.says = says

    @hookimpl
    def speak(self, is_loud: bool) -> str:
        return self.says


INJECTED = [
    "x'); open('evil', 'w') #", 'x"""\nopen("evil", "w")\n"""', "x\nimport os", "__import__('os')", "def", "results", "failed", "is_loud",
    "\uff46ailed", "\uff52esults", "\uff44ef", "\uff49s_loud", "\u212aat", "\u2460", "\xbd", "\u0301x", "\u0663x",
]  # fmt: skip


@pytest.fixture
def empty_directory(tmp_path: Path) -> Iterator[Path]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def test_se10_the_name_of_an_object_is_no_code_of_the_hooks_that_call_it(empty_directory: Path) -> None:
    manager = PluginManager("pluginkit")
    manager.add_hookspecs(Spec)
    names = [name for name in dict.fromkeys((*INJECTED, *HOSTILE)) if name]
    for name in names:
        manager.register(Speaker(name), name=name)
    for _ in range(20):  # the text is made after some calls
        assert sorted(manager.hook.speak(is_loud=True)) == sorted(names)
    assert list(empty_directory.iterdir()) == []
    for name in names:
        assert getattr(manager.get_plugin(name), "says", None) == name
    for name in names:
        manager.unregister(name=name)
    assert manager.hook.speak(is_loud=True) == []


@given(st.text(max_size=60))
@example("\uff46ailed")
@example("\u212a" * 50)
@example("\u0301")
@example("1\u0301")
def test_se10_any_name_becomes_an_identifier_that_python_reads_as_it_is_written(name: str) -> None:
    text = identifier(name)
    assert text.isidentifier()
    (expression,) = ast.parse(text).body
    assert isinstance(expression, ast.Expr)
    assert isinstance(expression.value, ast.Name)
    assert expression.value.id == text


@given(st.lists(st.text(max_size=6) | st.sampled_from(INJECTED), max_size=6))
def test_se10_no_name_takes_one_that_the_text_itself_uses(names: list[str]) -> None:
    chosen = labels(names, taken=RESERVED)
    assert len(set(chosen)) == len(names)
    assert not RESERVED & {ast.parse(text).body[0].value.id for text in chosen}  # type: ignore[attr-defined]  # each is a name
