"""QA01: the examples of README.md and docs/ are run, each document in an empty directory of its own.

A `python` block is run (all of one document in one process), a `pycon` block is a doctest, and in a
`console` block every `$ command` must succeed and print what stands below it, where `...` is anything.
A comment before a block changes that; CONTRIBUTING.md explains them:

    <!-- file: plugins/cat/cat.py -->    the block is written there
    <!-- output -->                      the block is what the python block above printed
    <!-- exit: 1 -->                     the last command of the block ends with this status
    <!-- no-run: why not -->             only shown

`<!-- runs in the sample project -->` on a line of its own puts config.yaml, plugins/ and
plugin_configs/ there first.

Commands run in an environment of the document's own. `pip install` takes only paths that the document
made: a name would be fetched from a package index, where `pluginkit` is somebody else's project.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pluginkit
from tests.support.dists import Environment, Wheel, site_of

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

# What may stand in a document and is not run. A shell block that is not `console` could hide a dead command.
SHOWN = {"", "text", "yaml", "json", "toml", "ini", "diff", "markdown", "mermaid"}

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+)(?P<language>[\w-]*)[^\n]*\n(?P<body>.*?)^(?P=indent)(?P=fence) *$",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"<!-- *(?P<key>[a-z-]+)(?:: *(?P<value>(?:(?!-->).)*?))? *-->\s*\Z", re.DOTALL)
_COMMANDS = {"file", "output", "exit", "no-run"}
_TIMEOUT = 120.0

_IN_THE_SAMPLE_PROJECT = re.compile(r"^<!-- runs in the sample project -->$", re.MULTILINE)
_SAMPLE_PROJECT = ("config.yaml", "plugins", "plugin_configs")

# Commands that readers type, and the modules behind them.
_SCRIPTS = {"pip": "pip", "pluginkit": "pluginkit", "pytest": "pytest"}
_INSTALL = re.compile(r"\bpip\d?\s+(?:install|download|wheel)\b([^;&|]*)")


@dataclass(frozen=True)
class Block:
    language: str
    body: str
    line: int
    command: str | None
    value: str


def blocks_of(text: str) -> Iterator[Block]:
    """The fenced blocks of a document, with the comment that stands directly before each."""
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start("body")) + 1
        comment = _COMMENT.search(text, 0, match.start())
        command = comment["key"] if comment and comment["key"] in _COMMANDS else None
        value = (comment["value"] or "") if comment and command else ""
        if command in {"file", "exit", "no-run"} and not value:
            raise AssertionError(f"line {line}: `{command}` needs a value")
        indent = len(match["indent"])
        body = "".join(
            row[indent:] if row.strip() else "\n" for row in match["body"].splitlines(keepends=True)
        )
        yield Block(match["language"], body, line, command, value)


class Document:
    """Runs the blocks of one document; every failure names the document's line."""

    def __init__(self, name: str, directory: Path, env: dict[str, str], python: PythonSession) -> None:
        self.name = name
        self.directory = directory
        self.env = env
        self.python = python
        self.printed = ""

    def run(self, block: Block) -> None:
        if block.command == "no-run":
            return
        if block.command == "file":
            self.write(block)
        elif block.command == "output":
            self.compare(block.line, block.body, self.printed)
        elif block.language in {"python", "pycon"}:
            self.printed = self.python.run(block, self.name)
        elif block.language == "console":
            self.run_console(block)
        elif block.language not in SHOWN:
            self.fail(
                block.line, f"a {block.language!r} block is not run; make it `console`, or say `no-run`"
            )

    def write(self, block: Block) -> None:
        path = self.directory / block.value
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body, encoding="utf-8")

    def run_console(self, block: Block) -> None:
        commands = list(commands_of(block))
        for number, (line, command, expected) in enumerate(commands, 1):
            if stranger := names_to_fetch(command):
                self.fail(line, f"`{command}` would fetch {stranger!r} from a package index")
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=self.directory,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_TIMEOUT,
                check=False,
            )
            wanted = int(block.value) if block.command == "exit" and number == len(commands) else 0
            if done.returncode != wanted:
                self.fail(line, f"`{command}`: exit status {done.returncode}, not {wanted}\n{done.stdout}")
            if expected:
                self.compare(line, expected, done.stdout)

    def compare(self, line: int, expected: str, printed: str) -> None:
        if not matches(expected, printed):
            self.fail(line, f"expected\n{expected}\nbut it printed\n{printed}")

    def fail(self, line: int, message: str) -> None:
        raise AssertionError(f"{self.name}:{line}: {message}")


