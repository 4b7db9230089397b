"""pytest on `pluginkit.PluginManager`: the same outcomes, and the same text, as on pluggy's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.conformance

PROJECT = {
    "pytest.ini": """\
[pytest]
markers = slow: a marker
""",
    "helper_plugin.py": """\
import pytest

def pytest_addoption(parser):
    parser.addoption("--flavour", default="plain", help="an option of a -p plugin")

def pytest_report_header(config):
    return f"flavour: {config.getoption('flavour')}"

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.sections.append(("flavour", item.config.getoption("flavour")))
    return report

@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    outcome = yield
    if pyfuncitem.name == "test_saved_by_a_wrapper":
        outcome.force_result(True)

class Hooks:
    @pytest.hookspec(firstresult=True)
    def pytest_flavour_of(self, name, default="none"):
        "A hook that a plugin brings along."

def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(Hooks)
""",
    "conftest.py": """\
import pytest

def pytest_flavour_of(name):
    return name + "!" if name else None

def pytest_generate_tests(metafunc):
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", [1, 2, 3])

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.nodeid)

@pytest.fixture(scope="session")
def session_value():
    yield "session"

@pytest.fixture
def failing_teardown():
    yield
    raise ValueError("teardown")

def pytest_terminal_summary(terminalreporter, config):
    terminalreporter.write_line("flavours: " + str(config.hook.pytest_flavour_of(name="a")))
""",
    "test_top.py": """\
import warnings
import pytest

class TestClass:
    @pytest.fixture
    def own(self, session_value):
        return session_value + " own"

    def pytest_generate_tests(self, metafunc):
        if "letter" in metafunc.fixturenames:
            metafunc.parametrize("letter", "ab")

    def test_own(self, own):
        assert own == "session own"

    def test_letter(self, letter):
        assert letter == "a", "letters after a fail"

def test_number(number):
    assert number < 3

def test_saved_by_a_wrapper():
    raise RuntimeError("nobody sees this")

def test_teardown(failing_teardown):
    pass

@pytest.mark.skip(reason="because")
def test_skipped(): ...

@pytest.mark.xfail(strict=True)
def test_xfailed():
    assert 0

@pytest.mark.xfail(strict=True)
def test_xpassed(): ...

def test_warns():
    warnings.warn("a warning of a test")

def test_compares():
    assert {"a": [1, 2, ...]} == {"a": [1, 2, None]}

@pytest.mark.slow
def test_exits(pytestconfig):
    assert pytestconfig.hook.pytest_flavour_of(name="") is None
""",
    "sub/conftest.py": """\
import pytest

@pytest.fixture
def below():
    return "below"

def pytest_runtest_setup(item):
    item.user_properties.append(("directory", "sub"))

def pytest_make_parametrize_id(config, val, argname):
    return f"{argname}-{val}"
""",
    "sub/test_below.py": """\
import pytest

@pytest.mark.parametrize("value", [1, 2])
def test_below(below, value, request):
    assert request.node.user_properties == [("directory", "sub")]
    assert below == "below" and value == 1
""",
    "other/test_other.py": """\
def test_other(request):
    assert request.node.user_properties == []
""",
    "test_broken.py": "import does_not_exist\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "project"


def readable(output: str) -> str:
    """The output without times, addresses, and what tells the two runs apart."""
    output = re.sub(r"in \d+\.\d+s", "in …s", output)
    output = re.sub(r"0x[0-9a-f]+", "0x…", output)
    output = re.sub(r"generated (functions: \d+|xml file: .*)\n", "", output)
    return re.sub(r"=+", "=", output)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-p", "helper_plugin", "--flavour=sweet", "-ra"),
        ("-p", "helper_plugin", "-p", "no:terminalreporter", "-x"),
        ("-p", "helper_plugin", "--collect-only", "-q"),
        ("-p", "helper_plugin", "--trace-config", "-q", "other"),
        ("-p", "helper_plugin", "--ignore=test_broken.py", "--setup-show", "-k", "below or number"),
        ("-p", "helper_plugin", "--fulltrace", "--ignore=test_broken.py", "sub"),
        ("-p", "helper_plugin", "--ignore=test_broken.py", "--tb=short", "-m", "not slow", "--maxfail=2"),
    ],
    ids=lambda arguments: " ".join(arguments[2:]),
)
def test_lh05_pytest_says_the_same_on_either_manager(
    project: Path, run_pytest: Callable[..., Any], arguments: tuple[str, ...]
) -> None:
    theirs = run_pytest("pluggy", *arguments, cwd=project)
    ours = run_pytest("pluginkit", *arguments, cwd=project)
    assert (ours.status, ours.outcomes) == (theirs.status, theirs.outcomes)
    if "--trace-config" not in arguments and "--fulltrace" not in arguments:
        assert readable(ours.output) == readable(theirs.output)
    assert ours.generated > 50
    assert theirs.generated == 0


def test_lh05_pytest_with_xdist_gives_the_same_outcomes(
    project: Path, run_pytest: Callable[..., Any]
) -> None:
    arguments = ("-p", "xdist.plugin", "-p", "helper_plugin", "-n", "2", "--ignore=test_broken.py")
    theirs = run_pytest("pluggy", *arguments, cwd=project)
    ours = run_pytest("pluginkit", *arguments, cwd=project)
    assert (ours.status, ours.outcomes, ours.summary) == (theirs.status, theirs.outcomes, theirs.summary)
    assert ours.summary == "5 failed, 10 passed, 1 skipped, 1 xfailed, 1 warning, 1 error"
    assert ours.generated > 50


def test_lh05_the_project_has_every_kind_of_outcome(project: Path, run_pytest: Callable[..., Any]) -> None:
    run = run_pytest(
        "pluginkit", "-p", "helper_plugin", "-ra", "--continue-on-collection-errors", cwd=project
    )
    assert {outcome.split()[0] for outcome in run.outcomes.values()} == {
        "passed",
        "failure",
        "error",
        "skipped",
    }
    assert "flavour: plain" in run.output
    assert "flavours: a!" in run.output
