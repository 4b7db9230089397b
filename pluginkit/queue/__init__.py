"""The persistent queue: records that survive the process, delivered in order until acknowledged."""

from __future__ import annotations

from pluginkit.queue.protocol import DeadLetter as DeadLetter
from pluginkit.queue.protocol import Leased as Leased
from pluginkit.queue.protocol import QueueCounts as QueueCounts
from pluginkit.queue.protocol import Record as Record
from pluginkit.queue.protocol import RecordQueue as RecordQueue

__all__ = ["DeadLetter", "Leased", "QueueCounts", "Record", "RecordQueue"]
