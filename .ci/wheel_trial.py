"""Build sdist and wheel, install the wheel into a clean environment, and use it as a newcomer would.

Nothing of the checkout may help: the trial's directory and environment are its own, so that a file
missing from the wheel, or a dependency that only developers have, shows here and not at a user's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGE = CHECKOUT / "pluginkit"

EMBED = '''
import sys
from pluginkit import Host, hookspec

class Animal:
    @hookspec
    def speak(self, is_loud: bool) -> str:
        """What the animal says."""

with Host(contracts={"animal": Animal}, plugins_dir="plugins") as host:
    assert host.hook.speak(is_loud=True) == ["MEOW!"], host.hook.speak(is_loud=True)
    assert host.plugins["cat"].call("speak", is_loud=False) == "Meow"
assert "rich" not in sys.modules
'''
CAT = """
from pluginkit import hookimpl

class Cat:
    @hookimpl
    def speak(self, is_loud):
        return "MEOW!" if is_loud else "Meow"
"""
MANIFEST = 'plugin: {name: cat, type: animal, format: native, entrypoint: "cat:Cat", language: python, version: 1.0.0}\n'


def build(directory: Path) -> Path:
    """Build the sdist, and the wheel from the sdist; return the wheel."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), str(CHECKOUT))
    (wheel,) = directory.glob("*.whl")
    (_sdist,) = directory.glob("*.tar.gz")
    return wheel


def check_files(wheel: Path) -> None:
    """The wheel holds every file of the package, data files included, and nothing beside it."""
    source = {
        str(path.relative_to(CHECKOUT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    if shipped != source:
        sys.exit(f"wheel: missing {sorted(source - shipped)}, too many {sorted(shipped - source)}")
    for needed in ("pluginkit/py.typed", "pluginkit/manifest/manifest.schema.json"):
        if needed not in shipped:
            sys.exit(f"wheel: no {needed}")


def install(wheel: Path, environment: Path) -> Path:
    """Install the wheel and what it requires, nothing else; return the environment's programs."""
    run(sys.executable, "-m", "venv", str(environment))
    programs = Path(sysconfig.get_path("scripts", vars={"base": str(environment)}))
    run(str(programs / "python"), "-m", "pip", "install", "-qq", str(wheel))
    run(str(programs / "python"), "-m", "pip", "check")
    return programs


def use(programs: Path, directory: Path, version: str) -> None:
    """What the README promises: the command, a new plugin, ten lines that embed the host."""
    directory.mkdir()
    pluginkit, python = str(programs / "pluginkit"), str(programs / "python")
    printed = run(pluginkit, "--version", cwd=directory)
    if version not in printed:
        sys.exit(f"pluginkit --version prints {printed!r}, not {version}")
    run(python, "-m", "pluginkit", "--help", cwd=directory)

    cat = directory / "plugins" / "cat"
    cat.mkdir(parents=True)
    (cat / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    (cat / "cat.py").write_text(CAT, encoding="utf-8")
    run(python, "-W", "error", "-c", EMBED, cwd=directory)

    run(pluginkit, "new", "shout", "--type", "transformer", cwd=directory)
    listed = json.loads(run(pluginkit, "list", "--json", cwd=directory))
    names = {plugin["name"] for plugin in listed["plugins"]}
    if names != {"cat", "shout"}:
        sys.exit(f"pluginkit list --json names {sorted(names)}, not cat and shout")


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a command in a newcomer's environment; return its standard output, or exit with all it said."""
    # PIP_* stays: it may say how this machine reaches its package index.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PLUGINKIT_"))}
    done = subprocess.run(command, cwd=cwd, env=env, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Build, look inside, install, use."""
    with tempfile.TemporaryDirectory(prefix="pluginkit-wheel-") as name:
        directory = Path(name)
        wheel = build(directory / "dist")
        check_files(wheel)
        programs = install(wheel, directory / "environment")
        use(programs, directory / "work", wheel.name.split("-")[1])
        print(f"{wheel.name}: built, installed and used")


if __name__ == "__main__":
    main()
