"""The horse's voice. No other plugin can see this module, whatever it is named."""

from __future__ import annotations


def neigh(*, is_loud: bool) -> str:
    """One neigh."""
    return "NEIGH!" if is_loud else "Neigh"
