"""`python -m pluginkit` is `pluginkit`."""

from __future__ import annotations

from pluginkit.cli import main

if __name__ == "__main__":
    main()
