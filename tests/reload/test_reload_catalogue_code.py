"""Cases 1 to 37 of the reload catalogue: which code serves after an edit, a mistake, a half-written tree."""

from __future__ import annotations

import importlib
import json
import linecache
import os
import py_compile
import shutil
import sys
import threading
import time
import traceback
import zipfile
from pathlib import Path

from tests.support.reload_cases import Scene, case, root

OLD, NEW = "def f(): return 'old'\n", "def f(): return 'new'\n"


@case
def test_case_01_submodule_function_changed_and_root_imported_it_from_there(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .sub import f"), "sub.py": OLD})
    assert scene.run() == "old"
    scene.edit({"sub.py": NEW})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_02_constant_imported_from_a_submodule(scene: Scene) -> None:
    scene.start({"__init__.py": root("C", "from .sub import C"), "sub.py": "C = 'old'"})
    scene.edit({"sub.py": "C = 'new'"})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_03_submodule_function_called_by_attribute(scene: Scene) -> None:
    scene.start({"__init__.py": root("sub.f()", "from . import sub"), "sub.py": OLD})
    scene.edit({"sub.py": NEW})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_04_value_reexported_through_three_modules(scene: Scene) -> None:
    chain = {"b.py": "from .c import V", "a.py": "from .b import V"}
    scene.start({"__init__.py": root("V", "from .a import V"), **chain, "c.py": "V = 'old'"})
    scene.edit({"c.py": "V = 'new'"})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_05_table_computed_at_import_from_a_submodule(scene: Scene) -> None:
    head = "from . import sub\nTABLE = {'k': sub.V.upper()}"
    scene.start({"__init__.py": root("TABLE['k']", head), "sub.py": "V = 'old'"})
    scene.edit({"sub.py": "V = 'new'"})
    scene.reload()
    assert scene.run() == "NEW"


@case
def test_case_06_new_submodule(scene: Scene) -> None:
    scene.start({"__init__.py": root("'old'")})
    scene.edit({"__init__.py": root("V", "from .fresh import V"), "fresh.py": "V = 'new'"})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_07_new_submodule_with_unchanged_directory_mtime(scene: Scene) -> None:
    scene.start({"__init__.py": root("'old'")})
    directory = scene.plugins / "plug"
    before = directory.stat()
    scene.edit({"__init__.py": root("V", "from .fresh import V"), "fresh.py": "V = 'new'"})
    os.utime(directory, ns=(before.st_atime_ns, before.st_mtime_ns))
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_08_submodule_deleted(scene: Scene) -> None:
    head = "try:\n    from . import sub\nexcept ImportError:\n    sub = None"
    scene.start({"__init__.py": root("sub is not None", head), "sub.py": OLD})
    assert scene.run() is True
    scene.edit({"sub.py": None})
    scene.reload()
    assert scene.run() is False
    assert "plug.sub" not in sys.modules


@case
def test_case_09_global_removed(scene: Scene) -> None:
    scene.start({"__init__.py": root("'X' in globals()", "X = 1")})
    scene.edit({"__init__.py": root("'X' in globals()")})
    scene.reload()
    assert scene.run() is False


@case
def test_case_10_hook_removed_and_host_looks_again(scene: Scene) -> None:
    both = root("1") + "@hookimpl\ndef again(): return 2\n"
    scene.start({"__init__.py": both})
    assert scene.host.hook.again() == [2]
    scene.edit({"__init__.py": root("1")})
    scene.reload()
    assert scene.host.hook.again() == []


@case
def test_case_11_module_becomes_a_package(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .sub import f"), "sub.py": OLD})
    scene.edit({"sub.py": None, "sub/__init__.py": "from .inner import f", "sub/inner.py": NEW})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_12_package_becomes_a_module(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .sub import f"), "sub/__init__.py": OLD})
    shutil.rmtree(scene.plugins / "plug" / "sub")
    scene.edit({"sub.py": NEW})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_13_decorated_function(scene: Scene) -> None:
    head = "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def g(): return f()\n    return g\n@deco\n"
    scene.start({"__init__.py": root("f()", head + OLD)})
    scene.edit({"__init__.py": root("f()", head + NEW)})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_14_default_argument(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "def f(x='old'): return x")})
    scene.edit({"__init__.py": root("f()", "def f(x='new'): return x")})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_15_star_import_with_a_new_helper(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .sub import *"), "sub.py": OLD})
    scene.edit({"sub.py": "def helper(): return 'new'\ndef f(): return helper()\n"})
    scene.reload()
    assert scene.run() == "new"
    assert scene.get("helper")() == "new"


@case
def test_case_16_absolute_imports_of_the_own_package(scene: Scene) -> None:
    head = "import plug.sub\nfrom plug.sub import f"
    scene.start({"__init__.py": root("(f(), plug.sub.f())", head), "sub.py": OLD})
    scene.edit({"sub.py": NEW})
    scene.reload()
    assert scene.run() == ("new", "new")


@case
def test_case_17_circular_imports(scene: Scene) -> None:
    files = {"__init__.py": root("(a.get(), b.get())", "from . import a, b")}
    circle = "from . import {}\nV = '{}'\ndef get(): return {}.V\n"
    scene.start({**files, "a.py": circle.format("b", "old", "b"), "b.py": circle.format("a", "old", "a")})
    scene.edit({"a.py": circle.format("b", "new", "b"), "b.py": circle.format("a", "new", "a")})
    scene.reload()
    assert scene.run() == ("new", "new")


@case
def test_case_18_lazy_export_by_a_module_getattr(scene: Scene) -> None:
    head = "def __getattr__(name):\n    if name == 'f':\n        from .sub import f\n        return f\n    raise AttributeError(name)\n"
    body = root("result()", head + "def result():\n    import plug\n    return plug.f()")
    scene.start({"__init__.py": body, "sub.py": OLD})
    assert scene.run() == "old"
    scene.edit({"sub.py": NEW})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_19_dataclass_with_postponed_annotations_and_a_new_classvar(scene: Scene) -> None:
    top = "from __future__ import annotations\nfrom dataclasses import dataclass, fields\nfrom typing import ClassVar\n"
    sub = (
        top
        + "@dataclass\nclass P:\n    x: int = 1\n{}def names(): return [f.name for f in fields(P)] + [P.tag]\n"
    )
    scene.start(
        {"__init__.py": root("names()", "from .sub import names"), "sub.py": sub.format("    tag = 'old'\n")}
    )
    scene.edit({"sub.py": sub.format("    tag: ClassVar[str] = 'new'\n")})
    scene.reload()
    assert scene.run() == ["x", "new"]


@case
def test_case_20_unicode_module_name(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .größe import f"), "größe.py": OLD})
    scene.edit({"größe.py": NEW})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_21_latin_1_cookie(scene: Scene) -> None:
    text = "# -*- coding: latin-1 -*-\nV = '{}'\n"
    scene.start(
        {"__init__.py": root("V", "from .sub import V"), "sub.py": text.format("öld").encode("latin-1")}
    )
    assert scene.run() == "öld"
    scene.edit({"sub.py": text.format("néw").encode("latin-1")})
    scene.reload()
    assert scene.run() == "néw"


@case
def test_case_22_syntax_error_then_fixed(scene: Scene) -> None:
    scene.start({"__init__.py": root("'old'")})
    scene.edit({"__init__.py": "def broken(:\n"})
    report = scene.refused()
    assert report.failure.file.endswith("__init__.py")
    assert report.failure.line == 1
    assert scene.run() == "old"
    scene.edit({"__init__.py": root("'new'")})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_23_exception_between_two_assignments(scene: Scene) -> None:
    scene.start({"__init__.py": root("(A, B)", "A = 'old'\nB = 'old'")})
    scene.edit({"__init__.py": root("(A, B)", "A = 'new'\n1 / 0\nB = 'new'")})
    scene.refused()
    assert scene.run() == ("old", "old")


@case
def test_case_24_exception_in_the_second_changed_submodule(scene: Scene) -> None:
    files = {
        "__init__.py": root("(a.V, b.V)", "from . import a, b"),
        "a.py": "V = 'old'",
        "b.py": "V = 'old'",
    }
    scene.start(files)
    scene.edit({"a.py": "V = 'new'", "b.py": "V = 'new'\n1 / 0"})
    scene.refused()
    assert scene.run() == ("old", "old")


@case
def test_case_25_file_truncated_to_nothing(scene: Scene) -> None:
    scene.start({"__init__.py": root("'old'")}, hooks=["run"])
    scene.edit({"__init__.py": ""})
    assert scene.refused().failure.step == "contract"
    assert scene.run() == "old"


PAIR = {"__init__.py": root("(a.V, b.V)", "from . import a, b"), "a.py": "V = 'old'", "b.py": "V = 'old'"}


@case
def test_case_26_reload_after_one_of_two_files_was_replaced(scene: Scene) -> None:
    scene.start(PAIR)
    scene.edit({"a.py": "V = 'new'"})
    second = threading.Timer(0.03, lambda: scene.edit({"b.py": "V = 'new'"}))
    second.start()
    # The quiet time outlasts the writer's pause.
    scene.reload(quiet=0.25)
    second.join(30)
    assert scene.run() == ("new", "new")


@case
def test_case_26_reload_while_a_tree_does_not_come_to_rest(scene: Scene) -> None:
    scene.start(PAIR)
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.02):
            scene.edit({"a.py": f"V = 'new'  # {time.monotonic()}"})

    writer = threading.Thread(target=write)
    writer.start()
    scene.edit({"a.py": "V = 'new'"})
    report = scene.host.reload("plug", quiet=3600.0)
    stop.set()
    writer.join(30)
    assert report.failure is not None
    assert report.failure.step == "import"
    assert "somebody still writing" in str(report)
    assert scene.run() == ("old", "old")


@case
def test_case_27_then_the_second_file_arrives(scene: Scene) -> None:
    scene.start(PAIR)
    scene.edit({"a.py": "V = 'new'"})
    scene.reload()
    scene.edit({"b.py": "V = 'new'"})
    scene.reload()
    assert scene.run() == ("new", "new")


@case
def test_case_28_failed_first_load_leaves_nothing_in_sys_modules(scene: Scene) -> None:
    scene.add({"__init__.py": "from . import sub\n1 / 0", "sub.py": OLD})
    before = set(sys.modules)
    report = scene.host.load()
    assert [failure.step for failure in report.failed] == ["import"]
    assert set(sys.modules) - before == set()


@case
def test_case_29_failed_first_load_then_fixed(scene: Scene) -> None:
    scene.add({"__init__.py": root("f()", "from .sub import f"), "sub.py": "1 / 0"})
    assert not scene.host.load().ok
    scene.edit({"sub.py": NEW})
    scene.host.load("plug")
    assert scene.run() == "new"


@case
def test_case_30_failed_reload_leaves_the_old_submodule_importable(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .sub import f"), "sub.py": OLD})
    scene.edit({"__init__.py": "from . import sub\n1 / 0", "sub.py": NEW})
    scene.refused()
    assert scene.run() == "old"
    assert importlib.import_module("plug.sub").f() == "old"


@case
def test_case_31_same_second_same_size_edit(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .sub import f"), "sub.py": OLD})
    path = scene.plugins / "plug" / "sub.py"
    py_compile.compile(str(path))
    before = path.stat()
    scene.edit({"sub.py": NEW})
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_32_mtime_goes_backwards(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .sub import f"), "sub.py": OLD})
    scene.edit({"sub.py": NEW})
    os.utime(scene.plugins / "plug" / "sub.py", (1, 1))
    scene.reload()
    assert scene.run() == "new"


def bytecode(scene: Scene, source: str) -> bytes:
    path, target = scene.directory / "only.py", scene.directory / "only.pyc"
    path.write_text(source)
    py_compile.compile(str(path), cfile=str(target))
    return target.read_bytes()


@case
def test_case_33_bytecode_only(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .only import f"), "only.pyc": bytecode(scene, OLD)})
    assert scene.run() == "old"
    scene.edit({"only.pyc": bytecode(scene, NEW)})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_34_zip_replaced(scene: Scene) -> None:
    def unpack(source: str) -> None:
        archive = scene.directory / "plug.zip"
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("__init__.py", source)
        with zipfile.ZipFile(archive) as file:
            file.extractall(scene.plugins / "plug")

    scene.start({"__init__.py": root("'old'")})
    unpack(root("'new'"))
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_35_symlink_to_another_release(scene: Scene) -> None:
    releases = {}
    for word in ("old", "new"):
        scene.add({"__init__.py": root(f"'{word}'")})
        releases[word] = scene.directory / word
        (scene.plugins / "plug").rename(releases[word])
    link = scene.plugins / "plug"
    link.symlink_to(releases["old"], target_is_directory=True)
    scene.host.load()
    assert scene.run() == "old"
    link.unlink()
    link.symlink_to(releases["new"], target_is_directory=True)
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_36_only_a_data_file_changed(scene: Scene) -> None:
    head = "from importlib import resources\nTEXT = resources.files(__package__).joinpath('data.json').read_text()"
    scene.start({"__init__.py": root("TEXT", head), "data.json": json.dumps("old")})
    scene.edit({"data.json": json.dumps("new")})
    scene.reload()
    assert scene.run() == '"new"'


@case
def test_case_37_traceback_after_a_failed_reload_quotes_the_served_line(scene: Scene) -> None:
    scene.start(
        {
            "__init__.py": root("f()", "from .sub import f"),
            "sub.py": "def f():\n    raise KeyError('served')\n",
        }
    )
    scene.edit({"sub.py": "# moved\n# down\n1 / 0\n"})
    scene.refused()
    linecache.checkcache()
    try:
        scene.get("f")()
    except KeyError as error:
        text = "".join(traceback.format_exception(error))
    else:
        raise AssertionError("f did not raise")
    assert "raise KeyError('served')" in text
    assert str(Path("plug", "sub.py")) in text
