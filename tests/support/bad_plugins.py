"""A plugins directory that holds one plugin of each bad kind, and good ones among them.

Two thirds of these cannot be kept in git or would break tools that walk the repository (a FIFO,
a link to nowhere, code that does not parse), so that all are written when a test asks.

Every file of code begins by appending its plugin's name to the file that PLUGINKIT_TEST_MARKER
names: an absent file proves that nobody ran a line of any plugin.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

MARKER = "PLUGINKIT_TEST_MARKER"

_LEAVE_A_MARK = """\
import os
if os.environ.get("{marker}"):
    with open(os.environ["{marker}"], "a", encoding="utf-8") as marker:
        marker.write("{name}\\n")
"""
_SPEAK = """\
from pluginkit import hookimpl

class Plugin:
    @hookimpl
    def speak(self, is_loud):
        return "{name}"
"""


@dataclass(frozen=True)
class Expected:
    """What is to be said of one plugin.

    `listed` is its state as long as nothing was imported, `loaded` the one after the host tried
    to load it. `says` are words that the reason has to contain, when there is one.
    """

    listed: str
    loaded: str
    says: tuple[str, ...] = ()
    kind: str = ""

    @property
    def is_good(self) -> bool:
        return self.loaded == "running"


GOOD = Expected("discovered", "running")


def unusable(kind: str, *says: str) -> Expected:
    """Wrong without looking at any code."""
    return Expected("failed", "failed", says, kind)


def unloadable(kind: str, *says: str) -> Expected:
    """Fine to look at, broken once its code is run."""
    return Expected("discovered", "failed", says, kind)


def build_bad_plugins(directory: Path) -> dict[str, Expected]:
    """Write the plugins into `directory`, of type `animal`; the name of each and what is to be said of it.

    The code outside of the plugins lies in a hidden directory, which is no plugin.
    """
    plugins: dict[str, Expected] = {}
    for build in _BUILDERS:
        plugins.update(build(directory))
    return plugins


def build_misbehaving_plugins(directory: Path) -> dict[str, str]:
    """Write plugins that load well and misbehave when `speak` is called; the name of each and its way.

    `hanging` waits for the event `release` of its module, `crashing` ends the process that it
    runs in, `raising` and `exiting` raise, `leaking` leaves a thread behind which waits for the
    event `release` too, `bare-exception` raises a BaseException of its own.
    """
    waiting = "import threading\nrelease = threading.Event()\n"
    bodies = {
        "hanging": (waiting, "release.wait(60)"),
        "crashing": ("", "os.abort()"),
        "raising": ("", "raise RuntimeError('raising raised')"),
        "exiting": ("import sys\n", "sys.exit('exiting exits')"),
        "bare-exception": ("class Stop(BaseException): pass\n", "raise Stop('bare')"),
        "leaking": (
            waiting,
            "threading.Thread(target=release.wait, args=(60,), daemon=True, name='leaked').start()",
        ),
    }
    for name, (head, body) in bodies.items():
        code = f"{head}from pluginkit import hookimpl\n\n@hookimpl\ndef speak(is_loud):\n    {body}\n    return {name!r}\n"
        _write(directory / name, manifest(name, entrypoint="plugin"), {"plugin.py": code})
    return {name: body for name, (_, body) in bodies.items()}


def manifest(name: str, *, extra: str = "", **fields: str) -> str:
    """The text of a manifest; `fields` of the section `plugin` win over the usual ones, '' leaves one out."""
    usual = {
        "name": name,
        "type": "animal",
        "format": "native",
        "entrypoint": "plugin:Plugin",
        "language": "python",
        "version": "1.0.0",
    }
    lines = [f'  {key}: "{value}"' for key, value in {**usual, **fields}.items() if value]
    return "\n".join(["plugin:", *lines, textwrap.dedent(extra)])


def _write(plugin: Path, manifest_text: str | None, files: Mapping[str, str]) -> None:
    plugin.mkdir(parents=True)
    if manifest_text is not None:
        plugin.joinpath("manifest.yaml").write_text(manifest_text, encoding="utf-8")
    for name, code in files.items():
        mark = _LEAVE_A_MARK.format(marker=MARKER, name=plugin.name)
        plugin.joinpath(name).write_text(mark + code, encoding="utf-8")


def _speaking(plugin: Path, manifest_text: str | None, **files: str) -> None:
    """A plugin whose code is all right."""
    code = {
        "plugin.py": _SPEAK.format(name=plugin.name),
        **{f"{name}.py": text for name, text in files.items()},
    }
    _write(plugin, manifest_text, code)


def _good(directory: Path) -> dict[str, Expected]:
    """Two before and behind all others by name, both with a `utils.py`, and one named like that module."""
    using = "from . import utils\nfrom pluginkit import hookimpl\n\n@hookimpl\ndef speak(is_loud):\n    return utils.WORD\n"
    for name in ("aardvark", "zebra"):
        text = manifest(name, entrypoint="plugin")
        _write(directory / name, text, {"plugin.py": using, "utils.py": f'WORD = "{name}"\n'})
    _speaking(directory / "utils", manifest("utils"))
    return {"aardvark": GOOD, "utils": GOOD, "zebra": GOOD}


def _bad_manifests(directory: Path) -> dict[str, Expected]:
    texts = {
        "bad-yaml": ("plugin: {name: bad-yaml, type: [animal\n", ("manifest.yaml:",)),
        "duplicate-key": (
            manifest("duplicate-key") + '\nplugin:\n  name: "twice"\n',
            ("manifest.yaml:9", "plugin"),
        ),
        "yaml-anchor": (manifest("yaml-anchor", extra="about: &a {description: x}"), ("manifest.yaml:",)),
        "missing-field": (manifest("missing-field", entrypoint=""), ("plugin.entrypoint",)),
        "unknown-type": (manifest("unknown-type", type="animol"), ("plugin.type", "animal")),
        "unknown-format": (manifest("unknown-format", format="natif"), ("plugin.format", "native")),
        "short-version": (manifest("short-version", version="1.2"), ("plugin.version", "1.2.0")),
        "other-name": (manifest("somebody-else"), ("somebody-else", "other-name")),
        "no-such-module": (manifest("no-such-module", entrypoint="nothing:Plugin"), ("nothing",)),
        "empty-manifest": ("", ("manifest.yaml",)),
    }
    for name, (text, _) in texts.items():
        _speaking(directory / name, text)
    _speaking(directory / "no-manifest", None)
    _speaking(directory / "json", manifest("json"))
    return {
        **{name: unusable(name.replace("-", " "), *says) for name, (_, says) in texts.items()},
        "no-manifest": unusable("no manifest", "no manifest.yaml"),
        "json": unusable("named like a standard module", "standard module 'json'"),
    }


def _outside(directory: Path) -> dict[str, Expected]:
    """Entrypoints that lead out of the plugin's directory, where there is code to be found."""
    outside = directory / ".outside"
    _write(outside, None, {"code.py": _SPEAK.format(name="outside")})
    entrypoints = {
        "outside-by-dots": "../.outside/code:Plugin",
        "outside-by-path": f"{outside}/code:Plugin",
        "outside-by-module": "..outside.code:Plugin",
    }
    for name, entrypoint in entrypoints.items():
        _speaking(directory / name, manifest(name, entrypoint=entrypoint))
    linked = directory / "outside-by-link"
    _write(linked, manifest("outside-by-link"), {})
    linked.joinpath("plugin.py").symlink_to(outside / "code.py")
    says = unusable("entrypoint outside", "plugin's own directory")
    return {
        **dict.fromkeys(entrypoints, says),
        "outside-by-link": unusable("entrypoint outside", "symbolic link"),
    }


