"""EX08 from end to end: `pluginkit run` in the sample project denies one listing, and `audit` shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.usefixtures("sample_project")
def test_ex08_the_denied_listing_of_the_sample_is_in_the_audit(
    user: Callable[..., Any], cli: Callable[..., Any]
) -> None:
    out = user("run").stdout
    assert 'filelister: ["hello.txt"]' in out
    assert 'filelister: ["denied: fs.list of /etc"]' in out
    trail = [line for line in cli("audit").stdout.splitlines() if "capability_" in line]
    granted, denied = trail
    assert "filelister: capability_granted" in granted
    assert "filelister: capability_denied" in denied
    assert "operation=fs.list target=/etc" in denied
