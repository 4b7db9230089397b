"""One run of the command line: the global options, and the configuration and host they lead to."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pluginkit.cli.output import notice

if TYPE_CHECKING:
    from pluginkit.config import Config
    from pluginkit.host import Host


@dataclass
class Session:
    """The global options as they were given, wherever they stood on the command line.

    `watch` says whether plugins are watched, or leaves that to the configuration. `is_quiet` keeps notices back: a shell that completes a line has no place for them. `serves`
    says that the host of this session is one that others may ask.
    """

    config_file: Path | None = None
    plugins_dir: Path | None = None
    debug: bool = False
    strict: bool = False
    host_name: str | None = None
    no_host: bool = False
    serves: bool = field(default=False, kw_only=True)
    watch: bool | None = field(default=None, kw_only=True)
    is_quiet: bool = field(default=False, kw_only=True)
    log_from: int = field(default=logging.WARNING, kw_only=True)

    @cached_property
    def config(self) -> Config:
        """The configuration, read once; its notices go to stderr. Raises `ConfigError`."""
        from pluginkit.config import Config, find_config

        config = Config.load(
            self.config_file or find_config(),
            overrides={"directories.plugins_dir": self.plugins_dir, "file_watcher.fw_enabled": self.watch},
            strict=self.strict,
            is_found=self.config_file is None,
        )
        if not self.is_quiet:
            for text in config.notices:
                notice(text)
        return config

    @cached_property
    def host(self) -> Host:
        """The host of the configuration, with nothing loaded."""
        from pluginkit.host import Host
        from pluginkit.host_setup import importable_beside

        # Contracts may lie beside the file that names them.
        with importable_beside(self.config.path):
            return Host(
                self.config,
                strict=self.strict,
                control=self.serves and (self.host_name or True),
                watch=self.serves,
            )

    @property
    def log_level(self) -> int:
        """From which level on log records are shown."""
        return logging.DEBUG if self.debug else self.log_from


pass_session = click.make_pass_decorator(Session, ensure=True)
"""Gives a command the session as its first argument."""


def session_of(context: click.Context) -> Session:
    """The session of a context, for callbacks and completion, which get no other argument."""
    return context.find_root().ensure_object(Session)
