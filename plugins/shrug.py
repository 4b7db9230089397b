"""Shrugs at any text. A plugin in one file: without a manifest, one is derived from this module."""

from __future__ import annotations

from pluginkit import hookimpl

__version__ = "1.0.0"


@hookimpl
def transform(text: str) -> str:
    """The text, and a shrug behind it."""
    return rf"{text} ¯\_(ツ)_/¯"
