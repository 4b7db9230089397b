"""Put before everything else on the path of a process: pluggy's `PluginManager` becomes ours.

Python imports this at its start, in xdist's workers too, so pytest never sees pluggy's own.
The functions that pluggy's tests import from its private modules are replaced by what takes
their place here. At the end the process says how much ran on generated bodies.
"""

from __future__ import annotations

import atexit
import itertools
import os
import sys
import types

if os.environ.get("CONFORMANCE_MANAGER") == "pluginkit":
    import pluggy
    import pluggy._callers
    import pluggy._manager

    from pluginkit.hooks import PluginManager, compiling
    from pluginkit.hooks.multicall import multicall

    pluggy.PluginManager = pluggy._manager.PluginManager = PluginManager  # type: ignore[misc]  # wrong on purpose
    pluggy._callers._multicall = multicall

    generated = itertools.count()
    get = compiling.CodeCache.get

    def counting_get(self: compiling.CodeCache, text: str, hook: str) -> types.CodeType:
        next(generated)
        return get(self, text, hook)

    compiling.CodeCache.get = counting_get  # type: ignore[method-assign]  # replaced on purpose

    def report() -> None:
        sys.stderr.write(f"generated functions: {next(generated)}\n")

    atexit.register(report)