class PythonSession:
    """One Python process for all python blocks of a document; a block that hangs ends it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    @classmethod
    @contextmanager
    def started(cls, directory: Path, env: dict[str, str]) -> Iterator[PythonSession]:
        python = str(Path(env["VIRTUAL_ENV"], "bin", "python"))
        command = [python, "-W", "error", str(Path(__file__).with_name("python_session.py"))]
        with subprocess.Popen(
            command, cwd=directory, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield cls(process)

    def run(self, block: Block, file: str) -> str:
        request = {
            "code": block.body,
            "file": file,
            "line": block.line,
            "is_doctest": block.language == "pycon",
        }
        assert self.process.stdin
        assert self.process.stdout
        killer = threading.Timer(_TIMEOUT, self.process.kill)
        killer.start()
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            reply = self.process.stdout.readline()
        finally:
            killer.cancel()
        if not reply:
            raise AssertionError(f"{file}:{block.line}: the block ended Python, or took over {_TIMEOUT:g} s")
        answer: dict[str, Any] = json.loads(reply)
        if answer["error"]:
            raise AssertionError(f"{file}:{block.line}: {answer['error']}\n{answer['output']}")
        return str(answer["output"])


def commands_of(block: Block) -> Iterator[tuple[int, str, str]]:
    r"""`(line, command, expected output)` of a console block; a `\` at the end continues a command."""
    for match in re.finditer(r"^\$ ((?:.*\\\n)*.*)\n?((?:(?!\$ ).*\n?)*)", block.body, re.MULTILINE):
        yield block.line + block.body.count("\n", 0, match.start()), match[1], match[2].strip("\n")


def names_to_fetch(command: str) -> str | None:
    """The first requirement of a `pip install` that is no local path, if there is one."""
    for match in _INSTALL.finditer(command.replace("\\\n", " ")):
        for word in shlex.split(match[1], comments=True):
            if not word.startswith(("-", "./", "../")) and word != ".":
                return word
    return None


def matches(expected: str, printed: str) -> bool:
    """Whether `printed` is `expected`, where `...` is anything; blanks at the ends of lines do not count."""
    pattern = re.escape(normal(expected)).replace(re.escape("..."), ".*?")
    return re.fullmatch(pattern, normal(printed), re.DOTALL) is not None


def normal(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


@pytest.fixture
def readers_env(child_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """What a reader has: an environment with pluginkit, pip and pytest in it, and a home of their own.

    What it has comes from the environment that runs the tests, by one line in site-packages; what is
    installed goes into its own site-packages and disappears with it.
    """
    reader = Environment.create(tmp_path / "env")
    places = [Path(pluginkit.__path__[0]).parent, site_of(Path(sys.prefix))]
    (reader.site / "shared.pth").write_text("".join(f"{place}\n" for place in places))
    fixtures = {"pytest11": {"pluginkit": "pluginkit.testing.plugin"}}
    Wheel(name="pluginkit", version=pluginkit.__version__, entry_points=fixtures).unpack(reader.site)
    for script, module in _SCRIPTS.items():
        file = reader.python.with_name(script)
        # -P: a script that pip makes does not see the current directory either.
        file.write_text(f'#!/bin/sh\nexec "{reader.python}" -P -m {module} "$@"\n')
        file.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    env = {name: value for name, value in child_env.items() if name != "PYTHONPATH"}
    return {
        **env,
        "VIRTUAL_ENV": str(reader.directory),
        "PATH": f"{reader.python.parent}:{env['PATH']}",
        "HOME": str(home),
        "NO_COLOR": "1",
        "COLUMNS": "110",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }


def copy_sample_project(directory: Path) -> None:
    for name in _SAMPLE_PROJECT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, directory / name)


def run_document(name: str, text: str, tmp_path: Path, env: dict[str, str]) -> None:
    directory = tmp_path / "work"
    directory.mkdir()
    if _IN_THE_SAMPLE_PROJECT.search(text):
        copy_sample_project(directory)
    with PythonSession.started(directory, env) as python:
        document = Document(name, directory, env, python)
        for block in blocks_of(text):
            document.run(block)


def test_qa01_there_is_a_readme() -> None:
    assert ROOT / "README.md" in DOCUMENTS


def installing_marked(path: Path) -> Any:
    """The document as a parameter; one that installs with pip carries the mark of such tests."""
    commands = [
        command
        for block in blocks_of(path.read_text(encoding="utf-8"))
        if block.language == "console" and block.command != "no-run"
        for _, command, _ in commands_of(block)
    ]
    installs = any(_INSTALL.search(command) for command in commands)
    marks = [pytest.mark.install] if installs else []
    return pytest.param(path, marks=marks, id=str(path.relative_to(ROOT)))


@pytest.mark.parametrize("path", [installing_marked(path) for path in DOCUMENTS])
def test_qa01_every_example_runs(path: Path, tmp_path: Path, readers_env: dict[str, str]) -> None:
    run_document(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"), tmp_path, readers_env)


GOOD = """
<!-- runs in the sample project -->
```console
$ ls config.yaml plugins/cat/manifest.yaml
```
<!-- file: greet/words.py -->
```python
WORD = "hello"
```
```python
from greet.words import WORD
print(WORD)
```
<!-- output -->
```text
hello
```
```pycon
>>> WORD.upper()
'HELLO'
>>> later = 1
```
1. In a list:
   ```python
   if later:
       print(WORD, ...)
   ```
```console
$ echo one; \\
  echo two
