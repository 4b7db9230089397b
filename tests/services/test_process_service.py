"""`ctx.process`: the rules P1 to P4, with real programs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pluginkit.errors import PermissionDenied, StateError
from pluginkit.manifest import Argument, ExecRule
from pluginkit.security.commands import is_runner, matches
from pluginkit.services.files import FileService
from pluginkit.services.gate import Gate
from pluginkit.services.processes import Child, ProcessService
from tests.support.granting import granted, grants_of

ECHO, SLEEP, CAT, LS = (os.path.realpath(shutil.which(n) or "") for n in ("echo", "sleep", "cat", "ls"))
SH = shutil.which("sh") or "/bin/sh"

Make = Callable[..., ProcessService]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Make]:
    closing: list[Any] = []

    def make(
        *rules: tuple[str, list[str]], filesystem: Any = (), env: Any = (), **more: Any
    ) -> ProcessService:
        scopes = more.pop("scopes", ["kill", "list", "signal"])
        process = {"exec": [{"command": c, "args": a} for c, a in rules]}
        requested = {
            "process": {**process, **{scope: ["children"] for scope in scopes}},
            "filesystem": list(filesystem),
            "env": list(env),
        }
        grants = grants_of(requested, tmp_path / "data", **more)
        gate = Gate("cat", None)
        files = FileService(grants, gate)
        made = ProcessService(grants, gate, files)
        closing.extend([files, made])
        return made

    yield make
    for one in reversed(closing):
        one.close()


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(PermissionDenied) as caught:
        action()
    return caught.value.reason.code


def test_cp06_a_granted_program_runs_without_a_shell(service: Make) -> None:
    done = service((ECHO, ["*", "**"])).run([ECHO, "$HOME;", "|", "*"])
    assert (done.returncode, done.stdout, done.stderr, done.truncated) == (0, b"$HOME; | *\n", b"", False)
    assert done.argv == (ECHO, "$HOME;", "|", "*")


def test_cp08_what_no_rule_names_is_denied(service: Make) -> None:
    assert code_of(lambda: service().run([ECHO])) == "no-grant"
    assert code_of(lambda: service((ECHO, [])).run([LS])) == "no-grant"
    assert code_of(lambda: service((ECHO, [])).run([ECHO, "x"])) == "no-grant"
    assert code_of(lambda: service((ECHO, []), allow={}).run([ECHO])) == "no-grant"
    assert code_of(lambda: service((ECHO, ["*"]), deny=exec_of(ECHO)).run([ECHO, "x"])) == "denied-by-host"
    for wrong in ("echo x", [], [ECHO, 3], b"x"):
        with pytest.raises(TypeError, match="a command is a list"):
            service((ECHO, [])).run(wrong)  # type: ignore[arg-type]  # that it is refused is the point
    with pytest.raises(ValueError, match="NUL"):
        service((ECHO, [])).run([ECHO, "a\0"])


def exec_of(command: str, *args: str) -> dict[str, Any]:
    return {"process": {"exec": [{"command": command, "args": list(args)}]}}


@pytest.mark.parametrize("command", [SH, sys.executable, "/usr/bin/env"])
def test_p1_what_runs_other_programs_needs_the_hosts_word(service: Make, command: str) -> None:
    assert code_of(lambda: service((command, ["**"])).run([command, "x"])) == "dangerous-program"


def test_p1_with_the_hosts_word_it_runs(service: Make) -> None:
    done = service((SH, ["lit:-c", "*"]), dangerous=True).run([SH, "-c", "echo $((1+1))"])
    assert done.stdout == b"2\n"


def test_p1_versions_in_names_hide_no_interpreter() -> None:
    names = ["python3", "python3.11", "perl5.36", "bash", "BusyBox", "node", "lua5.4", "php8.2"]
    assert [name for name in names if not is_runner(f"/usr/bin/{name}")] == []
    assert [name for name in ("git", "ls", "7z", "cat", "gzip") if is_runner(f"/bin/{name}")] == []


def test_p1_a_program_that_the_plugin_can_write_is_not_run(service: Make, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    shutil.copy(ECHO, program)
    grant = {"path": f"{program.parent}/", "permissions": ["create"], "recursive": False}
    assert code_of(lambda: service((str(program), []), filesystem=[grant]).run([str(program)])) == (
        "writable-program"
    )
    assert service((str(program), [])).run([str(program)]).stdout == b"\n"


def test_p1_setuid_missing_and_plain_files_are_not_run(service: Make, tmp_path: Path) -> None:
    setuid, plain, missing = (str(tmp_path / name) for name in ("setuid", "plain", "missing"))
    shutil.copy(ECHO, setuid)
    os.chmod(setuid, 0o4755)
    Path(plain).write_text("x")
    for command, code in {setuid: "setuid-program", plain: "no-program", missing: "no-program"}.items():
        made = service((command, []))
        assert code_of(lambda made=made, command=command: made.run([command])) == code  # type: ignore[misc]  # a default binds the loop variable


def test_p1_a_program_replaced_since_load_is_not_run(service: Make, tmp_path: Path) -> None:
    program, other = tmp_path / "tool", tmp_path / "other"
    shutil.copy(ECHO, program)
    shutil.copy(LS, other)
    made = service((str(program), []))
    assert made.run([str(program)]).returncode == 0
    other.replace(program)
    assert code_of(lambda: made.run([str(program)])) == "replaced-program"
    program.unlink()
    assert code_of(lambda: made.run([str(program)])) == "replaced-program"


@pytest.mark.parametrize(
    ("args", "yes", "no"),
    [
        ([], [[]], [["x"]]),
        (["pull", "--ff-only"], [["pull", "--ff-only"]], [["pull"], ["pull", "--ff-only", "x"], ["--ff-only", "pull"]]),
        (["*"], [["x"], [""]], [[], ["-x"], ["--"], ["x", "y"]]),
        (["a", "**"], [["a"], ["a", "b", "c"]], [["a", "-b"], ["b"], []]),
        (["lit:*"], [["*"]], [["x"]]),
        (["lit:-x"], [["-x"]], [["x"]]),
        (["-a", "--delete", "*", "*"], [["-a", "--delete", "x", "y"]], [["-a", "--delete", "-esh -c id", "y"]]),
    ],
)  # fmt: skip
def test_p2_arguments_are_compared_one_by_one(args: list[str], yes: Any, no: Any) -> None:
    from pluginkit.manifest.grant_scalars import argument

    rule = ExecRule("/x", tuple(map(argument, args)))
    given = [*yes, *no]
    assert [one for one in given if matches(rule, ["/x", *one], lambda *_: False)] == yes


@given(st.lists(st.text(max_size=4), max_size=5), st.lists(st.sampled_from(["*", "a"]), max_size=4))
def test_p2_no_pattern_lets_an_option_in(words: list[str], patterns: list[str]) -> None:
    kinds = [Argument("one") if p == "*" else Argument("literal", p) for p in patterns]
    for rule in (ExecRule("/x", tuple(kinds)), ExecRule("/x", (*kinds, Argument("rest")))):
        if matches(rule, ["/x", *words], lambda *_: True):
            assert not [word for word in words if word.startswith("-")]
            assert len(words) >= len(kinds)


def test_p2_path_arguments_pass_the_filesystem_grants(service: Make, tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "a.txt").write_text("a")
    (tmp_path / "secret").write_text("secret")
    (inside / "link").symlink_to("a.txt")
    made = service(
        (CAT, ["path:read"]),
        (ECHO, ["path:write"]),
        filesystem=[{"path": f"{inside}/", "permissions": ["read"], "recursive": True}],
    )
    assert made.run([CAT, str(inside / "a.txt")]).stdout == b"a"
    for path in (
        tmp_path / "secret",
        inside / "link",
        inside / "missing",
        inside / ".." / "secret",
        "-",
        "--help",
    ):
        assert code_of(lambda path=path: made.run([CAT, str(path)])) == "no-grant"  # type: ignore[misc]  # a default binds the loop variable
    assert code_of(lambda: made.run([ECHO, str(inside / "a.txt")])) == "no-grant"
    writing = service(
        (ECHO, ["path:write"]),
        filesystem=[{"path": f"{inside}/", "permissions": ["write", "create"], "recursive": True}],
    )
    assert writing.run([ECHO, str(inside / "new.txt")]).returncode == 0
    assert writing.run([ECHO, str(inside / "a.txt")]).returncode == 0
    assert code_of(lambda: writing.run([ECHO, str(inside / "link")])) == "no-grant"


def test_p3_the_environment_is_clean(service: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LD_PRELOAD", "PYTHONPATH", "GIT_SSH_COMMAND", "SECRET_TOKEN", "BASH_ENV", "IFS", "MY_FLAG"):
        monkeypatch.setenv(name, "" if name == "LD_PRELOAD" else "x")
    monkeypatch.setenv("LANG", "C.UTF-8")
    made = service(
        (SH, ["lit:-c", "*"]), dangerous=True, env=["MY_FLAG", "LD_PRELOAD", "PYTHONPATH", "BASH_ENV", "IFS"]
    )
    out = (
        made.run([SH, "-c", "env; pwd; cat; ps -o sid= -p $$ 2>/dev/null; true"]).stdout.decode().splitlines()
    )
    names = {line.partition("=")[0] for line in out if "=" in line}
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {"HOME", "LANG", "MY_FLAG", "PATH"} | (
        {"LC_ALL"} & os.environ.keys() | {"TZ"} & os.environ.keys()
    )
    assert f"HOME={tmp_path / 'data'}" in out
    assert str(tmp_path / "data") in out


def test_p3_a_timeout_kills_the_program_and_its_descendants(service: Make, tmp_path: Path) -> None:
    made = service((SH, ["lit:-c", "*"]), dangerous=True)
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match=r"did not end within 0\.3 s"):
        made.run([SH, "-c", f"{SLEEP} 60 & echo $! > pid; {SLEEP} 60"], timeout=0.3)
    assert time.monotonic() - begin < 10
    await_gone(int((tmp_path / "data" / "pid").read_text()))


def await_gone(pid: int) -> None:
    """Wait until a process is no more, or only waits for its parent."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        if not state.stdout.strip() or state.stdout.startswith("Z"):
            return
        time.sleep(0.01)
    raise AssertionError(f"{pid} still runs")


