"""Lists directories by `ctx.fs`, which knows what the plugin is granted."""

from __future__ import annotations

from pluginkit import PermissionDenied, PluginContext, hookimpl


class FileLister:
    """A relative path is one in the plugin's own data directory, `.` is that directory itself."""

    def __init__(self, ctx: PluginContext) -> None:
        self._fs = ctx.fs

    def on_load(self) -> None:
        """Have something to list. A host that does not grant even that has a lister without files."""
        try:
            self._fs.write_text("hello.txt", "Hello!\n")
        except PermissionDenied:
            return

    @hookimpl
    def list_files(self, path: str) -> list[str]:
        """The names in a directory. That it was denied the host is told as well, by an event."""
        try:
            return self._fs.list(path)
        except PermissionDenied as denied:
            return [f"denied: {denied.operation} of {denied.target}"]
