"""SE10: what a plugin asks for in vain is told on one line, in the event, the error and the audit trail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pluginkit.config import Config
from pluginkit.logs import AuditLog
from tests.host.conftest import Zoo
from tests.support.hostile import is_tame, tree

ASKER = """
from pluginkit import hookimpl

class Cat:
    def __init__(self, ctx):
        self.ctx = ctx

    @hookimpl
    def speak(self, is_loud):
        answers = []
        for ask in (self.ctx.fs.read_text, lambda what: self.ctx.process.run([what]), lambda what: self.ctx.net.connect(what, 80)):
            try:
                ask(TARGET)
            except Exception as error:
                answers.append([type(error).__name__, str(error)])
        return answers
"""
GRANT = {"path": "${data}/", "permissions": ["read", "write", "create"], "recursive": True}
TARGETS = [
    "../../../etc/passwd", "/etc/passwd", "../kat.cache/x", "a\n2026 error: forged\x1b[2J", "\x1b]0;owned\x07", "\u202etxt", "a\0b", "\udcff",
    "$(touch evil)", "; touch evil", "~/.ssh/id_rsa", "${data}/../../evil", "\uff0e\uff0e/evil", "x" * 100_000, "{0.__class__}", "<red>", "",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_se10_a_hostile_target_is_denied_and_told_on_one_line(zoo: Zoo, target: str) -> None:
    zoo.add("cat", ASKER.replace("TARGET", repr(target)), capabilities={"filesystem": [GRANT]})
    overrides: dict[str, Any] = {
        "capabilities.allow": {"filesystem": [GRANT]},
        "directories.plugins_dir": str(zoo.plugins),
        "directories.state_dir": str(zoo.directory / "state"),
        "plugins.entry_points": False,
    }
    host = zoo.host(config=Config.load(None, environ={}, overrides=overrides), plugins_dir=None)
    trail = zoo.directory / "audit.log"
    audit = AuditLog(trail)
    audit.attach(host.events)
    host.load()
    before = tree(zoo.directory)
    (answers,) = host.hook.speak(is_loud=True)
    host.close()
    audit.close()
    assert len(answers) == 3, "something was granted"
    assert {Path(path).name for path in tree(zoo.directory) - before} <= {
        "__pycache__",
        "state.json",
        "state.lock",
    }
    lines = trail.read_bytes().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["seq"] for record in records] == list(range(1, len(lines) + 1))
    denied = [record for record in records if record["kind"] == "capability_denied"]
    assert denied
    for record in denied:
        assert record["target"].isprintable()
        assert len(record["target"]) <= 513
    for _, text in answers:
        assert is_tame(text.replace("x" * 100_000, "")), text


def test_se10_advice_that_is_copied_into_a_manifest_grants_nothing_else() -> None:
    from pluginkit.manifest import Capabilities
    from pluginkit.security import Places, PluginPolicy, effective
    from pluginkit.security.refusal import Refusal
    from pluginkit.strict_yaml import load

    grants = effective(
        "cat", Capabilities(), PluginPolicy(), Places(data=Path("/data"), cache=Path("/cache"))
    )
    hostile = [
        "/x, args: []}, {command: /bin/sh",
        "a\nb: c",
        "]}}",
        "# x",
        "'",
        '"',
        "\\",
        "a: b",
        "*x",
        "&x",
        "!x",
        "yes",
    ]
    with pytest.raises(Refusal) as caught:
        grants.require_exec(hostile, lambda *_: False)
    document = load(caught.value.advice.partition(": ")[2]).data
    assert document["capabilities"] == {"process": {"exec": [{"command": hostile[0], "args": hostile[1:]}]}}
    with pytest.raises(Refusal) as caught:
        grants.paths.permit("/x, permissions: [write]}, {path: /etc/passwd", "read")
    document = load(caught.value.advice.partition(": ")[2]).data
    (grant,) = document["capabilities"]["filesystem"]
    assert grant["permissions"] == ["read"]