def test_p3_output_beyond_the_bound_is_thrown_away(service: Make) -> None:
    made = service((SH, ["lit:-c", "*"]), dangerous=True)
    done = made.run([SH, "-c", "head -c 300000 /dev/zero; echo err >&2"], max_output=1000)
    assert (len(done.stdout), done.stderr, done.truncated, done.returncode) == (1000, b"err\n", True, 0)


def test_p3_a_descendant_that_keeps_the_output_open_is_not_waited_for(service: Make) -> None:
    made = service((SH, ["lit:-c", "*"]), dangerous=True)
    begin = time.monotonic()
    assert made.run([SH, "-c", f"{SLEEP} 60 & echo done"]).stdout == b"done\n"
    assert time.monotonic() - begin < 10


def test_p3_a_program_that_closes_its_outputs_still_has_a_deadline(service: Make) -> None:
    made = service((SH, ["lit:-c", "*"]), dangerous=True)
    with pytest.raises(TimeoutError):
        made.run([SH, "-c", f"exec >&- 2>&-; exec {SLEEP} 60"], timeout=0.3)


def test_p4_own_children_are_listed_signalled_and_killed(service: Make) -> None:
    made = service((SLEEP, ["*"]))
    one, two, three = (made.spawn([SLEEP, "60"]) for _ in range(3))
    assert {child.pid for child in made.list()} == {one.pid, two.pid, three.pid}
    assert "running" in repr(one)
    made.signal(one, signal.SIGTERM)
    assert one.wait(10.0) == -signal.SIGTERM
    made.kill(two)
    assert two.wait(10.0) == -signal.SIGKILL
    made.signal(three.pid, signal.SIGINT)
    assert three.wait(10.0) == -signal.SIGINT
    assert "ended with -2" in repr(three)
    assert made.list() == []
    made.signal(one, signal.SIGTERM)  # it has ended: nothing happens
    with pytest.raises(TimeoutError, match="still runs"):
        made.spawn([SLEEP, "60"]).wait(0.01)