one
...o
$ cat greet/words.py
```
<!-- exit: 3 -->
```console
$ exit 3
```
<!-- no-run: would not end -->
```sh
sleep infinity
```
"""


def test_a_good_document_passes(tmp_path: Path, readers_env: dict[str, str]) -> None:
    run_document("good.md", GOOD, tmp_path, readers_env)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```python\nx = 1\n1 / 0\n```\n", 'File "bad.md", line 3'),
        ("```python\nraise SystemExit\n```\n", "SystemExit"),
        ("```python\nimport os; os._exit(0)\n```\n", "bad.md:2: the block ended Python"),
        ("```pycon\n>>> 1 + 1\n2\n>>> 1 + 2\n4\n```\n", "bad.md:4: expected"),
        ("```console\n$ echo one\ntwo\n```\n", "bad.md:2: expected\ntwo"),
        ("```console\n$ true\n$ false\n```\n", "bad.md:3: `false`: exit status 1, not 0"),
        ("<!-- exit: 1 -->\n```console\n$ true\n```\n", "exit status 0, not 1"),
        ("```python\nprint(1)\n```\n<!-- output -->\n```text\n2\n```\n", "bad.md:6: expected\n2"),
        ("```bash\ntrue\n```\n", "'bash' block is not run"),
        ("```console\n$ pip install pluginkit\n```\n", "would fetch 'pluginkit' from a package index"),
        ("```console\n$ cd a && pip install -q ./cat \\\n  'dog>=1'; ls\n```\n", "would fetch 'dog>=1'"),
        ("<!-- no-run -->\n```python\n```\n", "`no-run` needs a value"),
    ],
)
def test_a_wrong_document_fails_and_names_the_line(
    text: str, message: str, tmp_path: Path, readers_env: dict[str, str]
) -> None:
    with pytest.raises(AssertionError, match=re.escape(message)):
        run_document("bad.md", text, tmp_path, readers_env)
