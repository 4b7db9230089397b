"""A plugin's failure for people: which plugin, at what step, where in its files, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pluginkit.cli.output import Painted, remark
from pluginkit.cli.paths import shown_path
from pluginkit.lifecycle import PluginState
from pluginkit.printable import hanging

if TYPE_CHECKING:
    from pluginkit.control.calling import Answer
    from pluginkit.errors import Reason
    from pluginkit.host import Host
    from pluginkit.lifecycle import Failure, Plugin

_NO_MODULE = re.compile(r"No module named '([\w.]+)'")
_STEPS = {
    "assess": "it cannot be loaded",
    "trust": "its files are not trusted",
    "import": "its import failed",
    "create": "its object could not be made",
    "contract": "it does not fulfil its contract",
    "hooks": "its hooks were refused",
    "requirements": "what it requires is missing",
}


def show_load_failures(host: Host, *, debug: bool) -> None:
    """Tell, on stderr, of every plugin that is broken, whose code failed, does not fit, or waits for a decision."""
    for plugin in host.plugins.everything():
        if plugin.state in (PluginState.FAILED, PluginState.HELD, PluginState.INCOMPATIBLE):
            show_load_failure(plugin, debug=debug)


def show_load_failure(plugin: Plugin, *, debug: bool) -> None:
    """Tell, on stderr, why one plugin is not there."""
    failure, reason = plugin.failure, plugin.reason
    step = "assess" if failure is None else failure.step
    what = _STEPS.get(step, f"{step} failed")
    problems = [str(problem) for problem in reason.problems] if reason is not None else []
    text = (failure.error if failure is not None else "") or str(reason or "")
    _head(plugin.name, plugin.version, f"{what}: " + ("\n".join(problems) or text))
    if failure is not None and failure.file:
        _line("at", _place(failure))
    _line("to do", advice(plugin.name, reason, plugin))
    if debug and failure is not None and failure.traceback:
        remark(hanging(failure.traceback.rstrip()))


def show_call_failure(answer: Answer, *, debug: bool) -> None:
    """Tell, on stderr, that a plugin raised in a hook call."""
    failure = answer.failure
    if failure is None:
        return
    _head(answer.plugin, answer.version, f"it failed in {failure.step}: {failure.error}")
    if failure.file:
        _line("at", _place(failure))
    if debug:
        remark(hanging(failure.traceback.rstrip()))


def advice(name: str, reason: Reason | None, plugin: Plugin | None = None) -> str:
    """What to do about a plugin that is not fit; every sentence ends with the way out."""
    name = as_word(name)
    off = f"switch it off: pluginkit disable {name}"
    code = reason.code if reason is not None else ""
    missing = _NO_MODULE.search(reason.text) if reason is not None else None
    if missing is not None:
        return f"install the distribution that has the module {missing[1]!r}, or {off}"
    if code == "manifest-invalid" and plugin is not None and plugin.origin.path is not None:
        return f"see all of it: pluginkit validate {as_word(shown_path(plugin.origin.path))}; or {off}"
    if code in _DECISIONS:
        return f"look at it, then: pluginkit {_DECISIONS[code].format(name)}"
    if code == "conflict":
        return "rename or remove one of the two"  # both go by the name that `disable` would take
    return f"{_ADVICE.get(code, 'mend it')}, or {off}"


def as_word(text: str) -> str:
    """Text as one word of a command that people copy: what a shell would obey is quoted.

    >>> as_word("cat"), as_word("x; reboot"), as_word("-rf")
    ('cat', "'x; reboot'", '-- -rf')
    """
    from shlex import quote

    return f"{'-- ' * text.startswith('-')}{quote(text)}"


_DECISIONS = {
    "not-trusted": "trust {}",
    "approval-needed": "approve {}",
    "not-locked": "lock {}",
    "tree-changed": "lock {}",
    "signature-missing": "sign {} --key FILE",
    "checksum-missing": "verify {} --write",
}

_ADVICE = {
    "contract-unmet": "compare it with `pluginkit hooks`",
    "hooks-refused": "compare it with `pluginkit hooks`",
    "settings-invalid": "mend its config file",
    "requirement-missing": "install what it requires",
    "requirement-unfit": "mend the plugin that it requires",
    "requirement-failed": "mend the plugin that it requires",
    "requirement-version": "install a version that fits",
    "requirement-cycle": "take one of these requirements out",
    "incompatible-host": "install a version of it that fits this host",
    "incompatible-python": "install a version of it that fits this Python",
    "incompatible-pluginkit": "install a version of it that fits this pluginkit",
    "incompatible-protocol": "use a version of it that speaks one of the host's protocols (`handshake` in its config)",
    "incompatible-cookie": "it is meant for another host; look at `handshake` in its manifest and in the host's config",
    "exclusive-type": "switch the other one off",
}


def _head(name: str, version: str | None, text: str) -> None:
    lines = text.splitlines() or [""]
    remark(
        "pluginkit: ",
        Painted(f"plugin {name!r}", "red", bold=True),
        f"{' ' + version if version else ''}: {lines[0]}",
    )
    for line in lines[1:]:
        remark(f"  {line}")


def _line(label: str, text: str) -> None:
    remark("  ", Painted(f"{label}:", bold=True), f" {text}")


def _place(failure: Failure) -> str:
    return (
        f"{shown_path(failure.file or '')}:{failure.line}" if failure.line else shown_path(failure.file or "")
    )
