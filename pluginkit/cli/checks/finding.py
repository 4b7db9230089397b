"""What a check finds, as a value: `doctor` gathers them all before it prints the first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Check = Literal["configuration", "places", "plugins", "trust", "code", "requirements", "names", "watching"]
Severity = Literal["problem", "notice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or may surprise (`notice`), with what to do about it.

    `plugins` are those it is about: none for the host's own affairs, two for a conflict of two.
    """

    check: Check
    text: str
    advice: str = ""
    plugins: tuple[str, ...] = ()
    file: str | Path | None = None
    line: int | None = None
    severity: Severity = "problem"

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain data, always with the same keys."""
        return {
            "check": self.check,
            "severity": self.severity,
            "plugins": list(self.plugins),
            "text": self.text,
            "advice": self.advice or None,
            "file": None if self.file is None else str(self.file),
            "line": self.line,
        }
