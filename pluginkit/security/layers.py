"""Which layers of protection this machine has: asked of the kernel, nothing is changed."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_VERSION_FLAG = 1
_OPENAT2 = 437
_AT_FDCWD = -100
_SECCOMP_ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: whether the machine has it, and what pluginkit uses it for, or does not yet."""

    name: str
    present: bool
    text: str


def probe(guard: str = "off") -> tuple[Layer, ...]:
    """The layers of this machine; `guard` is what the host's config says.

    >>> [layer.name for layer in probe()]
    ['openat2', 'pidfd', 'landlock', 'seccomp', 'guard', 'process isolation']
    """
    openat2, pidfd, abi, seccomp = has_openat2(), hasattr(os, "pidfd_open"), landlock_abi(), has_seccomp()
    return (
        Layer(
            "openat2",
            openat2,
            "ctx.fs resolves paths in the kernel"
            if openat2
            else "ctx.fs opens each component by itself, and follows no symbolic link",
        ),
        Layer(
            "pidfd",
            pidfd,
            "ctx.process signals by handle"
            if pidfd
            else "ctx.process signals by number, before it waits for it",
        ),
        Layer(
            "landlock",
            abi > 0,
            f"ABI {abi}; not used yet" if abi else "this kernel has none, or it is switched off",
        ),
        Layer("seccomp", seccomp, "not used yet" if seccomp else "this kernel has no filters"),
        Layer(
            "guard",
            guard != "off",
            f"{guard}: finds accidents of plugins in this process; it is no security boundary"
            if guard != "off"
            else "off; what a plugin does past the services is not seen",
        ),
        Layer(
            "process isolation",
            False,
            "not built yet: every plugin runs in the host's process and can do whatever the host can",
        ),
    )


def has_openat2() -> bool:
    """Whether the kernel knows `openat2`; it is asked with arguments that it must refuse."""
    return _syscall(_OPENAT2, _AT_FDCWD, 0, 0, 0) != _NO_SUCH_CALL


def landlock_abi() -> int:
    """The version of Landlock that the kernel has; 0 for none."""
    return max(0, _syscall(_LANDLOCK_CREATE_RULESET, 0, 0, _LANDLOCK_VERSION_FLAG))


def has_seccomp() -> bool:
    """Whether the kernel takes seccomp filters."""
    return _SECCOMP_ACTIONS.exists()


_NO_SUCH_CALL = -38


def _syscall(number: int, *arguments: int) -> int:
    """A system call's result, or the negative error number; -38 (ENOSYS) where there are none to make."""
    if sys.platform != "linux" or platform.machine() == "alpha":
        return _NO_SUCH_CALL
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    result = int(call(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments)))
    return result if result >= 0 else -ctypes.get_errno()
