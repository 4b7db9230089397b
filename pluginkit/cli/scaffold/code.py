"""The text of the two files: a manifest, and a module with a method for each hook that is required."""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from pluginkit.cli.scaffold.bodies import expression_for
from pluginkit.cli.scaffold.imports import import_lines, names_in, origin_of

if TYPE_CHECKING:
    from pluginkit.contracts import Contract, HookSpecInfo

_WIDTH = 96


@dataclass(frozen=True)
class Draft:
    """A plugin that is about to be written: its name, and the contract that it will fulfil."""

    name: str
    contract: Contract

    @property
    def package(self) -> str:
        """The name of its package, and of the module in it."""
        return self.name.replace("-", "_").replace(".", "_")

    @property
    def class_name(self) -> str:
        """`my-cat` becomes `MyCat`."""
        return "".join(word[:1].upper() + word[1:] for word in self.package.split("_") if word)

    @cached_property
    def hooks(self) -> list[HookSpecInfo]:
        """The hooks to begin with: the required ones, or all if none is."""
        hooks = list(self.contract.hooks.values())
        return [hook for hook in hooks if hook.required] or hooks

    def manifest(self) -> str:
        """The text of manifest.yaml."""
        return _template("manifest.yaml").substitute(
            name=json.dumps(self.name),
            type=json.dumps(self.contract.type),
            entrypoint=json.dumps(f"{self.package}:{self.class_name}"),
            hooks=", ".join(hook.name for hook in self.hooks),
        )

    def module(self) -> str:
        """The text of the module."""
        origins = [("pluginkit", "hookimpl"), *self._origins()]
        return _template("module.py").substitute(
            name=self.name,
            type=self.contract.type,
            imports="\n".join(import_lines(origins)),
            class_name=self.class_name,
            methods="\n\n".join(textwrap.indent(self._method(hook), "    ") for hook in self.hooks),
            optional="".join(self._optional_hints()),
        )

    def _origins(self) -> Iterator[tuple[str, str]]:
        """Where everything comes from that the methods name."""
        for hook in self.hooks:
            used = set().union(*(names_in(a) for a in self._annotations(hook).values()))
            body = expression_for(hook, self.name)
            used |= {name for name in names_in(body) if name not in hook.parameters}
            for name in sorted(used):
                origin = origin_of(name, hook)
                if origin is not None:
                    yield origin

    def _annotations(self, hook: HookSpecInfo) -> dict[str, object]:
        """The annotations whose every name can be imported; the others are left out."""
        parameters = hook.signature.parameters.values()
        found = {parameter.name: parameter.annotation for parameter in parameters}
        found["return"] = hook.signature.return_annotation
        return {
            name: annotation
            for name, annotation in found.items()
            if isinstance(annotation, str) and all(origin_of(used, hook) for used in names_in(annotation))
        }

    def _method(self, hook: HookSpecInfo) -> str:
        annotations = self._annotations(hook)
        parameters = [
            f"{name}: {annotations[name]}" if name in annotations else name for name in hook.parameters
        ]
        returns = f" -> {annotations['return']}" if "return" in annotations else ""
        head = f"{'async ' if hook.is_async else ''}def {hook.name}({', '.join(['self', *parameters])}){returns}:"
        return "\n".join(["@hookimpl", head, *textwrap.indent(self._body(hook), "    ").splitlines()])

    def _body(self, hook: HookSpecInfo) -> str:
        answer = expression_for(hook, self.name)
        if answer is None:
            work = f'raise NotImplementedError("{self.name} does not implement {hook.name} yet")'
        else:
            work = f"return {answer}  # your work goes here"
        return "\n".join([*_docstring(hook.doc), work])

    def _optional_hints(self) -> Iterator[str]:
        """A comment for each hook of the contract that is left to the author."""
        for hook in self.contract.hooks.values():
            if hook not in self.hooks:
                summary = f"Also possible: {hook}: {hook.doc.partition(chr(10))[0]}"
                yield "\n\n" + textwrap.indent("\n".join(textwrap.wrap(summary, _WIDTH)), "    # ")


def _docstring(doc: str) -> list[str]:
    text = inspect.cleandoc(doc).replace("\\", "\\\\").replace('"""', '\\"""')
    if not text:
        return []
    if text.endswith('"'):
        text += " "
    lines = text.splitlines()
    return [f'"""{text}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']


def _template(name: str) -> Template:
    return Template(files("pluginkit.cli.scaffold").joinpath(f"{name}.txt").read_text("utf-8"))
