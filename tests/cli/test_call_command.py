"""`pluginkit call`: what is typed becomes arguments by the hook's annotations, answers keep their names."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.testing import write_plugin

CONTRACTS = '''\
"""The contracts of a host program."""
from __future__ import annotations
import enum
from collections.abc import Sequence
from typing import Literal, Optional
from pluginkit import CallContext, hookspec

class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"

class Many:
    @hookspec
    def mix(
        self, flag: bool, number: int, share: float, words: list[str], table: dict[str, int],
        mode: Literal["fast", "slow"], colour: Colour, name: Optional[str] = None,
    ) -> str:
        """All kinds of parameters."""

class First:
    @hookspec(firstresult=True)
    def pick(self, text: str) -> str:
        """The first who knows."""

class Later:
    @hookspec
    async def fetch(self, text: str) -> str:
        """Takes its time."""

class LaterFirst:
    @hookspec(firstresult=True)
    async def seek(self, text: str) -> str:
        """The first who finds it."""

class Told:
    @hookspec(historic=True)
    def told(self, what: str) -> None:
        """Kept for later."""
'''
TYPES = {"many": "Many", "first": "First", "later": "Later", "later-first": "LaterFirst", "told": "Told"}


@pytest.fixture
def host_program(project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of contracts that the configuration names, importable as a host's own code is."""
    module = f"host_contracts_{abs(hash(str(project)))}"
    project.joinpath(f"{module}.py").write_text(CONTRACTS, "utf-8")
    with project.joinpath("config.yaml").open("a", encoding="utf-8") as config:
        for name, cls in TYPES.items():
            config.write(f'  {name}: "{module}:{cls}"\n')
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, module, raising=False)
    return module


def write(name: str, type_name: str, body: str, **sections: Any) -> None:
    code = "from pluginkit import hookimpl\nimport time\n\nclass Plugin:\n" + textwrap.indent(
        textwrap.dedent(body), "    "
    )
    write_plugin(
        "plugins", name, code, type=type_name, entrypoint=f"{name.replace('-', '_')}:Plugin", **sections
    )


ANSWER = """
@hookimpl
def {hook}(self, text):
    return {answer}
"""


@pytest.mark.usefixtures("host_program")
def test_cl04_values_are_read_by_the_annotations_of_the_hook(cli: Callable[..., Any]) -> None:
    write(
        "mixer",
        "many",
        """
        @hookimpl
        def mix(self, flag, number, share, words, table, mode, colour, name):
            return repr((flag, number, share, words, table, mode, colour.value, name))
        """,
    )
    given = [
        "flag=no",
        "number=7",
        "share=0.5",
        'words=["a", "b"]',
        'table={"x": 1}',
        "mode=slow",
        "colour=BLUE",
    ]

    assert cli("call", "mix", *given).stdout == (
        "mixer: (False, 7, 0.5, ['a', 'b'], {'x': 1}, 'slow', 'b', None)\n"
    )
    assert "'Anna'" in cli("call", "mix", *given, "name=Anna").stdout
    wrong = cli("call", "mix", *given[:-2], "mode=quick", "colour=GREEN", status=2)
    assert "must be one of fast, slow" in wrong.stderr
    assert "must be one of RED, BLUE" in wrong.stderr


@pytest.mark.usefixtures("sample_project")
def test_cl04_a_call_context_is_made_of_all_that_is_given(cli: Callable[..., Any]) -> None:
    done = cli("call", "execute", "label=plugin.get", "id=1", "--plugin", "notes", "--json")
    assert done.data["arguments"] == {"ctx": {"label": "plugin.get", "id": 1}}
    assert done.data["results"][0]["result"] == {"id": "1", "text": "Feed the cat"}


@pytest.mark.usefixtures("project")
def test_cl04_json_has_plugin_version_result_error_and_seconds(cli: Callable[..., Any]) -> None:
    write("rude", "animal", "@hookimpl\ndef speak(self, is_loud):\n    raise ValueError('not today')\n")

    done = cli("call", "speak", "is_loud=1", "--json", status=3)

    assert (done.data["schema_version"], done.data["hook"]) == (1, "speak")
    assert done.data["arguments"] == {"is_loud": True}
    cat, rude = done.data["results"]
    assert set(cat) == set(rude) == {"plugin", "version", "result", "error", "seconds"}
    assert (cat["plugin"], cat["version"], cat["result"], cat["error"]) == ("cat", "1.0.0", "MEOW!", None)
    assert cat["seconds"] >= 0
    assert (rude["result"], rude["error"]) == (None, {"type": "ValueError", "message": "not today"})


