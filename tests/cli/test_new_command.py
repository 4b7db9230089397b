"""`pluginkit new`: two files that are valid, listed and callable at once; nothing is overwritten."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pluginkit import CallContext, hookspec
from pluginkit.cli.scaffold.code import Draft
from pluginkit.cli.scaffold.examples import example_argument
from pluginkit.cli.scaffold.imports import import_lines, names_in, origin_of
from pluginkit.cli.scaffold.writing import write
from pluginkit.contracts import Contract
from pluginkit.errors import PluginkitError
from pluginkit.testing import write_plugin

CAT = str
KINDS = '''\
"""Contracts with signatures of every kind."""
from __future__ import annotations
import decimal
import enum
import json
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Optional

from pluginkit import CallContext, hookspec

if TYPE_CHECKING:
    from elsewhere import Stranger

class Mode(enum.Enum):
    FAST = "f"
    SLOW = "s"

Name = str

@dataclass
class Part:
    name: str
    size: int
    tags: list[str] = field(default_factory=list)

@dataclass
class Strange:
    what: Stranger

@dataclass
class Unmakeable:
    number: decimal.Decimal

class Kinds:
    @hookspec
    def yes_or_no(self, number: int) -> bool: "Whether."
    @hookspec
    def count(self) -> int: "How many."
    @hookspec
    def share(self) -> float: "How much."
    @hookspec
    def raw(self) -> bytes: "Bytes."
    @hookspec
    def nothing(self) -> None: "Nothing."
    @hookspec
    def all_names(self) -> Sequence[str]: "Names."
    @hookspec
    def table(self) -> Mapping[str, int]: "A table."
    @hookspec
    def maybe(self) -> Optional[int]: "Perhaps."
    @hookspec
    def either(self) -> decimal.Decimal | str: "One of two."
    @hookspec
    def neither(self) -> decimal.Decimal | None: "Hard to guess."
    @hookspec
    def choice(self) -> Literal["a", "b"]: "One of two."
    @hookspec
    def mode(self) -> Mode: "How fast."
    @hookspec
    def part(self, name: str) -> Part: "Made of what is there."
    @hookspec
    def strange(self) -> Strange: "Names what only checkers know."
    @hookspec
    def unmakeable(self) -> Unmakeable: "Cannot be guessed."
    @hookspec
    def stranger(self, one: Stranger, two: int) -> Stranger: "Of a type that only checkers know."
    @hookspec
    def named(self, text: Name) -> Name: "By an alias of this module."
    @hookspec
    def anything(self) -> object: "Whatever."
    @hookspec
    def untyped(self, thing): "No annotations."
    @hookspec
    def undocumented(self) -> str: ...
    @hookspec
    def quoted(self) -> str: "It says \\"hi\\"."
    @hookspec
    def with_module(self, how: typing.Any) -> json.JSONDecodeError: "A name of a module."
    @hookspec
    def raw_doc(self) -> str:
        r"""A \\d of
        two lines."""
    @hookspec
    async def later(self, text: str) -> str: "Awaited."
    @hookspec(required=False)
    def extra(self, ctx: CallContext) -> object: "Left out."

class Optionals:
    @hookspec(required=False)
    def one(self) -> str: "Not required."
'''


@pytest.fixture
def kinds(project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    module = f"kinds_of_contracts_{abs(hash(str(project)))}"
    project.joinpath(f"{module}.py").write_text(KINDS, "utf-8")
    with project.joinpath("config.yaml").open("a", encoding="utf-8") as config:
        config.write(f'  kinds: "{module}:Kinds"\n  optionals: "{module}:Optionals"\n')
    monkeypatch.syspath_prepend(str(project))
    return module


def next_steps(done: Any) -> list[list[str]]:
    """The commands that `new` says to try."""
    lines = [line.partition(": ")[2].strip() for line in done.stderr.splitlines() if "pluginkit " in line]
    return [shlex.split(line)[1:] for line in lines if line.startswith("pluginkit ")]


@pytest.mark.usefixtures("project")
def test_cl06_a_new_plugin_is_two_files_valid_listed_and_callable(cli: Callable[..., Any]) -> None:
    done = cli("new", "shout", "--type", "transformer")

    assert done.stdout.splitlines() == ["plugins/shout/manifest.yaml", "plugins/shout/shout.py"]
    assert sorted(os.listdir("plugins")) == ["cat", "shout"]
    assert sorted(os.listdir("plugins/shout")) == ["manifest.yaml", "shout.py"]
    code = Path("plugins/shout/shout.py").read_text("utf-8")
    assert "def transform(self, text: str) -> str:\n" in code
    assert '"""The changed text. Raise ValueError' in code
    assert "# Also possible: transformations() -> " in code
    assert cli("call", "transform", "text=hello").stdout == "shout: hello\n"
    assert cli("doctor").stdout.splitlines()[-1] == "no problems, no notices"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("type_name", ["animal", "transformer", "execute"])
