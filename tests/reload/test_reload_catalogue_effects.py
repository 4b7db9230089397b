"""Cases 58 to 71 of the reload catalogue: what plugins do to the process, and what they remember."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading

from tests.support.reload_cases import Scene, case, root, settle


def twice(scene: Scene, head: str) -> None:
    """Load with `head` at import, then reload an edit of something else."""
    scene.start({"__init__.py": root("'old'", head)})
    scene.edit({"__init__.py": root("'new'", head)})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_58_callback_appended_to_a_list_of_the_hosts_at_import(scene: Scene) -> None:
    registry = scene.host_module("hostreg", "CALLBACKS = []")
    twice(scene, "import hostreg\ndef f(): return 1\nhostreg.CALLBACKS.append(f)")
    assert [scene.get("f")] == registry.CALLBACKS
    scene.host.unload("plug")
    assert registry.CALLBACKS == []


@case
def test_case_58_callback_appended_through_the_context(scene: Scene) -> None:
    registry = scene.host_module("hostreg", "CALLBACKS = []")
    head = "import hostreg\ndef f(): return 1\ndef on_load(ctx): ctx.append(hostreg.CALLBACKS, f)"
    twice(scene, head)
    assert [scene.get("f")] == registry.CALLBACKS


@case
def test_case_59_thread_started_at_import_is_reported(scene: Scene) -> None:
    stop = scene.host_module("hoststop", "import threading\nstop = threading.Event()").stop
    head = (
        "import threading, hoststop\nup = threading.Event()\n"
        "def work():\n    up.set()\n    hoststop.stop.wait(60)\n"
        "t = threading.Thread(target=work, name='mine')\nt.start()\nup.wait(30)"
    )
    scene.start({"__init__.py": root("'old'", head)})
    scene.edit({"__init__.py": root("'new'")})
    report = scene.reload()
    assert [(left.kind, left.name) for left in report.running] == [("thread", "mine")]
    assert "work" in report.running[0].where
    stop.set()
    for thread in threading.enumerate():
        if thread.name == "mine":
            thread.join(30)


@case
def test_case_60_logging_handler_at_import(scene: Scene) -> None:
    before = list(logging.getLogger("hostlog").handlers)
    twice(scene, "import logging\nlogging.getLogger('hostlog').addHandler(logging.NullHandler())")
    assert len(logging.getLogger("hostlog").handlers) == len(before) + 1
    scene.host.unload("plug")
    assert logging.getLogger("hostlog").handlers == before


@case
def test_case_60_logging_handler_added_only_if_there_is_none(scene: Scene) -> None:
    head = "import logging\nlog = logging.getLogger('hostlog')\nif not log.handlers: log.addHandler(logging.NullHandler())"
    twice(scene, head)
    assert len(logging.getLogger("hostlog").handlers) == 1
    scene.host.unload("plug")
    assert logging.getLogger("hostlog").handlers == []


@case
def test_case_61_atexit_at_import(scene: Scene) -> None:
    log = scene.host_module("hostlog", "LOG = []").LOG
    twice(scene, "import atexit, hostlog\ndef bye(): hostlog.LOG.append('bye')\natexit.register(bye)")
    assert said_at_exit(log) == 1
    scene.host.unload("plug")
    assert said_at_exit(log) == 0


def said_at_exit(log: list[str]) -> int:
    """How much a copy of this process says when it ends."""
    pid = os.fork()
    if pid == 0:
        atexit._run_exitfuncs()
        os._exit(len(log))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@case
def test_case_62_signal_handler_at_import(scene: Scene) -> None:
    seen = scene.host_module("hostseen", "SEEN = []").SEEN
    head = "import signal, hostseen\nsignal.signal(signal.SIGUSR1, lambda n, f: hostseen.SEEN.append('{}'))"
    scene.start({"__init__.py": root("1", head.format("old"))})
    scene.edit({"__init__.py": root("1", head.format("new"))})
    scene.reload()
    signal.raise_signal(signal.SIGUSR1)
    assert seen == ["new"]
    scene.host.unload("plug")
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


@case
def test_case_63_function_of_the_hosts_wrapped_through_the_context(scene: Scene) -> None:
    target = scene.host_module("hostfn", "def f(): return 0")
    original = target.f
    twice(scene, "import hostfn\ndef on_load(ctx): ctx.wrap(hostfn, 'f', lambda f: lambda: f() + 1)")
    assert target.f() == 1
    scene.host.unload("plug")
    assert target.f is original


@case
def test_case_64_sys_path_appended_at_import(scene: Scene) -> None:
    before = list(sys.path)
    twice(scene, "import sys\nsys.path.append('/nowhere/of/mine')")
    assert sys.path == [*before, "/nowhere/of/mine"]
    scene.host.unload("plug")
    assert sys.path == before


@case
def test_case_64_sys_path_appended_only_if_missing(scene: Scene) -> None:
    before = list(sys.path)
    twice(scene, "import sys\nif '/nowhere/of/mine' not in sys.path: sys.path.insert(0, '/nowhere/of/mine')")
    assert sys.path == ["/nowhere/of/mine", *before]
    scene.host.unload("plug")
    assert sys.path == before


@case
def test_case_64_environment_and_excepthook_at_import(scene: Scene) -> None:
    os.environ["PK_CASE"] = "host"
    hook = sys.excepthook
    twice(scene, "import os, sys\nos.environ['PK_CASE'] = 'plugin'\nsys.excepthook = lambda *error: None")
    assert os.environ["PK_CASE"] == "plugin"
    assert sys.excepthook is not hook
    scene.host.unload("plug")
    assert os.environ["PK_CASE"] == "host"
    assert sys.excepthook is hook


@case
def test_case_65_second_version_registers_at_the_host_and_raises(scene: Scene) -> None:
    registry = scene.host_module("hostreg", "CALLBACKS = []\nTABLE = {}")
    head = "import hostreg\ndef f(): return 1\nhostreg.CALLBACKS.append(f)\nhostreg.TABLE['f'] = f\n"
    scene.start({"__init__.py": root("'old'", head)})
    (old,) = registry.CALLBACKS
    scene.edit({"__init__.py": root("'new'", head + "1 / 0")})
    scene.refused()
    assert [old] == registry.CALLBACKS
    assert {"f": old} == registry.TABLE
    assert scene.run() == "old"


RESOURCE = """
import hostlog
class Resource:
    def __init__(self): hostlog.LOG.append('open {0}')
    def close(self): hostlog.LOG.append('close {0}')