def _bad_manifest_files(directory: Path) -> dict[str, Expected]:
    for name in ("dangling-manifest", "fifo-manifest", "directory-manifest"):
        _speaking(directory / name, None)
    directory.joinpath("dangling-manifest", "manifest.yaml").symlink_to("nowhere.yaml")
    os.mkfifo(directory / "fifo-manifest" / "manifest.yaml")
    directory.joinpath("directory-manifest", "manifest.yaml").mkdir()
    return {
        "dangling-manifest": unusable("dangling symlink as manifest", "symbolic link", "nowhere.yaml"),
        "fifo-manifest": unusable("FIFO as manifest", "manifest.yaml"),
        "directory-manifest": unusable("directory as manifest", "manifest.yaml"),
    }


def _failing_imports(directory: Path) -> dict[str, Expected]:
    codes = {
        "import-error": ("import no_such_library\n", ("no_such_library",)),
        "syntax-error": ("def speak(:\n", ("SyntaxError", "plugin.py")),
        "exit-at-import": ("import sys\nsys.exit(3)\n", ("SystemExit", "3")),
        "own-base-exception": (
            "class Stop(BaseException): pass\nraise Stop('no further')\n",
            ("Stop", "no further"),
        ),
        "raises-at-import": ("1 / 0\n", ("ZeroDivisionError",)),
        "no-such-class": ("class Other: pass\n", ("Plugin",)),
        "raises-when-made": (
            "class Plugin:\n    def __init__(self):\n        raise OSError('no disk')\n",
            ("no disk",),
        ),
    }
    for name, (code, _) in codes.items():
        _write(directory / name, manifest(name), {"plugin.py": code})
    return {name: unloadable(name.replace("-", " "), *says) for name, (_, says) in codes.items()}