def test_cl06_every_next_step_works_as_it_is_told(cli: Callable[..., Any], type_name: str) -> None:
    done = cli("new", "my-first.one", "--type", type_name)
    steps = next_steps(done)
    assert [step[0] for step in steps] == ["validate", "list", "call"]
    for step in steps:
        assert "my-first.one" in cli(*step).stdout


@pytest.mark.usefixtures("sample_project")
@pytest.mark.parametrize("type_name", ["greeter", "processor"])
def test_cl06_the_types_of_the_samples_work_too(cli: Callable[..., Any], type_name: str) -> None:
    for step in next_steps(cli("new", "mine", "--type", type_name)):
        assert "mine" in cli(*step).stdout


@pytest.mark.usefixtures("project")
def test_cl06_a_new_plugin_may_lie_elsewhere(cli: Callable[..., Any]) -> None:
    done = cli("new", "shout", "--type", "transformer", "--dir", "more plugins/of mine")
    assert Path("more plugins/of mine/shout/shout.py").is_file()
    for step in next_steps(done):
        assert "shout" in cli(*step).stdout


@pytest.mark.usefixtures("project")
def test_cl06_without_the_type_in_the_configuration_a_sample_is_taken_and_that_is_told(
    cli: Callable[..., Any],
) -> None:
    done = cli("new", "hello", "--type", "greeter")
    step = 'contracts: {greeter: "pluginkit.contracts.samples:Greeter"}'
    assert step in done.stderr
    assert "hello" in cli("list").stdout
    Path("config.yaml").write_text(step + "\n", "utf-8")
    assert cli("call", "greet", "name=World", "--plugin", "hello").stdout == "hello: World\n"


def test_cl06_every_kind_of_signature_gives_code_that_runs(kinds: str, cli: Callable[..., Any]) -> None:
    cli("new", "all-kinds", "--type", "kinds")

    assert "valid (all-kinds" in cli("validate", "plugins/all-kinds").stdout
    code = Path("plugins/all-kinds/all_kinds.py").read_text("utf-8")
    for line in (
        "class AllKinds:",
        "import json",
        "import typing",
        f"from {kinds} import Mode, Name, Part, Strange, Unmakeable",
        "from collections.abc import Mapping, Sequence",
        "return False  # your work goes here",
        "return Part(name=name, size=0)",
        "return Mode.FAST",
        "return 'a'",
        'return "all-kinds"',
        "return text  # your work goes here",
        "def stranger(self, one, two: int):",
        "def untyped(self, thing):",
        "async def later(self, text: str) -> str:",
        'raise NotImplementedError("all-kinds does not implement strange yet")',
        'raise NotImplementedError("all-kinds does not implement unmakeable yet")',
        "# Also possible: extra(ctx: CallContext) -> object: Left out.",
    ):
        assert line in code, line
    expected = {
        "yes_or_no number=1": False,
        "count": 0,
        "share": 0.0,
        "raw": "",
        "nothing": None,
        "all_names": [],
        "table": {},
        "maybe": 0,
        "either": "all-kinds",
        "choice": "a",
        "mode": "f",
        "part name=x": {"name": "x", "size": 0, "tags": []},
        "named text=x": "x",
        "anything": "all-kinds",
        "untyped thing=x": "x",
        "undocumented": "all-kinds",
        "quoted": "all-kinds",
        "raw_doc": "all-kinds",
        "later text=x": "x",
    }
    for call, result in expected.items():
        done = cli("call", *call.split(), "--json")
        assert done.data["results"][0]["result"] == result, call
    assert "NotImplementedError" in cli("call", "neither", status=3).stderr


def test_cl06_a_contract_without_required_hooks_begins_with_all(kinds: str, cli: Callable[..., Any]) -> None:
    cli("new", "maybe", "--type", "optionals")
    assert cli("call", "one").stdout == "maybe: maybe\n"


