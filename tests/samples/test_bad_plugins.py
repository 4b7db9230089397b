"""The bad plugins that other tests use are bad in the way that they claim, and leave their mark when run."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from pluginkit.contracts import Animal, Contract, check
from pluginkit.discovery import Catalogue, Found, discover
from pluginkit.lifecycle.assess import Circumstances, make_plan
from pluginkit.manifest import ManifestReader, Vocabulary
from pluginkit.versions import Version
from tests.support.bad_plugins import MARKER, Expected, build_bad_plugins, build_misbehaving_plugins

VOCABULARY = Vocabulary(types=frozenset({"animal", "execute", "pluggy"}))
RunChild = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad") / "plugins"


@pytest.fixture(scope="module")
def expected(directory: Path) -> dict[str, Expected]:
    return build_bad_plugins(directory)


@pytest.fixture(scope="module")
def catalogue(
    directory: Path, expected: dict[str, Expected], tmp_path_factory: pytest.TempPathFactory
) -> Catalogue:
    """What discovery makes of them; a plugin whose code ran would have left its mark."""
    marker = tmp_path_factory.mktemp("marker") / "marker"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MARKER, str(marker))
        found = discover(plugins_dirs=[directory], manifests=ManifestReader(VOCABULARY))
    assert not marker.exists()
    return found


# The issue's own list of bad kinds.
KINDS = {
    "bad yaml",
    "duplicate key",
    "missing field",
    "unknown type",
    "entrypoint outside",
    "import error",
    "syntax error",
    "exit at import",
    "own base exception",
    "dangling symlink as manifest",
    "FIFO as manifest",
    "wrong signature",
    "name conflict",
    "cycle of requirements",
    "incompatible version",
}


def test_ex08_every_bad_kind_is_there_and_good_ones_too(expected: dict[str, Expected]) -> None:
    assert {one.kind for one in expected.values()}.issuperset(KINDS)
    assert [name for name, one in expected.items() if one.is_good] == ["aardvark", "utils", "zebra", "twin-b"]


def test_dm11_every_plugin_is_listed_once(catalogue: Catalogue, expected: dict[str, Expected]) -> None:
    listed = [entry.name for entry in catalogue] + [conflict.name for conflict in catalogue.conflicts]
    assert sorted(listed) == sorted(expected)


def test_dm11_a_broken_manifest_says_what_is_expected(
    catalogue: Catalogue, expected: dict[str, Expected]
) -> None:
    for name, broken in catalogue.broken.items():
        assert expected[name].listed == "failed", name
        assert [word for word in expected[name].says if word not in str(broken.reason)] == [], broken.reason


def test_dm13_the_conflict_names_both(catalogue: Catalogue, expected: dict[str, Expected]) -> None:
    (conflict,) = catalogue.conflicts
    assert expected[conflict.name].listed == "conflict"
    assert all(word in str(conflict.reason) for word in expected[conflict.name].says)


def test_dm14_what_is_broken_only_in_its_code_or_its_wishes_is_found(
    catalogue: Catalogue, expected: dict[str, Expected]
) -> None:
    by_wish = {"cycle of requirements", "incompatible version"}
    for name, one in expected.items():
        wishes = one.kind in by_wish or one.kind.startswith("needs ")
        assert (name in catalogue.found) is (one.listed == "discovered" or wishes), name


def test_lc12_every_plugin_has_the_expected_state_before_anything_is_imported(
    catalogue: Catalogue, expected: dict[str, Expected]
) -> None:
    python, own = Version.parse("3.11.0"), Version.parse("0.1.0")
    plan = make_plan(catalogue, Circumstances(python=python, pluginkit=own))
    conflicts = {conflict.name: "conflict" for conflict in catalogue.conflicts}
    states = {name: str(verdict.state) for name, verdict in plan.assessments.items()} | conflicts
    assert states == {name: one.listed for name, one in expected.items()}
    for name, verdict in plan.assessments.items():
        if expected[name].listed != "discovered":
            assert [word for word in expected[name].says if word not in str(verdict.reason)] == []


def code_of(found: Found) -> Path:
    assert found.module is not None
    return found.root / f"{found.module}.py"


IMPORTING = """
import sys, os
sys.path.insert(0, {root!r})
try:
    import {module}
    if {make}:
        {module}.Plugin()
