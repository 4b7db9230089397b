"""A transformer of several transformations; the settings choose one and give its parameters."""

from __future__ import annotations

from collections.abc import Mapping

from pluginkit import PluginContext, hookimpl
from pluginkit.contracts import Transformation

from .catalogue import CATALOGUE


class Transformer:
    """Settings that do not fit fail the load, so that no call has to."""

    def __init__(self, ctx: PluginContext) -> None:
        chosen, self._change = CATALOGUE[ctx.settings["transformation"]]
        self._parameters = _complete(chosen, ctx.settings["parameters"])

    @hookimpl
    def transform(self, text: str) -> str:
        """The text, changed by the chosen transformation."""
        return self._change(text, **self._parameters)

    @hookimpl
    def transformations(self) -> list[Transformation]:
        """All that this plugin can do, with the parameters of each."""
        return [transformation for transformation, _ in CATALOGUE.values()]


def _complete(chosen: Transformation, given: Mapping[str, object]) -> dict[str, object]:
    """The parameters of one call: what was given, and the defaults of the rest."""
    known = {parameter.name: parameter for parameter in chosen.parameters}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(
            f"{chosen.name} has no parameter {unknown[0]!r}; it has {', '.join(known) or 'none'}"
        )
    missing = [name for name, parameter in known.items() if parameter.required and name not in given]
    if missing:
        raise ValueError(f"{chosen.name} needs the parameter {missing[0]!r}")
    return {name: given.get(name, parameter.default) for name, parameter in known.items()}
