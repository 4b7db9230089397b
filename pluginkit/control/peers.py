"""Who is on the other side of a socket: the kernel says so, and nobody can pretend."""

from __future__ import annotations

import os
import socket
import struct

from pluginkit.control.places import ControlError

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_OPTION: int | None = getattr(socket, "SO_PEERCRED", None)


def require_supported() -> None:
    """Raise `ControlError` on a system that cannot say who has connected: then nobody may."""
    if _OPTION is None:
        raise ControlError("this system does not say who connects to a socket (SO_PEERCRED); there is none")


def peer_uid(connection: socket.socket) -> int:
    """The user of the process that connected, or that listens."""
    require_supported()
    data = connection.getsockopt(socket.SOL_SOCKET, _OPTION or 0, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(data)
    return int(uid)


def require_same_user(uid: int) -> None:
    """Raise `ControlError` for anybody but the user that this process runs as; root is no exception."""
    if uid != os.geteuid():
        raise ControlError(
            f"the other side is the user {uid}; only the user {os.geteuid()} may ask this host"
        )
