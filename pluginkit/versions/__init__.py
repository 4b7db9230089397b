"""Versions and ranges of versions, compared without importing a packaging library."""

from __future__ import annotations

from .ranges import VersionRange
from .version import Version

__all__ = ["Version", "VersionRange"]