except BaseException as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    "name",
    [
        "import-error",
        "syntax-error",
        "exit-at-import",
        "own-base-exception",
        "raises-at-import",
        "raises-when-made",
    ],
)
def test_ex08_code_that_fails_does_so_as_expected_and_leaves_its_mark(
    name: str, catalogue: Catalogue, expected: dict[str, Expected], child: RunChild, tmp_path: Path
) -> None:
    found = catalogue.found[name]
    source = IMPORTING.format(root=str(found.root), module=found.module, make=True)
    done = child(source, env={MARKER: str(tmp_path / "marker")})
    assert expected[name].loaded == "failed"
    assert all(word in done.stdout for word in expected[name].says), done.stdout
    marked = (
        tmp_path.joinpath("marker").read_text(encoding="utf-8") if name != "syntax-error" else f"{name}\n"
    )
    assert marked == f"{name}\n"


@pytest.mark.parametrize("name", ["wrong-signature", "unknown-hook", "missing-hook", "wrong-type"])
def test_ex08_broken_contracts_break_the_contract_of_animals(
    name: str, catalogue: Catalogue, expected: dict[str, Expected]
) -> None:
    namespace: dict[str, type] = {}
    exec(compile(code_of(catalogue.found[name]).read_text(encoding="utf-8"), name, "exec"), namespace)
    target = namespace["Plugin"]()
    members = {
        key: getattr(target, key) for key in dir(target) if hasattr(getattr(target, key), "pluginkit_impl")
    }
    problems = check(Contract.of("animal", Animal), members, plugin=name, target=target)
    assert problems
    assert all(word in " ".join(map(str, problems)) for word in expected[name].says)


def test_ex08_every_file_of_code_leaves_its_mark_first(catalogue: Catalogue) -> None:
    for name, found in catalogue.found.items():
        text = code_of(found).read_text(encoding="utf-8")
        head = text[: text.index("\n", text.index("marker.write"))]
        assert isinstance(ast.parse(head).body[0], ast.Import)
        assert f'"{name}\\n"' in head


def test_ex08_without_the_variable_no_mark_is_left(
    catalogue: Catalogue, child: RunChild, tmp_path: Path
) -> None:
    found = catalogue.found["zebra"]
    child(f"import sys; sys.path.insert(0, {str(found.root)!r}); import utils; print(utils.WORD)")
    assert os.listdir(tmp_path) == []


CALLING = """
import sys, os, threading
sys.path.insert(0, {root!r})
import plugin
try:
    plugin.speak(is_loud=True)
except BaseException as error:
    print(type(error).__name__, error)
print(threading.active_count(), "threads")
"""


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("crashing", -6, ""),
        ("raising", 0, "RuntimeError raising raised\n1 threads\n"),
        ("exiting", 0, "SystemExit exiting exits\n1 threads\n"),
        ("bare-exception", 0, "Stop bare\n1 threads\n"),
        ("leaking", 0, "2 threads\n"),
    ],
)
def test_ex08_misbehaving_plugins_load_and_misbehave_when_called(
    name: str, status: int, says: str, tmp_path: Path, child: RunChild
) -> None:
    build_misbehaving_plugins(tmp_path / "plugins")
    done = child(CALLING.format(root=str(tmp_path / "plugins" / name)), status=status)
    assert done.stdout == says


def test_ex08_the_hanging_plugin_hangs_until_it_is_released(tmp_path: Path, child: RunChild) -> None:
    build_misbehaving_plugins(tmp_path / "plugins")
    root = str(tmp_path / "plugins" / "hanging")
    source = f"""
import sys, threading
sys.path.insert(0, {root!r})
import plugin
caller = threading.Thread(target=plugin.speak, args=(True,))
caller.start()
caller.join(0.05)
print(caller.is_alive())
plugin.release.set()
caller.join()
"""
    assert child(source).stdout == "True\n"


def test_ex08_misbehaving_plugins_are_fine_to_look_at(tmp_path: Path) -> None:
    names = build_misbehaving_plugins(tmp_path)
    found = discover(plugins_dirs=[tmp_path], manifests=ManifestReader(VOCABULARY))
    assert sorted(found.found) == sorted(names)
