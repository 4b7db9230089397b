"""`PLUGINKIT_STABLE`: modules whose unchanged source keeps its module object over a reload."""

from __future__ import annotations

import copy
import linecache
import logging
import pickle
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from pluginkit.loading import Generation

Make = Callable[..., Generation]

TYPES = """
class Point:
    def __init__(self, x): self.x = x
def lazily():
    from . import more
    return more.V
"""
ROOT = "PLUGINKIT_STABLE = ('types', 'inner.kinds')\nfrom . import types\nfrom .types import Point\nV = {}\n"
FILES = {
    "__init__.py": ROOT.format(1),
    "types.py": TYPES,
    "more.py": "V = 1",
    "inner/__init__.py": "",
    "inner/kinds.py": "class Kind: ...",
}


def reload(make: Make, old: Generation, files: dict[str, Any]) -> Generation:
    new = make("cat", {**FILES, **files}, previous=old, commit=False)
    new.adopt_stable()
    new.import_module()
    new.commit()
    old.close()
    return new


def spec_name(module: ModuleType) -> str:
    assert module.__spec__ is not None
    return module.__spec__.name


def first(make: Make, **files: str) -> Generation:
    generation = make("cat", {**FILES, **files})
    generation.adopt_stable()
    generation.import_module()
    return generation


def test_an_unchanged_stable_module_stays_the_same_object_over_many_reloads(make: Make) -> None:
    generation = first(make)
    types, point = generation.import_module("types"), generation.import_module().Point
    kinds = generation.import_module("inner.kinds")
    for version in (2, 3, 4):
        old, generation = generation, reload(make, generation, {"__init__.py": ROOT.format(version)})
        assert version == generation.import_module().V
        assert generation.import_module("types") is types
        assert generation.import_module("inner.kinds") is kinds
        assert generation.import_module("inner").kinds is kinds
        assert generation.import_module().Point is point
        assert old.alive() == ()
    assert "cat.types" in generation.alive()
    assert spec_name(types) == f"{generation.key}.types"


def test_a_stable_module_imports_from_the_generation_that_it_lives_in_now(make: Make) -> None:
    generation = first(make)
    types = generation.import_module("types")
    generation = reload(make, generation, {"more.py": "V = 2"})
    assert types.lazily() == 2
    assert types.lazily.__module__ == "cat.types"


def test_a_changed_stable_module_is_new_and_the_log_says_so(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    generation = first(make)
    point = generation.import_module().Point
    with caplog.at_level(logging.WARNING, "pluginkit"):
        generation = reload(make, generation, {"types.py": TYPES + "# changed\n"})
    assert generation.import_module().Point is not point
    assert "cat: the stable module 'types' has changed" in caplog.text


def test_a_failed_version_leaves_the_stable_module_at_home(make: Make) -> None:
    generation = first(make)
    types = generation.import_module("types")
    new = make("cat", {**FILES, "__init__.py": ROOT.format(2)}, previous=generation, commit=False)
    new.adopt_stable()
    assert new.import_module("types") is types
    new.close()
    assert spec_name(types) == f"{generation.key}.types"
    assert generation.import_module("types") is types
    assert types.lazily() == 1
    assert f"{new.key}.types" not in sys.modules


def test_a_module_that_was_never_imported_has_nothing_to_keep(make: Make) -> None:
    generation = first(make)
    assert reload(make, generation, {"__init__.py": ROOT.format(2)}).adopted.keys() == {"types"}


def test_tracebacks_of_a_stable_module_show_its_source_still(make: Make) -> None:
    generation = first(make)
    file = str(generation.import_module("types").__file__)
    reload(make, generation, {"__init__.py": ROOT.format(2)})
    assert linecache.getline(file, 2) == "class Point:\n"


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("PLUGINKIT_STABLE = ('typs',)", "names 'typs', which is no module of 'cat'.*types"),
        ("PLUGINKIT_STABLE = ('',)", "names ''"),
        ("PLUGINKIT_STABLE = tuple(['types'])", "read before anything runs; write it out"),
        ("PLUGINKIT_STABLE = (1,)", "write it out"),
    ],
)
def test_a_declared_module_that_is_not_there_is_an_error(make: Make, declaration: str, message: str) -> None:
    generation = make("cat", {**FILES, "__init__.py": declaration})
    with pytest.raises(ImportError, match=message):
        generation.adopt_stable()


def test_one_name_needs_no_tuple_and_the_word_alone_declares_nothing(make: Make) -> None:
    source = "PLUGINKIT_STABLE: str = 'types'\nOTHER = 1\nif True: 'PLUGINKIT_STABLE'\n"
    generation = first(make, **{"__init__.py": source})
    generation.import_module("types")
    assert reload(make, generation, {"__init__.py": source + "V = 2"}).adopted.keys() == {"types"}


# Classes that are not stable: what was made of them can still be pickled.

HELD = """
import enum
class Plain:
    def __init__(self): self.x = 1
class Sloppy:
    __slots__ = ("x",)
    def __new__(cls, *, x): return super().__new__(cls)
    def __init__(self, *, x): self.x = x
    def __getnewargs_ex__(self): return (), {"x": self.x}
class Color(enum.Enum):
    RED = 1
class Gone: ...
"""


def test_kept_objects_of_a_retired_version_are_pickled_as_the_new_one(make: Make) -> None:
    old = make("cat", {"__init__.py": HELD})
    module = old.import_module()
    plain, sloppy, red, gone = module.Plain(), module.Sloppy(x=3), module.Color.RED, module.Gone()
    plain.child = [plain]
    new = make("cat", {"__init__.py": HELD.replace("class Gone", "class Other")}, previous=old, commit=False)
    now = new.import_module()
    new.commit()
    old.close()
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        back = pickle.loads(pickle.dumps((plain, sloppy, red), protocol))
        assert [type(one) for one in back] == [now.Plain, now.Sloppy, now.Color]
        assert (back[0].x, back[1].x) == (1, 3)
        assert back[0].child == [back[0]]
        assert back[2] is now.Color.RED
    assert type(pickle.loads(pickle.dumps(plain, 0))) is now.Plain
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(gone)


def test_copies_of_kept_objects_stay_what_they_are(make: Make) -> None:
    old = make("cat", {"__init__.py": HELD})
    plain = old.import_module().Plain()
    new = make("cat", {"__init__.py": HELD}, previous=old, commit=False)
    new.import_module()
    new.commit()
    old.close()
    assert type(copy.copy(plain)) is type(copy.deepcopy(plain)) is type(plain)
