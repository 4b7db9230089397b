"""A project with one plugin, for tests of what the host trusts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pluginkit import Config, Host, hookspec
from pluginkit.manifest import read_manifest
from pluginkit.security.checksums import as_text
from pluginkit.security.lock import Approval, LockFile
from pluginkit.security.subject import Subject
from pluginkit.security.tree import tree_digest, vouched_files
from pluginkit.snapshot import take
from pluginkit.testing import write_plugin

SOURCE = """\
from pluginkit import hookimpl
from . import voice

class Cat:
    @hookimpl
    def speak(self):
        return voice.SOUND
"""


class Project:
    """A project on disk: a configuration, a plugin `cat` of two modules and a data file, and a lock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.plugins = root / "plugins"
        self.cat = self.plugins / "cat"
        self.lock = LockFile(root / "plugins.lock")
        self.write_cat()

    def write_cat(self, version: str = "1.0.0", **sections: Any) -> None:
        write_plugin(
            self.plugins,
            "cat",
            SOURCE,
            type="pluggy",
            entrypoint="cat:Cat",
            version=version,
            files={"voice.py": 'SOUND = "Meow"\n', "words.txt": "purr\n"},
            **sections,
        )

    def host(self, **trust: Any) -> Host:
        file = self.root / "config.json"
        file.write_text(json.dumps({"trust": trust, "plugins": {"entry_points": False}}), "utf-8")
        return Host(Config.load(file, environ={}), hookspecs=[Spec])

    def subject(self, name: str = "cat") -> Subject:
        return Subject(read_manifest(self.plugins / name / "manifest.yaml"), self.plugins / name, name)

    def files(self) -> dict[str, str]:
        return vouched_files(self.subject(), take(self.cat))

    def write_list(self, name: str = "plugin.sha256") -> Path:
        file = self.cat / name
        file.write_text(as_text(self.files()), "utf-8")
        return file

    def approve(self) -> Approval:
        subject = self.subject()
        digest = tree_digest(self.files())
        approval = Approval("cat", subject.version, subject.origin, digest, subject.capabilities)
        self.lock.put(approval)
        return approval

    def verdict(self, **trust: Any) -> tuple[str, str | None]:
        """State and reason code of the cat after everything was loaded."""
        with self.host(**trust) as host:
            cat = host.plugins["cat"]
            return str(cat.state), cat.reason.code if cat.reason is not None else None


class Spec:
    @hookspec
    def speak(self) -> str:
        """What it says."""
        raise NotImplementedError
