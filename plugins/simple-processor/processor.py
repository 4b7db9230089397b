"""Capitals for bytes that travel as base64."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping

from pluginkit import hookimpl
from pluginkit.contracts import ProcessResult

_FORMATS: Mapping[str, Callable[[bytes], bytes]] = {
    "text": lambda raw: raw.decode("utf-8").upper().encode("utf-8"),
    "binary": bytes.upper,  # the ASCII letters only, every other byte as it is
}


class SimpleProcessor:
    """The directory is named `simple-processor`, its package `simple_processor`."""

    @hookimpl
    def process(self, data: str, format: str) -> ProcessResult:
        """`aGVsbG8gd29ybGQ=` (hello world) gives `SEVMTE8gV09STEQ=` (HELLO WORLD)."""
        change = _FORMATS.get(format)
        if change is None:
            raise ValueError(f"unknown format {format!r}; known: {', '.join(_FORMATS)}")
        processed = base64.b64encode(change(_decode(data))).decode("ascii")
        return ProcessResult(processed, {"processed_by": "simple-processor", "format": format})

    @hookimpl
    def formats(self) -> list[str]:
        """The formats that `process` understands."""
        return list(_FORMATS)


def _decode(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError(f"data is not base64: {error}") from None
