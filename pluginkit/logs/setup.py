"""The chain that a configuration describes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pluginkit.logs.chain import LogChain
from pluginkit.logs.files import FileSink

if TYPE_CHECKING:
    from pluginkit.config import Config
    from pluginkit.queue.protocol import RecordQueue


def from_config(config: Config, *, queue: RecordQueue | None = None, console: bool = False) -> LogChain:
    """The chain of `logging` in the configuration: its level, and its file in `directories.logs_dir`.

    With a `queue` the file is written by way of it. `console` adds lines for people on stderr.
    Raises OSError if the directory cannot be made or written to; nothing is left open then.

    >>> import tempfile
    >>> from pluginkit.config import Config
    >>> config = Config.load(None, environ={}, overrides={"directories.logs_dir": tempfile.mkdtemp()})
    >>> with from_config(config) as chain:
    ...     chain.logger.info("hello")
    >>> config.log_file.read_text().count("hello")
    1
    """
    require_writable(config)
    chain = LogChain(config.application.app_name, config.log_level)
    if console:
        chain.add_console(location=config.logging.log_include_location)
    if queue is None:
        chain.add_sink(file_sink(config))
    else:
        chain.asynchronous(queue, [file_sink(config)])
    return chain


def file_sink(config: Config) -> FileSink:
    """The log file of a configuration."""
    logging = config.logging
    return FileSink(
        config.log_file,
        max_bytes=int(logging.log_max_size * 1_000_000),
        max_backups=logging.log_max_backups,
        max_age_days=logging.log_max_age,
        compress=logging.log_compress,
        location=logging.log_include_location,
    )


def require_writable(config: Config) -> None:
    """Make the directory of the logs; raises OSError if no file can be written in it."""
    config.logs_dir.mkdir(parents=True, exist_ok=True)
    with open(config.log_file, "ab"):
        pass
    # Rotation renames.
    if not os.access(config.logs_dir, os.W_OK | os.X_OK):
        raise PermissionError(13, "the directory cannot be written to", str(config.logs_dir))
