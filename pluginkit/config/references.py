"""Secrets that settings only name: `{"$env": NAME}` and `{"$file": PATH}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pluginkit.config.kinds import Fault, Steps
from pluginkit.strict_yaml import YamlError
from pluginkit.strict_yaml.reading import decode, read_regular_file

_MAX_BYTES = 1 << 20


@dataclass(slots=True)
class References:
    """Replaces references by what they name, and remembers where those secrets are.

    `base` is what the paths of `$file` are relative to. `secrets` holds the places of all
    resolved values: they are not to be shown, whatever their keys are called.
    """

    environ: Mapping[str, str]
    base: Path
    secrets: set[Steps] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def resolve(self, value: Any, at: Steps = ()) -> Any:
        """Copy `value` with all references in it resolved; those that fail are faults and null."""
        if isinstance(value, Mapping):
            if "$env" in value or "$file" in value:
                return self._secret(value, at)
            return {key: self.resolve(item, (*at, key)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(item, (*at, index)) for index, item in enumerate(value)]
        return value

    def _secret(self, reference: Mapping[str, Any], at: Steps) -> str | None:
        self.secrets.add(at)
        kind, target = next((kind, reference[kind]) for kind in ("$env", "$file") if kind in reference)
        if len(reference) != 1 or not isinstance(target, str) or not target:
            self.faults.append(Fault('must be {"$env": NAME} or {"$file": PATH} and nothing else', at))
            return None
        return self._variable(target, at) if kind == "$env" else self._content(target, at)

    def _variable(self, name: str, at: Steps) -> str | None:
        if name not in self.environ:
            self.faults.append(Fault(f"needs the environment variable {name}, which is not set", at))
        return self.environ.get(name)

    def _content(self, name: str, at: Steps) -> str | None:
        """The file's text without the newline at its end, which editors and `echo` put there."""
        try:
            path = self.base / Path(name).expanduser()
            text = decode(read_regular_file(path, max_bytes=_MAX_BYTES), file=path, max_bytes=_MAX_BYTES)
        except (YamlError, RuntimeError) as error:
            why = error.problems[0].message if isinstance(error, YamlError) else error
            self.faults.append(Fault(f"needs the file {name}, which {why}", at))
            return None
        return text.removesuffix("\n").removesuffix("\r")
