"""`plugins.lock`: what was approved binds later versions (CP10), and is read strictly."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.events import Event
from pluginkit.manifest import Capabilities, parse_capabilities
from pluginkit.security.growth import exceeding
from pluginkit.security.lock import Approval, LockFile
from pluginkit.security.subject import Refused
from pluginkit.versions import Version
from tests.support.trust_project import Project

DATA = {"filesystem": [{"path": "${data}/", "permissions": ["read", "list"], "recursive": True}]}
MORE = {"filesystem": [{"path": "${data}/", "permissions": ["read", "list", "write"], "recursive": True}]}


def test_se01_a_locked_plugin_loads(project: Project) -> None:
    project.approve()
    assert project.verdict(lock="required") == ("running", None)


def test_se01_a_plugin_that_is_not_in_a_required_lock_is_refused(project: Project) -> None:
    assert project.verdict(lock="required") == ("failed", "not-locked")
    assert project.verdict(lock="if_present") == ("running", None)
    assert project.verdict() == ("running", None)


@pytest.mark.parametrize("policy", ["required", "if_present"])
def test_se02_a_file_that_changed_since_the_approval_is_refused(project: Project, policy: str) -> None:
    project.approve()
    (project.cat / "words.txt").write_text("hiss")
    assert project.verdict(lock=policy) == ("failed", "tree-changed")
    assert project.verdict(lock="off") == ("running", None)


@pytest.mark.parametrize("policy", ["required", "if_present"])
def test_se02_a_downgrade_below_the_lock_is_refused(project: Project, policy: str) -> None:
    project.write_cat("1.10.0")
    project.approve()
    project.write_cat("1.9.0")
    assert project.verdict(lock=policy) == ("failed", "downgrade")


def test_se02_a_later_version_needs_an_approval_only_where_the_lock_is_required(project: Project) -> None:
    project.approve()
    project.write_cat("1.0.1")
    assert project.verdict() == ("running", None)
    assert project.verdict(lock="required") == ("failed", "tree-changed")


def test_cp10_a_version_that_asks_for_more_is_held_until_it_is_approved(project: Project) -> None:
    project.write_cat(capabilities=DATA)
    project.approve()
    project.write_cat("1.1.0", capabilities=MORE)
    with project.host() as host:
        cat = host.plugins["cat"]
        assert str(cat.state) == "held"
        assert cat.reason is not None
        assert cat.reason.code == "approval-needed"
        assert "write ${data}/" in cat.reason.text
        assert "pluginkit approve cat" in cat.reason.text
        assert host.hook.speak() == []
        project.approve()
        host.load("cat")
        assert host.hook.speak() == ["Meow"]


def test_cp10_a_version_that_asks_for_less_loads_silently(project: Project) -> None:
    project.write_cat(capabilities=MORE)
    project.approve()
    project.write_cat("1.1.0", capabilities=DATA)
    assert project.verdict() == ("running", None)


def test_cp10_a_reload_to_a_version_that_asks_for_more_is_refused_and_the_old_serves(
    project: Project,
) -> None:
    project.write_cat(capabilities=DATA)
    project.approve()
    with project.host() as host:
        project.write_cat("1.1.0", capabilities=MORE)
        report = host.reload("cat")
        assert report.failure is not None
        assert report.failure.reason.code == "approval-needed"
        host.rescan()
        assert host.hook.speak() == ["Meow"]
        assert host.plugins["cat"].version == "1.0.0"


def test_cp10_the_judge_says_what_was_approved(project: Project) -> None:
    project.write_cat(capabilities=DATA)
    with project.host() as host:
        assert host.setup.judge().approved("cat") is None
        project.approve()
        assert host.setup.judge().approved("CAT") == parse_capabilities(DATA)
    with project.host(lock="off") as host:
        assert host.setup.judge().approved("cat") is None


# Growth, rule by rule


def caps(**sections: Any) -> Capabilities:
    return parse_capabilities(sections)


def grant(path: str, *permissions: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "permissions": list(permissions), **more}


EGRESS = {"protocol": "tcp", "hosts": ["a.example", "b.example"], "ports": ["80-90", 443]}
INGRESS = {"protocol": "tcp", "ports": [9000], "bind": ["127.0.0.1"], "allowed_origins": ["10.0.0.0/8"]}
GIT = {"command": "/usr/bin/git", "args": ["pull"]}


@pytest.mark.parametrize(
    ("requested", "approved"),
    [
        (caps(), caps()),
        (caps(), caps(env=["LANG"])),
        (caps(env=["LANG"]), caps(env=["TZ", "LANG"])),
        (caps(filesystem=[grant("/a/", "read")]), caps(filesystem=[grant("/a/", "read", "list")])),
        (caps(filesystem=[grant("/a/b", "read")]), caps(filesystem=[grant("/a/", "read", recursive=True)])),
        (
            caps(filesystem=[grant("/a/", "read", symlinks="none")]),
            caps(filesystem=[grant("/a/", "read", recursive=True)]),
        ),
        (
            caps(network={"egress": [{"protocol": "tcp", "hosts": ["b.example"], "ports": [85]}]}),
            caps(network={"egress": [EGRESS]}),
        ),
        (caps(network={"ingress": [INGRESS]}), caps(network={"ingress": [INGRESS]})),
        (caps(process={"exec": [GIT]}), caps(process={"exec": [GIT], "kill": ["children"]})),
    ],
)
def test_cp10_the_same_or_less_is_no_growth(requested: Capabilities, approved: Capabilities) -> None:
    assert exceeding(requested, approved) == ()


@pytest.mark.parametrize(
    ("requested", "approved", "told"),
    [
        (caps(env=["HOME"]), caps(env=["LANG"]), "env: HOME"),
        (
            caps(filesystem=[grant("/a/", "read", "write")]),
            caps(filesystem=[grant("/a/", "read")]),
            "write /a/",
        ),
        (
            caps(filesystem=[grant("/ab/", "read")]),
            caps(filesystem=[grant("/a/", "read", recursive=True)]),
            "/ab/",
        ),
        (caps(filesystem=[grant("/a/b/", "read")]), caps(filesystem=[grant("/a/", "read")]), "/a/b/"),
        (
            caps(filesystem=[grant("/a/", "read", recursive=True)]),
            caps(filesystem=[grant("/a/", "read")]),
            "/a/",
        ),
        (
            caps(filesystem=[grant("/a/", "read")]),
            caps(filesystem=[grant("/a/", "read", symlinks="none")]),
            "/a/",
        ),
        (
            caps(network={"egress": [{"protocol": "tcp", "hosts": ["c.example"], "ports": [443]}]}),
            caps(network={"egress": [EGRESS]}),
            "c.example",
        ),
        (
            caps(network={"egress": [{"protocol": "tcp", "hosts": ["a.example"], "ports": ["80-91"]}]}),
            caps(network={"egress": [EGRESS]}),
            "80-91",
        ),
        (
            caps(network={"egress": [{**EGRESS, "protocol": "udp"}]}),
            caps(network={"egress": [EGRESS]}),
            "udp",
        ),
        (
            caps(network={"ingress": [{**INGRESS, "bind": ["0.0.0.0"]}]}),
            caps(network={"ingress": [INGRESS]}),
            "ingress",
        ),
        (
            caps(network={"ingress": [{**INGRESS, "allowed_origins": ["0.0.0.0/0"]}]}),
            caps(network={"ingress": [INGRESS]}),
            "ingress",
        ),
        (
            caps(process={"exec": [{**GIT, "args": ["pull", "**"]}]}),
            caps(process={"exec": [GIT]}),
            "/usr/bin/git pull **",
        ),
        (caps(process={"signal": ["children"]}), caps(process={"kill": ["children"]}), "signal: children"),
    ],
)
def test_cp10_each_kind_of_growth_is_told(requested: Capabilities, approved: Capabilities, told: str) -> None:
    assert any(told in text for text in exceeding(requested, approved))


# The file


def entry(name: str = "cat", **changes: Any) -> Approval:
    values: dict[str, Any] = {
        "name": name,
        "version": Version.parse("1.0.0"),
        "origin": "directory:cat",
        "sha256": "0" * 64,
        "capabilities": Capabilities(),
    }
    return Approval(**{**values, **changes})


def test_cp10_what_is_written_is_read_back(tmp_path: Path) -> None:
    lock = LockFile(tmp_path / "plugins.lock")
    assert dict(lock.read()) == {}
    wide = entry(
        "My_Cat",
        version=Version.parse_pep440("1.0rc1"),
        capabilities=caps(
            **MORE, env=["LANG"], network={"egress": [EGRESS], "ingress": [INGRESS]}, process={"exec": GIT}
        ),
        signer="0123456789abcdef",
    )
    lock.put(wide, entry("dog"))
    again = LockFile(lock.path)
    assert again.get("my-cat") == wide
    again.put(entry("cow"), keep=lambda name: name == "my-cat")
    assert sorted(lock.read()) == ["cow", "my-cat"]


def test_cp10_the_lock_is_written_the_same_whatever_the_order(tmp_path: Path) -> None:
    one, other = LockFile(tmp_path / "one"), LockFile(tmp_path / "other")
    one.put(entry("a"), entry("b"))
    other.put(entry("b"))
    other.put(entry("a"))
    assert one.path.read_bytes() == other.path.read_bytes()


def test_cp10_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    names = [f"plugin-{number}" for number in range(12)]
    threads = [threading.Thread(target=LockFile(tmp_path / "lock").put, args=(entry(n),)) for n in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(LockFile(tmp_path / "lock").read()) == sorted(names)


def broken(**changes: Any) -> str:
    row = {**entry().as_dict(), **changes}
    return json.dumps(
        {"schema_version": 1, "plugins": {"cat": {k: v for k, v in row.items() if v != "GONE"}}}
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"plugins": {}}',
        '{"schema_version": 2, "plugins": {}}',
        '{"schema_version": true, "plugins": {}}',
        '{"schema_version": 1, "plugins": []}',
        '{"schema_version": 1, "plugins": {}, "more": 1}',
        '{"schema_version": 1, "plugins": {}, "plugins": {}}',
        '{"schema_version": 1, "plugins": {"cat": 1}}',
        broken(sha256="GONE"),
        broken(sha256="0" * 63),
        broken(sha256="G" * 64),
        broken(sha256=1),
        broken(version="one"),
        broken(name="dog"),
        broken(signer=5),
        broken(capabilities={"filesystem": "all"}),
        broken(capabilities={"everything": True}),
        broken(more=1),
    ],
)
def test_cp10_a_lock_that_cannot_be_understood_approves_nothing(project: Project, text: str) -> None:
    project.lock.path.write_text(text)
    assert project.verdict() == ("failed", "lock-unreadable")
    assert project.verdict(lock="off") == ("running", None)
    with pytest.raises(Refused, match=r"plugins\.lock.*mend it, or remove it"):
        project.lock.put(entry())
    assert project.lock.path.read_text() == text


def test_cp10_a_lock_that_is_no_file_approves_nothing(project: Project) -> None:
    project.lock.path.mkdir()
    assert project.verdict() == ("failed", "lock-unreadable")


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda project: project.write_cat("1.2.0", capabilities=DATA), "approval-needed"),
        (lambda project: project.write_cat("0.9.0"), "downgrade"),
        (lambda project: (project.cat / "words.txt").write_text("hiss"), "tree-changed"),
        (lambda project: project.lock.path.write_text("{"), "lock-unreadable"),
    ],
    ids=["growth", "downgrade", "changed", "lock broken"],
)
def test_se02_what_a_watcher_does_about_a_change_is_refused_and_the_old_serves(
    project: Project, edit: Callable[[Project], object], code: str
) -> None:
    project.approve()
    with project.host() as host:
        edit(project)
        report = host.rescan(apply=True)
        failures = [reload.failure for reload in report.reloads if reload.failure is not None]
        assert [failure.reason.code for failure in failures] == [code]
        assert host.hook.speak() == ["Meow"]
        assert str(host.plugins["cat"].state) == "running"
        assert host.plugins["cat"].version == "1.0.0"


def told(project: Project, **trust: Any) -> list[tuple[str, Any]]:
    """What is told of a cat that is not loaded: the kind of event and what it says of the reason."""
    events: list[Event] = []
    host = project.host(**trust)
    host.events.subscribe(events.append, kinds=["held", "failed"])
    with host:
        host.refresh()  # says nothing new
    return [(event.kind, event.data.get("code") or event.data["step"]) for event in events]


def test_lg12_a_plugin_that_waits_for_approval_is_told_once(project: Project) -> None:
    project.approve()
    project.write_cat(version="1.1.0", capabilities={"env": ["HOME"]})
    assert told(project, lock="required") == [("held", "approval-needed")]


def test_lg12_a_downgrade_is_told_once(project: Project) -> None:
    project.approve()
    project.write_cat(version="0.9.0")
    assert told(project) == [("failed", "assess")]


def test_lg12_changed_files_are_told_once(project: Project) -> None:
    project.approve()
    (project.cat / "voice.py").write_text('SOUND = "Evil"\n')
    assert told(project) == [("failed", "trust")]
