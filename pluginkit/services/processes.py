"""`ctx.process`: programs that the plugin may run, and the processes that were started so.

A program is run as a list of arguments, never by a shell, in a fresh environment, a session of its
own, with nothing on its standard input. Only processes that this service has started can be listed,
signalled and killed; they are held by handle (a pidfd where there are such), so that a signal never
meets a stranger who got the same number. They end with the plugin.
"""

from __future__ import annotations

import contextlib
import operator
import os
import re
import select
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from pluginkit.errors import StateError
from pluginkit.security.commands import Program, require_same
from pluginkit.security.refusal import Refusal
from pluginkit.services.output import collect
from pluginkit.services.plain import plain_text

if TYPE_CHECKING:
    from pluginkit.security import Grants
    from pluginkit.services.files import FileService
    from pluginkit.services.gate import Gate

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL})
GRACE = 0.5
_PATH = "/usr/local/bin:/usr/bin:/bin"
_HARMLESS = ("LANG", "LC_ALL", "TZ")
# Variables by which a program is made to load or run something else; no grant of `env` brings them.
_NEVER = re.compile(
    r"(LD_|DYLD_|PYTHON|GIT_|PERL|RUBY|NODE_|JAVA_|BASH_|GCONV_|GLIBC_)|(ENV|IFS|PS4|SHELLOPTS|PATH)\Z"
)


@dataclass(frozen=True, slots=True)
class Completed:
    """What became of a program: negative `returncode` is the signal that ended it.

    `truncated` says that it wrote more than was kept.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False


class Child:
    """One process that was started for the plugin."""

    def __init__(self, argv: Sequence[str], process: subprocess.Popen[bytes]) -> None:
        self.argv = tuple(argv)
        self._process = process
        self.pid = process.pid
        self.started = time.time()
        self._lock = threading.Lock()
        # Nobody has waited for the process yet, so the number is still its own.
        self._pidfd = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else -1

    def __repr__(self) -> str:
        state = "running" if self.is_running() else f"ended with {self._process.returncode}"
        return f"<Child {self.pid} {self.argv[0]} {state}>"

    def is_running(self) -> bool:
        with self._lock:
            if not self._has_ended():
                return True
            self._bury()
        return False

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, at most `timeout` seconds (TimeoutError then); gives its exit status."""
        with self._lock:
            # A handle of our own: the other one is closed by whoever notices the end first.
            handle = os.dup(self._pidfd) if self._pidfd >= 0 else -1
        try:
            if handle >= 0:
                poll = select.poll()
                poll.register(handle, select.POLLIN)
                poll.poll(None if timeout is None else max(0.0, timeout) * 1000)
            elif self._process.returncode is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout)
        finally:
            if handle >= 0:
                os.close(handle)
        if self.is_running():
            raise TimeoutError(f"{self.argv[0]} still runs after {timeout:g} s")
        return self._process.wait()  # it was taken already

    def _has_ended(self) -> bool:
        """Whether it has ended; its number stays its own until it is buried."""
        if self._process.returncode is not None:
            return True
        try:
            waitid = os.waitid
        except AttributeError:
            return self._process.poll() is not None
        try:
            found = waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            # Somebody else has waited for it, and the number is nobody's, or a stranger's.
            return self._process.poll() is not None
        return found is not None

    def _bury(self) -> None:
        """Kill what is left of its group, and take its exit status; the lock is held.

        In this order: once the exit status is taken, the number of the group may be a stranger's.
        """
        self._has_ended()
        if self._process.returncode is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self._process.kill()
            self._process.wait()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def _send(self, number: int) -> None:
        """Send a signal to this very process; nothing happens if it has ended."""
        with self._lock:
            if self._has_ended():
                return
            try:
                if self._pidfd >= 0:
                    signal.pidfd_send_signal(self._pidfd, number)
                else:
                    self._process.send_signal(number)
            except ProcessLookupError:
                return

    def _end(self) -> None:
        """Kill it and its descendants in its group."""
        with self._lock:
            self._bury()


