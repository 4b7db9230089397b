"""The language of the socket, version 1: one JSON object a line, in both directions.

The host speaks first and says who it is (`hello`). Then each request, `{"id", "do", "with"}`, gets
one answer, `{"id", "ok": true, "result"}` or `{"id", "ok": false, "error"}`, in order. After the
request `events` only events follow. docs/reference/control.md has all of it.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pluginkit.control.identity import Identity
from pluginkit.control.lines import read_json
from pluginkit.errors import CallTimeout, PluginError, PluginkitError, Reason, UsageError, describe_exception

PROTOCOL = 1
"""A new request, argument or key does not change it; a changed or dropped one does."""

MAX_REQUEST = 1024 * 1024
"""Bytes of a request."""
MAX_ANSWER = 256 * 1024 * 1024
"""Bytes of an answer that a client takes."""

Blame = Literal["usage", "plugin", "bug"]
Answer = dict[str, Any]


class BadRequest(UsageError):
    """A line that is no request."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks: `do` names it, `arguments` are its arguments, `id` comes back with the answer."""

    do: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    id: int | str | None = None

    @classmethod
    def parse(cls, line: bytes) -> Request:
        """A request from its line. Raises `BadRequest`, which says what a right one looks like."""
        try:
            data = read_json(line)
        except ValueError as error:
            raise BadRequest(f"a request is one line of JSON: {error}") from error
        if not isinstance(data, dict) or not isinstance(data.get("do"), str):
            raise BadRequest('a request is an object with "do", as in {"id": 1, "do": "list", "with": {}}')
        arguments, number = data.get("with"), data.get("id")
        if not isinstance(arguments, dict | None):
            raise BadRequest('"with" is an object: the arguments by name')
        if isinstance(number, bool) or not isinstance(number, int | str | None):
            raise BadRequest('"id" is a number or a text')
        return cls(data["do"], arguments or {}, number)

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "do": self.do, "with": dict(self.arguments)}


def hello(identity: Identity, version: str) -> dict[str, Any]:
    """The first line of a host; `version` is that of the pluginkit that runs it."""
    return {
        "hello": "pluginkit",
        "protocol": PROTOCOL,
        "pluginkit": version,
        "pid": os.getpid(),
        **identity.as_dict(),
    }


def success(request: Request, result: Any) -> Answer:
    """What a request gave, as an answer."""
    return {"id": request.id, "ok": True, "result": result}


def failure(number: int | str | None, error: BaseException) -> Answer:
    """An error as an answer; nothing in it refers to the error, which holds frames of plugins."""
    blame = blame_of(error)
    return {
        "id": number,
        "ok": False,
        "error": {
            "type": type(error).__name__,
            "message": _message(error),
            "blame": blame,
            "plugin": getattr(error, "plugin", None) if isinstance(error, PluginError) else None,
            "nearest": getattr(error, "nearest", None) if isinstance(error, PluginkitError) else None,
            "traceback": "".join(traceback.format_exception(error)) if blame == "bug" else None,
        },
    }


def blame_of(error: BaseException) -> Blame:
    """Who has to do something about it, as the exit codes of the command line say."""
    if isinstance(error, UsageError) or (isinstance(error, OSError) and error.filename is not None):
        return "usage"
    if isinstance(error, PluginError | CallTimeout) or not isinstance(error, Exception):
        return "plugin"  # and nobody but a plugin's code raises SystemExit in here
    return "bug"


def _message(error: BaseException) -> str:
    if isinstance(error, PluginkitError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or error}"
    return describe_exception(error)


# The other side


class RemoteUsageError(UsageError):
    """The running host says that the request cannot be; `type` is the class of its error."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.type: str = error["type"]
        self.nearest: str | None = error["nearest"]
        super().__init__(error["message"])


class RemotePluginError(PluginError):
    """A plugin of the running host failed; `type` is the class of the host's error."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.type: str = error["type"]
        super().__init__(error["plugin"] or "", Reason("remote", error["message"]))

    def __str__(self) -> str:
        return self.reason.text  # it names the plugin already


class RemoteBug(PluginkitError):
    """The running host met a bug of pluginkit's own; the message has its traceback."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.type: str = error["type"]
        super().__init__(f"in the running host: {error['traceback'] or error['message']}")


def error_of(error: Mapping[str, Any]) -> PluginkitError:
    """The exception that stands here for one that was raised in the host."""
    kinds = {"usage": RemoteUsageError, "plugin": RemotePluginError}
    return kinds.get(error["blame"], RemoteBug)(error)
