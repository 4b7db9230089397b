"""Watching: from a saved file, or an upgrade by pip, to the new code, once.

    writer → observing (watchdog) → changes → pending ── at rest? ──► gates ──► rescan by digest ──► told
                                     noise dropped       quiet time     git, pip

What the file system says is a hint: it tells *when* to look, and at which plugins. Whether
anything has changed is decided by content, in `lifecycle/rescan.py`; so an event too many costs a
look and never a reload.
"""
