"""Opening what lies beneath a directory that is held open, and nothing else.

A path that was checked as text can lead elsewhere by the time it is opened: a symbolic link is put in
its place. So the kernel does both at once, by `openat2` with RESOLVE_BENEATH: neither `..` nor a link
gets above the directory, no `/proc` magic link is followed, no mount point crossed. Where there is no
`openat2` (Linux before 5.6, other systems) each component is opened by itself with O_NOFOLLOW; then no
link is followed at all.
"""

from __future__ import annotations

import errno
import os
import platform
import stat
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

_RESOLVE_NO_XDEV = 0x01
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_OPENAT2 = 437  # one number on every architecture but alpha
# A rename beside us makes the kernel unsure whether it is still beneath; it says EAGAIN then.
_TRIES = 64

O_PATH = getattr(os, "O_PATH", 0)
HOLD = (O_PATH or os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


def has_openat2() -> bool:
    """Whether this kernel has `openat2`, and lets us use it."""
    return _openat2() is not None


@cache
def _openat2() -> Any:
    """The system call as a function of (dir_fd, path, flags, mode, resolve), None without it."""
    if sys.platform != "linux" or platform.machine() == "alpha":
        return None
    import ctypes

    class OpenHow(ctypes.Structure):
        _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]

    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    syscall.argtypes = [
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.POINTER(OpenHow),
        ctypes.c_size_t,
    ]

    def call(dir_fd: int, path: str, flags: int, mode: int, resolve: int) -> int:
        how = OpenHow(flags, mode, resolve)
        fd = int(syscall(_OPENAT2, dir_fd, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)))
        if fd < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), path)
        return fd

    try:
        os.close(call(-100, "/", HOLD, 0, 0))  # -100 is AT_FDCWD
    except OSError:
        return None
    return call


def open_beneath(
    dir_fd: int, parts: Sequence[str], flags: int, mode: int = 0, *, follow: bool, walk: bool = False
) -> int:
    """Open what `parts` lead to beneath `dir_fd`; gives the new descriptor.

    `follow` lets links be followed that stay beneath; without it a link is ELOOP. What leads out of the
    directory is EXDEV. `walk` does without `openat2`.
    """
    flags |= os.O_CLOEXEC
    openat2 = None if walk else _openat2()
    if openat2 is None:
        return _open_by_walking(dir_fd, parts, flags, mode)
    resolve = _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_XDEV
    if not follow:
        resolve |= _RESOLVE_NO_SYMLINKS
    path = "/".join(parts) or "."
    for _ in range(_TRIES):
        try:
            return int(openat2(dir_fd, path, flags, mode, resolve))
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
    raise OSError(errno.EAGAIN, "the directories above it are being renamed all the time", path)


def _open_by_walking(dir_fd: int, parts: Sequence[str], flags: int, mode: int) -> int:
    device = os.fstat(dir_fd).st_dev
    if not parts:
        return os.open(".", flags, dir_fd=dir_fd)
    current = os.dup(dir_fd)
    try:
        for part in parts[:-1]:
            deeper = _deeper(part, current)
            os.close(current)
            current = deeper
            _require_device(current, device, part)
        opened = os.open(parts[-1], flags | os.O_NOFOLLOW, mode, dir_fd=current)
    finally:
        os.close(current)
    try:
        _require_device(opened, device, parts[-1])
    except OSError:
        os.close(opened)
        raise
    return opened


def _deeper(name: str, dir_fd: int) -> int:
    try:
        return os.open(name, HOLD | os.O_NOFOLLOW, dir_fd=dir_fd)
    except NotADirectoryError:
        # With O_DIRECTORY a link is no directory; `openat2` calls it a link, and so do we.
        if stat.S_ISLNK(os.stat(name, dir_fd=dir_fd, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name) from None
        raise


def _require_device(fd: int, device: int, name: str) -> None:
    if os.fstat(fd).st_dev != device:
        raise OSError(errno.EXDEV, "lies on another file system", name)
