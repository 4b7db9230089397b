"""`pluginkit doctor`: everything that is wrong, with what to do; exit 1 if there is anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from pluginkit.cli.checks.exclusion import exclude_each_other
from pluginkit.testing import write_plugin
from tests.support.dists import Wheel

# Versions that are no PEP 440 versions: older releases of packaging cannot compare them.
ARBITRARY = pytest.mark.skipif(
    int(metadata.version("packaging").partition(".")[0]) < 26, reason="needs packaging 26"
)

pytestmark = pytest.mark.usefixtures("project")


def findings(cli: Callable[..., Any], check: str | None = None, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cli("doctor", "--json", **options).data["findings"]
    return [one for one in found if check in (None, one["check"])]


def test_cl04_a_healthy_host_has_nothing_to_say(cli: Callable[..., Any]) -> None:
    done = cli("doctor")
    *layers, last = done.stdout.splitlines()
    assert (last, done.stderr) == ("no problems, no notices", "")
    assert all(line.startswith("layer: ") for line in layers)
    data = cli("doctor", "--json").data
    assert (data["schema_version"], data["ok"], data["findings"]) == (1, True, [])
    assert len(data["layers"]) == len(layers)


def test_cp11_doctor_says_which_layers_there_are_and_what_is_not_built(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = {one["name"]: one for one in cli("doctor", "--json").data["layers"]}
    assert list(layers) == ["openat2", "pidfd", "landlock", "seccomp", "guard", "process isolation"]
    assert "not built yet" in layers["process isolation"]["text"]
    assert not layers["process isolation"]["present"]
    assert (layers["guard"]["present"], layers["guard"]["text"][:4]) == (False, "off;")
    monkeypatch.setenv("PLUGINKIT_CAPABILITIES__GUARD", "observe")
    guard = cli("doctor", "--json").data["layers"][4]
    assert guard["present"]
    assert "no security boundary" in guard["text"]


@pytest.mark.parametrize(
    ("name", "sections", "words"),
    [
        ("broken", {"plugin": {"version": "1"}}, "failed"),
        ("future", {"requires": {"python": ">=99"}}, "incompatible"),
        ("needy", {"requires": {"plugins": ["nobody"]}}, "requires the plugin nobody"),
    ],
)
def test_cl04_unfit_plugins_are_problems_with_advice(
    cli: Callable[..., Any], name: str, sections: dict[str, Any], words: str
) -> None:
    write_plugin("plugins", name, "", type="animal", **sections)

    (finding,) = findings(cli, "plugins", status=1)

    assert set(finding) == {"check", "severity", "plugins", "text", "advice", "file", "line"}
    assert (finding["plugins"], finding["severity"]) == ([name], "problem")
    assert words in finding["text"]
    assert f"pluginkit disable {name}" in finding["advice"]
    assert finding["file"].endswith(f"plugins/{name}")
    text = cli("doctor", status=1).stdout
    assert f"problem: plugins: {name}: " in text
    assert "to do: " in text
    assert text.splitlines()[-1] == "1 problem, no notices"


def test_cl04_a_conflict_is_a_problem_and_nobody_is_told_to_disable_both(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "twin-b", "", type="animal")
    write_plugin("plugins", "twin_b", "", type="animal")
    (finding,) = findings(cli, "plugins", status=1)
    assert "twin-b" in finding["text"]
    assert finding["advice"] == "rename or remove one of the two"


def test_cl04_what_failed_in_the_last_run_is_a_problem(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "broken", "import no_such_library\n", type="animal", entrypoint="broken:Broken")
    cli("doctor")
    cli("run", "--once")
    (finding,) = findings(cli, "plugins", status=1)
    assert finding["text"].startswith("failed in the last run: import failed")
    assert "install the distribution that has the module 'no_such_library'" in finding["advice"]


def test_cl04_code_that_does_not_compile_is_found_without_running_it(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "dog", "", type="animal", files={"deep/bad.py": "x = 1\ndef (\n"})
    (finding,) = findings(cli, "code", status=1)
    assert (finding["plugins"], finding["line"]) == (["dog"], 2)
    assert finding["file"].endswith("plugins/dog/deep/bad.py")


def test_cl04_what_an_author_should_know_is_a_notice(
    user: Callable[..., Any], child_env: dict[str, str], tmp_path: Path
) -> None:
    manifest = "plugin: {name: dog, type: animal, format: native, entrypoint: dog, language: python, version: 1.0.0}\n"
    wheel = Wheel(
        name="dog",
        version="2.1",
        files={"dog/__init__.py": "", "dog/manifest.yaml": manifest},
        plugins={"dog": "dog"},
    )
    wheel.unpack(tmp_path / "site")
    path = f"{child_env['PYTHONPATH']}{os.pathsep}{tmp_path / 'site'}"
    found = user("doctor", "--json", env={"PYTHONPATH": path}).data["findings"]
    assert [(one["check"], one["severity"]) for one in found] == [("code", "notice")]
    assert "2.1" in found[0]["text"]


# Requirements


def test_cl04_a_missing_package_and_a_wrong_version_are_found(cli: Callable[..., Any]) -> None:
    packages = ["no-such-distribution[extra]>=1", "click<1", "Click>=1", 'click<1; python_version < "3"']
    write_plugin("plugins", "dog", "", type="animal", requires={"packages": packages})

    missing, wrong = (one["text"] for one in findings(cli, "requirements", status=1))

    assert missing == "requires no-such-distribution[extra]>=1, which is not installed"
    assert wrong.startswith("requires click<1, but ")
    assert "pip install 'click<1'" in cli("doctor", status=1).stdout


def test_cl04_two_plugins_that_exclude_each_other_are_both_named(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "old", "", type="animal", requires={"packages": ["click<8.2"]})
    write_plugin("plugins", "new", "", type="animal", requires={"packages": ["Click >= 8.2"]})
    write_plugin("plugins", "any", "", type="animal", requires={"packages": ["click"]})

    pairs = [one for one in findings(cli, "requirements", status=1) if len(one["plugins"]) == 2]

    assert [sorted(one["plugins"]) for one in pairs] == [["new", "old"]]
    assert "new requires Click>=8.2" in pairs[0]["text"]
    assert "old requires click<8.2" in pairs[0]["text"]


def test_cl04_the_requirements_of_an_installed_plugin_are_its_distributions(
    user: Callable[..., Any], child_env: dict[str, str], tmp_path: Path
) -> None:
    headers = [
        "Requires-Dist: no-such-distribution>=1",
        'Requires-Dist: other-missing; extra == "more"',
        "Requires-Dist: no-such-thing @ https://example.com/x.whl",
    ]
    files = {"dog/__init__.py": "raise SystemExit\n"}
    wheel = Wheel(name="dog", files=files, plugins={"dog": "dog"}, headers=headers)
    wheel.unpack(tmp_path / "site")
    path = f"{child_env['PYTHONPATH']}{os.pathsep}{tmp_path / 'site'}"
    found = user("doctor", "--json", env={"PYTHONPATH": path}, status=1).data["findings"]
    assert [one["text"] for one in found if one["check"] == "requirements"] == [
        "requires no-such-distribution>=1, which is not installed",
        "requires no-such-thing @ https://example.com/x.whl, which is not installed",
    ]


def test_cl04_a_requirement_that_nobody_can_read_is_told(
    user: Callable[..., Any], child_env: dict[str, str], tmp_path: Path
) -> None:
    wheel = Wheel(
        name="dog",
        files={"dog/__init__.py": ""},
        plugins={"dog": "dog"},
        headers=["Requires-Dist: what is this"],
    )
    wheel.unpack(tmp_path / "site")
    path = f"{child_env['PYTHONPATH']}{os.pathsep}{tmp_path / 'site'}"
    found = user("doctor", "--json", env={"PYTHONPATH": path}, status=None).data["findings"]
    assert any("what is this" in one["text"] for one in found)


def test_cl04_plugins_that_are_switched_off_are_not_looked_at(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "dog", "def (\n", type="animal", requires={"packages": ["no-such-distribution"]})
    cli("doctor", status=1)
    cli("disable", "dog")
    cli("doctor")


VERSIONS = st.builds(
    "{}{}".format,
    st.lists(st.integers(0, 2), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts))),
    st.sampled_from(["", "", "", "", "a1", "rc1", ".post1", ".dev1"]),
)
PLAIN = st.lists(st.integers(0, 2), min_size=2, max_size=3).map(lambda parts: ".".join(map(str, parts)))
SPECIFIERS = st.one_of(
    st.builds("{}{}".format, st.sampled_from([">=", "<=", ">", "<", "==", "!="]), VERSIONS),
    st.builds("{}{}.*".format, st.sampled_from(["==", "!="]), PLAIN),
    st.builds("~={}".format, PLAIN),
)
SETS = st.lists(SPECIFIERS, max_size=3).map(lambda parts: SpecifierSet(",".join(parts)))
RELEASES = (
    *(f"{a}.{b}.{c}" for a in range(4) for b in range(4) for c in range(4)),
    *(f"{a}.{b}.{c}.0.1" for a in range(3) for b in range(3) for c in range(3)),
    *["0.99.9", "1.99.9", "0.0.99", "1.0.99", "1.1.99", "0.1.99", "2.99", "99"],
)
SUFFIXES = [
    "",
    ".dev0",
    ".dev1",
    ".dev2",
    "a0",
    "a1",
    "a1.post1",
    "a2",
    "rc1",
    "rc2",
    "rc1.dev0",
    ".post0",
    ".post1",
    ".post2",
    ".post1.dev0",
]
GRID = [release + suffix for release in RELEASES for suffix in SUFFIXES]


@example(SpecifierSet(">1.0,<1.0.1"), SpecifierSet("!=1.0"))
@example(SpecifierSet("==1.1.*"), SpecifierSet("<1.1"))
@example(SpecifierSet(">1,<1.post1"), SpecifierSet(""))
@given(SETS, SETS)
def test_cl04_ranges_exclude_each_other_only_if_no_version_is_in_both(
    one: SpecifierSet, other: SpecifierSet
) -> None:
    in_both = [
        version
        for version in GRID
        if one.contains(version, prereleases=True) and other.contains(version, prereleases=True)
    ]
    if exclude_each_other(one, other):
        assert in_both == []


@given(SETS)
def test_cl04_a_range_that_has_a_version_does_not_exclude_itself(specifiers: SpecifierSet) -> None:
    if any(specifiers.contains(version, prereleases=True) for version in GRID):
        assert not exclude_each_other(specifiers, specifiers)


@pytest.mark.parametrize(
    ("one", "other", "excluded"),
    [
        ("<2", ">=2", True),
        ("<=2", ">=2", False),
        ("==1.4.*", "~=1.4.2", False),
        ("==1.4.*", ">=1.5", True),
        ("~=1.4.2", ">=1.5", True),
        (">=1!0", "<1!0.5", False),
        (">=1!0", "<5", True),
        pytest.param("===weird", "===weird", False, marks=ARBITRARY),
        pytest.param("===weird", "===other", True, marks=ARBITRARY),
        (">1.0rc1,<1.0", "", True),  # `<1.0` leaves out the pre-releases of 1.0
        (">1.0rc1,<1.0rc3", "!=1.0rc1", False),
        (">1.0.dev3,<1.0.dev5", "", False),
        (">=1.0.dev3,<1.0.dev4", "", False),
        ("<1.0.dev1", ">=1.0.dev0", False),
        (">1.0.post1,<1.0.post3", "", False),
        ("", "", False),
    ],
)
def test_cl04_ranges_that_exclude_each_other(one: str, other: str, excluded: bool) -> None:
    assert exclude_each_other(SpecifierSet(one), SpecifierSet(other)) is excluded
    assert exclude_each_other(SpecifierSet(other), SpecifierSet(one)) is excluded


# Configuration, places, names


def test_cf05_what_is_odd_about_the_configuration_is_a_problem(cli: Callable[..., Any]) -> None:
    with Path("config.yaml").open("a", encoding="utf-8") as config:
        config.write("hoks: {}\n")
    (finding,) = findings(cli, "configuration", status=1)
    assert "did you mean 'hooks'?" in finding["text"]


def test_cf01_no_configuration_is_a_notice(cli: Callable[..., Any]) -> None:
    Path("config.yaml").unlink()
    Path("plugins/cat/manifest.yaml").write_text(
        Path("plugins/cat/manifest.yaml").read_text("utf-8").replace("animal", "execute"), "utf-8"
    )
    done = cli("doctor")
    assert "notice: configuration: no configuration file" in done.stdout
    assert done.stdout.splitlines()[-1] == "no problems, 1 notice"
    assert done.stderr == ""


@pytest.mark.parametrize(
    "config", ["hooks: {errors: never, timing: 3}\n", "contracts: {a: 'no_such_module:A'}\n", "plugins: [\n"]
)
def test_cf01_a_configuration_that_cannot_be_used_is_the_one_finding(
    cli: Callable[..., Any], config: str
) -> None:
    Path("config.yaml").write_text(config, "utf-8")
    (finding,) = findings(cli, status=1)
    assert finding["check"] == "configuration"
    assert finding["advice"]
    cli("doctor", status=1)


def test_a_state_directory_that_cannot_be_read_is_found(cli: Callable[..., Any]) -> None:
    Path(".pluginkit").write_text("a file in its place", "utf-8")
    (finding,) = findings(cli, status=1)
    assert finding["check"] == "places"
    assert ".pluginkit" in finding["text"]


def test_a_state_directory_that_cannot_be_written_to_is_found(cli: Callable[..., Any]) -> None:
    with Path("config.yaml").open("a", encoding="utf-8") as config:
        config.write("directories: {state_dir: link}\n")
    Path("link").symlink_to("nowhere")
    (finding,) = findings(cli, "places", status=1)
    assert "cannot be written to" in finding["text"]


def test_a_plugins_directory_that_is_missing_is_a_notice_and_one_that_is_a_file_a_problem(
    cli: Callable[..., Any],
) -> None:
    with Path("config.yaml").open("a", encoding="utf-8") as config:
        config.write("directories: {plugins_dir: elsewhere}\n")
    (finding,) = findings(cli, "places")
    assert finding["severity"] == "notice"
    Path("elsewhere").write_text("", "utf-8")
    (finding,) = findings(cli, "places", status=1)
    assert "is a file" in finding["text"]


def test_pg01_config_files_of_no_plugin_are_a_notice(cli: Callable[..., Any]) -> None:
    Path("plugin_configs").mkdir()
    Path("plugin_configs/cta.config.yaml").write_text("", "utf-8")
    Path("plugin_configs/cat.config.toml").write_text("", "utf-8")
    texts = [one["text"] for one in findings(cli, "configuration")]
    assert any("did you mean 'cat'?" in text for text in texts)
    assert any("is not read" in text for text in texts)


def test_pg01_a_directory_of_configs_that_is_a_file_is_a_problem(cli: Callable[..., Any]) -> None:
    Path("plugin_configs").write_text("", "utf-8")
    assert any("plugin_configs" in one["text"] for one in findings(cli, "configuration", status=1))


def test_cl04_a_plugin_named_like_an_importable_module_is_found(cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "packaging", "", type="animal")
    (finding,) = findings(cli, "names", status=1)
    assert "packaging" in finding["text"]
    assert str(Path(sys.prefix)) in finding["text"]
    assert finding["advice"] == "rename the plugin"


def test_cl04_a_plugins_own_directory_on_the_path_is_not_taken_for_another(
    cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    write_plugin("plugins", "pack", "", type="animal", files={"__init__.py": ""})
    monkeypatch.syspath_prepend(str(project / "plugins"))
    assert findings(cli, "names") == []


def test_the_text_has_every_line_of_a_finding(cli: Callable[..., Any]) -> None:
    Path("config.yaml").write_text("hooks: {errors: never, timing: 3}\n", "utf-8")
    lines = cli("doctor", status=1).stdout.splitlines()
    assert any("hooks.errors" in line for line in lines)
    assert any("hooks.timing" in line for line in lines)