def on_load(ctx):
    ctx.callback(Resource().close)
    {1}
"""


@case
def test_case_66_resource_through_the_context(scene: Scene) -> None:
    log = scene.host_module("hostlog", "LOG = []").LOG
    scene.start({"__init__.py": root("1", RESOURCE.format("old", ""))})
    scene.edit({"__init__.py": root("1", RESOURCE.format("new", ""))})
    scene.reload()
    assert log == ["open old", "open new", "close old"]


@case
def test_case_67_resource_rolled_back_on_failure(scene: Scene) -> None:
    log = scene.host_module("hostlog", "LOG = []").LOG
    scene.start({"__init__.py": root("1", RESOURCE.format("old", ""))})
    scene.edit({"__init__.py": root("1", RESOURCE.format("new", "1 / 0"))})
    scene.refused()
    assert log == ["open old", "open new", "close new"]


STATE = "count = 0\ndef export_state(): return count\ndef import_state(data):\n    global count\n    count = data\n"


@case
def test_case_68_global_state_is_handed_over(scene: Scene) -> None:
    scene.start({"__init__.py": root("count", STATE)})
    vars_of = scene.get("export_state").__globals__
    vars_of["count"] = 5
    del vars_of
    scene.edit({"__init__.py": root("count", "# edited\n" + STATE)})
    scene.reload()
    assert scene.run() == 5


@case
def test_case_69_cache_kept_by_a_name_error_idiom(scene: Scene) -> None:
    # With a fresh namespace the idiom finds nothing; the same state goes by export and import.
    head = "try:\n    CACHE\nexcept NameError:\n    CACHE = {}\ndef export_state(): return CACHE\ndef import_state(data): CACHE.update(data)\n"
    scene.start({"__init__.py": root("CACHE", head)})
    scene.get("CACHE")["k"] = 5
    scene.edit({"__init__.py": root("CACHE", "# edited\n" + head)})
    scene.reload()
    assert scene.run() == {"k": 5}


@case
def test_case_70_lru_cache_over_a_changed_callee(scene: Scene) -> None:
    head = "from functools import lru_cache\nfrom .sub import f\n@lru_cache\ndef cached(): return f()\n"
    scene.start({"__init__.py": root("cached()", head), "sub.py": "def f(): return 'stale'"})
    assert scene.run() == "stale"
    scene.edit({"sub.py": "def f(): return 'fresh'"})
    scene.reload()
    assert scene.run() == "fresh"


@case
def test_case_71_init_subclass_registry(scene: Scene) -> None:
    head = "class Base:\n    known = []\n    def __init_subclass__(cls): Base.known.append(cls)\nfrom .sub import Sub\n"
    scene.start(
        {"__init__.py": root("len(Base.known)", head), "sub.py": "from . import Base\nclass Sub(Base): ..."}
    )
    scene.edit({"sub.py": "from . import Base\nclass Sub(Base): x = 1"})
    scene.reload()
    assert scene.run() == 1


@case
def test_case_71_init_subclass_registry_of_a_base_of_the_hosts(scene: Scene) -> None:
    source = "class Base:\n    known = []\n    def __init_subclass__(cls): Base.known.append(cls)\n"
    base = scene.host_module("hostbase", source).Base
    base.__module__ = "hostbase"
    twice(scene, "from hostbase import Base\nclass Sub(Base): ...")
    assert base.known == [scene.get("Sub")]
    settle()
