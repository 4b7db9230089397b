"""Programs that run whatever their arguments say, under the names that systems give them."""

from __future__ import annotations

import pytest

from pluginkit.security.commands import is_runner


@pytest.mark.parametrize(
    "name",
    [
        *("ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "ld-musl-x86_64.so.1", "ld.so", "ld64.so.2"),
        *("perl5.36-x86_64-linux-gnu", "python3.11-dbg", "python3.13t", "nodejs", "rbash", "setarch", "tmux"),
        *("python3.11", "sh", "node-18", "ENV"),
    ],
)
def test_p1_a_runner_is_known_by_its_other_names(name: str) -> None:
    assert is_runner(f"/usr/bin/{name}")


@pytest.mark.parametrize(
    "name", ["git", "ld", "ld.gold", "ldd", "shred", "atril", "x86_64-linux-gnu-nm", "7z", "make-it"]
)
def test_p1_other_programs_are_not_taken_for_runners(name: str) -> None:
    assert not is_runner(f"/usr/bin/{name}")
