"""Names are public, identity is private: tools, pickles and outsiders (LH01, LH02, LC04)."""

from __future__ import annotations

import copy
import gc
import importlib
import inspect
import linecache
import logging
import pickle
import sys
import threading
import traceback
import typing
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from pluginkit.loading import Generation
from pluginkit.loading.facade import Facade, FacadeRoot

Make = Callable[..., Generation]


def test_names_read_as_the_author_wrote_them(make: Make) -> None:
    source = "import logging\nlog = logging.getLogger(__name__)\nclass Cat: ...\nname = __name__"
    module = make("cat", {"cat.py": source}).import_module("cat")
    assert (module.name, module.Cat.__module__, module.log.name) == ("cat.cat", "cat.cat", "cat.cat")
    assert module.log is logging.getLogger("cat.cat")


def test_dataclasses_with_postponed_annotations_work(make: Make) -> None:
    source = """
        from __future__ import annotations
        from dataclasses import dataclass, field, fields, KW_ONLY
        from typing import ClassVar, get_type_hints
        from .parts import Tail

        @dataclass
        class Cat:
            tail: Tail
            count: ClassVar[int] = 0
            _: KW_ONLY
            lives: int = 9

        hints = get_type_hints(Cat)
        names = [f.name for f in fields(Cat)]
    """
    module = make("cat", {"cat.py": source, "parts.py": "class Tail: ..."}).import_module("cat")
    assert module.names == ["tail", "lives"]
    assert module.hints["tail"] is module.Tail
    assert typing.get_type_hints(module.Cat)["tail"] is module.Tail