@pytest.mark.usefixtures("project")
def test_cl04_one_plugin_is_loaded_and_called_alone_by_any_spelling_of_its_name(
    cli: Callable[..., Any],
) -> None:
    write("my-dog", "animal", "@hookimpl\ndef speak(self, is_loud):\n    return 'Woof'\n")
    write("broken", "animal", "1 / 0\n")

    done = cli("call", "speak", "is_loud=no", "--plugin", "My_Dog")

    assert (done.stdout, done.stderr) == ("my-dog: Woof\n", "")


@pytest.mark.usefixtures("project")
def test_cl07_one_plugin_that_raises_exits_3(cli: Callable[..., Any]) -> None:
    write("rude", "animal", "@hookimpl\ndef speak(self, is_loud):\n    raise SystemExit(0)\n")
    done = cli("call", "speak", "is_loud=no", "--plugin", "rude", status=3)
    assert "it failed in hook speak: SystemExit: 0" in done.stderr


@pytest.mark.usefixtures("project")
def test_ctrl_c_that_a_plugin_raises_reaches_the_caller(user: Callable[..., Any]) -> None:
    write("stopper", "animal", "@hookimpl\ndef speak(self, is_loud):\n    raise KeyboardInterrupt\n")
    assert "interrupted" in user("call", "speak", "is_loud=no", "--plugin", "stopper", status=130).stderr


@pytest.mark.usefixtures("project")
def test_cl04_results_of_several_lines_stay_with_their_plugin(cli: Callable[..., Any]) -> None:
    write("poet", "animal", "@hookimpl\ndef speak(self, is_loud):\n    return 'one\\ntwo\\n\\nthree'\n")
    write("quiet", "animal", "@hookimpl\ndef speak(self, is_loud):\n    return ''\n")
    assert cli("call", "speak", "is_loud=no").stdout.splitlines() == [
        "cat: Meow",
        "poet: one",
        "  two",
        "  ",
        "  three",
        "quiet: ",
    ]


@pytest.mark.usefixtures("project")
def test_cl04_a_hook_that_nobody_implements_is_told_and_is_no_error(cli: Callable[..., Any]) -> None:
    done = cli("call", "transform", "text=x")
    assert done.stdout == ""
    assert "No plugin that is loaded implements 'transform'" in done.stderr


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("option", [[], ["--plugin", "slow"]])
def test_cl04_a_call_that_takes_too_long_is_given_up_and_exits_3(
    user: Callable[..., Any], option: list[str]
) -> None:
    write("slow", "animal", "@hookimpl\ndef speak(self, is_loud):\n    time.sleep(600)\n")
    done = user("call", "speak", "is_loud=no", "--timeout", "0.2", *option, status=3)
    assert "did not finish within 0.2 s" in done.stderr
    assert "slow" in done.stderr


@pytest.mark.usefixtures("host_program")
def test_cl04_a_hook_of_one_result_stops_at_the_first(cli: Callable[..., Any]) -> None:
    write("a-knows", "first", ANSWER.format(hook="pick", answer="text"), plugin={"priority": 40})
    write("b-first", "first", ANSWER.format(hook="pick", answer="text.upper()"))
    assert cli("call", "pick", "text=x").stdout == "b-first: X\n"


@pytest.mark.usefixtures("host_program")
def test_cl04_async_implementations_are_awaited_and_each_answer_has_its_name(
    cli: Callable[..., Any],
) -> None:
    awaiting = (
        "\n@hookimpl\nasync def fetch(self, text):\n    import asyncio\n    await asyncio.sleep(0)\n    {0}\n"
    )
    write("a-good", "later", awaiting.format("return text + '!'"))
    write("b-bad", "later", awaiting.format("raise LookupError(text)"))
    write("c-plain", "later", ANSWER.format(hook="fetch", answer="text * 2"))

    done = cli("call", "fetch", "text=x", status=3)

    assert done.stdout == "a-good: x!\nc-plain: xx\n"
    assert "plugin 'b-bad' 1.0.0: it failed in hook fetch: LookupError: x" in done.stderr
    assert "Traceback" not in done.stderr
    assert cli("call", "fetch", "text=x", "--plugin", "a-good").stdout == "a-good: x!\n"


@pytest.mark.usefixtures("host_program")
def test_cl04_an_async_hook_of_one_result_stops_at_the_first(cli: Callable[..., Any]) -> None:
    body = "\n@hookimpl\nasync def seek(self, text):\n    return {0}\n"
    write("a-none", "later-first", body.format("None"))
    write("b-one", "later-first", body.format("text"))
    write("c-never", "later-first", body.format("1 / 0"))
    done = cli("call", "seek", "text=x", "--json")
    assert [(one["plugin"], one["result"]) for one in done.data["results"]] == [
        ("a-none", None),
        ("b-one", "x"),
    ]


