"""Plugins that were written for other pluggy hosts load unchanged, and answer as they do at home.

llm with three of its plugins and datasette with two of its own are installed from the package
index. One process asks the tool's own manager, another our Host; the answers must be equal.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.conformance, pytest.mark.xdist_group("existing-plugins")]

LLM_PLUGINS = {
    "llm-cmd": "cmd",
    "llm-fragments-github": "fragments_github",
    "llm-tools-simpleeval": "tools_simpleeval",
}
DATASETTE_PLUGINS = {"datasette-pretty-json": "pretty_json", "datasette-json-html": "json_html"}

LLM_ASK = """
def ask(hook):
    # Each hook of llm hands a registering function to its plugins.
    import click
    answers = {}
    for name in ("register_models", "register_embedding_models", "register_template_loaders",
                 "register_fragment_loaders", "register_tools"):
        seen = answers[name] = []
        kwargs = {}
        def register(*arguments, **more):
            seen.append([str(getattr(a, "__name__", a)) for a in arguments] + sorted(more))
        if name == "register_models":
            kwargs["model_aliases"] = []
        getattr(hook, name)(register=register, **kwargs)
        seen.sort()
    cli = click.Group()
    hook.register_commands(cli=cli)
    answers["register_commands"] = sorted(cli.commands)
    return answers
"""
LLM_THEIRS = """
import json, llm.plugins
for name in llm.plugins.DEFAULT_PLUGINS: llm.plugins.pm.set_blocked(name)
llm.plugins.load_plugins()
print(json.dumps(ask(llm.plugins.pm.hook)))
"""
LLM_OURS = """
import json, sys
import llm, llm.hookspecs
from pluginkit import Host
host = Host(project="llm", entry_point_group="llm", hookspecs=[llm.hookspecs], state_dir=sys.argv[1])
with host:
    rows = {p.name: [str(p.state), p.reloadable, str(p.reason)] for p in host.plugins.values()}
    print(json.dumps({"rows": rows, "answers": ask(host.hook)}))
"""
DATASETTE_ASK = """
def ask(hook):
    import sqlite3
    class Connection:
        def __init__(self): self.names = []
        def __getattr__(self, name):
            return lambda *arguments, **more: self.names.append([name, *map(str, arguments[:2])])
    connection = Connection()
    hook.prepare_connection(conn=connection, database="d", datasette=None)
    cells = []
    for value in ('{"a": [1, 2]}', '{"href": "https://example.com/", "label": "there"}',
                  '[{"img_src": "https://example.com/x.png"}]', "plain", 7):
        results = hook.render_cell(row=None, value=value, column="c", table="t", database="d", datasette=None)
        cells.append(sorted(map(str, results)))
    return {"functions": sorted(connection.names), "cells": cells}
"""
DATASETTE_THEIRS = """
import json, os, pluggy, datasette.plugins
from datasette import hookspecs
own = pluggy.PluginManager("datasette")
own.add_hookspecs(hookspecs)
own.load_setuptools_entrypoints("datasette")
print(json.dumps(ask(own.hook)))
"""
DATASETTE_OURS = """
import json, sys
from datasette import hookspecs
from pluginkit import Host
with Host(project="datasette", entry_point_group="datasette", hookspecs=[hookspecs], state_dir=sys.argv[1]) as host:
    rows = {p.name: [str(p.state), p.reloadable, str(p.reason)] for p in host.plugins.values()}
    print(json.dumps({"rows": rows, "answers": ask(host.hook)}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with both tools, their plugins, and what pluginkit needs."""
    directory = tmp_path_factory.mktemp("tools") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    python = directory / "bin" / "python"
    wanted = [
        "llm",
        *LLM_PLUGINS,
        "datasette",
        *DATASETTE_PLUGINS,
        "importlib-metadata",
        "pyyaml",
        "packaging",
    ]
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", *wanted],
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return python


def run(python: Path, *parts: str, env: dict[str, str], **added: str) -> Any:
    import pluginkit

    env = {**env, **added, "PYTHONPATH": str(Path(pluginkit.__file__).parent.parent)}
    command = [str(python), "-c", "\n".join(parts), str(python.parent.parent / "state")]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_lh05_llms_plugins_answer_as_at_home(
    environment: Path, child_env: dict[str, str], tmp_path: Path
) -> None:
    home = {"LLM_USER_PATH": str(tmp_path)}
    theirs = run(environment, LLM_ASK, LLM_THEIRS, env=child_env, **home)
    ours = run(environment, LLM_ASK, LLM_OURS, env=child_env, **home)
    assert ours["rows"] == {name: ["running", True, "None"] for name in sorted(LLM_PLUGINS.values())}
    assert ours["answers"] == theirs
    assert theirs["register_commands"] == ["cmd"]
    assert len(theirs["register_fragment_loaders"]) >= 1
    assert len(theirs["register_tools"]) >= 1


@pytest.mark.parametrize(
    "imported", ["", None], ids=["apart from the host's", "imported by datasette already"]
)
def test_lh05_datasettes_plugins_answer_as_at_home(
    environment: Path, child_env: dict[str, str], imported: str | None
) -> None:
    theirs = run(environment, DATASETTE_ASK, DATASETTE_THEIRS, env=child_env)
    added = {} if imported is None else {"DATASETTE_LOAD_PLUGINS": imported}
    before = "import datasette.plugins" if imported is None else ""
    ours = run(environment, before, DATASETTE_ASK, DATASETTE_OURS, env=child_env, **added)
    is_private = imported is not None
    assert ours["rows"] == {
        name: ["running", is_private, "None"] for name in sorted(DATASETTE_PLUGINS.values())
    }
    assert ours["answers"] == theirs
    assert any(cells for cells in theirs["cells"])
