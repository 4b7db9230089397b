"""Loading: a plugin's modules as one generation, apart from the host and from all others."""

from pluginkit.loading.generation import Generation as Generation
from pluginkit.loading.generation import Wire as Wire

__all__ = ["Generation", "Wire"]