@pytest.mark.usefixtures("project")
def test_cl06_what_is_there_is_never_overwritten(cli: Callable[..., Any]) -> None:
    before = Path("plugins/cat/cat.py").read_text("utf-8")
    assert "there is a plugin named 'cat' already" in cli("new", "cat", "--type", "animal", status=2).stderr
    assert "there is a plugin named 'cat' already" in cli("new", "CAT", "--type", "animal", status=2).stderr
    Path("more").mkdir()
    Path("more/dog").symlink_to("nowhere")
    done = cli("new", "dog", "--type", "animal", "--dir", "more", status=2)
    assert "more/dog is there already" in done.stderr
    assert Path("plugins/cat/cat.py").read_text("utf-8") == before
    assert os.listdir("more") == ["dog"]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two words", "letters, digits"),
        ("../up", "letters, digits"),
        ("x" * 65, "64"),
        ("-x", "-x"),
        ("7up", "begin it with a letter"),
        ("class", "cannot name a plugin"),
        ("json", "'json-plugin'"),
        ("pluginkit", "pluginkit's own"),
    ],
)
def test_cl06_a_name_that_no_plugin_can_have_is_refused(
    cli: Callable[..., Any], name: str, words: str
) -> None:
    done = cli("new", "--type", "animal", "--", name, status=2)
    assert words in done.stderr
    assert os.listdir("plugins") == ["cat"]


@pytest.mark.usefixtures("project")
def test_cl06_a_directory_that_cannot_be_written_is_told(cli: Callable[..., Any]) -> None:
    Path("file").write_text("", "utf-8")
    done = cli("new", "dog", "--type", "animal", "--dir", "file/below", status=2)
    assert "file/below/dog cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("project")
def test_cl06_what_discovery_would_refuse_is_our_bug_and_leaves_nothing(tmp_path: Path) -> None:
    class Odd:
        @hookspec
        def odd(self) -> str:
            """No manifest may name this type."""

    draft = Draft("odd", Contract.of("no type, but a sentence", Odd))
    with pytest.raises(PluginkitError, match=r"plugin\.type"):
        write(draft, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.usefixtures("project")
def test_cl06_the_code_is_formatted_and_passes_the_checkers(cli: Callable[..., Any]) -> None:
    for type_name in ("animal", "transformer", "execute", "greeter", "processor"):
        cli("new", f"new-{type_name}", "--type", type_name)
        path = Path(f"plugins/new-{type_name}/new_{type_name}.py")
        lines = path.read_text("utf-8").splitlines()
        assert max(map(len, lines)) <= 110
        assert all(line == line.rstrip() for line in lines)
        assert not any(first == second == "" for first, second in zip(lines[-8:], lines[-7:], strict=False))
        check = "import ast, sys; ast.parse(open(sys.argv[1]).read())"
        subprocess.run([sys.executable, "-W", "error", "-c", check, str(path)], check=True)


def test_names_are_imported_from_where_a_reader_expects_them() -> None:
    class Own:
        @hookspec
        def hook(self, ctx: CallContext, how: Mapping[str, int], who: CAT | None) -> str:
            """Uses names of this module."""

    spec = Contract.of("own", Own).hooks["hook"]
    assert origin_of("CallContext", spec) == ("pluginkit", "CallContext")
    assert origin_of("Mapping", spec) == ("collections.abc", "Mapping")
    assert origin_of("typing", spec) == ("typing", "")
    assert origin_of("str", spec) == ("", "")
    assert origin_of("nobody", spec) is None
    assert origin_of("CAT", spec) == (__name__, "CAT")


def test_a_module_under_another_name_is_not_imported() -> None:
    namespace: dict[str, Any] = {}
    code = (
        "from __future__ import annotations\nimport json as j\nfrom pluginkit import hookspec\n"
        "class Own:\n    @hookspec\n    def hook(self, x: j.JSONDecoder) -> str: 'One.'\n"
    )
    exec(code, namespace)
    spec = Contract.of("own", namespace["Own"]).hooks["hook"]
    assert origin_of("j", spec) is None
    assert "def hook(self, x) -> str:" in Draft("x", Contract.of("own", namespace["Own"])).module()


def test_import_lines_are_sorted_and_joined() -> None:
    assert import_lines([("b", "y"), ("b", "X"), ("a", ""), ("", "")]) == ["import a", "from b import X, y"]
    assert names_in("dict[str, list[Part]] | None") == {"dict", "str", "list", "Part"}
    assert names_in("not (") == set()
    assert names_in(int) == set()


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, "x=hello"),
        (bool, "x=true"),
        (list[int], "x=[]"),
        (dict[str, int], "x={}"),
        (int | None, "x=1"),
        (Mapping[str, int], "x={}"),
        (Sequence[int], "x=[]"),
        (Path | None, "x=hello"),
        (typing.Literal["a", "b"], "x=a"),
        (object, "x=hello"),
    ],
)
def test_example_arguments_fit_their_annotation(annotation: object, expected: str) -> None:
    assert example_argument("x", annotation) == expected


def test_write_plugin_of_the_test_kit_and_new_agree(project: Path, cli: Callable[..., Any]) -> None:
    write_plugin("plugins", "kit", "", type="animal")
    assert "there is a plugin named 'kit' already" in cli("new", "kit", "--type", "animal", status=2).stderr
