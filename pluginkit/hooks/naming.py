"""Names in generated text: readable, legal, and different from each other."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

# Longer labels make the text wide without telling more.
_LABEL_LENGTH = 40

# Names that the text itself uses, which neither a plugin nor an argument may take.
RESERVED = frozenset(
    {
        *("arguments", "observer", "implementations", "BaseException"),
        *("results", "result", "flying", "error", "errors", "begun"),
        *("failed", "grouped", "clock", "spent", "refuse", "settled", "picked", "optional"),
        *("entered", "adapted", "leave"),
    }
)


def labels(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """A readable identifier for each name, different from each other and from those taken.

    >>> labels(["cat", "my-dog", "cat", "7up", "is_loud"], taken=["is_loud"])
    ['cat', 'my_dog', 'cat_2', '_7up', 'is_loud_2']
    """
    used = {*taken}
    chosen = []
    for name in names:
        base = identifier(name)
        label, number = base, 1
        while label in used:
            number += 1
            label = f"{base}_{number}"
        used.add(label)
        chosen.append(label)
    return chosen


def identifier(name: str) -> str:
    r"""A name made fit to stand in source text.

    Python reads identifiers in the form NFKC: a name in another one would be looked for by a name
    that it has not got, or that the text itself uses.

    >>> identifier("\uff46ailed"), identifier("\u212aat"), identifier("b\xfccher"), identifier("x') #\n")
    ('failed', 'Kat', 'bücher', 'x_____')
    """
    if not name.isascii():
        from unicodedata import normalize

        name = normalize("NFKC", name)
    text = re.sub(r"\W", "_", name)[-_LABEL_LENGTH:] or "_"
    if text[0].isdigit() or keyword.iskeyword(text):
        text = f"_{text}"
    return text if text.isidentifier() else "_" + re.sub(r"\W", "_", text, flags=re.ASCII)


def locals_of(parameters: Iterable[str]) -> dict[str, str]:
    """What the arguments are called in a body, where some names are taken."""
    names = tuple(parameters)
    return dict(zip(names, labels(names, taken=RESERVED), strict=True))
