"""The log chain: loguru in front, sinks that cannot harm each other behind, a queue between if wanted.

`LogChain` is the log of a program, `FileSink` and `ConsoleSink` are its sinks, `LoggerJob` is a
record to be put into a queue, `AuditLog` the trail of what happened to plugins. `fields` holds the
names of the fields of a record, `reading` reads log files.
"""

from __future__ import annotations

from pluginkit.logs import fields
from pluginkit.logs.audit import AuditLog
from pluginkit.logs.chain import LogChain, LogStats, SinkId, SinkStats
from pluginkit.logs.console import ConsoleSink
from pluginkit.logs.entry import DecodeError, Entry
from pluginkit.logs.files import FileSink
from pluginkit.logs.logger_job import LoggerJob
from pluginkit.logs.setup import from_config
from pluginkit.logs.sinks import PartlyWritten, Sink

__all__ = [
    "AuditLog",
    "ConsoleSink",
    "DecodeError",
    "Entry",
    "FileSink",
    "LogChain",
    "LogStats",
    "LoggerJob",
    "PartlyWritten",
    "Sink",
    "SinkId",
    "SinkStats",
    "fields",
    "from_config",
]
