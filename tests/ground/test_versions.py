"""Versions: semver 2 and PEP 440 in one total order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Pep440

from pluginkit.versions import Version

IN_ORDER = [
    *["0.0.4", "1.0.0-0", "1.0.0-0.3.7", "1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.1.0", "1.0.0-alpha.beta", "1.0.0-alpha0"],
    *["1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1-a-b", "1.0.1", "1.2.0", "1.10.0", "2.0.0"],
]  # fmt: skip

numbers = st.integers(0, 12)
identifiers = st.one_of(numbers.map(str), st.text("ab0-Z", min_size=1, max_size=4)).filter(
    lambda text: not (text.isdigit() and len(text) > 1 and text[0] == "0")
)


@st.composite
def semantic(draw: st.DrawFn) -> str:
    text = ".".join(str(draw(numbers)) for _ in range(3))
    if draw(st.booleans()):
        text += "-" + ".".join(draw(st.lists(identifiers, min_size=1, max_size=3)))
    if draw(st.booleans()):
        text += "+" + ".".join(draw(st.lists(st.text("a0-", min_size=1, max_size=3), min_size=1, max_size=2)))
    return text


@st.composite
def pep440(draw: st.DrawFn) -> str:
    small = st.integers(0, 3)
    text = draw(st.sampled_from(["", "", "", "1!", "v"]))
    text += ".".join(str(draw(small)) for _ in range(draw(st.integers(1, 4))))
    for mark in (["a", "b", "rc", "-alpha.", "c"], [".post", "-"], [".dev"], ["+abc.", "+", "+1."]):
        if draw(st.integers(0, 2)) == 0:
            text += draw(st.sampled_from(mark)) + str(draw(small))
    return text


versions = st.one_of(semantic().map(Version.parse), pep440().map(Version.parse_pep440))


def test_dm06_precedence_is_that_of_semver_2() -> None:
    for lower, higher in itertools.combinations(map(Version.parse, IN_ORDER), 2):
        assert lower < higher
        assert higher > lower
        assert lower != higher


def semver_key(text: str) -> tuple[object, ...]:
    """Chapter 11 of semver 2, word by word."""
    core, _, pre = text.partition("+")[0].partition("-")
    fields = [(0, int(field), "") if field.isdigit() else (1, 0, field) for field in pre.split(".")]
    return (tuple(map(int, core.split("."))), not pre, fields if pre else [])


@given(semantic(), semantic())
def test_dm06_semantic_versions_compare_as_the_specification_says(one: str, other: str) -> None:
    left, right = Version.parse(one), Version.parse(other)
    wanted = (semver_key(one) < semver_key(other), semver_key(one) == semver_key(other))
    # Unlike tuples of numbers, 1.0.0 and 1.0.0 without its zeros are one version here, as everywhere.
    assert (left < right, left == right) == wanted
    assert str(left) == one


@given(pep440(), pep440())
def test_dm06_versions_of_distributions_compare_as_packaging_does(one: str, other: str) -> None:
    left, right = Version.parse_pep440(one), Version.parse_pep440(other)
    assert (left < right, left == right) == (Pep440(one) < Pep440(other), Pep440(one) == Pep440(other))
    assert left.is_prerelease == Pep440(one).is_prerelease
    assert str(left) == one


@given(versions, versions, versions)
def test_dm06_the_order_is_total_across_both_kinds(a: Version, b: Version, c: Version) -> None:
    assert [a < b, a == b, a > b].count(True) == 1
    assert (a <= b) == (not b < a)
    if a == b:
        assert hash(a) == hash(b)
        assert (a < c) == (b < c)
    if a < b < c:
        assert a < c
    assert sorted([a, b, c]) == sorted([c, b, a])


def test_dm06_both_kinds_meet_where_they_mean_the_same() -> None:
    assert Version.parse("1.2.0-rc.1") == Version.parse_pep440("1.2rc1")
    assert Version.parse("1.2.0-alpha.3") == Version.parse_pep440("1.2.0a3")
    assert Version.parse("1.0.0") == Version.parse_pep440("1") == Version.parse_pep440("1.0.0.0")
    assert Version.parse("1.0.0+build") == Version.parse("1.0.0")
    assert Version.parse_pep440("1.0+local") > Version.parse_pep440("1.0")
    assert Version.parse_pep440("1.0.dev1") < Version.parse("1.0.0-0") < Version.parse_pep440("1.0a1")
    assert {Version.parse("1.0.0"): "found"}[Version.parse_pep440("1.0")] == "found"


def test_dm06_a_version_is_not_comparable_with_anything_else() -> None:
    assert Version.parse("1.0.0") != "1.0.0"
    with pytest.raises(TypeError):
        _ = Version.parse("1.0.0") < "1.0.0"
    assert repr(Version.parse("1.0.0")) == "<Version 1.0.0>"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.2", "it has 2 numbers where three are needed, as in '1.2.0'"),
        ("1", "it has 1 number where three are needed, as in '1.0.0'"),
        ("1.2.3.4", "it has 4 numbers where three are needed, as in '1.2.3'"),
        ("a.b.3", "it must be three numbers, as in '1.2.3' or '1.2.3-rc.1'"),
        ("", "it must be three numbers, as in '1.2.3' or '1.2.3-rc.1'"),
        ("1.2.3 ", "it must be three numbers, as in '1.2.3' or '1.2.3-rc.1'"),
        ("1.2.3\n", "it must be three numbers, as in '1.2.3' or '1.2.3-rc.1'"),
        ("١.٢.٣", "it must be three numbers, as in '1.2.3' or '1.2.3-rc.1'"),  # noqa: RUF001 - that is the point
        ("v1.2.3", "write it without the 'v', as in '1.2.3'"),
        ("01.2.3", "its numbers must not begin with a zero, as in '1.2.3'"),
        ("1.2.3-", "after the three numbers come only '-' or '+' and words of letters, digits and '-' joined by dots"),
        ("1.2.3-01", "after the three numbers come only '-' or '+' and words of letters, digits and '-' joined by dots"),
        ("1.2.3+", "after the three numbers come only '-' or '+' and words of letters, digits and '-' joined by dots"),
        ("1.2.3-" + "a" * 200, "it is longer than 128 characters"),
    ],
)  # fmt: skip
def test_dm06_what_is_no_semantic_version_is_refused_with_a_sentence(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match="is not a semantic version") as caught:
        Version.parse(text)
    assert str(caught.value).endswith(hint)


@pytest.mark.parametrize("text", ["", "one", "1.0-", "1..0", "1" * 200])
def test_dm06_what_is_no_pep_440_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        Version.parse_pep440(text)
