"""Reads what the host put into the call, and leaves something behind for it."""

from __future__ import annotations

from pluginkit import CallContext, hookimpl


@hookimpl
def execute(ctx: CallContext) -> str:
    """Say which host asked; `asked_by` is a value that the host may or may not have set."""
    host = ctx.get_value("asked_by", "an unnamed host")
    ctx.set_value("answered_by", "host-info")
    return f"host-info was asked by {host}"
