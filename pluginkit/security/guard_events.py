"""What an audit event of Python's means in terms of grants; raises `Refusal` for what is not granted.

Each function takes the event's arguments as Python documents them
(https://docs.python.org/3/library/audit_events.html) and the plugin's grants.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sysconfig
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pluginkit.manifest.grants import Permission, Protocol
from pluginkit.security import hosts
from pluginkit.security.grants import Grants
from pluginkit.security.paths import Parts, parts_of
from pluginkit.security.refusal import Refusal

Check = Callable[[Grants, tuple[Any, ...]], None]

_HARMLESS = (
    "/dev/null", "/dev/zero", "/dev/urandom", "/dev/random", "/etc/localtime", "/usr/share/zoneinfo",
    "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/services", "/etc/mime.types", "/etc/ssl",
)  # fmt: skip


@cache
def _readable() -> tuple[Parts, ...]:
    """What every plugin may read: Python's own files, and what the standard library looks up for itself."""
    own = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(parts_of(path) for path in (*own, *_HARMLESS) if path)


def _within(parts: Parts, places: tuple[Parts, ...]) -> bool:
    return any(parts[: len(place)] == place for place in places)


def _require_path(grants: Grants, path: object, *permissions: Permission) -> None:
    try:
        text = os.fsdecode(path)  # type: ignore[arg-type]  # what is no path is a descriptor
    except TypeError:
        return
    full = os.path.realpath(text)
    parts = parts_of(full)
    places = grants.places
    own = tuple(parts_of(os.path.realpath(place)) for place in (places.data, places.cache))
    if _within(parts, own):
        return
    code = (parts_of(os.path.realpath(places.plugin)),) if places.plugin is not None else ()
    if {"read", "list"}.issuperset(permissions) and _within(parts, (*_readable(), *code)):
        return
    if full == os.devnull:
        return
    grants.paths.permit(full, *permissions, entries=permissions == ("list",))


def _open(grants: Grants, args: tuple[Any, ...]) -> None:
    path, _, flags = args
    flags = flags or 0
    access = flags & os.O_ACCMODE
    permissions: list[Permission] = []
    if access in (os.O_RDONLY, os.O_RDWR):
        permissions.append("list" if flags & os.O_DIRECTORY else "read")
    if access != os.O_RDONLY:
        permissions.append("write")
    if flags & os.O_CREAT and isinstance(path, str | bytes | os.PathLike) and not os.path.lexists(path):
        permissions.append("create")
    _require_path(grants, path, *permissions)


def _path(*permissions: Permission, dir_fd: int | None = None) -> Check:
    """A check of an event's first argument; a path relative to a descriptor (argument `dir_fd`) is not known."""

    def check(grants: Grants, args: tuple[Any, ...]) -> None:
        if dir_fd is None or args[dir_fd] == -1 or args[dir_fd] is None:
            _require_path(grants, "." if args[0] is None else args[0], *permissions)

    return check


def _rename(grants: Grants, args: tuple[Any, ...]) -> None:
    source, target, *descriptors = args
    if set(descriptors) <= {-1, None}:
        _require_path(grants, source, "delete")
        _require_path(grants, target, "create")


def _never(what: str) -> Check:
    def check(_grants: Grants, _args: tuple[Any, ...]) -> None:
        raise Refusal("never-granted", f"{what} is never granted")

    return check


def _own_only(what: str, *indexes: int) -> Check:
    """Allowed in the plugin's own directories, and nowhere else; `indexes` are the arguments that are paths."""

    def check(grants: Grants, args: tuple[Any, ...]) -> None:
        places = grants.places
        own = tuple(parts_of(os.path.realpath(place)) for place in (places.data, places.cache))
        for path in (args[index] for index in indexes):
            if isinstance(path, str | bytes | os.PathLike):
                parent = os.path.realpath(os.path.dirname(os.path.abspath(os.fsdecode(path))))
                if not _within(parts_of(parent), own):
                    raise Refusal("never-granted", f"{what} is never granted")

    return check


def _protocol(sock: socket.socket) -> Protocol:
    return "udp" if sock.type == socket.SOCK_DGRAM else "tcp"


