"""The socket when the system does not play along: no thread, no descriptor, files that cannot be removed."""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit import Host
from pluginkit.control import server as server_module
from pluginkit.control.claim import Claim, running_hosts
from pluginkit.control.client import ControlClient
from pluginkit.control.identity import Identity, Wanted
from pluginkit.control.server import ControlServer
from tests.control.conftest import the_running


class Listener:
    """A listening socket whose `accept` raises one error after the other."""

    def __init__(self, *errors: int) -> None:
        self._errors = list(errors)

    def accept(self) -> tuple[socket.socket, str]:
        number = self._errors.pop(0)
        raise OSError(number, os.strerror(number))


@pytest.fixture
def server(host: Host) -> ControlServer:
    found = host._control
    assert found is not None
    return found


def test_cl02_without_a_thread_to_serve_there_is_no_socket_and_no_file(
    make_host: Callable[..., Host], runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = make_host(control=False)
    server = ControlServer(host, Identity("later", None, ()))
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "pluginkit-control":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            server.open()
    assert server.path is None
    assert running_hosts(Wanted()) == []
    assert server.start()
    server.stop()
    assert server.join() == ()


def test_cl02_files_that_cannot_be_removed_do_not_keep_the_host_from_closing(
    server: ControlServer, host: Host, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Claim.release

    def release_and_fail(claim: Claim) -> None:
        release(claim)
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Claim, "release", release_and_fail)
    with caplog.at_level(logging.WARNING, "pluginkit"):
        host.close()
    assert "the socket of the host cannot be removed: [Errno 30] Read-only file system" in caplog.text


def test_cl02_a_system_without_descriptors_is_waited_out_and_any_other_error_ends_it(
    server: ControlServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "_PAUSE", 0.001)
    listener: Any = Listener(errno.EMFILE, errno.ECONNABORTED, errno.EBADF)
    with caplog.at_level(logging.WARNING, "pluginkit"):
        server._accept(listener, threading.Event())
    assert caplog.messages == [
        f"the socket of the host takes no clients any more: [Errno {errno.EBADF}] {os.strerror(errno.EBADF)}"
    ]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_cl02_what_a_forked_child_lets_go_of_is_the_parents_and_stays(
    server: ControlServer, host: Host
) -> None:
    running = the_running()
    with ControlClient(running) as client:
        assert client.ask("list")
        pid = os.fork()
        if pid == 0:
            os._exit(0 if server.path is None and not server._threads else 1)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert client.ask("list")
    assert server.path is not None
