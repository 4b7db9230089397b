"""The catalogue as a snapshot, selections over it, and who keeps a name."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pluginkit.discovery
from pluginkit.discovery import Broken, Catalogue, Entry, Found, Origin, Selection, discover
from pluginkit.discovery.conflicts import settle
from pluginkit.discovery.reasons import CODES, symlink_inside
from pluginkit.errors import Reason, UnknownName, UsageError
from pluginkit.manifest import Entrypoint, Manifest, normalise_name
from pluginkit.versions import Version


def found(name: str, *, package: str | None = None, root: str = "/plugins") -> Found:
    manifest = Manifest(name=name, type="animal", entrypoint=Entrypoint("x"), version=Version.parse("1.0.0"))
    package = package or name.replace("-", "_").replace(".", "_")
    path = Path(root) / name
    return Found(name, manifest, Origin("directory", path), path, package)


def broken(name: str) -> Broken:
    return Broken(name, Origin("directory", Path("/plugins") / name), Reason("no-manifest", "it has none"))


def test_dm16_an_unknown_name_raises_with_the_nearest() -> None:
    catalogue = Catalogue.of([found("cat"), broken("dog")])
    with pytest.raises(UnknownName, match="did you mean 'cat'") as caught:
        catalogue.get("cta")
    assert caught.value.nearest == "cat"
    with pytest.raises(UnknownName, match="did you mean 'dog'"):
        catalogue.get("dug")


def test_dm16_names_are_looked_up_as_they_are_compared() -> None:
    catalogue = Catalogue.of([found("My.Cat"), broken("dog")])
    assert catalogue.get("my_cat") is catalogue.found["My.Cat"]
    assert catalogue.get("DOG") is catalogue.broken["dog"]
    assert "MY-CAT" in catalogue
    assert "cow" not in catalogue
    assert 3 not in catalogue


def test_dm16_plugins_come_in_order_of_name() -> None:
    catalogue = Catalogue.of([found("cat"), broken("bee"), found("ant")])
    assert [entry.name for entry in catalogue] == ["ant", "bee", "cat"]
    assert list(catalogue.found) == ["ant", "cat"]
    assert len(catalogue) == 3


def test_dm16_a_catalogue_never_changes() -> None:
    catalogue = Catalogue.of([found("cat")])
    with pytest.raises(TypeError):
        catalogue.found["dog"] = found("dog")  # type: ignore[index]  # that is the point
    with pytest.raises(dataclasses.FrozenInstanceError):
        catalogue.conflicts = ()  # type: ignore[misc]  # that is the point


def test_dm16_many_threads_search_and_read_at_once(plugins: Path, make_plugin: Callable[..., Path]) -> None:
    for number in range(20):
        make_plugin(f"plugin{number:02}")
    shared = discover(plugins_dirs=[plugins])
    wrong: list[object] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        for _ in range(5):
            own = discover(plugins_dirs=[plugins])
            if list(own) != list(shared) or own.get("plugin07") != shared.get("plugin07"):
                wrong.append(own)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_dm13_the_first_of_a_name_wins_and_both_origins_are_named() -> None:
    kept, (conflict,) = settle([found("cat", root="/a"), found("CAT", root="/b")])
    assert [entry.origin.path for entry in kept] == [Path("/a/cat")]
    assert (conflict.name, conflict.winner.path, conflict.loser.origin.path) == (
        "CAT",
        Path("/a/cat"),
        Path("/b/CAT"),
    )
    assert conflict.reason.code == "conflict"
    assert "dir:/a/cat" in conflict.reason.text
    assert "dir:/b/CAT" in conflict.reason.text


def test_dm13_a_broken_plugin_keeps_its_name_and_is_said_to_be_broken() -> None:
    kept, (conflict,) = settle([broken("cat"), found("cat", root="/b")])
    assert [type(entry) for entry in kept] == [Broken]
    assert "which is itself broken: it has none" in conflict.reason.text


def test_dm13_one_package_name_for_two_plugins_is_a_conflict() -> None:
    kept, (conflict,) = settle([found("cat", package="pets"), found("dog", package="pets")])
    assert [entry.name for entry in kept] == ["cat"]
    assert conflict.name == "dog"
    shared = [dataclasses.replace(found(name, package="pets"), root=Path("/pets")) for name in ("cat", "dog")]
    assert settle(shared) == (shared, [])


ENTRIES = st.lists(
    st.builds(
        found, st.sampled_from(["cat", "Cat", "c-at", "c_at", "dog"]), root=st.sampled_from(["/a", "/b"])
    )
    | st.builds(broken, st.sampled_from(["cat", "CAT", "dog", "cow"])),
    max_size=8,
)


@given(ENTRIES)
def test_dm13_nothing_is_lost_and_no_name_is_held_twice(entries: list[Entry]) -> None:
    kept, conflicts = settle(entries)
    assert sorted(map(repr, [*kept, *(conflict.loser for conflict in conflicts)])) == sorted(
        map(repr, entries)
    )
    names = [normalise_name(entry.name) for entry in kept]
    assert len(names) == len(set(names))
    assert entries == [] or kept[0] is entries[0]
    assert len(Catalogue.of(kept, conflicts=conflicts)) == len(kept)


def selected(selection: Selection, *names: str) -> list[str]:
    catalogue = selection.apply(Catalogue.of(map(found, names)))
    return [name for name in catalogue.found if name not in catalogue.deselected]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ([], [], ["My-Cat", "dog", "my.dog"]),
        (["my_*"], [], ["My-Cat", "my.dog"]),
        (["MY-CAT", "d?g"], [], ["My-Cat", "dog"]),
        ([], ["*dog"], ["My-Cat"]),
        (["my-*"], ["my-[a-c]*"], ["my.dog"]),
        (["cow"], [], []),
    ],
)
def test_dm12_globs_decide_over_normalised_names(
    include: list[str], exclude: list[str], expected: list[str]
) -> None:
    assert selected(Selection(include, exclude), "My-Cat", "my.dog", "dog") == expected


def test_dm12_what_is_left_out_stays_listed_with_its_reason() -> None:
    catalogue = Catalogue.of([found("ant"), found("bee"), found("cat"), broken("dog")], notices=["n"])
    chosen = Selection(["ant", "bee"], ["bee"], lambda plugin: plugin.name != "ant").apply(catalogue)
    assert list(chosen) == list(catalogue)
    assert {name: reason.code for name, reason in chosen.deselected.items()} == {
        "ant": "filtered",
        "bee": "excluded",
        "cat": "not-included",
    }
    assert chosen.notices == ("n",)


def test_dm12_a_filter_that_raises_breaks_that_plugin_only() -> None:
    def choose(plugin: Found) -> bool:
        if plugin.name == "cat":
            raise KeyError("size")
        return True

    catalogue = Selection(filter=choose).apply(Catalogue.of([found("cat"), found("dog")]))
    assert list(catalogue.found) == ["dog"]
    assert catalogue.broken["cat"].reason.code == "filter-failed"
    assert "KeyError: 'size'" in catalogue.broken["cat"].reason.text


def test_dm12_the_filter_is_asked_only_about_what_the_globs_let_through() -> None:
    asked: list[str] = []
    Selection(exclude=["cat"], filter=lambda plugin: asked.append(plugin.name)).apply(
        Catalogue.of([found("cat"), found("dog")])
    )
    assert asked == ["dog"]


def test_dm12_one_string_instead_of_a_list_is_refused() -> None:
    with pytest.raises(UsageError, match=re.escape("write exclude=['cat']")):
        Selection(exclude="cat")


def test_dm11_origins_read_as_people_write_them() -> None:
    assert str(Origin("host")) == "host"
    assert str(Origin("file", Path("/p/cat.py"))) == "file:/p/cat.py"
    assert str(Origin("distribution", None, "cat", None)) == "pip:cat"
    assert str(Origin("distribution", None, "cat", "1.0", editable=True)) == "pip-editable:cat 1.0"


def test_dm11_a_link_that_is_gone_by_now_is_still_worded() -> None:
    assert "somewhere unreadable" in symlink_inside("/no/such/link").text


def test_dm11_every_reason_code_is_in_the_list_of_codes() -> None:
    sources = Path(pluginkit.discovery.__file__).parent.glob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    used = set(re.findall(r"""(?:Reason|_about)\(\s*"([a-z-]+)\"""", text))
    assert used == CODES
