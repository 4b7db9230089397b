"""The files that this process has open: queues of one file share its store; a fork marks them all."""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path

from pluginkit.errors import UsageError
from pluginkit.queue.channel import Channel, Policy
from pluginkit.queue.connection import Durability
from pluginkit.queue.errors import QueueOwned
from pluginkit.queue.forking import never_free
from pluginkit.queue.store import Store, unusable

_stores: dict[Path, Store] = {}
_inherited: dict[Path, int] = {}
"""Files that the parent of this forked process has open, and the parent's pid."""
_lock = threading.RLock()


def join(
    path: Path, name: str, durability: Durability, policy: Policy, *, is_host: bool = True
) -> tuple[Store, Channel]:
    """The queue `name` of a file, opened. `is_host`: may make the file, and renew a damaged one.

    Raises `QueueOwned`, `QueueUnusable`, and `UsageError` if the file is open with another durability.
    """
    with _lock:
        path = _place(path, make=is_host)
        if path in _inherited:
            text = "this process was forked from the one that has the queue; put into the queue it came with"
            raise QueueOwned(path, _inherited[path], f"{text}, or use another file")
        store = _stores.get(path)
        is_new = store is None
        if store is None:
            store = Store(path, durability, repairs=is_host)
        elif store.durability != durability:
            raise UsageError(f"{path}: it is open already, with the durability {store.durability!r}")
        if name in store.channels:
            text = f"the queue {name!r} is open in this process already; share that object, or close it first"
            raise QueueOwned(path, os.getpid(), text)
        try:
            channel = _open(store, name, policy)
        except BaseException:
            if is_new:
                store.close()
            raise
        _stores[path] = store
        return store, channel


def _open(store: Store, name: str, policy: Policy) -> Channel:
    channel = Channel(store, name, policy)

    def work() -> None:
        channel.open()
        channel.adoption.run()
        # Seen by a renewal only now: it would open the channels that it knows.
        store.channels[name] = channel

    store.run(work)
    return channel


def _place(path: Path, *, make: bool) -> Path:
    try:
        if make:
            path.parent.mkdir(parents=True, exist_ok=True)
        return path.parent.resolve(strict=True) / path.name
    except OSError as error:
        raise unusable(path, error) from error


def leave(store: Store, channel: Channel) -> None:
    """Close a queue, and the file with the last one of it."""
    with _lock:

        def work() -> None:
            channel.is_open = False
            channel.settle()
            del store.channels[channel.name]

        store.run(work)
        if not store.channels:
            del _stores[store.path]
            store.close()


def _close_all() -> None:
    """At exit: files are left in order. Somebody who is still at work in one keeps it, and a lease is no reason."""
    for store in list(_stores.values()):
        if store.lock.acquire(timeout=1.0):
            try:
                store.close()
            finally:
                store.lock.release()


def _in_parent() -> None:
    for store in _stores.values():
        store.was_forked = True


def _in_child() -> None:
    global _lock  # noqa: PLW0603  # another thread of the parent may have held it
    _lock = threading.RLock()
    for path, store in _stores.items():
        never_free(store.connection)
        store.become_forked()
        _inherited[path] = os.getppid()
    _stores.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_parent=_in_parent, after_in_child=_in_child)