def _failing_starts(directory: Path) -> dict[str, Expected]:
    for step in ("on_load", "on_start"):
        name = f"fails-{step.replace('_', '-')}"
        body = f"\n    def {step}(self):\n        raise RuntimeError('{step} failed')\n"
        _write(directory / name, manifest(name), {"plugin.py": _SPEAK.format(name=name) + body})
    return {
        "fails-on-load": unloadable("fails when it is loaded", "on_load failed"),
        "fails-on-start": unloadable("fails when it is started", "on_start failed"),
    }


def _broken_contracts(directory: Path) -> dict[str, Expected]:
    head = "from pluginkit import hookimpl\n\nclass Plugin:\n    @hookimpl\n    "
    codes = {
        "wrong-signature": (f"{head}def speak(self, loud): ...\n", ("'loud'", "'is_loud'")),
        "unknown-hook": (f"{head}def speek(self, is_loud): ...\n", ("'speek'", "'speak'")),
        "missing-hook": ("class Plugin:\n    def speak(self, is_loud): ...\n", ("'speak'", "@hookimpl")),
        "wrong-type": (f"{head}def transform(self, text): ...\n", ("'transform'",)),
    }
    for name, (code, _) in codes.items():
        _write(directory / name, manifest(name), {"plugin.py": code})
    return {name: unloadable(name.replace("-", " "), *says) for name, (_, says) in codes.items()}


def _conflicting(directory: Path) -> dict[str, Expected]:
    """`twin-b` and `twin_b` are one name; the first by path has it."""
    for name in ("twin-b", "twin_b"):
        _speaking(directory / name, manifest(name))
    conflict = Expected("conflict", "conflict", ("twin-b", "twin_b"), "name conflict")
    return {"twin-b": GOOD, "twin_b": conflict}


def _requiring(directory: Path) -> dict[str, Expected]:
    """A circle of two, one that needs the circle, one that needs nobody's plugin, and wrong versions."""
    wanted = {
        "ring-one": "plugins: [ring-two]",
        "ring-two": 'plugins: ["ring-one >=1"]',
        "needs-ring": "plugins: [ring-one]",
        "needs-nobody": "plugins: [no-such-plugin]",
        "needs-newer": 'plugins: ["zebra >=2"]',
        "needs-future-python": 'python: ">=99"',
        "needs-future-pluginkit": 'pluginkit: ">=99"',
    }
    for name, requirement in wanted.items():
        _speaking(directory / name, manifest(name, extra=f"requires: {{{requirement}}}"))
    circle = unusable("cycle of requirements", "ring-one", "ring-two")
    return {
        "ring-one": circle,
        "ring-two": circle,
        "needs-ring": unusable("needs a failed plugin", "ring-one"),
        "needs-nobody": unusable("needs a missing plugin", "no-such-plugin"),
        "needs-newer": unusable("needs another version of a plugin", "zebra", ">=2", "1.0.0"),
        "needs-future-python": Expected(
            "incompatible", "incompatible", ("python", ">=99"), "incompatible version"
        ),
        "needs-future-pluginkit": Expected(
            "incompatible", "incompatible", ("pluginkit", ">=99"), "incompatible version"
        ),
    }


_BUILDERS: tuple[Callable[[Path], dict[str, Expected]], ...] = (
    _good,
    _bad_manifests,
    _outside,
    _bad_manifest_files,
    _failing_imports,
    _failing_starts,
    _broken_contracts,
    _conflicting,
    _requiring,
)