def test_p4_nobody_elses_process_can_be_reached(service: Make, tmp_path: Path) -> None:
    made, other = service((SLEEP, ["*"])), service((SLEEP, ["*"]))
    theirs = other.spawn([SLEEP, "60"])
    with subprocess.Popen([SLEEP, "60"]) as foreign:
        for target in (foreign.pid, os.getpid(), os.getppid(), 1, 0, -1, theirs, theirs.pid):
            assert code_of(lambda t=target: made.signal(t, signal.SIGTERM)) == "not-a-child"  # type: ignore[misc]  # a default binds the loop variable
            assert code_of(lambda t=target: made.kill(t)) == "not-a-child"  # type: ignore[misc]  # a default binds the loop variable
        assert foreign.poll() is None
        foreign.kill()
    assert theirs.is_running()


def test_p4_a_reused_number_is_a_stranger(service: Make) -> None:
    made = service((SLEEP, ["*"]))
    old = made.spawn([SLEEP, "60"])
    made.kill(old)
    new = made.spawn([SLEEP, "60"])
    # As if the system had given the number out again.
    del made._children[new.pid]
    new.pid = old.pid
    made._children[old.pid] = new
    assert code_of(lambda: made.kill(old)) == "not-a-child"
    assert new.is_running()


def test_p4_only_some_signals_and_only_with_the_scope(service: Make) -> None:
    made = service((SLEEP, ["*"]))
    child = made.spawn([SLEEP, "60"])
    for number in (signal.SIGSTOP, signal.SIGUSR1, 999, 0):
        assert code_of(lambda n=number: made.signal(child, n)) == "no-such-signal"  # type: ignore[misc]  # a default binds the loop variable
    none = service((SLEEP, ["*"]), scopes=[])
    mute = none.spawn([SLEEP, "60"])
    assert code_of(none.list) == code_of(lambda: none.kill(mute)) == "no-grant"
    assert code_of(lambda: none.signal(mute, signal.SIGTERM)) == "no-grant"
    denied = service((SLEEP, ["*"]), deny={"process": {"list": ["children"]}})
    assert code_of(denied.list) == "denied-by-host"


