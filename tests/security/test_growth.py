"""Whether wishes lie within others: what holds a new version until it is approved, and what `info` shows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.manifest import Argument, ExecRule
from pluginkit.security import exceeding
from pluginkit.security.commands import matches
from pluginkit.security.growth import coverages
from pluginkit.security.hosts import name_matches
from pluginkit.security.paths import PathRule, Paths
from pluginkit.security.refusal import Refusal
from tests.support.granting import grants_of, wishes


def fs(path: str, *permissions: str, **more: Any) -> dict[str, Any]:
    grant = {"path": path, "permissions": list(permissions), "recursive": True, **more}
    return {"filesystem": [grant]}


def egress(hosts: list[str], ports: list[Any], protocol: str = "tcp") -> dict[str, Any]:
    return {"network": {"egress": [{"protocol": protocol, "hosts": hosts, "ports": ports}]}}


def ingress(ports: list[Any], origins: list[str], bind: tuple[str, ...] = ("127.0.0.1",)) -> dict[str, Any]:
    rule = {"protocol": "tcp", "ports": ports, "allowed_origins": origins, "bind": list(bind)}
    return {"network": {"ingress": [rule]}}


def run(*args: str, command: str = "/bin/x") -> dict[str, Any]:
    return {"process": {"exec": [{"command": command, "args": list(args)}]}}


@pytest.mark.parametrize(
    ("requested", "within", "coverage"),
    [
        (fs("/a/", "read"), fs("/a/", "read", "list"), "whole"),
        (fs("/a/b/", "read"), fs("/a/", "read"), "whole"),
        (fs("/a/b", "read", recursive=False), fs("/a/", "read", recursive=False), "whole"),
        (fs("/a/b/", "read", recursive=False), fs("/a/", "read", recursive=False), "part"),
        (fs("/a/b/c/", "read"), fs("/a/", "read", recursive=False), "none"),
        (fs("/a/", "read", "write"), fs("/a/", "read"), "part"),
        (fs("/a/", "read"), fs("/a/b/", "read"), "part"),
        (fs("/a/", "read", recursive=False), fs("/a/b/c/", "read"), "none"),
        (fs("/a/", "read"), fs("/ab/", "read"), "none"),
        (fs("/a/", "read"), fs("/a/", "write"), "none"),
        (fs("/a/", "read"), fs("/a/", "read", symlinks="none"), "part"),
        (egress(["x.org"], [443]), egress(["x.org"], ["*"]), "whole"),
        (egress(["a.x.org"], [443]), egress(["*.x.org"], [443]), "whole"),
        (egress(["*.x.org"], [443]), egress(["**.x.org"], ["400-500"]), "whole"),
        (egress(["**.x.org"], [443]), egress(["*.x.org"], [443]), "part"),
        (egress(["*"], [443]), egress(["**.x.org"], [443]), "part"),
        (egress(["x.org"], [443]), egress(["*"], [443]), "whole"),
        (egress(["10.1.0.0/16"], [1]), egress(["10.0.0.0/8"], [1]), "whole"),
        (egress(["10.0.0.0/8"], [1]), egress(["10.1.0.0/16"], [1]), "part"),
        (egress(["10.0.0.1"], [1]), egress(["x.org"], [1]), "none"),
        (egress(["::1"], [1]), egress(["127.0.0.1"], [1]), "none"),
        (egress(["x.org"], [443, 80]), egress(["x.org"], [443]), "part"),
        (egress(["x.org"], [80]), egress(["x.org"], [443]), "none"),
        (egress(["x.org"], [443], "udp"), egress(["x.org"], [443]), "none"),
        (ingress([9], ["10.0.0.1"]), ingress([9], ["10.0.0.0/8"]), "whole"),
        (ingress([9], ["10.0.0.0/8"]), ingress([9], ["10.0.0.1"]), "part"),
        (ingress([9], [], ("0.0.0.0",)), ingress([9], []), "none"),
        (run("a", "*"), run("a", "*"), "whole"),
        (run("a", "b"), run("a", "*"), "whole"),
        (run("a", "-b"), run("a", "*"), "part"),
        (run("a", "*"), run("a", "b"), "part"),
        (run("a", "b", "c"), run("a", "**"), "whole"),
        (run("a", "**"), run("a", "**"), "whole"),
        (run("a", "**"), run("a", "*"), "part"),
        (run("a", "-b"), run("**"), "part"),
        (run("path:read"), run("*"), "whole"),
        (run("*"), run("path:read"), "part"),
        (run("a"), run("a", command="/bin/y"), "none"),
        ({"env": ["A"]}, {"env": ["A", "B"]}, "whole"),
        ({"env": ["A"]}, {}, "none"),
        ({"process": {"kill": ["children"]}}, {"process": {"list": ["children"]}}, "none"),
    ],
)  # fmt: skip
def test_cp10_how_much_of_a_wish_lies_within_others(
    requested: Mapping[str, Any], within: Mapping[str, Any], coverage: str
) -> None:
    ((text, found),) = coverages(wishes(requested), wishes(within))
    assert found == coverage
    assert exceeding(wishes(requested), wishes(within)) == (() if coverage == "whole" else (text,))


PATHS = st.lists(st.sampled_from("abc"), max_size=4).map(lambda parts: "/" + "".join(f"{p}/" for p in parts))
GRANTS = st.builds(
    lambda path, permissions, recursive: {
        "path": path,
        "permissions": sorted(permissions),
        "recursive": recursive,
    },
    PATHS,
    st.sets(st.sampled_from(["read", "write", "list"]), min_size=1),
    st.booleans(),
)


def allowed(grants: Any, path: str, permission: str) -> bool:
    try:
        grants.paths.permit(path, permission)
    except Refusal:
        return False
    return True


@given(GRANTS, GRANTS, PATHS, st.sampled_from(["read", "write", "list"]))
def test_f4_what_is_covered_whole_is_allowed_wherever_it_was(
    wish: dict[str, Any], rule: dict[str, Any], path: str, permission: str
) -> None:
    requested, within = {"filesystem": [wish]}, {"filesystem": [rule]}
    here = Path("/nowhere/data")
    if not exceeding(wishes(requested), wishes(within)) and allowed(
        grants_of(requested, here), path, permission
    ):
        assert allowed(grants_of(requested, here, allow=within), path, permission)


@given(
    st.lists(GRANTS, max_size=3), st.lists(GRANTS, max_size=3), st.lists(GRANTS, max_size=2),
    PATHS, st.sampled_from(["read", "write", "list"]),
)  # fmt: skip
def test_cp10_the_intersection_allows_what_both_allow_and_nothing_denies(
    wish: list[Any], allow: list[Any], deny: list[Any], path: str, permission: str
) -> None:
    here = Path("/nowhere/data")
    together = grants_of({"filesystem": wish}, here, allow={"filesystem": allow}, deny={"filesystem": deny})
    one, other = (grants_of({"filesystem": g}, here) for g in (wish, allow))
    denied = any(
        rule.covers(tuple(p for p in path.split("/") if p)) and permission in rule.permissions
        for rule in together.paths.denied
    )
    expected = allowed(one, path, permission) and allowed(other, path, permission) and not denied
    assert allowed(together, path, permission) == expected


@given(st.lists(GRANTS, min_size=1, max_size=4), PATHS)
def test_f5_links_are_followed_only_where_nothing_narrower_lies(wish: list[Any], path: str) -> None:
    paths = grants_of({"filesystem": wish}, Path("/nowhere/data")).paths
    try:
        permit = paths.permit(path, "read")
    except Refusal:
        return
    if permit.follow:
        root = tuple(p for p in permit.root.split("/") if p)
        below = [rule for layer in paths.layers for rule in layer if rule.parts[: len(root)] == root]
        assert {rule.parts for rule in below} == {root}


LABELS = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=3).map(".".join)
PATTERNS = st.builds("{}{}".format, st.sampled_from(["", "*.", "**."]), LABELS)


@given(PATTERNS, PATTERNS, LABELS)
def test_n1_a_pattern_within_another_means_no_name_more(inner: str, outer: str, name: str) -> None:
    if not exceeding(wishes(egress([inner], [1])), wishes(egress([outer], [1]))) and name_matches(
        [inner], name
    ):
        assert name_matches([outer], name)


ARGUMENTS = st.lists(
    st.sampled_from(
        [Argument("literal", "a"), Argument("literal", "-a"), Argument("one"), Argument("path", "read")]
    ),
    max_size=3,
)


@given(
    ARGUMENTS,
    st.booleans(),
    ARGUMENTS,
    st.booleans(),
    st.lists(st.sampled_from(["a", "-a", "b"]), max_size=4),
)
def test_p2_a_rule_within_another_runs_nothing_more(
    inner: list[Argument], inner_rest: bool, outer: list[Argument], outer_rest: bool, words: list[str]
) -> None:
    from pluginkit.manifest import Capabilities

    one = ExecRule("/x", (*inner, *([Argument("rest")] if inner_rest else [])))
    other = ExecRule("/x", (*outer, *([Argument("rest")] if outer_rest else [])))
    if not exceeding(Capabilities(exec=(one,)), Capabilities(exec=(other,))) and matches(
        one, ["/x", *words], lambda *_: True
    ):
        assert matches(other, ["/x", *words], lambda *_: True)


def test_cp10_rows_say_who_trimmed(tmp_path: Path) -> None:
    grants = grants_of(
        {**fs("/a/", "read", "write"), "env": ["A", "B", "C"]},
        tmp_path,
        allow={**fs("/a/", "read"), "env": ["A", "B"]},
        approved={**fs("/a/", "read", "write"), "env": ["A", "C"]},
        deny={"env": ["A"], **fs("/a/b/", "read")},
    )
    assert {row["rule"]: (row["granted"], row["why"]) for row in grants.rows} == {
        "filesystem: read, write /a/ and below": ("part", "denied by the host's policy"),
        "env: A": ("none", "denied by the host's policy"),
        "env: B": ("none", "not allowed by the approval"),
        "env: C": ("none", "not allowed by the host's policy"),
    }
    assert not grants.is_empty
    assert grants.env == ()
    assert grants.as_dict()["dangerous"] is False


def test_cp10_a_variable_without_a_directory_grants_nothing(tmp_path: Path) -> None:
    assert grants_of(fs("${plugin}/", "read"), tmp_path).paths.layers == ((), ())


def test_f4_roots_are_where_answers_may_begin() -> None:
    def rule(*parts: str, reach: int = 1 << 30) -> PathRule:
        return PathRule(parts, frozenset({"read"}), reach, True, "/".join(parts))

    paths = Paths([(rule("a"), rule("x")), (rule("a", "b"), rule("y", reach=1))])
    assert [root.path for root in paths.roots()] == ["/a/b"]
