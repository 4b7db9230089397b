"""The directories of a plugin's filesystem grants, held open from load to unload.

A grant means the directory that was there when the plugin was loaded. One that was not there gives
nothing, and one that was replaced since gives nothing any more.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pluginkit.security.paths import PathRule, parts_of
from pluginkit.security.refusal import Refusal
from pluginkit.services.beneath import HOLD

if TYPE_CHECKING:
    from pluginkit.security import Grants


@dataclass(frozen=True, slots=True)
class Root:
    """One held directory; for the grant of a single file, the directory that the file is in."""

    fd: int
    identity: tuple[int, int]
    file: str | None = None


class Roots:
    """All held directories of one generation, by the path of the rule."""

    def __init__(self, grants: Grants) -> None:
        self._lock = threading.Lock()
        self._is_closed = False
        self._roots: dict[str, Root] = {}
        self.missing: dict[str, str] = {}
        try:
            for rule in grants.paths.roots():
                self._hold(grants, rule)
        except BaseException:
            self.close()
            raise

    def _hold(self, grants: Grants, rule: PathRule) -> None:
        if grants.places.expand("${data}") == rule.path or grants.places.expand("${cache}") == rule.path:
            # What cannot be made is missing, as it turns out below.
            with contextlib.suppress(OSError):
                os.makedirs(rule.path, mode=0o700, exist_ok=True)
        path, file = rule.path, None
        if rule.reach == 0:
            path, file = os.path.split(rule.path)
        real = os.path.realpath(path)
        if real != path and grants.paths.is_entangled(parts_of(real)):
            self.missing[rule.path] = f"leads to {real}, of which the host has other rules"
            return
        try:
            fd = os.open(path, HOLD)
        except OSError as error:
            self.missing[rule.path] = error.strerror or str(error)
            return
        facts = os.fstat(fd)
        if file is not None and not self._is_there(fd, file):
            os.close(fd)
            self.missing[rule.path] = "is neither a regular file nor a directory that exists"
            return
        self._roots[rule.path] = Root(fd, (facts.st_dev, facts.st_ino), file)

    @staticmethod
    def _is_there(fd: int, file: str) -> bool:
        try:
            mode = os.stat(file, dir_fd=fd, follow_symlinks=False).st_mode
        except OSError:
            # The file of a grant with `create` may come later; its directory is what is held.
            return True
        return stat.S_ISREG(mode) or stat.S_ISDIR(mode)

    @contextlib.contextmanager
    def held(self, path: str) -> Iterator[Root]:
        """The held directory of a rule; raises `Refusal` if it is not, or no longer, what was granted.

        Its descriptor is the caller's while the block runs: the plugin may be unloaded meanwhile, and the
        number of a closed one may be any file of the host's.
        """
        with self._lock:
            if self._is_closed:
                raise Refusal("inactive-grant", "the plugin is unloaded, and its directories are let go")
            root = self._roots.get(path)
            if root is None:
                raise Refusal(
                    "inactive-grant",
                    f"{path} was not there when the plugin was loaded: {self.missing.get(path)}",
                    advice="make it, and reload the plugin",
                )
            root = replace(root, fd=os.dup(root.fd))
        try:
            self._require_current(path, root)
            yield root
        finally:
            os.close(root.fd)

    @staticmethod
    def _require_current(path: str, root: Root) -> None:
        try:
            facts = os.stat(path if root.file is None else os.path.dirname(path))
        except OSError:
            facts = None
        if facts is None or (facts.st_dev, facts.st_ino) != root.identity:
            raise Refusal(
                "stale-grant",
                f"{path} was replaced since the plugin was loaded",
                advice="reload the plugin if what is there now is meant",
            )

    def close(self) -> None:
        """Let go of all directories."""
        with self._lock:
            self._is_closed = True
            roots, self._roots = self._roots, {}
        for root in roots.values():
            os.close(root.fd)
