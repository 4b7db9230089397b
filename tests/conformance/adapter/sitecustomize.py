"""Put before everything else on the path of a process: pluggy's `PluginManager` becomes ours.

Python imports this at its start, in xdist's workers too, so pytest never sees pluggy's own.
The functions that pluggy's tests import from its private modules are replaced by what takes
their place here. At the end the process says how much ran on generated bodies.
"""

from __future__ import annotations

import atexit
import os
import sys

if os.environ.get("CONFORMANCE_MANAGER") == "pluginkit":
    import pluggy
    import pluggy._callers
    import pluggy._manager

    from pluginkit.hooks import PluginManager, compiling
    from pluginkit.hooks.multicall import multicall

    pluggy.PluginManager = pluggy._manager.PluginManager = PluginManager  # type: ignore[misc]
    pluggy._callers._multicall = pluggy._manager._multicall = multicall

    def report() -> None:
        sys.stderr.write(f"generated functions: {next(compiling._numbers) - 1}\n")

    atexit.register(report)
