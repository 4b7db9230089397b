"""Real distributions for tests: wheels built by hand, installed by pip or by unpacking.

No build backend and no network. `Wheel.unpack` lays the files out as pip would, in a
millisecond; tests about pip itself use `pip_install` and are marked `install`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GROUP = "pluginkit.plugins"


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A pure-Python distribution to be built.

    `files` maps paths in the wheel to their content; `plugins` are the entry points of the group
    `pluginkit.plugins`, `entry_points` those of any other; `headers` are further lines of METADATA.
    """

    name: str
    version: str = "1.0"
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)
    entry_points: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    headers: Sequence[str] = ()

    @property
    def stem(self) -> str:
        return f"{self.name.replace('-', '_')}-{self.version}"

    @property
    def info(self) -> str:
        return f"{self.stem}.dist-info"

    def build(self, directory: Path) -> Path:
        """Write the wheel into `directory` and return its path."""
        path = directory / f"{self.stem}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in self._contents().items():
                archive.writestr(name, content)
        return path

    def unpack(self, target: Path) -> Path:
        """Lay the wheel out in `target` without pip; return its metadata directory."""
        for name, content in self._contents().items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return target / self.info

    def _contents(self) -> dict[str, bytes]:
        contents = {name: c.encode() if isinstance(c, str) else c for name, c in self.files.items()}
        contents[f"{self.info}/METADATA"] = self._metadata().encode()
        contents[f"{self.info}/WHEEL"] = (
            b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        if self.plugins or self.entry_points:
            contents[f"{self.info}/entry_points.txt"] = self._entry_points().encode()
        record = [_record_line(name, content) for name, content in contents.items()]
        contents[f"{self.info}/RECORD"] = "\n".join([*record, f"{self.info}/RECORD,,", ""]).encode()
        return contents

    def _metadata(self) -> str:
        lines = ["Metadata-Version: 2.1", f"Name: {self.name}", f"Version: {self.version}", *self.headers]
        return "\n".join([*lines, "", "A long description: not a header.", ""])

    def _entry_points(self) -> str:
        groups = {GROUP: self.plugins, **self.entry_points} if self.plugins else self.entry_points
        return "\n".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
            for group, points in groups.items()
        )


@dataclass(frozen=True)
class Environment:
    """A virtual environment without pip of its own; `site` is its site-packages."""

    directory: Path

    @property
    def python(self) -> Path:
        return self.directory / ("Scripts" if os.name == "nt" else "bin") / "python"

    @property
    def site(self) -> Path:
        return site_of(self.directory)

    @classmethod
    def create(cls, directory: Path) -> Environment:
        run(sys.executable, "-m", "venv", "--without-pip", str(directory))
        return cls(directory)

    def install(self, *wheels: Path, upgrade: bool = False) -> None:
        options = ["--upgrade"] if upgrade else []
        self._pip("install", "--no-index", "--no-deps", *options, *map(str, wheels))

    def uninstall(self, name: str) -> None:
        self._pip("uninstall", "--yes", name)

    def _pip(self, *arguments: str) -> None:
        run(sys.executable, "-m", "pip", "--python", str(self.python), *arguments)


def pip_install(wheel: Path, target: Path) -> None:
    """`pip install --target`: the files lie in `target` as in a site-packages directory."""
    run(
        sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target", str(target), str(wheel)
    )


def pip_install_editable(
    project: Path, prefix: Path, *options: str, python: Path = Path(sys.executable)
) -> Path:
    """`pip install -e` with the pip and build backend that `python` has; return the site-packages directory."""
    run(
        *(str(python), "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation"),
        *("--prefix", str(prefix), *options, "-e", str(project)),
    )
    return site_of(prefix)


def site_of(prefix: Path) -> Path:
    """The site-packages directory of an environment or of a pip prefix."""
    variables = {"base": str(prefix), "platbase": str(prefix), "installed_base": str(prefix)}
    return Path(sysconfig.get_path("purelib", "venv", variables))


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a command in an environment without the caller's pip and Python settings; return its output."""
    dropped = ("PYTHON", "COV_CORE_", "COVERAGE_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    env |= {"PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise AssertionError(
            f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done.stdout


def _record_line(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    quoted = f'"{name}"' if "," in name else name
    return f"{quoted},sha256={digest},{len(content)}"
