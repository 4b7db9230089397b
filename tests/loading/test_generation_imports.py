"""What an import statement inside a plugin means (LH01)."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.loading import Generation

Make = Callable[..., Generation]
ALL_WAYS = """
    import utils
    from . import utils as relative
    from cat import utils as absolute
    import cat.utils
    same = utils is relative is absolute is cat.utils
"""


def test_lh01_relative_absolute_and_plain_imports_give_one_module(make: Make) -> None:
    generation = make("cat", {"cat.py": ALL_WAYS, "utils.py": "X = 1"})
    assert generation.import_module("cat").same is True


def test_lh01_two_plugins_that_both_ship_utils_do_not_collide(make: Make) -> None:
    cat = make("cat", {"cat.py": "import utils\nvalue = utils.X", "utils.py": "X = 'of cat'"})
    dog = make("dog", {"dog.py": "import utils\nvalue = utils.X", "utils.py": "X = 'of dog'"})
    assert (cat.import_module("cat").value, dog.import_module("dog").value) == ("of cat", "of dog")


def test_lh01_a_plugin_named_like_anothers_submodule_stands_beside_it(make: Make) -> None:
    helper = make("helpers", {"helpers.py": "who = 'the plugin'"})
    cat = make("cat", {"cat.py": "import helpers\nwho = helpers.who", "helpers.py": "who = 'the submodule'"})
    assert helper.import_module("helpers").who == "the plugin"
    assert cat.import_module("cat").who == "the submodule"


def test_lh01_sys_path_is_untouched(make: Make) -> None:
    before = list(sys.path)
    make("cat", {"cat.py": ALL_WAYS, "utils.py": ""}).import_module("cat")
    assert sys.path == before


def test_two_generations_of_one_plugin_share_nothing(make: Make) -> None:
    files = {"cat.py": "from . import utils\nclass Cat: ...", "utils.py": "STATE = []"}
    first, second = make("cat", files), make("cat", files)
    first.import_module("utils").STATE.append(1)
    assert second.import_module("utils").STATE == []
    assert first.import_module("cat").Cat is not second.import_module("cat").Cat


def test_a_lazy_import_stays_in_its_own_generation(make: Make) -> None:
    old = make("cat", {"cat.py": "def lazy():\n    from .late import V\n    return V", "late.py": "V = 1"})
    old.import_module("cat")
    new = make("cat", {"cat.py": "def lazy():\n    from .late import V\n    return V", "late.py": "V = 2"})
    assert new.import_module("cat").lazy() == 2
    assert old.import_module("cat").lazy() == 1


def test_a_lazy_import_runs_the_snapshot_whatever_is_on_disk_by_then(make: Make) -> None:
    generation = make(
        "cat", {"cat.py": "def lazy():\n    import late\n    return late.V", "late.py": "V = 'checked'"}
    )
    (generation.snapshot.root / "late.py").write_text("V = 'swapped'")
    assert generation.import_module("cat").lazy() == "checked"


def test_the_standard_library_wins_a_plain_import_and_the_plugins_own_file_a_relative_one(make: Make) -> None:
    source = "import json\nfrom . import json as own\nboth = json.dumps([1]), own.NAME"
    generation = make("cat", {"cat.py": source, "json.py": "NAME = 'own'"})
    assert generation.import_module("cat").both == ("[1]", "own")
    assert sys.modules["json"] is json


def test_a_module_that_is_named_like_a_library_can_import_that_library(make: Make) -> None:
    generation = make("cat", {"pytest.py": "import pytest\nlibrary = pytest"})
    assert generation.import_module("pytest").library is pytest


def test_circular_relative_imports_work(make: Make) -> None:
    files = {
        "__init__.py": "",
        "a.py": "from . import b\nX = 1",
        "b.py": "from . import a\ndef x(): return a.X",
    }
    assert make("cat", files).import_module("b").x() == 1


def test_a_circular_import_of_a_name_says_so(make: Make) -> None:
    files = {"a.py": "from .b import Y\nX = 1", "b.py": "from .a import X\nY = 1"}
    with pytest.raises(
        ImportError, match=r"cannot import name 'X' from 'cat.a' \(it is only partly initialised"
    ):
        make("cat", files).import_module("a")


def test_a_missing_name_is_never_looked_up_in_another_generation(make: Make) -> None:
    make("cat", {"__init__.py": "", "gone.py": ""}).import_module("gone")
    newer = make("cat", {"__init__.py": "", "cat.py": "from . import gone"}, place="newer")
    with pytest.raises(ImportError, match="cannot import name 'gone' from 'cat'"):
        newer.import_module("cat")


def test_star_imports_bring_submodules_of_all(make: Make) -> None:
    files = {"cat.py": "from .sub import *\nnames = one.V, two", "sub/__init__.py": "__all__ = ['one', 'two']\ntwo = 2",
             "sub/one.py": "V = 1"}  # fmt: skip
    assert make("cat", files).import_module("cat").names == (1, 2)


def test_a_relative_import_beyond_the_plugin_is_refused(make: Make) -> None:
    generation = make("cat", {"sub/deep.py": "from .... import os"})
    with pytest.raises(ImportError, match="beyond the top of plugin package 'cat'"):
        generation.import_module("sub.deep")


@pytest.mark.parametrize("line", ["from . import nothing", "import cat.nothing", "from .nothing import x"])
def test_a_missing_module_is_an_import_error_with_its_public_name(make: Make, line: str) -> None:
    with pytest.raises(ImportError, match=r"'?cat(\.nothing)?'?"):
        make("cat", {"cat.py": line}).import_module("cat")


def test_import_module_by_relative_name_and_by_package_works(make: Make) -> None:
    source = "import importlib\nown = importlib.import_module('.utils', __package__).X"
    assert make("cat", {"cat.py": source, "utils.py": "X = 3"}).import_module("cat").own == 3


def test_pep_562_attributes_can_be_imported(make: Make) -> None:
    files = {
        "cat.py": "from .lazy import answer",
        "lazy.py": "def __getattr__(name):\n    return name.upper()",
    }
    assert make("cat", files).import_module("cat").answer == "ANSWER"


def test_namespace_subpackages_work(make: Make) -> None:
    files = {
        "cat.py": "from .inner.deep import V\nimport inner.deep\nsame = inner.deep.V == V",
        "inner/deep.py": "V = 1",
    }
    assert make("cat", files).import_module("cat").same is True


def test_a_package_wins_over_a_module_of_its_name(make: Make) -> None:
    files = {"sub.py": "KIND = 'module'", "sub/__init__.py": "KIND = 'package'"}
    assert make("cat", files).import_module("sub").KIND == "package"


def test_threads_that_import_the_same_lazy_modules_at_once_all_succeed(make: Make) -> None:
    files: dict[str, str] = {f"m{i}.py": f"from . import m{(i + 1) % 20}\nV = {i}" for i in range(20)}
    generation = make("cat", {"__init__.py": "", **files})
    results: list[list[int]] = []
    barrier = threading.Barrier(8)

    def work(seed: int) -> None:
        barrier.wait()
        results.append([generation.import_module(f"m{(seed * 3 + i) % 20}").V for i in range(20)])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == sorted([(seed * 3 + i) % 20 for i in range(20)] for seed in range(8))


def test_an_import_of_another_plugin_is_wired_to_one_generation(make: Make) -> None:
    food = make("food", {"__init__.py": "NAME = 'old'", "more.py": "V = 1"})
    cat = make(
        "cat",
        {
            "cat.py": "import food\nfrom food import more\nimport food.more as again\ndef lazy():\n    import food as f\n    return f"
        },
        wire=lambda head: food if head == "food" else None,
    )
    module = cat.import_module("cat")
    newer = make("food", {"__init__.py": "NAME = 'new'"})
    assert newer.import_module().NAME == "new"
    assert module.lazy() is module.food is food.import_module()
    assert module.more is module.again
    assert cat.wired == {"food": food}


def test_code_of_a_purged_generation_is_told_so(make: Make) -> None:
    generation = make(
        "cat", {"cat.py": "def lazy():\n    from . import late\n    return late", "late.py": ""}
    )
    lazy = generation.import_module("cat").lazy
    generation.close()
    with pytest.raises(ImportError, match=r"'cat(\.late)?': generation \d+ of this plugin was purged"):
        lazy()


def test_extension_modules_load_under_the_plugins_name(make: Make) -> None:
    source = _some_extension()
    name = source.name.partition(".")[0]
    generation = make(
        "cat", {source.name: source.read_bytes(), "cat.py": f"from . import {name} as extension"}
    )
    module: Any = generation.import_module("cat").extension
    assert module.__name__ == f"cat.{name}"
    assert Path(module.__file__).parent == generation.snapshot.root


def test_a_rebuilt_extension_is_loaded_from_its_new_content(make: Make) -> None:
    source = _some_extension()
    name = source.name.partition(".")[0]
    make("cat", {source.name: source.read_bytes()}).import_module(name)
    rebuilt = make("cat", {source.name: source.read_bytes() + b"\0rebuilt"}).import_module(name)
    assert rebuilt.__file__ is not None
    assert rebuilt.__spec__ is not None
    assert rebuilt.__spec__.origin != rebuilt.__file__
    assert Path(str(rebuilt.__spec__.origin)).read_bytes().endswith(b"rebuilt")


def test_bytecode_without_source_is_used_and_beside_source_it_is_not(make: Make, tmp_path: Path) -> None:
    (tmp_path / "only.py").write_text("V = 'compiled'")
    command = "import py_compile, sys; py_compile.compile('only.py', cfile='only.pyc')"
    subprocess.run([sys.executable, "-c", command], cwd=tmp_path, check=True)
    compiled = (tmp_path / "only.pyc").read_bytes()
    generation = make("cat", {"only.pyc": compiled, "both.py": "V = 'source'", "both.pyc": compiled})
    assert generation.import_module("only").V == "compiled"
    assert generation.import_module("both").V == "source"
    broken = make("dog", {"only.pyc": b"\0\0\0\0" + compiled[4:]})
    with pytest.raises(ImportError, match="another version of Python"):
        broken.import_module("only")


def test_a_poisoned_pycache_is_not_trusted(make: Make, child: Callable[..., Any], tmp_path: Path) -> None:
    """SE02: the interpreter itself would run the cached file, whose time and size match the source."""
    root = tmp_path / "plugins" / "cat"
    root.mkdir(parents=True)
    (root / "cat.py").write_text("V = 'good'")
    child(
        "import py_compile, os, sys\n"
        f"path = {str(root / 'cat.py')!r}\n"
        "status = os.stat(path)\n"
        "open(path, 'w').write(\"V = 'evil'\"); os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))\n"
        "py_compile.compile(path)\n"
        "open(path, 'w').write(\"V = 'good'\"); os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))\n"
    )
    done = child("import sys; sys.path.insert(0, sys.argv[1]); import cat; print(cat.V)", str(root))
    assert done.stdout == "evil\n"
    assert make("cat", {}).import_module("cat").V == "good"


def _some_extension() -> Path:
    """A small extension module that ships with every CPython."""
    names = ("_heapq", "_statistics", "_bisect", "_json")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    places = [Path(directory) for directory in sys.path if directory.endswith("lib-dynload")]
    found = [path for place in places for name in names if (path := place / f"{name}{suffix}").exists()]
    assert found, f"no extension module to copy in {places}"
    return found[0]