def test_who_looked_a_generation_up_just_before_it_was_closed_is_given_the_next(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make("cat", {"__init__.py": "", "sub.py": "V = 1"})
    new = make("cat", {"__init__.py": "", "sub.py": "V = 2"})
    old.close()
    gc.collect()
    # The thread was stopped between looking up and importing, as only the system can stop it.
    looked_up = [old]
    monkeypatch.setattr(FacadeRoot, "generation", lambda _: looked_up.pop() if looked_up else new)
    assert importlib.import_module("cat.sub").V == 2


def test_a_dataclass_of_a_generation_that_owns_no_name_works_too(make: Make) -> None:
    source = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass C:\n    x: int\n    y: C | None = None"
    make("cat", {"cat.py": source}, owner="first host").import_module("cat")
    second = make("cat", {"cat.py": source}, owner="second host", place="elsewhere")
    assert second.import_module("cat").C(1).x == 1


def test_objects_of_a_plugin_can_be_pickled_and_copied(make: Make) -> None:
    source = "import enum\nclass Cat:\n    lives = 9\nclass Colour(enum.Enum):\n    RED = 1\ndef meow(): ..."
    module = make("cat", {"cat.py": source}).import_module("cat")
    again = pickle.loads(pickle.dumps([module.Cat(), module.Colour.RED, module.meow]))
    assert type(again[0]) is module.Cat
    assert again[1:] == [module.Colour.RED, module.meow]
    assert type(copy.deepcopy(module.Cat())) is module.Cat


def test_a_pickle_outlives_the_generation(make: Make) -> None:
    blob = pickle.dumps(make("cat", {"cat.py": "class Cat: ..."}).import_module("cat").Cat())
    newer = make("cat", {"cat.py": "class Cat:\n    new = True"})
    assert pickle.loads(blob).new is True
    assert type(pickle.loads(blob)) is newer.import_module("cat").Cat


def test_resources_are_found_in_packages_and_namespace_packages(make: Make) -> None:
    source = """
        from importlib import resources
        texts = [(resources.files(p) / "data.txt").read_text() for p in ("cat", "cat.data", __package__)]
    """
    files = {"__init__.py": source, "data.txt": "root", "data/data.txt": "inner", "data/x.py": ""}
    assert make("cat", files).import_module().texts == ["root", "inner", "root"]


def test_getsource_and_tracebacks_show_what_runs_not_what_is_on_disk(make: Make) -> None:
    generation = make("cat", {"cat.py": "def boom():\n    raise ValueError('the line that ran')\n"})
    module = generation.import_module("cat")
    (generation.snapshot.root / "cat.py").write_text("\n\n\nsomething else\n")
    assert inspect.getsource(module.boom) == "def boom():\n    raise ValueError('the line that ran')\n"
    with pytest.raises(ValueError, match="ran") as caught:
        module.boom()
    assert "raise ValueError('the line that ran')" in "".join(traceback.format_exception(caught.value))


def test_source_in_another_encoding_and_without_a_last_newline_is_shown(make: Make) -> None:
    source = "# -*- coding: latin-1 -*-\nNAME = 'k\xe4tzchen'".encode("latin-1")
    module = make("cat", {"cat.py": source}).import_module("cat")
    assert module.NAME == "kätzchen"
    assert inspect.getsource(module).endswith("NAME = 'kätzchen'\n")
    loader: Any = module.__loader__
    assert loader.get_source() == "# -*- coding: latin-1 -*-\nNAME = 'kätzchen'"


def test_closing_forgets_only_the_lines_that_this_generation_pinned(make: Make) -> None:
    old = make("cat", {"cat.py": "OLD = 1\n"})
    old.import_module("cat")
    new = make("cat", {"cat.py": "NEW = 1\n"})
    path = new.import_module("cat").__file__ or ""
    old.close()
    assert linecache.getline(path, 1) == "NEW = 1\n"
    new.close()
    assert path not in linecache.cache


def test_loaders_answer_what_tools_ask(make: Make) -> None:
    generation = make("cat", {"__init__.py": "X = 1", "data.bin": b"\1", "ns/m.py": ""})
    module = generation.import_module()
    loader: Any = module.__loader__
    assert loader.is_package()
    assert loader.get_filename() == module.__file__
    assert loader.get_code().co_filename == module.__file__
    assert loader.get_data(str(generation.snapshot.root / "data.bin")) == b"\1"
    namespace: Any = generation.import_module("ns")
    assert namespace.__loader__.get_source() is None
    assert namespace.__name__ == "cat.ns"


def test_outsiders_see_the_committed_generation_through_one_object(make: Make) -> None:
    make("cat", {"cat.py": "V = 1", "sub.py": "W = 1"}, commit=False).commit()
    outside = importlib.import_module("cat")
    inner = importlib.import_module("cat.cat")
    assert (inner.V, outside.cat.V) == (1, 1)
    newer = make("cat", {"cat.py": "V = 2", "sub.py": "W = 2"}, commit=False)
    assert newer.import_module("cat").V == 2
    assert inner.V == 1
    newer.commit()
    assert inner.V == 2
    assert importlib.import_module("cat.sub").W == 2
    assert importlib.import_module("cat") is outside
    assert "V" in dir(inner)
    assert repr(inner) == "<pluginkit facade of 'cat.cat'>"


def test_mock_patch_reaches_the_plugin_and_gives_back(make: Make) -> None:
    module = make("cat", {"cat.py": "def f(): return 1\ndef g(): return f()"}).import_module("cat")
    with mock.patch("cat.cat.f", return_value=2), mock.patch("cat.cat.h", 3, create=True):
        assert (module.g(), module.h) == (2, 3)
    assert module.g() == 1
    assert not hasattr(module, "h")


def test_importing_a_public_submodule_leaves_the_real_one_in_its_parent(make: Make) -> None:
    generation = make("cat", {"__init__.py": "", "sub.py": "X = 1"})
    importlib.import_module("cat.sub")
    assert type(vars(generation.import_module())["sub"]) is not Facade
    assert generation.import_module().sub is generation.import_module("sub")


def test_a_missing_public_submodule_is_not_looked_for_on_disk(make: Make) -> None:
    generation = make("cat", {"__init__.py": ""})
    (generation.snapshot.root / "later.py").write_text("X = 1")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'cat\.later'"):
        importlib.import_module("cat.later")


def test_while_a_generation_is_imported_its_own_thread_sees_it_and_others_the_committed_one(
    make: Make,
) -> None:
    make("cat", {"cat.py": "V = 'old'"}).import_module("cat")
    source = "import sys, threading\nme = sys.modules[__name__]\nV = 'new'\nmine = me.V\nimport probe_of_test\nothers = probe_of_test.ask()"
    seen: list[str] = []

    def ask() -> str:
        thread = threading.Thread(target=lambda: seen.append(sys.modules["cat.cat"].V))
        thread.start()
        thread.join(10)
        return seen[0]

    with mock.patch.dict(sys.modules, {"probe_of_test": mock.Mock(ask=ask)}):
        module = make("cat", {"cat.py": source}, commit=False).import_module("cat")
    assert (module.mine, module.others) == ("new", "old")


def test_a_module_may_replace_itself(make: Make) -> None:
    source = "import sys\nclass Lazy:\n    answer = 42\nsys.modules[__name__] = Lazy()"
    generation = make(
        "cat",
        {"__init__.py": "", "swap.py": source, "cat.py": "from . import swap\nimport cat.swap as again"},
    )
    module = generation.import_module("cat")
    assert module.swap.answer == module.again.answer == 42
    assert importlib.import_module("cat.swap").answer == 42


def test_a_name_that_the_host_could_import_is_never_taken_from_it(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "taken_name.py").write_text("WHO = 'library'")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    source = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass C:\n    x: int\nWHO = 'plugin'"
    generation = make(
        "taken_name", {"taken_name.py": source, "other.py": "from taken_name import taken_name as own"}
    )
    assert generation.public == "taken_name__plugin"
    assert generation.import_module("other").own.WHO == "plugin"
    assert generation.import_module("taken_name").C.__module__ == "taken_name__plugin.taken_name"
    assert importlib.import_module("taken_name").WHO == "library"
    sys.modules.pop("taken_name", None)


def test_a_name_that_is_imported_already_stays_what_it_was(make: Make) -> None:
    import yaml

    generation = make("yaml", {"__init__.py": "X = 1"})
    assert generation.import_module().X == 1
    assert importlib.import_module("yaml") is yaml


def test_the_plugin_itself_on_sys_path_is_no_stranger(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "plugins").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "plugins"))
    assert make("cat", {"__init__.py": ""}).public == "cat"


