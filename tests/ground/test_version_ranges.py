"""Ranges of versions mean what PEP 440 says, pre-releases included."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version as Pep440

from pluginkit.versions import Version, VersionRange

releases = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
suffixes = st.sampled_from(["", "", "", "a1", "rc0", ".post1", ".dev2", "rc1.dev3", "a1.post1", "+local.1"])


@given(releases, suffixes, st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~="]), releases, suffixes)
def test_lc12_bounds_mean_what_packaging_makes_of_them(release: str, suffix: str, operator: str, bound: str, mark: str) -> None:  # fmt: skip
    version = release + suffix
    # What < and > say about suffixes of one and the same release has changed between versions of
    # packaging; the table below has those.
    assume(
        operator not in ("<", ">") or Pep440(version).release != Pep440(bound).release or not (suffix or mark)
    )
    text = operator + bound + (mark.partition("+")[0] if operator not in ("==", "!=") else mark)
    assume(operator != "~=" or "." in bound)
    ours = VersionRange.parse(text).contains(Version.parse_pep440(version), prereleases=True)
    assert ours == SpecifierSet(text).contains(version, prereleases=True)


@given(releases, suffixes, st.sampled_from(["==", "!="]), releases)
def test_lc12_a_prefix_means_what_packaging_makes_of_it(
    release: str, suffix: str, operator: str, prefix: str
) -> None:
    text = f"{operator}{prefix}.*"
    ours = VersionRange.parse(text).contains(Version.parse_pep440(release + suffix), prereleases=True)
    assert ours == SpecifierSet(text).contains(release + suffix, prereleases=True)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("", "0.0 1.0 99!1", "1.0rc1 1.0.dev0"),
        (">=1.2,<2", "1.2 1.2.0 1.9.9 1.2.post1", "1.1.9 2 2.0.0 2.0rc1 1.9rc1 1.2rc1"),
        (">=1.2rc1,<2", "1.2rc1 1.2rc2 1.3a1", "1.2b1 2.0rc1"),
        ("<2.0rc2", "2.0rc1 1.0", "2.0rc2 2.0"),
        (">1.7", "1.8 1.7.1", "1.7 1.7.0 1.7.post1 1.7.0.post1"),
        (">1.7.post1", "1.7.post2 1.8", "1.7.post1 1.7"),
        ("<1.7.post1", "1.7 1.6", "1.7.post1 1.8"),
        ("==1.2.*", "1.2 1.2.9 1.2.post1", "1.3 1.20 2"),
        ("!=1.2.*", "1.3 1.1", "1.2 1.2.9"),
        ("~=1.4.2", "1.4.2 1.4.9", "1.5 1.4.1"),
        ("~=1.4", "1.4 1.9", "2.0 1.3"),
        ("==1.0", "1.0 1 1.0+local", "1.1"),
        ("==1.0+local", "1.0+local", "1.0 1.0+other"),
        (">=1.2 , != 1.3", "1.2 1.4", "1.3"),
        (">=1.0.0-foo.bar", "1.0.0", "0.9"),
    ],
)
def test_lc12_what_is_inside_a_range(text: str, inside: str, outside: str) -> None:
    wanted = VersionRange.parse(text)
    assert [v for v in inside.split() if Version.parse_pep440(v) not in wanted] == []
    assert [v for v in outside.split() if Version.parse_pep440(v) in wanted] == []
    assert str(wanted) == text


def test_lc12_a_prerelease_is_inside_only_if_it_is_asked_for() -> None:
    candidate = Version.parse("1.9.0-rc.1")
    assert candidate not in VersionRange.parse(">=1.2")
    assert candidate in VersionRange.parse(">=1.2.0-rc.1")
    assert candidate not in VersionRange.parse(">=1.2,!=1.9.0rc2")
    assert VersionRange.parse(">=1.2").contains(candidate, prereleases=True)
    assert not VersionRange.parse(">=2").contains(candidate, prereleases=True)


def test_lc12_ranges_are_values() -> None:
    assert VersionRange(">=1.2") == VersionRange.parse(" >=1.2 ")
    assert hash(VersionRange(">=1.2")) == hash(VersionRange.parse(">=1.2"))
    assert VersionRange() == VersionRange.parse("  ")
    assert repr(VersionRange(">=1.2")) == "VersionRange(text='>=1.2')"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.2", "begin it with an operator, as in '>=1.2' or '==1.2'"),
        ("^1.2", "begin it with an operator, as in '>=1.2' or '==1.2'"),
        (">=1.2 <2", "put a comma between two bounds, as in '>=1.2,<2'"),
        (">=1.2,", "there is nothing between two commas, or after the last"),
        ("===1.2", "=== is not supported, write =="),
        ("=>1.2", "it must be one of ==, !=, >=, <=, >, <, ~= and a version, as in '>=1.2'"),
        ("~=1", "~= needs two numbers, as in '~=1.0'"),
        (">=1.*", "'.*' goes only with == and !="),
        (">=1.0+local", "a local part ('+…') goes only with == and !="),
        (">=one", "'one' is not a version in the sense of PEP 440, as '1.2.3' or '1.2rc1' are"),
        ("==1.2rc1.*", "'.*' comes after numbers only"),
        (">=1," * 100, "a version range must not be longer than 256 characters"),
    ],
)
def test_lc12_what_is_no_range_is_refused_with_a_sentence(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match="version range") as caught:
        VersionRange.parse(text)
    assert str(caught.value).endswith(hint)