def _connect(grants: Grants, args: tuple[Any, ...]) -> None:
    sock, address = args
    if not isinstance(address, tuple):
        raise Refusal("no-grant", "connections within the machine by a path are never granted")
    host, port = str(address[0]), int(address[1])
    protocol = _protocol(sock)
    asked = hosts.read_host(host)
    if asked.address is None:
        grants.require_lookup(asked, protocol, port)
        return
    try:
        grants.require_egress(asked, asked.address, protocol, port)
    except Refusal:
        # The name was resolved before, and is not known here: a rule with names may have meant it.
        named = all(
            any(
                hosts.network_of(host) is None
                for rule in hosts.rules_for(layer.egress, protocol, port)
                for host in rule.hosts
            )
            for layer in grants.layers
        )
        if not (named and hosts.is_public(asked.address)):
            raise


def _bind(grants: Grants, args: tuple[Any, ...]) -> None:
    sock, address = args
    if not isinstance(address, tuple):
        _require_path(grants, address, "create")
        return
    host, port = str(address[0] or "0.0.0.0"), int(address[1])  # noqa: S104  # what an empty host means
    if port:
        grants.ingress(_protocol(sock), str(ipaddress.ip_address(host)) if host[:1].isdigit() else host, port)


def _look_up(grants: Grants, args: tuple[Any, ...]) -> None:
    host = args[0]
    if host in (None, "", b"", "localhost"):
        return
    asked = hosts.read_host(host.decode() if isinstance(host, bytes) else str(host))
    if asked.address is None:
        grants.require_lookup(asked, None, None)


def _run(grants: Grants, args: tuple[Any, ...]) -> None:
    executable, argv = args[0], args[1]
    words = [argv] if isinstance(argv, str | bytes) else list(argv)
    texts = [os.fsdecode(word) for word in words] or [""]
    texts[0] = os.fsdecode(executable) if executable is not None else texts[0]
    grants.require_exec(texts, lambda path, permission: _covers(grants, path, permission))


def _covers(grants: Grants, path: str, permission: str) -> bool:
    try:
        _require_path(grants, path, "write" if permission == "write" else "read")
    except Refusal:
        return False
    return True


def _signal(grants: Grants, args: tuple[Any, ...]) -> None:
    if args[1]:  # number 0 only asks whether there is such a process
        grants.require_scope("signal")


EVENTS: Mapping[str, tuple[str, Check]] = {
    "open": ("fs.open", _open),
    "os.listdir": ("fs.list", _path("list")),
    "os.scandir": ("fs.list", _path("list")),
    "os.mkdir": ("fs.mkdir", _path("create", dir_fd=2)),
    "os.remove": ("fs.remove", _path("delete", dir_fd=1)),
    "os.rmdir": ("fs.remove", _path("delete", dir_fd=1)),
    "shutil.rmtree": ("fs.remove", _path("delete")),
    "os.truncate": ("fs.write", _path("write")),
    "os.rename": ("fs.rename", _rename),
    "os.link": ("fs.link", _own_only("making links", 0, 1)),
    "os.symlink": ("fs.link", _own_only("making links", 1)),
    "os.chmod": ("fs.chmod", _own_only("changing modes", 0)),
    "os.chown": ("fs.chown", _own_only("changing owners", 0)),
    "socket.connect": ("net.connect", _connect),
    "socket.sendto": ("net.connect", _connect),
    "socket.bind": ("net.listen", _bind),
    "socket.getaddrinfo": ("net.resolve", _look_up),
    "socket.gethostbyname": ("net.resolve", _look_up),
    "subprocess.Popen": ("process.run", _run),
    "os.posix_spawn": ("process.run", _run),
    "os.exec": ("process.run", _run),
    "os.system": ("process.run", _never("a shell")),
    "os.fork": ("process.run", _never("a fork of the host")),
    "os.forkpty": ("process.run", _never("a fork of the host")),
    "os.kill": ("process.signal", _signal),
    "os.killpg": ("process.signal", _signal),
}
"""The events that are looked at: the operation's name, and its check."""
