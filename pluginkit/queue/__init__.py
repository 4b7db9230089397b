"""The persistent queue: records that survive the process, delivered in order until acknowledged.

`PersistentQueue` keeps them in a SQLite file. `protocol` is what a drain needs of a queue, so that
another one, on a server for instance, can stand in for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluginkit.queue.errors import QueueClosed, QueueFull, QueueOwned, QueueUnusable
from pluginkit.queue.protocol import DeadLetter, Leased, QueueCounts, Record, RecordQueue

if TYPE_CHECKING:
    from pluginkit.queue.damage import Damage as Damage
    from pluginkit.queue.persistent import PersistentQueue as PersistentQueue
    from pluginkit.queue.view import QueueView as QueueView

__all__ = [
    "Damage",
    "DeadLetter",
    "Leased",
    "PersistentQueue",
    "QueueClosed",
    "QueueCounts",
    "QueueFull",
    "QueueOwned",
    "QueueUnusable",
    "QueueView",
    "Record",
    "RecordQueue",
]

_HOMES = {"Damage": "damage", "PersistentQueue": "persistent", "QueueView": "view"}


if not TYPE_CHECKING:  # a checker that saw this would accept any name

    def __getattr__(name: str) -> object:
        """What needs sqlite3 is imported on first use: a drain of another queue does without."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module 'pluginkit.queue' has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(f"pluginkit.queue.{home}"), name)
        globals()[name] = value
        return value
