"""What a plugin makes up for a target is told in one line of bounded length."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from pluginkit.errors import PermissionDenied
from pluginkit.security.guard import _shown_target
from pluginkit.services.files import FileService
from pluginkit.services.gate import Gate
from pluginkit.services.processes import ProcessService
from tests.support.granting import grants_of

FORGED = "/etc/x\n2026-01-01 INFO all is well\x1b[31m\u202e"


@pytest.mark.parametrize("target", [FORGED, "/" + "x" * 1_000_000])
def test_cp09_a_target_cannot_forge_a_line_of_the_log(tmp_path: Path, target: str) -> None:
    grants = grants_of({}, tmp_path / "data")
    told: list[dict[str, Any]] = []
    gate = Gate("cat", lambda _kind, _plugin, **data: told.append(data))
    files = FileService(grants, gate)
    for action in (
        lambda: files.read_text(target),
        lambda: ProcessService(grants, gate, files).run([target, target]),
    ):
        with pytest.raises(PermissionDenied) as caught:
            action()
        for text in (
            str(caught.value),
            caught.value.reason.text,
            str(pickle.loads(pickle.dumps(caught.value))),
        ):
            assert text.isprintable()
            assert len(text) < 5000
    assert all(str(value).isprintable() and len(str(value)) < 1000 for row in told for value in row.values())
    files.close()


def test_cp09_the_guard_shows_a_path_of_bytes_as_the_path() -> None:
    assert _shown_target("open", (b"/etc/hostname", "r", 0)) == "/etc/hostname"
    assert _shown_target("os.system", (b"true",)) == "true"
    assert _shown_target("os.exec", (b"/bin/true", [b"true", "x"], None)) == "true x"
