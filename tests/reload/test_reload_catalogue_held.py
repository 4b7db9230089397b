"""Cases 38 to 57 of the reload catalogue: what the host holds, and calls that are under way."""

from __future__ import annotations

import gc
import pickle
import threading

from tests.support.reload_cases import Scene, case, root

TYPES = "import enum\nclass C:\n    def f(self): return 1\nclass E(enum.Enum):\n    RED = 1\nclass Boom(Exception): ...\n"
USES = "def make(): return C()\ndef is_it(o): return isinstance(o, C)\ndef fail(): raise Boom\n"
IN_ROOT = TYPES + USES + "V = '{}'\n"
STABLE = {"types.py": TYPES}
FROM_STABLE = "PLUGINKIT_STABLE = ('types',)\nfrom .types import *\n" + USES + "V = '{}'\n"


@case
def test_case_38_old_object_in_new_code_is_an_instance_or_detected(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", IN_ROOT.format("old"))})
    held = scene.get("make")()
    scene.edit({"__init__.py": root("V", IN_ROOT.format("new"))})
    report = scene.reload()
    assert scene.get("is_it")(held) is False
    # Detected: the report names the module whose old version the object keeps alive.
    assert "plug" in report.alive


@case
def test_case_41_super_with_the_class_on_a_held_instance(scene: Scene) -> None:
    source = (
        "class A:\n    def f(self): return '{0}'\nclass B(A):\n    def f(self): return super(B, self).f()\n"
    )
    scene.start({"__init__.py": root("B().f()", source.format("old"))})
    held = scene.get("B")()
    scene.edit({"__init__.py": root("B().f()", source.format("new"))})
    scene.reload()
    assert held.f() == "old"
    assert scene.run() == "new"


@case
def test_case_42_pickled_before_and_unpickled_after(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", IN_ROOT.format("old"))})
    blob = pickle.dumps(scene.get("make")())
    scene.edit({"__init__.py": root("V", IN_ROOT.format("new"))})
    scene.reload()
    assert type(pickle.loads(blob)) is scene.get("C")


@case
def test_case_43_old_instance_pickled_after(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", IN_ROOT.format("old"))})
    held, member = scene.get("make")(), scene.get("E").RED
    held.y = [held]
    scene.edit({"__init__.py": root("V", IN_ROOT.format("new"))})
    scene.reload()
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        copy = pickle.loads(pickle.dumps(held, protocol))
        assert type(copy) is scene.get("C")
        assert copy.y == [copy]
        assert pickle.loads(pickle.dumps(member, protocol)) is scene.get("E").RED


@case
def test_case_44_subclasses_of_a_base_of_the_hosts_after_collection(scene: Scene) -> None:
    base = scene.host_module("hostbase", "class Base: ...").Base
    head = "from hostbase import Base\nclass Mine(Base): ...\nV = '{}'"
    scene.start({"__init__.py": root("V", head.format("old"))})
    scene.edit({"__init__.py": root("V", head.format("new"))})
    scene.reload()
    gc.collect()
    assert len(base.__subclasses__()) == 1


@case
def test_case_45_type_in_a_stable_module_stays_the_same_class(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", FROM_STABLE.format("old")), **STABLE})
    held = scene.get("make")()
    scene.edit({"__init__.py": root("V", FROM_STABLE.format("new"))})
    scene.reload()
    assert scene.run() == "new"
    assert scene.get("is_it")(held)
    assert type(held) is scene.get("C")


@case
def test_case_46_enum_in_a_stable_module_keeps_its_members(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", FROM_STABLE.format("old")), **STABLE})
    held = scene.get("E").RED
    scene.edit({"__init__.py": root("V", FROM_STABLE.format("new"))})
    scene.reload()
    assert scene.get("E").RED is held


@case
def test_case_47_exception_in_a_stable_module_is_caught(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", FROM_STABLE.format("old")), **STABLE})
    boom = scene.get("Boom")
    scene.edit({"__init__.py": root("V", FROM_STABLE.format("new"))})
    scene.reload()
    try:
        scene.get("fail")()
    except boom:
        return
    raise AssertionError("not caught")


@case
def test_case_48_old_instance_of_a_stable_type_is_pickled_after(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", FROM_STABLE.format("old")), **STABLE})
    held = scene.get("make")()
    scene.edit({"__init__.py": root("V", FROM_STABLE.format("new"))})
    assert scene.reload().alive == ()
    assert type(pickle.loads(pickle.dumps(held))) is type(held)


HELD = {
    "__init__.py": root(
        "0",
        "from . import part\nV = '{0}'\ndef f(): return (V, part.V)\n"
        "def closure():\n    own = V\n    return lambda: (own, *f())\n"
        "class K:\n    def m(self): return f()\nk = K()",
    ),
    "part.py": "V = '{0}'",
}


def release(version: str) -> dict[str, str | bytes | None]:
    return {name: text.replace("{0}", version) for name, text in HELD.items()}


def start(scene: Scene) -> None:
    scene.start({name: text.replace("{0}", "old") for name, text in HELD.items()})


@case
def test_case_49_host_holds_a_function(scene: Scene) -> None:
    start(scene)
    held = scene.get("f")
    scene.edit(release("new"))
    scene.reload()
    assert held() == ("old", "old")


@case
def test_case_50_host_holds_a_closure(scene: Scene) -> None:
    start(scene)
    held = scene.get("closure")()
    scene.edit(release("new"))
    scene.reload()
    assert set(held()) == {"old"}


@case
def test_case_51_host_holds_a_bound_method(scene: Scene) -> None:
    start(scene)
    held = scene.get("k").m
    scene.edit(release("new"))
    scene.reload()
    assert held() == ("old", "old")


@case
def test_case_52_held_instance_and_a_new_method_that_needs_a_new_attribute(scene: Scene) -> None:
    first = "class P:\n    def __init__(self): self.a = 1\n    def f(self): return self.a\n"
    second = "class P:\n    def __init__(self): self.b = 2\n    def f(self): return self.b\n"
    scene.start({"__init__.py": root("P().f()", first)})
    held = scene.get("P")()
    scene.edit({"__init__.py": root("P().f()", second)})
    scene.reload()
    assert held.f() == 1
    assert scene.run() == 2


@case
def test_case_53_suspended_wrapper_resumes_on_its_version(scene: Scene) -> None:
    source = (
        "from pluginkit import hookimpl\nfrom . import part\nV = '{0}'\n"
        "@hookimpl(wrapper=True)\ndef run():\n    before = V\n    rest = yield\n    return (before, V, part.V, rest)\n"
    )
    scene.add({"__init__.py": root("host_gate()", "from hostgate import host_gate")}, "inner")
    gate = scene.host_module(
        "hostgate", "action = []\ndef host_gate():\n    return action.pop()() if action else 0\n"
    )
    scene.start({"__init__.py": source.replace("{0}", "old"), "part.py": "V = 'old'"})
    scene.edit({"__init__.py": source.replace("{0}", "new"), "part.py": "V = 'new'"})
    gate.action.append(lambda: scene.host.reload("plug", timeout=0.0).ok)
    assert scene.host.hook.run() == ("old", "old", "old", [True])
    assert scene.host.hook.run() == ("new", "new", "new", [0])
    wait_for_retirement()


def wait_for_retirement() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("pluginkit-retire-"):
            thread.join(30)


IN_FLIGHT = (
    "V = '{0}'\nfrom . import part\nimport threading\nentered, go = threading.Event(), threading.Event()\n"
)
FLYING = root(
    "fly()",
    IN_FLIGHT
    + "def fly():\n    before = V\n    entered.set()\n    go.wait(30)\n    {1}\n    return (before, V, part.V, late)\n",
)


def fly(scene: Scene, late: str, extra: dict[str, str]) -> object:
    source = FLYING.replace("{1}", late)
    old = {"__init__.py": source.replace("{0}", "old"), "part.py": "V = 'old'"}
    scene.start({**old, **{name: text.replace("{0}", "old") for name, text in extra.items()}})
    results: list[object] = []
    caller = threading.Thread(target=lambda: results.append(scene.run()))
    go = scene.get("go")
    caller.start()
    assert scene.get("entered").wait(30)
    scene.edit({"__init__.py": source.replace("{0}", "new"), "part.py": "V = 'new'"})
    scene.edit({name: text.replace("{0}", "new") for name, text in extra.items()})
    scene.reload(timeout=0.0)
    go.set()
    caller.join(30)
    wait_for_retirement()
    return results[0]


@case
def test_case_54_call_in_flight_during_the_reload(scene: Scene) -> None:
    assert fly(scene, "late = V", {}) == ("old", "old", "old", "old")


@case
def test_case_55_call_in_flight_imports_lazily_after_the_edit(scene: Scene) -> None:
    result = fly(scene, "from .lazy import V as late", {"lazy.py": "V = '{0}'"})
    assert result == ("old", "old", "old", "old")


@case
def test_case_56_lazy_import_that_was_cached_and_has_changed(scene: Scene) -> None:
    head = "def lazily():\n    from .lazy import V\n    return V"
    scene.start({"__init__.py": root("lazily()", head), "lazy.py": "V = 'old'"})
    assert scene.run() == "old"
    scene.edit({"lazy.py": "V = 'new'"})
    scene.reload()
    assert scene.run() == "new"


@case
def test_case_57_failed_reload_then_the_first_lazy_import(scene: Scene) -> None:
    head = "def lazily():\n    from .lazy import V\n    return V"
    scene.start({"__init__.py": root("lazily()", head), "lazy.py": "V = 'old'"})
    scene.edit({"__init__.py": "1 / 0", "lazy.py": "V = 'new'"})
    scene.refused()
    assert scene.run() == "old"