def test_p4_without_pidfd_the_process_is_signalled_before_it_is_waited_for(
    service: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    made = service((SLEEP, ["*"]))
    child = made.spawn([SLEEP, "60"])
    made.signal(child, signal.SIGTERM)
    assert child.wait(10.0) == -signal.SIGTERM


def test_cp07_children_end_with_the_plugin(tmp_path: Path) -> None:
    rules = {
        "process": {"exec": [{"command": SLEEP, "args": ["*"]}, {"command": SH, "args": ["lit:-c", "*"]}]}
    }
    with granted(rules, tmp_path / "data", dangerous=True) as cat:
        child: Child = cat.context.process.spawn([SLEEP, "60"])
        stubborn = cat.context.process.spawn([SH, "-c", f"trap '' TERM; touch ready; {SLEEP} 60; {SLEEP} 60"])
        deadline = time.monotonic() + 10
        while not (tmp_path / "data" / "ready").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process = cat.context.process
    assert (child._process.returncode, stubborn._process.returncode) == (-signal.SIGTERM, -signal.SIGKILL)
    with pytest.raises(StateError):
        process.spawn([SLEEP, "60"])


def test_p3_spawn_writes_to_files_of_the_plugin(tmp_path: Path) -> None:
    wish = {
        "filesystem": [{"path": "${data}/", "permissions": ["read", "write", "create"], "recursive": False}],
        **exec_of(ECHO, "*"),
    }
    with granted(wish, tmp_path / "data") as cat:
        with cat.context.fs.open("out.txt", "wb") as out:
            assert cat.context.process.spawn([ECHO, "hello"], stdout=out, stderr=out).wait(10.0) == 0
        assert cat.context.fs.read_text("out.txt") == "hello\n"
