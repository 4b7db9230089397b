"""Small text files that people write by hand: read within bounds, with the place of every value.

Manifests and config files are YAML or JSON from authors we do not know, and they are read
before anything about them is trusted. Both readers give the same `Document` and raise the
same `YamlError`, so that nobody above needs to know which it was.
"""

from __future__ import annotations

from .document import Document, Location, Position, YamlError, dotted, shorten
from .json_reader import load_json
from .reading import read_regular_file
from .yaml_reader import load, load_file

__all__ = [
    "Document",
    "Location",
    "Position",
    "YamlError",
    "dotted",
    "load",
    "load_file",
    "load_json",
    "read_regular_file",
    "shorten",
]
