"""`ctx.fs`: files and directories, as far as the plugin's filesystem grants go.

Each operation asks twice: the rules, by the text of the path (`pluginkit.security.paths`), and the
kernel, which opens it beneath the held directory of the rule (`pluginkit.services.beneath`). Only
regular files and directories are opened, and a file that has a second name elsewhere is not written to.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from pluginkit.errors import StateError
from pluginkit.security.paths import Permit
from pluginkit.security.refusal import Refusal
from pluginkit.services import beneath
from pluginkit.services.plain import plain_path
from pluginkit.services.roots import Root, Roots

if TYPE_CHECKING:
    from pluginkit.manifest.grants import Permission
    from pluginkit.security import Grants
    from pluginkit.services.gate import Gate

StrPath = str | os.PathLike[str]

_LED_OUT = {
    errno.EXDEV: "it leads out of the granted directory, or onto another file system",
    errno.ELOOP: "a symbolic link stands in the way",
}
_DEFAULT_MODE = 0o666


class FileService:
    """Files for one plugin: `ctx.fs.read_text("notes.txt")`.

    Paths are texts or path objects; a relative one is relative to the plugin's data directory. What is
    not granted raises `PermissionDenied`, which is a `PermissionError`; what is granted and fails
    raises the `OSError` that Python would. What is open when the plugin is unloaded is closed.
    """

    def __init__(self, grants: Grants, gate: Gate, *, walk: bool = False) -> None:
        self._grants = grants
        self._gate = gate
        self._walk = walk
        self._lock = threading.Lock()
        self._is_closed = False
        self._open: weakref.WeakSet[IO[Any]] = weakref.WeakSet()
        self._roots = Roots(grants)
        self._data = os.path.realpath(grants.places.data)

    @property
    def missing(self) -> dict[str, str]:
        """The granted places that were not there at load, with the reason: they give nothing."""
        return dict(self._roots.missing)

    # Reading and writing

    def open(
        self,
        path: StrPath,
        mode: str = "r",
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """Open a regular file, as the built-in `open` does; text is UTF-8 unless `encoding` says otherwise.

        `r` needs the permission `read`, `w`, `a` and `+` need `write`, and `create` as well where the
        file does not exist; `x` needs `create` and `write`.
        """
        wanted = _Mode(mode)
        binary = "b" in mode
        with self._at(f"fs.{wanted.operation}", path, *wanted.permissions) as (permit, full):
            # By an opener, so that the descriptor is the file's from the beginning: it is closed once if
            # an argument is wrong, and what can be seen beforehand to be wrong changes no file.
            file: IO[Any] = open(  # noqa: SIM115  # it is the caller's to close
                full,
                mode.replace("x", "w"),
                encoding=encoding or (None if binary else "utf-8"),
                errors=errors,
                newline=newline,
                opener=lambda _path, _flags: self._open_file(permit, full, wanted),
            )
        with self._lock:
            if not self._is_closed:
                self._open.add(file)
                return file
        file.close()
        raise StateError(f"plugin {self._gate.plugin!r} is unloaded: its files are closed")

    def read_text(self, path: StrPath, encoding: str = "utf-8") -> str:
        """The text of a file."""
        with self.open(path, encoding=encoding) as file:
            text: str = file.read()
            return text

    def read_bytes(self, path: StrPath) -> bytes:
        """The bytes of a file."""
        with self.open(path, "rb") as file:
            data: bytes = file.read()
            return data

    def write_text(self, path: StrPath, text: str, encoding: str = "utf-8") -> int:
        """Replace a file's text, or make the file; gives the number of characters."""
        with self.open(path, "w", encoding=encoding) as file:
            return int(file.write(text))

    def write_bytes(self, path: StrPath, data: bytes) -> int:
        """Replace a file's bytes, or make the file; gives the number of bytes."""
        with self.open(path, "wb") as file:
            return int(file.write(data))

    # Directories and names

    def list(self, path: StrPath = ".") -> list[str]:
        """The names in a directory, sorted; needs `list`."""
        with self._at("fs.list", path, "list", entries=True) as (permit, _):
            fd = self._open_at(permit, os.O_RDONLY | os.O_DIRECTORY)
            try:
                return sorted(os.listdir(fd))
            finally:
                os.close(fd)

    def stat(self, path: StrPath) -> os.stat_result:
        """Size, times and kind of a file or directory; needs `read` or `list`."""
        with self._at("fs.stat", path, "read", "list", any_of=True) as (permit, _):
            fd = self._open_at(permit, beneath.O_PATH or os.O_RDONLY | os.O_NONBLOCK)
            try:
                return os.fstat(fd)
            finally:
                os.close(fd)

    def mkdir(self, path: StrPath, *, exist_ok: bool = False) -> None:
        """Make a directory in one that exists; needs `create`."""
        with self._at("fs.mkdir", path, "create") as (permit, _), self._parent(permit) as (parent, name):
            try:
                os.mkdir(name, dir_fd=parent)
            except FileExistsError:
                is_directory = stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
                if not (exist_ok and is_directory):
                    raise

    def remove(self, path: StrPath) -> None:
        """Remove a file, a symbolic link or an empty directory; needs `delete`."""
        with self._at("fs.remove", path, "delete") as (permit, full), self._parent(permit) as (parent, name):
            self._require_whole(full)
            facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if stat.S_ISDIR(facts.st_mode):
                os.rmdir(name, dir_fd=parent)
            else:
                os.unlink(name, dir_fd=parent)

    def rename(self, source: StrPath, target: StrPath) -> None:
        """Move a file or directory; needs `delete` there and `create` here, and `delete` here if it exists.

        What is not readable there is not moved to where it would be, nor a directory with such things in it.
        """
        target = plain_path(target)
        with (
            self._at("fs.rename", source, "delete") as (from_permit, from_full),
            self._parent(from_permit) as (from_parent, from_name),
        ):
            # A directory takes along what lies in it, past rules that lie in it.
            self._require_whole(from_full)
            facts = os.stat(from_name, dir_fd=from_parent, follow_symlinks=False)
            is_directory = stat.S_ISDIR(facts.st_mode)
            if not stat.S_ISREG(facts.st_mode) and not is_directory:
                raise Refusal("special-file", "only regular files and directories are moved")
            self._require_nothing_gained(from_full, self._full(target), is_directory=is_directory)
            with (
                self._at("fs.rename", target, "create") as (to_permit, to_full),
                self._parent(to_permit) as (to_parent, to_name),
            ):
                self._require_whole(to_full)
                if _exists(to_name, to_parent):
                    self._grants.paths.permit(to_full, "delete")
                os.rename(from_name, to_name, src_dir_fd=from_parent, dst_dir_fd=to_parent)

    def covers(self, path: str, permission: str) -> bool:
        """Whether an argument of a program is a path that a grant covers, reached without any link."""
        needed: Permission = "write" if permission == "write" else "read"
        if ".." in path.split("/"):
            return False  # for the program it is above where a link leads, for us above the link
        try:
            full = self._full(path)
            permit = self._grants.paths.permit(full, needed)
            permit = Permit(permit.root, permit.rest, follow=False, rule=permit.rule)
            if needed == "write" and "create" in self._grants.paths.permissions_at(full):
                with self._parent(permit) as (parent, name):
                    if not _exists(name, parent):
                        return True
            os.close(self._open_at(permit, beneath.O_PATH or os.O_RDONLY | os.O_NONBLOCK))
        except (Refusal, OSError):
            return False
        return True

    def close(self) -> None:
        """Close whatever the plugin has left open, and let go of its directories."""
        with self._lock:
            self._is_closed = True
            files = list(self._open)
        for file in files:
            try:
                file.close()
            except (OSError, ValueError):
                continue  # what could not be flushed is the plugin's loss; the descriptor is closed
        self._roots.close()

    # How it is done

    @contextmanager
    def _at(
        self,
        operation: str,
        path: StrPath,
        *permissions: Permission,
        entries: bool = False,
        any_of: bool = False,
    ) -> Iterator[tuple[Permit, str]]:
        """Ask the rules, then do the block; a `Refusal` out of it is a denial of this path, too."""
        text = plain_path(path)
        with self._gate.asking(operation, text):
            full = self._full(text)
            yield self._grants.paths.permit(full, *permissions, entries=entries, any_of=any_of), full

    def _full(self, path: str) -> str:
        """The absolute path that is meant."""
        return os.path.join(self._data, path)

    def _open_at(self, permit: Permit, flags: int, mode: int = 0) -> int:
        with self._roots.held(permit.root) as root:
            return self._beneath(permit, root.fd, _parts(permit, root), flags, mode)

    def _beneath(self, permit: Permit, fd: int, parts: Sequence[str], flags: int, mode: int = 0) -> int:
        """Open it; what the kernel says of leaving the grant is a denial."""
        try:
            return beneath.open_beneath(fd, parts, flags, mode, follow=permit.follow, walk=self._walk)
        except OSError as error:
            led_out = _LED_OUT.get(error.errno or 0)
            if led_out is None:
                raise
            raise Refusal("leads-out", led_out, rule=permit.rule) from None

    def _open_file(self, permit: Permit, full: str, wanted: _Mode) -> int:
        """Open, look at what it is, and only then change it: O_TRUNC would come before the look."""
        flags = wanted.flags | os.O_NONBLOCK | getattr(os, "O_NOCTTY", 0)
        if not wanted.exclusive:
            try:
                return self._checked(self._open_at(permit, flags), wanted)
            except FileNotFoundError:
                if not wanted.makes:
                    raise
        self._grants.paths.permit(full, "create")
        try:
            return self._checked(self._open_at(permit, flags | os.O_CREAT | os.O_EXCL, _DEFAULT_MODE), wanted)
        except FileExistsError:
            if wanted.exclusive:
                raise
        # Somebody else has made it in between.
        return self._checked(self._open_at(permit, flags), wanted)

    @staticmethod
    def _checked(fd: int, wanted: _Mode) -> int:
        try:
            facts = os.fstat(fd)
            if stat.S_ISDIR(facts.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not stat.S_ISREG(facts.st_mode):
                raise Refusal("special-file", "it is no regular file (a pipe, a socket, a device)")
            if wanted.writes and facts.st_nlink > 1:
                raise Refusal("hard-link", "it has another name elsewhere, which would change as well")
            if wanted.truncates and facts.st_size:
                os.ftruncate(fd, 0)
            os.set_blocking(fd, True)
        except BaseException:
            os.close(fd)
            raise
        return fd

    @contextmanager
    def _parent(self, permit: Permit) -> Iterator[tuple[int, str]]:
        """The directory that holds it, open while the block runs, and the last name."""
        with self._roots.held(permit.root) as root:
            parts = _parts(permit, root)
            if not parts:
                text = "the directory of a grant itself stays as it is"
                raise Refusal("grant-itself", text, rule=permit.rule)
            fd = self._beneath(permit, root.fd, parts[:-1], beneath.HOLD)
        try:
            yield fd, parts[-1]
        finally:
            os.close(fd)

    def _require_nothing_gained(self, source: str, target: str, *, is_directory: bool) -> None:
        """Refuse to move what may not be read to where it may, and more of a directory than is granted."""
        places = [(source, target)]
        if is_directory:
            # As nothing else is said below them, what holds for one entry holds for all that lie as deep
            # or deeper.
            places.append((os.path.join(source, "*"), os.path.join(target, "*")))
        paths = self._grants.paths
        for here, there in places:
            gained = paths.permissions_at(there)
            if gained:
                paths.permit(here, "delete")
            if "read" in gained:
                paths.permit(here, "read")
            if "list" in gained:
                paths.permit(here, "list")

    def _require_whole(self, full: str) -> None:
        from pluginkit.security.paths import parts_of

        if self._grants.paths.is_divided(parts_of(full)):
            raise Refusal("divided", "another grant, a denial or a protected place lies below it")


class _Mode:
    """What a mode text of `open` asks for."""

    def __init__(self, mode: str) -> None:
        kinds = [letter for letter in mode if letter in "rwax"]
        if len(kinds) != 1 or len(set(mode)) != len(mode) or set(mode) - set("rwaxbt+"):
            raise ValueError(f"invalid mode: {mode!r}")
        kind = kinds[0]
        self.writes = kind != "r" or "+" in mode
        self.makes = kind != "r"
        self.exclusive = kind == "x"
        self.truncates = kind == "w"
        reads = kind == "r" or "+" in mode
        self.permissions: tuple[Permission, ...] = (
            *(("read",) if reads else ()),
            *(("write",) if self.writes else ()),
        )
        self.flags = os.O_RDWR if reads and self.writes else os.O_WRONLY if self.writes else os.O_RDONLY
        if kind == "a":
            self.flags |= os.O_APPEND
        self.operation = "write" if self.writes else "read"


def _parts(permit: Permit, root: Root) -> Sequence[str]:
    return permit.rest if root.file is None else (root.file,)


def _exists(name: str, parent: int) -> bool:
    try:
        os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
