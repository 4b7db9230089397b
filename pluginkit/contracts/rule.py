"""What all rules for values have in common; the rules themselves are in `text.py`.

It stands apart because every hookspec is looked at for rules, and few have one.
"""

from __future__ import annotations

from dataclasses import fields
from typing import ClassVar


class Rule:
    """What a host asks of a value; `python_type` is the type that it is about."""

    python_type: ClassVar[type]

    def check(self, value: object) -> object:
        """The value, if it keeps to the rule. Raises `InvalidValue` otherwise."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it checks")

    def __repr__(self) -> str:
        """As it would be written: `Text(max_characters=80)`."""
        given = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)  # type: ignore[arg-type]  # each rule is a dataclass
            if getattr(self, field.name) != field.default
        ]
        return f"{type(self).__name__}({', '.join(given)})"


def wrong_type(expected: str, value: object) -> str:
    """What is wrong with a value of another type."""
    return f"it has to be {expected}, not {ascii(type(value).__name__[:60])[1:-1]}"
