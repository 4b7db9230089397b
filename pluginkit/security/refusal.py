"""Why something is not allowed, as the rules say it; whoever carries it out adds plugin and operation."""

from __future__ import annotations


class Refusal(Exception):
    """The rules do not allow it.

    `code` is stable and for programs (`no-grant`, `denied-by-host`, …), `text` says why, `rule` is
    the nearest rule as people write it, None if there is none near, `advice` is what to write where.
    """

    def __init__(self, code: str, text: str, *, rule: str | None = None, advice: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.rule = rule
        self.advice = advice
