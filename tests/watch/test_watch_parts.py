"""The parts of the watcher one by one: changes, noise, owners, bursts, gates, libraries."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.noise import is_noise
from pluginkit.watch import gates
from pluginkit.watch.changes import Action, Change, is_passed_by
from pluginkit.watch.libraries import Libraries
from pluginkit.watch.own_output import TIMES, OwnOutput
from pluginkit.watch.owners import INSTALLED, SOMETHING
from pluginkit.watch.pending import MANY, Burst, Pending
from pluginkit.watch.places import Place, places, site_directories
from tests.watch.conftest import Yard, until

CAT = Change("modified", "/p/cat/cat.py")


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("created", "modified", "created"),
        ("created", "attributes", "created"),
        ("modified", "attributes", "modified"),
        ("modified", "created", "modified"),
        ("modified", "removed", "removed"),
        ("removed", "created", "modified"),
        ("removed", "renamed", "modified"),
        ("attributes", "modified", "modified"),
        ("renamed", "modified", "renamed"),
        ("created", "removed", "removed"),
    ],
)
def test_wr04_two_changes_of_one_file_are_told_as_one(first: Action, second: Action, both: Action) -> None:
    assert Change(first, "a").then(Change(second, "a")).action == both


def test_wr01_a_change_is_told_relative_to_its_plugin() -> None:
    assert Change("created", "/p/cat/sub/x.py").text("/p/cat") == "sub/x.py created"
    assert Change("removed", "/p/cat").text("/p/cat") == "cat removed"
    assert Change("modified", "/q/cat.config.yaml").text("/p/cat") == "/q/cat.config.yaml modified"
    assert Change("renamed", "/p/cat/b", None).text(None) == "/p/cat/b renamed"


@pytest.mark.parametrize(
    "name",
    [".cat.py.swp", ".cat.py.swx", "cat.py~", "#cat.py#", ".#cat.py", "4913", "sedAb3dE9", ".cat.py.aB3dE9",
     "tmpab12_x9z", "cat.py.tmp", "cat.py.tmp.4711", "cat.py___jb_tmp___", ".goutputstream-ABC", ".DS_Store"],
)  # fmt: skip
def test_wr04_temporary_files_of_editors_and_tools_are_noise(name: str) -> None:
    assert is_noise(name)


@pytest.mark.parametrize(
    "name",
    ["cat.py", "manifest.yaml", "sedan.py", "sed.txt", ".env", "tmp.py", "template", "temporary.py", "4913.py", "x.pyc",
     "settings.local.json", ".gitignore", "sedation", "tmpfile"],
)  # fmt: skip
def test_wr04_what_a_plugin_may_consist_of_is_no_noise(name: str) -> None:
    assert not is_noise(name)


def test_wr04_what_lies_in_caches_is_passed_by_but_not_because_of_where_the_project_lies() -> None:
    assert is_passed_by("/p/cat/__pycache__/x.pyc", "/p")
    assert is_passed_by("/p/cat/.git/index", "/p")
    assert not is_passed_by("/home/.venv/p/cat/cat.py", "/home/.venv/p")
    assert not is_passed_by("/p", "/p")


# Bursts


def test_wr04_a_burst_is_due_when_it_has_rested_and_not_before() -> None:
    pending = Pending(quiet=0.05, max_wait=5.0)
    begun = time.monotonic()
    pending.add("cat", CAT)
    taken = pending.take()
    assert time.monotonic() - begun >= 0.05
    assert taken is not None
    assert list(taken) == ["cat"]
    assert list(taken["cat"].changes.values()) == [CAT]


def test_wr04_owners_wait_for_each_other_but_no_longer_than_the_limit() -> None:
    pending, done = Pending(quiet=0.1, max_wait=0.4), threading.Event()

    def write() -> None:
        while not done.wait(0.01):
            pending.add("busy", CAT)

    begun = time.monotonic()
    pending.add("calm", CAT)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        taken = pending.take()
    finally:
        done.set()
        writer.join()
    assert taken is not None
    assert "calm" in taken
    assert time.monotonic() - begun >= 0.3


def test_wr04_what_is_put_back_keeps_its_changes_and_waits_anew() -> None:
    pending = Pending(quiet=0.02, max_wait=1.0)
    pending.add("cat", CAT)
    taken = pending.take()
    assert taken is not None
    pending.add("cat", Change("created", "/p/cat/new.py"))
    begun = time.monotonic()
    pending.put_back(taken, rested=0.2)
    again = pending.take()
    assert again is not None
    assert time.monotonic() - begun >= 0.19
    assert set(again["cat"].changes) == {"/p/cat/cat.py", "/p/cat/new.py"}


def test_wr04_of_very_many_changes_only_the_number_is_kept() -> None:
    burst = Burst(0.0, 0.0)
    for number in range(MANY + 10):
        burst.add(Change("modified", str(number)), 1.0)
    other = Burst(0.0, 2.0)
    other.merge(burst)
    assert (len(burst.changes), burst.count, other.count) == (MANY, MANY + 10, MANY + 10)


def test_wr11_closing_ends_the_waiting() -> None:
    pending = Pending(quiet=0.1, max_wait=1.0)
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(pending.take()))
    thread.start()
    pending.close()
    thread.join(5)
    assert taken == [None]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"])), max_size=20))
def test_wr04_no_owner_that_was_added_is_ever_lost(added: list[tuple[str, str]]) -> None:
    pending = Pending(quiet=0.0, max_wait=0.0)
    for owner, path in added:
        pending.add(owner, Change("modified", path))
    found: dict[str, set[str]] = {}
    while len(found) < len({owner for owner, _ in added}):
        for owner, burst in (pending.take() or {}).items():
            found.setdefault(owner, set()).update(burst.changes)
    assert found == {owner: {path for name, path in added if name == owner} for owner, _ in added}


def test_wr04_five_reloads_because_of_one_data_file_make_it_the_plugins_own() -> None:
    output = OwnOutput()
    for _ in range(TIMES * 2):
        assert output.reloaded(["/p/cat/cat.py", "/p/cat/state.txt"]) == []
        assert output.reloaded(["/p/cat/manifest.yaml"]) == []
    assert [output.reloaded(["/p/cat/state.txt"]) for _ in range(TIMES)][-1] == ["/p/cat/state.txt"]
    assert output.is_own("/p/cat/state.txt")
    assert not output.is_own("/p/cat/cat.py")
    assert output.reloaded([]) == []


# Places and owners


def test_wr05_every_link_on_the_way_is_watched_where_it_lies(tmp_path: Path) -> None:
    release = tmp_path / "srv" / "releases" / "1" / "cat"
    release.mkdir(parents=True)
    (tmp_path / "srv" / "current").symlink_to("releases/1")
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "cat").symlink_to(tmp_path / "srv" / "current" / "cat")
    found = places(plugins_dirs=[plugins], configs_dir=None, sites=(), plugins=())
    assert Place(str(release), recursive=True, names=None) in found
    assert Place(str(tmp_path / "srv"), names=frozenset({"current"})) in found
    assert Place(str(plugins), recursive=True) in found


def test_wr05_a_circle_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    found = places(plugins_dirs=[tmp_path / "a"], configs_dir=tmp_path / "b" / "c", sites=(), plugins=())
    assert {place.path for place in found} >= {str(tmp_path)}


def test_wr02_a_directory_that_is_not_there_is_waited_for_in_the_nearest_that_is(tmp_path: Path) -> None:
    found = places(plugins_dirs=[tmp_path / "a" / "b"], configs_dir=None, sites=(), plugins=())
    assert found == (Place(str(tmp_path), names=frozenset({"a"})),)


def test_wr12_only_directories_with_distributions_are_sites(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "other" / "x-1.0.dist-info").mkdir(parents=True)
    path = [str(tmp_path / "lib"), str(tmp_path / "other"), str(tmp_path / "gone"), str(tmp_path / "other")]
    assert site_directories(path) == (str(tmp_path / "other"),)
    assert any(site.endswith("site-packages") for site in site_directories())


def test_wr03_each_path_has_its_owner(yard: Yard) -> None:
    cat = yard.add("cat")
    (yard.plugins / "tool.py").write_text("", "utf-8")
    (yard.plugins / "tool.manifest.yaml").write_text(
        'plugin: {name: tool, type: teller, format: native, entrypoint: "tool", language: python, version: 1.0.0}',
        "utf-8",
    )
    watcher = yard.watch()._watcher
    assert watcher is not None
    of = watcher._owners.of
    assert of(str(cat / "sub" / "x.py")) == "cat"
    assert of(str(yard.plugins / "tool.py")) == of(str(yard.plugins / "tool.manifest.yaml")) == "tool"
    assert of(str(yard.plugins / "new" / "x.py")) == str(yard.plugins / "new")
    assert of(str(yard.plugins)) == SOMETHING
    assert of(str(yard.configs / "cat.config.yaml")) == "cat"
    assert of(str(yard.configs / "nobody.config.yaml")) == of(str(yard.configs / "README")) == SOMETHING
    assert of("/somewhere/else") == SOMETHING
    assert INSTALLED != SOMETHING


# Gates


def test_wr05_gits_lock_holds_until_it_is_gone_or_old(tmp_path: Path) -> None:
    inside = tmp_path / "plugins" / "cat"
    inside.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    assert gates.held_by([str(inside)], ()) is None
    lock = tmp_path / ".git" / "index.lock"
    lock.touch()
    assert gates.held_by([str(inside)], ()) == f"git is at work ({lock})"
    lock.unlink()
    assert gates.held_by([str(inside)], ()) is None


def test_wr05_the_lock_of_a_linked_work_tree_is_found(tmp_path: Path) -> None:
    real = tmp_path / "repository" / ".git" / "worktrees" / "w"
    real.mkdir(parents=True)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / ".git").write_text("gitdir: ../repository/.git/worktrees/w\n", "utf-8")
    (real / "index.lock").touch()
    assert gates.git_lock(str(tree)) == str(real / "index.lock")
    (tree / ".git").write_bytes(b"\xff\xfe")
    assert gates.git_lock(str(tree)) is None


def test_wr05_a_lock_that_was_left_behind_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "index.lock").touch()
    monkeypatch.setattr(gates, "GIT_PATIENCE", 0.0)
    assert gates.git_lock(str(tmp_path)) is None


def test_wr12_a_distribution_without_record_or_with_missing_files_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "cat-1.0.dist-info"
    info.mkdir()
    assert gates.unfinished_installation(str(tmp_path)) == f"{info} has no RECORD yet"
    (info / "RECORD").write_text("cat.py,sha256=x,3\ncat.pyc,,\n__pycache__/cat.pyc,sha256=x,9\n", "utf-8")
    assert (
        gates.unfinished_installation(str(tmp_path))
        == f"{tmp_path / 'cat.py'} is in RECORD, but not there yet"
    )
    (tmp_path / "cat.py").write_text("xx", "utf-8")
    assert (
        gates.unfinished_installation(str(tmp_path)) == f"{tmp_path / 'cat.py'} is not what RECORD says yet"
    )
    (tmp_path / "cat.py").write_text("xxx", "utf-8")
    assert gates.unfinished_installation(str(tmp_path)) is None
    kept = tmp_path / "~at"
    kept.mkdir()
    assert gates.unfinished_installation(str(tmp_path)) == f"pip is replacing a distribution ({kept})"
    kept.rmdir()
    # Whoever edits an installed file by hand is not an installer.
    (tmp_path / "cat.py").write_text("longer", "utf-8")
    monkeypatch.setattr(gates, "REMOVAL_PATIENCE", 0.0)
    assert gates.unfinished_installation(str(tmp_path)) is None
    (info / "RECORD").unlink()
    monkeypatch.setattr(gates, "INSTALL_PATIENCE", 0.0)
    assert gates.unfinished_installation(str(tmp_path)) is None
    assert gates.unfinished_installation(str(tmp_path / "gone")) is None


def test_wr12_a_record_that_cannot_be_read_lists_nothing(tmp_path: Path) -> None:
    info = tmp_path / "cat-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_bytes(b"\xff\xfe,sha256=x,3\n")
    assert gates.missing_of(str(info)) is None


# Libraries


def distribution(site: Path, name: str, version: str, *modules: str) -> Path:
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "RECORD").write_text("".join(f"{module},sha256=x,1\n" for module in modules), "utf-8")
    return info


def test_wr12_an_upgraded_library_is_told_once_if_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [distribution(tmp_path, name, "1.0", f"{name}_mod/__init__.py") for name in ("used", "idle", "own")]
    for name in ("used", "own"):
        module = ModuleType(f"{name}_mod")
        module.__file__ = str(tmp_path / f"{name}_mod" / "__init__.py")
        monkeypatch.setitem(sys.modules, module.__name__, module)
    libraries = Libraries([str(tmp_path), str(tmp_path / "gone")])
    assert libraries.changed(["own"]) == ()
    for info in old:
        info.rename(info.with_name(info.name.replace("1.0", "2.0")))
    distribution(tmp_path, "late", "1.0")
    (told,) = libraries.changed(["own"])
    assert str(told) == "used 1.0 is imported, 2.0 is installed"
    assert libraries.changed(["own"]) == ()
    assert libraries.upgraded == (told,)
    (tmp_path / "used-2.0.dist-info").rename(tmp_path / "used-1.0.dist-info")
    assert libraries.changed(["own"]) == ()
    assert libraries.upgraded == ()


def test_wr12_a_library_whose_record_is_unreadable_is_not_known_to_be_imported(tmp_path: Path) -> None:
    info = distribution(tmp_path, "used", "1.0", "os.py")
    libraries = Libraries([str(tmp_path)])
    info.rename(tmp_path / "used-2.0.dist-info")
    (tmp_path / "used-2.0.dist-info" / "RECORD").unlink()
    assert libraries.changed(()) == ()
    assert os.path.isdir(tmp_path)
    until(lambda: True)