def test_the_first_owner_of_a_name_keeps_it(make: Make) -> None:
    first = make("cat", {"cat.py": "WHO = 1"}, owner="host one")
    second = make("cat", {"cat.py": "WHO = 2"}, owner="host two", place="elsewhere")
    assert second.import_module("cat").WHO == 2
    assert importlib.import_module("cat.cat").WHO == 1
    second.close()
    assert importlib.import_module("cat.cat").WHO == 1
    first.close()
    assert "cat" not in sys.modules


def test_an_unloaded_plugins_facade_says_so(make: Make) -> None:
    generation = make("cat", {"cat.py": "V = 1"})
    generation.import_module("cat")
    outside = importlib.import_module("cat.cat")
    generation.close()
    with pytest.raises(AttributeError, match=r"package 'cat' is not loaded \(any more\)"):
        _ = outside.V
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("cat.cat")


@pytest.mark.parametrize(
    "source",
    [
        "raise ValueError",
        "import sys; sys.exit(3)",
        "1/0",
        "class E(BaseException): ...\nraise E",
        "def broken(:",
        "from . import nothing",
    ],
)
def test_a_failed_import_leaves_nothing_in_sys_modules(make: Make, source: str) -> None:
    before = set(sys.modules)
    generation = make(
        "cat", {"__init__.py": "from . import good, bad", "good.py": "", "bad.py": source}, commit=False
    )
    with pytest.raises(BaseException):  # noqa: B017  # each kind raises its own
        generation.import_module()
    generation.close()
    assert set(sys.modules) == before


def test_a_submodule_that_fails_and_is_caught_leaves_its_parent_clean(make: Make) -> None:
    source = "try:\n    from . import bad\nexcept ZeroDivisionError:\n    pass\nhas = 'bad' in globals()"
    module = make("cat", {"__init__.py": source, "bad.py": "1/0"}).import_module()
    assert module.has is False
    assert "cat.bad" not in sys.modules


def test_unchanged_files_are_not_compiled_again(make: Make) -> None:
    first = make("cat", {"same.py": "X = 1", "cat.py": "V = 1"})
    for name in ("same", "cat"):
        first.import_module(name)
    second = make("cat", {"same.py": "X = 1", "cat.py": "V = 2"}, previous=first)
    for name in ("same", "cat"):
        second.import_module(name)
    assert second.codes["same.py"][1] is first.codes["same.py"][1]
    assert second.codes["cat.py"][1] is not first.codes["cat.py"][1]


def test_lc04_after_close_every_module_is_collectable(make: Make) -> None:
    source = """
        from __future__ import annotations
        import dataclasses, functools, typing, logging, abc
        from . import utils
        log = logging.getLogger(__name__)
        class Base(abc.ABC):
            @abc.abstractmethod
            def f(self): ...
        @dataclasses.dataclass(frozen=True)
        class Cat(Base):
            x: int = 1
            @functools.lru_cache
            def f(self): return self
        Many = typing.List[Cat]
        Cat().f()
        def generator():
            yield Cat()
        next(generator())
    """
    generation = make("cat", {"cat.py": source, "utils.py": "import re\nP = re.compile('x')"})
    generation.import_module("cat")
    generation.close()
    gc.collect()
    assert generation.alive() == ()
    generation.close()


def test_lc04_what_somebody_still_holds_is_named(make: Make) -> None:
    generation = make("cat", {"cat.py": "def f(): ...", "free.py": ""})
    held = generation.import_module("cat").f
    generation.import_module("free")
    generation.close()
    gc.collect()
    assert generation.alive() == ("cat.cat",)
    del held
    gc.collect()
    assert generation.alive() == ()
