"""The three cases of the 91 that no reload within the process can do, and what happens instead."""

from __future__ import annotations

import pytest

from tests.support.reload_cases import Scene, case, root

IMPOSSIBLE = {
    39: "A member of an enum is an object of its class, and the new version's class is another; the host's old "
    "member could only be the new one if the old class lived on. Put the enum into a stable module (case 46).",
    40: "`except` compares classes by their real bases, which nothing can hook into; the new version raises its own. "
    "Put the exception into a stable module (case 47) or into the host's package.",
    63: "The new version is imported while the old one serves, so what it finds under the name, and wraps, is the "
    "old one's patch. `ctx.wrap` gives it the original.",
}


def test_at_most_three_of_the_91_cases_are_impossible() -> None:
    assert len(IMPOSSIBLE) <= 3


TYPES = "import enum\nclass E(enum.Enum):\n    RED = 1\nclass Boom(Exception): ...\ndef fail(): raise Boom\nV = '{}'\n"


@case
def test_case_39_enum_member_held_by_the_host_differs(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", TYPES.format("old"))})
    held = scene.get("E").RED
    scene.edit({"__init__.py": root("V", TYPES.format("new"))})
    scene.reload()
    assert scene.get("E").RED is not held
    assert scene.get("E")(held.value) is scene.get("E").RED


@case
def test_case_40_exception_of_the_new_version_escapes_a_held_class(scene: Scene) -> None:
    scene.start({"__init__.py": root("V", TYPES.format("old"))})
    held = scene.get("Boom")
    scene.edit({"__init__.py": root("V", TYPES.format("new"))})
    scene.reload()
    with pytest.raises(scene.get("Boom")) as caught:
        scene.get("fail")()
    assert not isinstance(caught.value, held)


@case
def test_case_63_function_of_the_hosts_wrapped_at_import_is_wrapped_twice_and_reported(scene: Scene) -> None:
    target = scene.host_module("hostfn", "def f(): return 0")
    original = target.f
    head = "import hostfn\noriginal = hostfn.f\ndef f(): return original() + 1\nhostfn.f = f\n"
    scene.start({"__init__.py": root("1", head)})
    scene.edit({"__init__.py": root("2", head)})
    report = scene.reload()
    assert target.f() == 2
    assert report.alive == ("plug",)
    # The damage ends with the plugin.
    scene.host.unload("plug")
    assert target.f is original
