"""Security: what a plugin may do, decided from its manifest, the host's policy and what was approved.

Deciding is all that happens here; `pluginkit.services` carries out what was decided. Neither confines
a plugin: see docs/explanation/security.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pluginkit.security.grants import Grants as Grants
    from pluginkit.security.grants import Places as Places
    from pluginkit.security.grants import effective as effective
    from pluginkit.security.growth import exceeding as exceeding
    from pluginkit.security.layers import Layer as Layer
    from pluginkit.security.layers import probe as probe
    from pluginkit.security.policy import PluginPolicy as PluginPolicy
    from pluginkit.security.policy import Policy as Policy
    from pluginkit.security.policy import read_policy as read_policy
    from pluginkit.security.refusal import Refusal as Refusal

_HOMES = {
    "grants": ("Grants", "Places", "effective"),
    "growth": ("exceeding",),
    "policy": ("PluginPolicy", "Policy", "read_policy"),
    "layers": ("Layer", "probe"),
    "refusal": ("Refusal",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Grants",
    "Layer",
    "Places",
    "PluginPolicy",
    "Policy",
    "Refusal",
    "effective",
    "exceeding",
    "probe",
    "read_policy",
]

if not TYPE_CHECKING:  # a checker that saw this would accept any name

    def __getattr__(name: str) -> object:
        # Most plugins ask for nothing, and `list` needs none of it.
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
        return value
