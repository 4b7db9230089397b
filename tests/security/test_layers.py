"""What `doctor` says of the machine is what the machine says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pluginkit.security import layers, probe
from pluginkit.services import beneath

if TYPE_CHECKING:
    import pytest


def test_cp11_the_probe_agrees_with_what_is_used() -> None:
    by_name = {layer.name: layer for layer in probe("block")}
    assert by_name["openat2"].present == beneath.has_openat2()
    assert by_name["guard"].present
    assert not by_name["process isolation"].present
    assert layers.landlock_abi() >= 0


def test_cp11_elsewhere_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(layers, "has_seccomp", lambda: False)
    monkeypatch.delattr("os.pidfd_open", raising=False)
    found = {layer.name: layer for layer in probe()}
    assert not any(layer.present for layer in found.values())
    assert "follows no symbolic link" in found["openat2"].text
    beneath._openat2.cache_clear()
    assert not beneath.has_openat2()
    beneath._openat2.cache_clear()
