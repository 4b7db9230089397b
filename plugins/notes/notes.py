"""Keeps short notes, one piece of work per label.

Described by a `plugin.json`, which names a file and no class in it. So the module itself is the
plugin, and its `execute` is that of one object made here.
"""

from __future__ import annotations

import threading

from pluginkit import CallContext, LabelDispatch, on_label


class Notes(LabelDispatch):
    """`LabelDispatch` brings `execute`; a missing or unknown label is an error that names these."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # calls come from any thread
        self._notes = {"1": "Feed the cat"}

    @on_label("plugin.get")
    def get_note(self, ctx: CallContext) -> dict[str, str]:
        """One note by its `id`."""
        number = _text(ctx, "id")
        with self._lock:
            if number not in self._notes:
                raise LookupError(f"no note {number!r}; known: {', '.join(self._notes) or 'none'}")
            return {"id": number, "text": self._notes[number]}

    @on_label("plugin.list")
    def list_notes(self, ctx: CallContext) -> list[str]:
        """The ids of all notes."""
        with self._lock:
            return list(self._notes)

    @on_label("plugin.post")
    def add_note(self, ctx: CallContext) -> dict[str, str]:
        """Keep `text` as a new note."""
        text = _text(ctx, "text")
        with self._lock:
            number = str(len(self._notes) + 1)
            self._notes[number] = text
        return {"id": number, "text": text}


def _text(ctx: CallContext, key: str) -> str:
    """A value that the call has to bring; HTTP brings text, the command line may bring a number."""
    value = ctx.get_value(key)
    if value is None:
        raise ValueError(f"the call brings no {key!r}")
    return str(value)


execute = Notes().execute