class ProcessService:
    """Programs for one plugin: `ctx.process.run(["/usr/bin/git", "pull", "--ff-only"])`.

    What is not granted raises `PermissionDenied`; a program that takes too long `TimeoutError`.
    """

    def __init__(self, grants: Grants, gate: Gate, files: FileService) -> None:
        self._grants = grants
        self._gate = gate
        self._files = files
        self._lock = threading.Lock()
        self._children: dict[int, Child] = {}
        self._started: weakref.WeakSet[Child] = weakref.WeakSet()
        self._is_closed = False
        # Pinned now, so that what runs later is what was there when the plugin was loaded.
        self._programs: dict[str, Program | Refusal] = {}
        for command in {rule.command for rule in grants.requested.exec}:
            self._programs[command] = self._pinned(command)

    def _pinned(self, command: str) -> Program | Refusal:
        try:
            return self._grants.pin(command)
        except Refusal as refusal:
            return refusal

    def run(self, argv: Sequence[str], *, timeout: float = 60.0, max_output: int = 1 << 20) -> Completed:
        """Run a program to its end.

        Args:
            argv: The program's absolute path and its arguments.
            timeout: Seconds after which it and its descendants are killed, and TimeoutError is raised.
            max_output: Bytes kept of each of its two outputs; what comes after is thrown away.
        """
        child = self._start("process.run", argv, subprocess.PIPE, subprocess.PIPE)
        try:
            deadline = time.monotonic() + timeout
            stdout, stderr, truncated = collect(child._process, child._has_ended, deadline, max_output)
            returncode = child.wait(deadline - time.monotonic())
        except TimeoutError:
            raise TimeoutError(f"{child.argv[0]} did not end within {timeout:g} s and was killed") from None
        finally:
            self._forget(child)
            # Here and nowhere else: whoever kills it from another thread must not close what is read here.
            for pipe in (child._process.stdout, child._process.stderr):
                if pipe is not None:
                    pipe.close()
        return Completed(child.argv, returncode, stdout, stderr, truncated)

    def spawn(
        self, argv: Sequence[str], *, stdout: IO[bytes] | None = None, stderr: IO[bytes] | None = None
    ) -> Child:
        """Start a program and let it run beside the plugin, at most until that is unloaded.

        Its outputs go to the files given (of `ctx.fs.open(path, "wb")`), or nowhere.
        """
        out = subprocess.DEVNULL if stdout is None else stdout.fileno()
        err = subprocess.DEVNULL if stderr is None else stderr.fileno()
        return self._start("process.spawn", argv, out, err)

    def list(self) -> list[Child]:
        """The plugin's processes that run; needs `list: [children]`."""
        with self._gate.asking("process.list", "children"):
            self._grants.require_scope("list")
        return [child for child in self._known() if child.is_running()]

    def signal(self, child: Child | int, number: int) -> None:
        """Send TERM, INT, HUP or KILL to one of the plugin's own processes; needs `signal: [children]`."""
        if isinstance(number, bool):
            raise TypeError("a signal is a number, not a truth value")
        number = operator.index(number)
        with self._gate.asking("process.signal", f"{_pid(child)} ({_name_of(number)})"):
            self._grants.require_scope("signal")
            if number not in SIGNALS:
                raise Refusal("no-such-signal", "only TERM, INT, HUP and KILL are sent")
            own = self._own(child)
        own._send(number)

    def kill(self, child: Child | int) -> None:
        """Kill one of the plugin's own processes with its descendants; needs `kill: [children]`."""
        with self._gate.asking("process.kill", str(_pid(child))):
            self._grants.require_scope("kill")
            own = self._own(child)
        self._forget(own)

    def close(self) -> None:
        """End all that still runs."""
        with self._lock:
            self._is_closed = True
        for child in self._known():
            child._send(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for child in self._known():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                continue
            finally:
                self._forget(child)

    def _start(self, operation: str, argv: Sequence[str], stdout: int, stderr: int) -> Child:
        words = _words(argv)
        with self._gate.asking(operation, subprocess.list2cmdline(words)):
            self._grants.require_exec(words, self._files.covers)
            program = self._programs[words[0]]
            if isinstance(program, Refusal):
                raise Refusal(program.code, program.text, advice=program.advice)
            require_same(program)
        data = self._grants.places.data
        data.mkdir(parents=True, exist_ok=True)
        with self._lock:
            if self._is_closed:
                raise StateError(f"plugin {self._gate.plugin!r} is unloaded: it starts no processes any more")
            process = subprocess.Popen(  # noqa: S603  # a list of arguments, each checked above
                words,
                executable=program.path,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=data,
                env=self.environment(),
                start_new_session=True,
                close_fds=True,
            )
            try:
                child = Child(words, process)
            except BaseException:
                # Without a handle (no descriptor is left) nobody could end it.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            # Those that have ended are not kept: there may be very many, one after the other.
            self._children = {pid: one for pid, one in self._children.items() if one.is_running()}
            self._children[child.pid] = child
            self._started.add(child)
        return child

    def environment(self) -> dict[str, str]:
        """What the plugin's processes see: next to nothing, and what `env` grants of the host's."""
        env = {"PATH": _PATH, "HOME": str(self._grants.places.data)}
        for name in (*_HARMLESS, *self._grants.env):
            if name in os.environ and not _NEVER.match(name):
                env[name] = os.environ[name]
        return env

    def _known(self) -> Sequence[Child]:
        with self._lock:
            return [*self._children.values()]

    def _own(self, child: Child | int) -> Child:
        with self._lock:
            if isinstance(child, Child):
                known = child if child in self._started else None
            else:
                known = self._children.get(_pid(child))
        if known is None:
            raise Refusal("not-a-child", "it is no process that was started for this plugin")
        return known

    def _forget(self, child: Child) -> None:
        child._end()
        with self._lock:
            self._started.discard(child)
            if self._children.get(child.pid) is child:
                del self._children[child.pid]


def _words(argv: Sequence[str]) -> list[str]:
    # Taken once: whoever gave the list can change it while it is judged.
    words = [] if isinstance(argv, str | bytes) else list(argv)
    if not words or not all(isinstance(word, str) for word in words):
        raise TypeError("a command is a list of texts, the program's absolute path first; no shell reads it")
    words = [plain_text(word, "an argument") for word in words]
    if any("\0" in word for word in words):
        raise ValueError("an argument holds a NUL")
    return words


def _pid(child: Child | int) -> int:
    return child.pid if isinstance(child, Child) else int(child)


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
