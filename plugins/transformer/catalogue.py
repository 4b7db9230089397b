"""The transformations: each a function, described with its parameters. A new one is one entry here."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

from pluginkit.contracts import Transformation, TransformationParameter


def _title(text: str) -> str:
    return text.title()


def _replace(text: str, *, old: str, new: str) -> str:
    return text.replace(old, new)


def _shorten(text: str, *, width: int, placeholder: str) -> str:
    return textwrap.shorten(text, width=width, placeholder=placeholder)


CATALOGUE: Mapping[str, tuple[Transformation, Callable[..., str]]] = {
    "title": (Transformation("title", "Each word with a capital"), _title),
    "replace": (
        Transformation(
            "replace",
            "Every occurrence of one text by another",
            (
                TransformationParameter("old", "string", required=True),
                TransformationParameter("new", "string", default=""),
            ),
        ),
        _replace,
    ),
    "shorten": (
        Transformation(
            "shorten",
            "Whole words, up to a number of characters",
            (
                TransformationParameter("width", "integer", required=True),
                TransformationParameter("placeholder", "string", default=" …"),
            ),
        ),
        _shorten,
    ),
}
