"""The guard, on plugins of a real host. It finds accidents; it is no security boundary."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pluginkit import PermissionDenied, hookimpl
from pluginkit.events import Event

from .conftest import Zoo
from .test_host_grants import config_of

# An audit hook is for good.
pytestmark = [pytest.mark.own_process, pytest.mark.xdist_group("guard")]

HEAD = """
import os, socket, subprocess, sys, threading, weakref
from pluginkit import hookimpl

class Cat:
    def __init__(self, ctx):
        self.ctx = ctx

    @hookimpl
    def speak(self, is_loud):
        return self.act()

"""


class Watched:
    """A host with a guard and one plugin `cat` whose `act` is what the test says."""

    def __init__(self, zoo: Zoo, mode: str) -> None:
        self.zoo = zoo
        self.mode = mode
        self.events: list[Event] = []
        self.secret = zoo.directory / "secret.txt"
        self.secret.write_text("secret")
        self.host: Any = None
        self.functions: dict[str, Any] = {}

    def load(self, act: str, files: dict[str, str] | None = None, **more: Any) -> Watched:
        body = textwrap.indent(textwrap.dedent(act), "        ").replace("SECRET", repr(str(self.secret)))
        self.zoo.add("cat", f"{HEAD}    def act(self):\n{body}\n", files=files, **more)
        self.host = self.zoo.host(
            config=config_of(self.zoo, guard=self.mode, allow="requested"),
            plugins_dir=None,
            errors="raise",
            functions=self.functions,
        )
        self.host.events.subscribe(self.events.append, kinds=["guard"])
        report = self.host.load()
        assert report.ok, report
        return self

    def speak(self) -> Any:
        return next(iter(self.host.hook.speak(is_loud=True)), None)

    def seen(self) -> list[tuple[str, str]]:
        self.host._rooms.grants.guard.flush()
        return [(str(e.data["operation"]), str(e.data["target"])) for e in self.events]


@pytest.fixture
def observed(zoo: Zoo) -> Watched:
    return Watched(zoo, "observe")


@pytest.fixture
def blocked(zoo: Zoo) -> Watched:
    return Watched(zoo, "block")


def test_cp11_observe_tells_and_lets_it_be(observed: Watched) -> None:
    observed.load("with open(SECRET) as file:\n    return file.read()")
    assert observed.speak() == "secret"
    assert observed.seen() == [("fs.open", str(observed.secret))]
    event = observed.events[0]
    assert (event.plugin, event.data["decision"], event.data["code"]) == ("cat", "observed", "no-grant")


def test_cp11_block_refuses_and_tells(blocked: Watched) -> None:
    blocked.load("with open(SECRET, 'a') as file:\n    file.write('x')")
    with pytest.raises(PermissionDenied) as caught:
        blocked.speak()
    assert (caught.value.plugin, caught.value.operation) == ("cat", "fs.open")
    assert blocked.secret.read_text() == "secret"
    assert blocked.seen() == [("fs.open", str(blocked.secret))]
    assert blocked.events[0].data["decision"] == "blocked"


@pytest.mark.parametrize(
    ("act", "operation"),
    [
        ("os.listdir(os.path.dirname(SECRET))", "fs.list"),
        ("list(os.scandir(os.path.dirname(SECRET)))", "fs.list"),
        ("os.remove(SECRET)", "fs.remove"),
        ("os.rename(SECRET, SECRET + '2')", "fs.rename"),
        ("os.mkdir(SECRET + '.d')", "fs.mkdir"),
        ("os.rmdir(os.path.dirname(SECRET))", "fs.remove"),
        ("os.truncate(SECRET, 0)", "fs.write"),
        ("os.chmod(SECRET, 0)", "fs.chmod"),
        ("os.chown(SECRET, 0, 0)", "fs.chown"),
        ("os.symlink(SECRET, SECRET + '.link')", "fs.link"),
        ("os.link(SECRET, SECRET + '.link')", "fs.link"),
        ("__import__('shutil').rmtree(os.path.dirname(SECRET))", "fs.remove"),
        ("with socket.socket() as s: s.connect(('127.0.0.1', 9))", "net.connect"),
        ("with socket.socket(socket.AF_UNIX) as s: s.connect(SECRET)", "net.connect"),
        ("socket.getaddrinfo('x.example', 80)", "net.resolve"),
        ("socket.gethostbyname('x.example')", "net.resolve"),
        ("with socket.socket() as s: s.bind(('127.0.0.1', 65123))", "net.listen"),
        (
            "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.sendto(b'x', ('127.0.0.1', 9))",
            "net.connect",
        ),
        ("subprocess.run(['/bin/ls'])", "process.run"),
        ("os.system('true')", "process.run"),
        ("os.posix_spawn('/bin/ls', ['ls'], {})", "process.run"),
        ("os.fork()", "process.run"),
        # 23 is SIGURG, which nobody minds who is sent it by mistake.
        ("os.kill(os.getppid(), 23)", "process.signal"),
        ("os.killpg(os.getpgid(0), 23)", "process.signal"),
        ("os.execv('/bin/ls', ['ls'])", "process.run"),
    ],
)
def test_cp11_each_kind_of_accident_is_refused(blocked: Watched, act: str, operation: str) -> None:
    blocked.load(act)
    with pytest.raises(PermissionDenied) as caught:
        blocked.speak()
    assert (caught.value.operation, caught.value.plugin) == (operation, "cat")
    assert blocked.secret.read_text() == "secret"


def test_cp11_what_is_granted_or_everybodys_passes(blocked: Watched, tmp_path: Path) -> None:
    open_dir = tmp_path / "open"
    open_dir.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        blocked.load(
            f"""
            base = {str(open_dir)!r}
            with open(base + "/a.txt", "w") as file:
                file.write("x")
            os.rename(base + "/a.txt", base + "/b.txt")
            names = os.listdir(base)
            os.mkdir(base + "/d"); os.rmdir(base + "/d"); os.remove(base + "/b.txt")
            with socket.create_connection(("127.0.0.1", {port})):
                pass
            out = subprocess.run(["/bin/echo", "hi"], capture_output=True).stdout
            open(os.devnull).close()
            open(os.__file__).close()
            open(__file__).close()
            with open(self.ctx.data_dir / "own.txt", "w") as file:
                file.write("x")
            os.chmod(self.ctx.data_dir / "own.txt", 0o600)
            os.symlink("own.txt", self.ctx.data_dir / "link")
            os.kill(os.getpid(), 0)
            import colorsys, wave
            with socket.socket() as sock:
                sock.bind(("127.0.0.1", 0))
            with open(os.open(os.devnull, os.O_RDONLY)):
                pass
            self.ctx.log.warning("written by the host")
            return names, out
            """,
            capabilities={
                "filesystem": [
                    {
                        "path": f"{open_dir}/",
                        "permissions": ["read", "write", "list", "create", "delete"],
                        "recursive": True,
                    }
                ],
                "network": {"egress": [{"protocol": "tcp", "hosts": ["127.0.0.1"], "ports": [port]}]},
                "process": {"exec": [{"command": "/bin/echo", "args": ["*"]}]},
            },
        )
        assert blocked.speak() == (["b.txt"], b"hi\n")
    assert blocked.seen() == []


def test_cp11_the_services_check_for_themselves(blocked: Watched) -> None:
    blocked.load(
        "self.ctx.fs.write_text('a', 'b'); return self.ctx.fs.list()",
        capabilities={
            "filesystem": [
                {"path": "${data}/", "permissions": ["write", "create", "list"], "recursive": False}
            ]
        },
    )
    assert blocked.speak() == ["a"]
    assert blocked.seen() == []


@pytest.mark.parametrize(
    "act",
    [
        # a thread with a function of C, one of ctx, a thread of a thread
        "t = threading.Thread(target=os.mkdir, args=(SECRET + '.d',)); threading.excepthook = lambda a: None; t.start(); t.join()",
        "threading.excepthook = lambda a: None; self.ctx.thread(os.mkdir, SECRET + '.d').join()",
        """
        threading.excepthook = lambda a: None
        def inner():
            t = threading.Thread(target=os.mkdir, args=(SECRET + '.d',)); t.start(); t.join()
        t = threading.Thread(target=inner); t.start(); t.join()
        """,
        # a generator that the host runs on, a finaliser, a callback
        "return (os.mkdir(SECRET + '.d') for _ in [1])",
        """
        class Dying:
            def __del__(self):
                try:
                    os.mkdir(SECRET + '.d')
                except OSError:
                    pass
        return Dying()
        """,
        "return lambda: os.mkdir(SECRET + '.d')",
    ],
)
def test_cp11_threads_generators_and_finalisers_are_their_authors(
    blocked: Watched, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    blocked.load(act)
    result = blocked.speak()
    if callable(result):
        with pytest.raises(PermissionDenied):
            result()
    elif hasattr(result, "__next__"):
        with pytest.raises(PermissionDenied):
            next(result)
    del result
    assert blocked.seen() == [("fs.mkdir", f"{blocked.secret}.d")]
    assert blocked.events[0].plugin == "cat"
    assert not Path(f"{blocked.secret}.d").exists()


def test_cp11_the_host_and_other_plugins_are_left_alone(blocked: Watched) -> None:
    blocked.zoo.add(
        "dog",
        HEAD.replace("Cat", "Dog") + "    def act(self):\n        return 'woof'\n",
        entrypoint="dog:Dog",
    )
    blocked.load("return 'meow'")
    assert sorted(blocked.host.hook.speak(is_loud=True)) == ["meow", "woof"]
    assert blocked.secret.read_text() == "secret"
    os.listdir(blocked.secret.parent)
    assert blocked.seen() == []


def test_cp11_functions_that_the_host_lends_are_the_hosts(blocked: Watched) -> None:
    def read() -> str:
        return blocked.secret.read_text()

    def lines() -> Any:
        yield blocked.secret.read_text()

    async def awaited() -> str:
        return blocked.secret.read_text()

    async def each() -> Any:
        yield blocked.secret.read_text()

    def run(function: Any, path: str) -> Any:
        return function(path)

    blocked.functions = {"read": read, "lines": lines, "awaited": awaited, "each": each, "run": run}
    blocked.load(
        """
        import asyncio
        functions = self.ctx.functions
        async def all_of():
            return [await functions.awaited(), *[one async for one in functions.each()]]
        answers = [functions.read(), functions["read"](), *functions.lines(), *asyncio.run(all_of())]
        try:
            functions.run(lambda path: open(path).close(), SECRET)  # the plugin's own code, whoever calls it
        except PermissionError as error:
            answers.append(error.operation)
        return answers
        """
    )
    assert blocked.speak() == [*["secret"] * 5, "fs.open"]
    assert blocked.seen() == [("fs.open", str(blocked.secret))]


def test_cp11_what_the_host_itself_answers_to_a_hook_is_the_hosts(blocked: Watched) -> None:
    class Own:
        @hookimpl
        def legs(self) -> str:
            return blocked.secret.read_text()

    blocked.load("return self.ctx.hook.legs()")
    blocked.host.register(Own(), name="own")
    assert blocked.speak() == ["secret"]
    assert blocked.seen() == []


def test_cp11_the_innermost_plugin_answers_for_it(blocked: Watched) -> None:
    legs = "    @hookimpl\n    def legs(self):\n        return self.act()\n"
    source = HEAD.replace("return self.act()", "return 'woof'").replace("Cat", "Dog") + legs
    blocked.zoo.add("dog", f"{source}    def act(self):\n        return os.listdir({str(blocked.secret.parent)!r})\n",
                    entrypoint="dog:Dog", requires={})  # fmt: skip
    blocked.load("return self.ctx.hook.legs.only('dog')()")
    with pytest.raises(PermissionDenied) as caught:
        blocked.speak()
    assert caught.value.plugin == "dog"


def test_cp11_a_denial_during_an_import_breaks_no_later_import(blocked: Watched, tmp_path: Path) -> None:
    library = tmp_path / "lib"
    library.mkdir()
    (library / "pk_reads.py").write_text(f"open({str(blocked.secret)!r}).close()\n")
    blocked.load("import pk_reads")
    sys.path.insert(0, str(library))
    try:
        with pytest.raises(PermissionDenied):
            blocked.speak()
        assert blocked.seen() == [("fs.open", str(blocked.secret))]
        (library / "pk_reads.py").write_text("value = 1\n")
        (library / "pk_other.py").write_text("value = 2\n")
        import pk_other  # type: ignore[import-not-found]  # the test knows better
        import pk_reads  # type: ignore[import-not-found]  # the test knows better

        assert (pk_reads.value, pk_other.value) == (1, 2)
    finally:
        sys.path.remove(str(library))
        for name in ("pk_reads", "pk_other"):
            sys.modules.pop(name, None)


def test_cp11_repeats_are_counted(observed: Watched) -> None:
    observed.load("return [open(SECRET).close() for _ in range(5)]")
    observed.speak()
    assert len(observed.seen()) == 1
    observed.host.close()
    assert [event.data["repeated"] for event in observed.events] == [0, 4]


def test_cp11_after_close_nothing_is_watched(blocked: Watched) -> None:
    blocked.load("def read():\n    with open(SECRET) as file:\n        return file.read()\nreturn read")
    read = blocked.speak()
    with pytest.raises(PermissionDenied):
        read()
    blocked.host.close()
    assert read() == "secret"


def test_cp11_off_installs_nothing(tmp_path: Path) -> None:
    script = """
        import sys
        from pluginkit import Host
        sys.addaudithook(lambda event, args: print(event) if event == "sys.addaudithook" else None)
        with Host(plugins_dir=sys.argv[1], entry_point_group=None, state_dir=sys.argv[1] + "/state") as host:
            print(sorted(host.plugins), "pluginkit.security.guard" in sys.modules)
    """
    Zoo(tmp_path).add("cat", type="pluggy")
    run = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "plugins")]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "['cat'] False\n"
