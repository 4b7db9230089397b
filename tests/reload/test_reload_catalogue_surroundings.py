"""Cases 72 to 109 of the reload catalogue: other plugins, memory, the file system, threads."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import weakref
from pathlib import Path

from tests.support.reload_cases import Scene, case, is_dead, root, settle


@case
def test_case_72_plugin_a_imports_b_and_b_is_reloaded(scene: Scene) -> None:
    scene.add({"__init__.py": "V = 'old'\nfrom . import part\n", "part.py": "V = 'old'"}, "base")
    user = root("(V, base.V, base.part.V)", "import base\nfrom base import V")
    scene.start({"__init__.py": user}, requires={"plugins": ["base"]})
    scene.edit({"__init__.py": "V = 'new'\nfrom . import part\n", "part.py": "V = 'new'"}, "base")
    assert scene.reload("base").together == ("base", "plug")
    assert scene.run() == ("new", "new", "new")


@case
def test_case_73_plugin_that_is_called_json(scene: Scene) -> None:
    scene.add({"__init__.py": root("'mine'")}, "json")
    report = scene.host.load()
    assert [(failure.plugin, failure.step) for failure in report.failed] == [("json", "assess")]
    assert "rename the plugin" in str(report)
    assert sys.modules["json"] is json


@case
def test_case_74_submodule_called_json(scene: Scene) -> None:
    head = "import json as theirs\nfrom . import json as own\n"
    scene.start({"__init__.py": root("(own.V, theirs.dumps(1))", head), "json.py": "V = 'old'"})
    scene.edit({"json.py": "V = 'new'"})
    scene.reload()
    assert scene.run() == ("new", "1")


@case
def test_case_75_two_versions_side_by_side(scene: Scene) -> None:
    head = "def lazily():\n    from .sub import V\n    return V\n"
    scene.start({"__init__.py": root("lazily()", head), "sub.py": "V = 1"})
    first = scene.get("lazily")
    assert first() == 1
    scene.edit({"sub.py": "V = 2"})
    scene.reload()
    assert (first(), scene.get("lazily")()) == (1, 2)


@case
def test_case_76_old_modules_die(scene: Scene) -> None:
    scene.start(
        {"__init__.py": root("1", "from . import a, b"), "a.py": "from . import b", "b.py": "from . import a"}
    )
    old = weakref.ref(scene.get("a"))
    scene.edit({"a.py": "from . import b\nV = 1"})
    assert scene.reload().alive == ()
    assert is_dead(old)


@case
def test_case_77_class_in_the_caches_of_typing(scene: Scene) -> None:
    head = "from typing import List, Optional\nclass C: ...\nHINT = Optional[List[C]]\nV = {}"
    scene.start({"__init__.py": root("V", head.format(1))})
    old = weakref.ref(scene.get("C"))
    scene.edit({"__init__.py": root("V", head.format(2))})
    assert scene.reload().alive == ()
    assert is_dead(old)


DISPATCH = "from functools import singledispatch\n@singledispatch\ndef show(value): return 'any'\n"


@case
def test_case_78_class_in_a_singledispatch_of_the_hosts(scene: Scene) -> None:
    show = scene.host_module("hostshow", DISPATCH).show
    head = "from hostshow import show\nclass C: ...\n@show.register\ndef _(value: C): return '{}'\n"
    scene.start({"__init__.py": root("show(C())", head.format("old"))})
    assert scene.run() == "old"
    old = weakref.ref(scene.get("C"))
    scene.edit({"__init__.py": root("show(C())", head.format("new"))})
    assert scene.reload().alive == ()
    assert scene.run() == "new"
    assert is_dead(old)
    assert len(show.registry) == 2


@case
def test_case_78_class_registered_through_the_context(scene: Scene) -> None:
    show = scene.host_module("hostshow", DISPATCH).show
    head = "from hostshow import show\nclass C: ...\ndef on_load(ctx): ctx.register(show, C, lambda value: '{}')\n"
    scene.start({"__init__.py": root("show(C())", head.format("old"))})
    old = weakref.ref(scene.get("C"))
    scene.edit({"__init__.py": root("show(C())", head.format("new"))})
    assert scene.reload().alive == ()
    assert scene.run() == "new"
    assert is_dead(old)
    assert len(show.registry) == 2


@case
def test_case_79_namespace_subpackage(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", "from .space.sub import V"), "space/sub.py": "V = 'old'"})
    scene.edit({"space/sub.py": "V = 'new'"})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_80_module_that_replaces_itself(scene: Scene) -> None:
    source = "import sys\nclass Instead:\n    V = '{}'\nsys.modules[__name__] = Instead()\n"
    scene.start({"__init__.py": root("sub.V", "from . import sub"), "sub.py": source.format("old")})
    scene.edit({"sub.py": source.format("new")})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_81_import_module_by_string(scene: Scene) -> None:
    head = "import importlib\ndef get(): return importlib.import_module('plug.sub').V\n"
    scene.start({"__init__.py": root("get()", head), "sub.py": "V = 'old'"})
    assert scene.run() == "old"
    scene.edit({"sub.py": "V = 'new'"})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_82_reload_called_inside_of_a_hook(scene: Scene) -> None:
    action = scene.host_module("hostact", "action = []").action
    head = "import hostact\ndef act(): return hostact.action.pop()() if hostact.action else None\nV = '{}'"
    scene.start({"__init__.py": root("(act(), V)[1]", head.format("old"))})
    scene.edit({"__init__.py": root("(act(), V)[1]", head.format("new"))})
    reports = []
    action.append(lambda: reports.append(scene.host.reload("plug")))
    assert scene.run() == "old"
    assert reports[0].ok
    assert scene.run() == "new"
    settle()


@case
def test_case_83_forked_child_runs_new_code(scene: Scene) -> None:
    head = "def lazily():\n    from .sub import V\n    return V"
    scene.start({"__init__.py": root("lazily()", head), "sub.py": "V = 'old'"})
    scene.edit({"sub.py": "V = 'new'"})
    scene.reload()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, scene.run().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert answer.read() == "new"
    os.waitpid(pid, 0)


@case
def test_case_84_two_thousand_modules(scene: Scene) -> None:
    head = "from importlib import import_module\nTOTAL = 0\n" + "".join(
        f"from .m{number} import V as v{number}\nTOTAL += v{number}\n" for number in range(2000)
    )
    scene.start({"__init__.py": root("TOTAL", head), **{f"m{number}.py": "V = 1" for number in range(2000)}})
    assert scene.run() == 2000
    scene.edit({"m1234.py": "V = 2"})
    assert scene.reload().alive == ()
    assert scene.run() == 2001


C_SOURCE = """
#include <Python.h>
static PyObject *value(PyObject *self, PyObject *none) { return PyLong_FromLong(VALUE); }
static PyMethodDef methods[] = {{"value", value, METH_NOARGS, ""}, {0, 0, 0, 0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "native", "", 0, methods};
PyMODINIT_FUNC PyInit_native(void) { return PyModuleDef_Init(&module); }
"""


def build(scene: Scene, value: int) -> None:
    source = scene.directory / "native.c"
    source.write_text(C_SOURCE)
    target = scene.plugins / "plug" / f"native{sysconfig.get_config_var('EXT_SUFFIX')}"
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = scene.directory / "native.so"
    include = f"-I{sysconfig.get_paths()['include']}"
    command = ["cc", "-shared", "-fPIC", include, f"-DVALUE={value}", str(source), "-o", str(fresh)]
    subprocess.run(command, check=True)
    fresh.replace(target)


@case
def test_case_85_c_extension_rebuilt(scene: Scene) -> None:
    if shutil.which("cc") is None or not Path(sysconfig.get_paths()["include"], "Python.h").exists():
        return
    build(scene, 1)
    scene.start({"__init__.py": root("native.value()", "from . import native")})
    assert scene.run() == 1
    build(scene, 2)
    scene.reload()
    assert scene.run() == 2


@case
def test_case_86_read_only_directory(scene: Scene) -> None:
    scene.start({"__init__.py": root("f()", "from .sub import f"), "sub.py": "def f(): return 'old'"})
    scene.edit({"sub.py": "def f(): return 'new'"})
    directory = scene.plugins / "plug"
    directory.chmod(0o555)
    try:
        scene.reload()
        assert scene.run() == "new"
        assert not (directory / "__pycache__").exists()
    finally:
        directory.chmod(0o755)


def install(site: Path, version: str, entry: str) -> None:
    for old in site.glob("*.dist-info"):
        shutil.rmtree(old)
    info = site / f"plug87-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: plug87\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[pk.case87]\n{entry} = plug87\n")
    (info / "RECORD").write_text("plug87/__init__.py,,\n")
    (site / "plug87").mkdir(exist_ok=True)
    (site / "plug87" / "__init__.py").write_text(root(f"'{version}'"))


@case
def test_case_87_dist_info_swapped_with_unchanged_directory_mtime(scene: Scene) -> None:
    site = scene.directory / "site"
    install(site, "1.0", "plug87")
    scene.arguments = {"entry_point_group": "pk.case87"}
    sys.path.append(str(site))
    try:
        assert scene.host.load().ok
        assert scene.run() == "1.0"
        before = site.stat()
        install(site, "2.0", "plug87")
        os.utime(site, ns=(before.st_atime_ns, before.st_mtime_ns))
        scene.reload("plug87")
        assert scene.run() == "2.0"
        assert str(scene.host.plugins["plug87"].version) == "2.0"
    finally:
        sys.path.remove(str(site))


@case
def test_case_88_plugin_calls_importlib_reload_itself(scene: Scene) -> None:
    head = "import importlib\nfrom . import sub\n"
    scene.start({"__init__.py": root("importlib.reload(sub).V", head), "sub.py": "V = 'old'"})
    assert scene.run() == "old"
    scene.edit({"sub.py": "V = 'new'"})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_89_unload_leaves_nothing(scene: Scene) -> None:
    before = set(sys.modules), list(sys.path), list(sys.meta_path), threading.active_count()
    scene.start({"__init__.py": root("1", "from . import sub"), "sub.py": "V = 1"})
    scene.edit({"sub.py": "V = 2"})
    scene.reload()
    report = scene.host.unload("plug")
    assert report.is_gone
    assert scene.host.hook.run() == []
    left = {
        name
        for name in set(sys.modules) - before[0]
        if name.startswith("plug") and not name.startswith("pluginkit")
    }
    assert left == set()
    assert (list(sys.path), list(sys.meta_path), threading.active_count()) == before[1:]


@case
def test_case_90_order_of_calls_is_kept(scene: Scene) -> None:
    for name in ("aaa", "mmm", "zzz"):
        scene.add({"__init__.py": root(f"'{name}'")}, name)
    scene.host.load()
    before = scene.host.hook.run()
    for name in ("mmm", "aaa", "zzz"):
        scene.edit({"__init__.py": root(f"'{name}'", "# edited")}, name)
        scene.reload(name)
        assert scene.host.hook.run() == before


@case
def test_case_91_other_threads_import_the_plugin_meanwhile(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", "from .sub import V"), "sub.py": "V = 0"})
    stop, wrong, seen = threading.Event(), [], threading.Semaphore(0)

    def look() -> None:
        while not stop.is_set():
            try:
                import plug.sub  # type: ignore[import-not-found]  # made by the case itself
                from plug import V

                assert plug.sub.V <= 60
                assert V <= 60
            except BaseException as error:
                wrong.append(error)
                return
            finally:
                seen.release()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # looking up and using come apart more often
    try:
        for version in range(1, 61):
            seen.acquire()
            scene.edit({"sub.py": f"V = {version}"})
            scene.reload()
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        for thread in threads:
            thread.join(30)
    assert not wrong, repr(wrong)


@case
def test_case_95_a_touch_is_no_change(scene: Scene) -> None:
    scene.start({"__init__.py": root("1")})
    (scene.plugins / "plug" / "__init__.py").touch()
    assert scene.host.reload("plug").is_unchanged


@case
def test_case_96_whole_directory_swapped_by_rename(scene: Scene) -> None:
    scene.start({"__init__.py": root("'old'")})
    scene.add({"__init__.py": root("'new'")}, "next")
    shutil.copy(scene.plugins / "plug" / "manifest.yaml", scene.plugins / "next" / "manifest.yaml")
    (scene.plugins / "plug").rename(scene.directory / "away")
    (scene.plugins / "next").rename(scene.plugins / "plug")
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_105_thread_inside_old_code_is_named_and_watched_until_it_leaves(scene: Scene) -> None:
    head = "import threading\nentered, go = threading.Event(), threading.Event()\ndef wait():\n    entered.set()\n    go.wait(30)\n    return V\nV = '{}'"
    scene.start({"__init__.py": root("wait()", head.format("old"))})
    go, old = scene.get("go"), weakref.ref(scene.get("wait"))
    results: list[object] = []
    caller = threading.Thread(target=lambda: results.append(scene.run()), name="caller")
    caller.start()
    scene.get("entered").wait(30)
    scene.edit({"__init__.py": root("V", head.format("new"))})
    report = scene.reload(timeout=0.0)
    assert [left.name for left in report.running] == ["caller"]
    assert "wait" in report.running[0].where
    go.set()
    caller.join(30)
    settle()
    assert results == ["old"]
    assert is_dead(old)


@case
def test_case_106_suspended_task_of_old_code_ends_on_its_version(scene: Scene) -> None:
    head = "async def work(event):\n    await event.wait()\n    return V\nV = '{}'"
    scene.start({"__init__.py": root("V", head.format("old"))})

    async def main() -> object:
        event = asyncio.Event()
        task = asyncio.ensure_future(scene.get("work")(event))
        await asyncio.sleep(0)
        scene.edit({"__init__.py": root("V", head.format("new"))})
        report = scene.reload()
        assert [left.kind for left in report.running] == ["task"]
        event.set()
        return await task

    assert asyncio.run(main()) == "old"
    assert scene.run() == "new"


@case
def test_case_107_held_bound_method_is_reported(scene: Scene) -> None:
    head = "class K:\n    def m(self): return V\nk = K()\nV = '{}'"
    scene.start({"__init__.py": root("V", head.format("old"))})
    held = scene.get("k").m
    scene.edit({"__init__.py": root("V", head.format("new"))})
    assert scene.reload().alive == ("plug",)
    assert held() == "old"
