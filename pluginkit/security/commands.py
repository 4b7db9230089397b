"""Which programs a plugin may run, with which arguments. Never by a shell: arguments stay what they are."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pluginkit.manifest.grants import Argument, ExecRule
from pluginkit.security.refusal import Refusal

# Programs that run whatever their arguments say: granting one of them grants everything.
_RUNNERS = frozenset(
    [
        "sh",
        "ash",
        "bash",
        "dash",
        "zsh",
        "fish",
        "csh",
        "tcsh",
        "ksh",
        "busybox",
        "toybox",
        "python",
        "pypy",
        "perl",
        "ruby",
        "node",
        "deno",
        "bun",
        "php",
        "lua",
        "luajit",
        "tclsh",
        "awk",
        "gawk",
        "mawk",
        "nawk",
        "env",
        "xargs",
        "find",
        "ssh",
        "sudo",
        "su",
        "doas",
        "make",
        "cmake",
        "docker",
        "podman",
        "nsenter",
        "unshare",
        "chroot",
        "setsid",
        "nohup",
        "timeout",
        "nice",
        "ionice",
        "strace",
        "ltrace",
        "gdb",
        "watch",
        "parallel",
        "script",
        "expect",
        "vi",
        "vim",
        "nvim",
        "emacs",
        "ed",
        "tar",
        "rsync",
        "systemd-run",
        "crontab",
        "at",
        "batch",
        "runuser",
        "setpriv",
        "flock",
        "stdbuf",
        "time",
        "taskset",
        "chrt",
        "eval",
        "exec",
        "rbash",
        "mksh",
        "nodejs",
        "pwsh",
        "java",
        "npx",
        "uvx",
        "pipx",
        "sed",
        "m4",
        "setarch",
        "linux32",
        "linux64",
        "i386",
        "x86_64",
        "prlimit",
        "choom",
        "uclampset",
        "capsh",
        "start-stop-daemon",
        "run-parts",
        "dbus-run-session",
        "ssh-agent",
        "tmux",
        "screen",
        "socat",
    ]
)
# A version, and after it how it was built: python3.13t, python3.11-dbg, perl5.36-x86_64-linux-gnu.
_VERSION = re.compile(r"-?[0-9][0-9.]*(?:[dmtw]|-.*)?\Z")
# The dynamic loader runs the program that its first argument names.
_LOADER = re.compile(r"ld(?:-linux.*|-musl.*|64)?\.so(?:\.[0-9]+)*\Z")


@dataclass(frozen=True, slots=True)
class Program:
    """One program as it was when the plugin was loaded: what is run later must be the same file."""

    command: str
    path: str
    identity: tuple[int, int, int]


def is_runner(command: str) -> bool:
    """Whether a program runs other programs or code by its arguments.

    >>> [is_runner(c) for c in ("/bin/sh", "/usr/bin/python3.11", "/usr/bin/git")]
    [True, True, False]
    """
    name = os.path.basename(command).lower().removesuffix(".exe")
    return name in _RUNNERS or _VERSION.sub("", name) in _RUNNERS or _LOADER.match(name) is not None


def pin(command: str, *, plugin: str, dangerous: bool, is_writable: Callable[[str], bool]) -> Program:
    """The program that a rule of `plugin` names; raises `Refusal` if it may not be run whatever the rules say.

    `is_writable` answers whether the plugin may write at a path: what it can change is not a program
    that the host has agreed to.
    """
    path = os.path.realpath(command)
    try:
        facts = os.stat(path)
    except OSError as error:
        raise Refusal("no-program", f"there is no such program: {error.strerror}") from None
    if not stat.S_ISREG(facts.st_mode) or not os.access(path, os.X_OK):
        raise Refusal("no-program", f"{path} is no program that can be run")
    if facts.st_mode & (stat.S_ISUID | stat.S_ISGID):
        raise Refusal("setuid-program", f"{path} changes its user when it runs")
    if not dangerous and (is_runner(command) or is_runner(path)):
        raise Refusal(
            "dangerous-program",
            f"{path} runs whatever its arguments say",
            advice=f"only the host's config can allow that: capabilities.plugins.{plugin}.dangerous: true",
        )
    if is_writable(command) or is_writable(path):
        raise Refusal("writable-program", f"the plugin may write {path}, so it could run anything")
    return Program(command, path, _identity(facts))


def _identity(facts: os.stat_result) -> tuple[int, int, int]:
    # Nobody holds the file open: its number may be given to another one. And it may be written in place.
    return facts.st_dev, facts.st_ino, facts.st_ctime_ns


def require_same(program: Program) -> None:
    """Refuse a program that was replaced since it was pinned."""
    try:
        facts = os.stat(program.path)
    except OSError:
        facts = None
    is_moved = os.path.realpath(program.command) != program.path
    if facts is None or is_moved or _identity(facts) != program.identity:
        raise Refusal(
            "replaced-program",
            "the program was replaced since the plugin was loaded",
            advice="reload the plugin if the new program is meant",
        )


def matches(rule: ExecRule, argv: Sequence[str], covers: Callable[[str, str], bool]) -> bool:
    """Whether a rule means a command line; `covers(path, permission)` asks the filesystem grants.

    >>> rule = ExecRule("/bin/ls", (Argument("literal", "-l"), Argument("one")))
    >>> matches(rule, ["/bin/ls", "-l", "x"], lambda *_: False), matches(rule, ["/bin/ls", "-l"], lambda *_: False)
    (True, False)
    """
    command, *given = argv
    if command != rule.command:
        return False
    patterns = list(rule.args)
    if patterns and patterns[-1].kind == "rest":
        patterns.pop()
        if any(text.startswith("-") for text in given[len(patterns) :]):
            return False
        given = given[: len(patterns)]
    return len(given) == len(patterns) and all(
        _fits(pattern, text, covers) for pattern, text in zip(patterns, given, strict=True)
    )


def _fits(pattern: Argument, text: str, covers: Callable[[str, str], bool]) -> bool:
    if pattern.kind == "literal":
        return text == pattern.value
    if text.startswith("-"):
        return False
    return pattern.kind == "one" or covers(text, pattern.value)


def nearest_rule(rules: Iterable[ExecRule], command: str) -> ExecRule | None:
    """The rule that names the program, or one of the same base name."""
    rules = list(rules)
    same = [rule for rule in rules if rule.command == command]
    similar = [r for r in rules if os.path.basename(r.command) == os.path.basename(command)]
    return next(iter([*same, *similar]), None)