@pytest.mark.usefixtures("host_program")
def test_ctrl_c_in_an_async_implementation_reaches_the_caller(
    user: Callable[..., Any], project: Path, child_env: dict[str, str]
) -> None:
    write("stopper", "later", "\n@hookimpl\nasync def fetch(self, text):\n    raise KeyboardInterrupt\n")
    path = f"{child_env['PYTHONPATH']}:{project}"
    done = user("call", "fetch", "text=x", env={"PYTHONPATH": path}, status=130)
    assert "interrupted" in done.stderr


@pytest.mark.usefixtures("host_program")
def test_cl04_a_historic_hook_is_refused_with_the_reason(cli: Callable[..., Any]) -> None:
    assert "'told' is historic" in cli("call", "told", "what=x", status=2).stderr


@pytest.mark.usefixtures("project")
def test_a_failure_while_closing_is_told(cli: Callable[..., Any]) -> None:
    body = "@hookimpl\ndef speak(self, is_loud):\n    return 'hm'\n\ndef on_stop(self):\n    raise OSError('stuck')\n"
    write("sticky", "animal", body)
    done = cli("call", "speak", "is_loud=no")
    assert "sticky: hm" in done.stdout
    assert "on_stop" in done.stderr
    assert "stuck" in done.stderr


@pytest.mark.usefixtures("host_program")
def test_cl04_hooks_show_signature_contract_and_kind_without_running_plugins(
    cli: Callable[..., Any],
) -> None:
    write("broken", "animal", "raise SystemExit\n")

    text = cli("hooks").stdout

    row = next(line for line in text.splitlines() if line.startswith("speak("))
    assert row.split("  ")[0] == "speak(is_loud: bool) -> str"
    assert "animal" in row
    assert "required" in row
    assert "optional" in next(line for line in text.splitlines() if line.startswith("transformations("))
    assert "required, firstresult, async" in next(
        line for line in text.splitlines() if line.startswith("seek(")
    )
    assert "historic" in next(line for line in text.splitlines() if line.startswith("told("))


@pytest.mark.usefixtures("project")
def test_cl04_hooks_load_shows_implementations_in_the_order_of_calls(cli: Callable[..., Any]) -> None:
    body = "@hookimpl{0}\ndef speak(self, is_loud):\n    {1}\n"
    write("late", "animal", body.format("(trylast=True)", "return 'a'"), plugin={"priority": 90})
    write("early", "animal", body.format("(tryfirst=True)", "return 'b'"))
    write("around", "animal", body.format("(wrapper=True)", "return (yield)"))

    lines = cli("hooks", "speak", "--load").stdout.splitlines()

    assert lines[0] == "speak(is_loud: bool) -> str"
    assert "required for plugins of the type animal" in lines[1]
    numbered = [line.split()[1] for line in lines if line.strip()[0].isdigit()]
    assert numbered == ["around", "early", "cat", "late"]
    assert any("(priority 90, trylast)" in line for line in lines)
    assert any("plugins/cat/cat.py:4" in line for line in lines)
    without = cli("hooks", "speak")
    assert "cat" not in without.stdout
    assert "--load" in without.stderr


@pytest.mark.usefixtures("project")
def test_cl04_hooks_load_lists_who_implements_what(cli: Callable[..., Any]) -> None:
    lines = cli("hooks", "--load").stdout.splitlines()
    assert "PLUGINS" in lines[0]
    assert " cat " in next(line for line in lines if line.startswith("speak("))
    assert "No plugin implements it." in cli("hooks", "transform", "--load").stdout


@pytest.mark.usefixtures("project")
def test_cl04_hooks_source_prints_the_body_that_a_call_runs(cli: Callable[..., Any]) -> None:
    source = cli("hooks", "speak", "--source").stdout
    assert source.startswith("def speak(is_loud):\n")
    assert "cat(is_loud)" in source
    compile(source, "<source>", "exec")
    data = cli("hooks", "speak", "--source", "--json").data["hooks"][0]
    assert data["source"].rstrip() == source.rstrip()


@pytest.mark.usefixtures("host_program")
def test_cl07_hooks_json_has_always_the_same_keys(cli: Callable[..., Any]) -> None:
    rows = cli("hooks", "--json").data["hooks"]
    assert [row["name"] for row in rows] == sorted(row["name"] for row in rows)
    assert len({frozenset(row) for row in rows}) == 1
    speak = next(row for row in rows if row["name"] == "speak")
    assert speak["parameters"] == [{"name": "is_loud", "type": "bool", "required": True, "default": None}]
    assert (speak["returns"], speak["contracts"]) == ("str", ["animal"])
    assert (speak["implementations"], speak["source"]) == (None, None)
    loaded = cli("hooks", "speak", "--json", "--load").data["hooks"][0]
    assert loaded["implementations"][0]["plugin"] == "cat"
    assert json.dumps(loaded)
