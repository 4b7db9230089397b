"""What is generated for a hook: exactly the calls that are to be made, and nothing that is off."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

from pluginkit.hooks import compiling, version
from pluginkit.markers import hookimpl, hookspec


class Contract:
    @hookspec
    def speak(self, is_loud: bool, mood: str = "good") -> str:
        """All answers."""

    @hookspec(firstresult=True)
    def pick(self, value: int) -> int:
        """The first answer."""


class Cat:
    @hookimpl
    def speak(self, is_loud: bool, mood: str = "own") -> str:
        return "Meow"

    @hookimpl
    def pick(self, value: int) -> int:
        return value


class Dog:
    @hookimpl
    def speak(self) -> str:
        return "Woof"

    @hookimpl
    def pick(self) -> int:
        return 0


class Loud:
    @hookimpl(wrapper=True)
    def speak(self) -> Any:
        return [text.upper() for text in (yield)]


def test_lh06_two_plugins_with_errors_recorded(zoo: Any) -> None:
    assert zoo(Contract, cat=Cat, dog=Dog).hook.speak.source() == (
        "def speak(is_loud, mood):\n"
        "    results = []\n"
        "    try:\n"
        "        result = cat(is_loud, mood=mood)\n"
        "        if result is not None:\n"
        "            results.append(result)\n"
        "    except BaseException as error:\n"
        "        if failed(implementations[0], error):\n"
        "            raise\n"
        "    try:\n"
        "        result = dog()\n"
        "        if result is not None:\n"
        "            results.append(result)\n"
        "    except BaseException as error:\n"
        "        if failed(implementations[1], error):\n"
        "            raise\n"
        "    return results\n"
    )


def test_lh05_a_first_result_returns_at_once(zoo: Any) -> None:
    assert zoo(Contract, cat=Cat).hook.pick.source() == (
        "def pick(value):\n"
        "    try:\n"
        "        result = cat(value)\n"
        "        if result is not None:\n"
        "            return result\n"
        "    except BaseException as error:\n"
        "        if failed(implementations[0], error):\n"
        "            raise\n"
        "    return None\n"
    )


def test_lh05_wrappers_are_entered_and_left(zoo: Any) -> None:
    source = zoo(Contract, cat=Cat, loud=Loud).hook.speak.source()
    assert "in_loud = entered(loud())" in source
    assert "results = leave(in_loud, results, flying, implementations[0])" in source
    assert source.index("entered(") < source.index("cat(is_loud") < source.index("leave(")


@pytest.mark.parametrize("hook", ["speak", "pick"])
def test_ht05_what_is_off_leaves_no_trace_in_the_body(zoo: Any, hook: str) -> None:
    made = zoo(Contract, cat=Cat, loud=Loud)
    before = getattr(made.hook, hook).source()
    for trace in ("clock", "spent", "begun", "observer", "settled", "refuse", "finally", "errors"):
        assert trace not in before
    made.table.timing = True
    timed = getattr(made.hook, hook).source()
    assert "begun = clock()" in timed
    assert "spent[0](clock() - begun)" in timed
    made.table.timing = False
    assert getattr(made.hook, hook).source() == before


def test_lh05_a_body_is_generated_when_it_is_called_and_once(
    zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    generated = []
    original = version.Version.made

    def made_of(self: Any, variant: Any) -> Any:
        generated.append(self.spec.name)
        return original(self, variant)

    monkeypatch.setattr(version.Version, "made", made_of)
    made = zoo(Contract, cat=Cat)
    made.add(dog=Dog)
    made.remove("dog")
    assert generated == []
    for _ in range(3):
        made.hook.speak(is_loud=True)
    assert generated == ["speak"]
    made.hook.speak.using(errors="group")(is_loud=True)
    made.hook.speak.using(errors="group")(is_loud=True)
    assert generated == ["speak", "speak"]
    made.add(dog=Dog)
    made.hook.speak(is_loud=True)
    assert generated == ["speak", "speak", "speak"]


def test_lh05_a_reload_without_a_change_of_shape_compiles_nothing(
    zoo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = zoo(Contract, cat=Cat, dog=Dog)
    made.hook.speak(is_loud=True)
    monkeypatch.setattr(compiling, "_compiled", lambda text, file: pytest.fail(f"compiled {file}:\n{text}"))
    made.remove("cat")
    made.add(cat=Cat)
    assert made.hook.speak(is_loud=True) == ["Meow", "Woof"]


def test_lh05_the_code_cache_is_bounded_by_the_size_of_its_texts() -> None:
    cache = compiling.CodeCache(characters=100)
    texts = [f"def f{n}(): return {n}\n" for n in range(20)]
    first = cache.get(texts[0], "f")
    assert cache.get(texts[0], "f") is first
    for text in texts:
        cache.get(text, "f")
    assert 1 <= len(cache) < 6
    assert cache.get(texts[0], "f") is not first
    cache.get("def big():\n    return '" + "x" * 200 + "'\n", "big")
    assert len(cache) == 0


def test_lh21_debuggers_find_the_lines_while_the_body_lives(zoo: Any) -> None:
    made = zoo(Contract, cat=Cat)
    made.hook.speak(is_loud=True)
    body = made.hook.speak.__globals__["body"]
    file = body.__code__.co_filename
    assert linecache.getline(file, 4) == "        result = cat(is_loud, mood=mood)\n"
    linecache.checkcache()
    assert "".join(linecache.getlines(file)) == made.hook.speak.source()
    del body
    made.remove("cat")
    assert file not in linecache.cache
