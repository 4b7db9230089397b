"""WR11: what the back-end does when the system refuses; the real refusals are in test_watch_backends.py."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pluginkit.watch import observing
from pluginkit.watch.changes import Change
from pluginkit.watch.observing import Observing
from pluginkit.watch.places import Place
from tests.watch.conftest import until


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(str(tmp_path), recursive=True)


def refusing(error: OSError, *, times: int, of: Callable[..., Any]) -> Callable[..., Any]:
    """`of`, but for the first `times` calls."""
    left = [error] * times

    def call(*args: Any, **kwargs: Any) -> Any:
        if left:
            raise left.pop()
        return of(*args, **kwargs)

    return call


def sees(place: Place, seen: list[Change]) -> bool:
    (Path(place.path) / "file.py").write_text("x", "utf-8")
    until(lambda: seen, "the change")
    return seen[0].path.endswith("file.py")


def test_wr11_a_native_back_end_that_cannot_start_is_replaced_by_polling(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refused = OSError(errno.EMFILE, "inotify instance limit reached")
    monkeypatch.setattr(observing, "_make_observer", refusing(refused, times=1, of=observing._make_observer))
    seen: list[Change] = []
    one = Observing(seen.append, polling=False)
    one.start([place])
    assert (one.backend, one.is_polling) == ("polling", True)
    assert one.trouble == "inotify instance limit reached; files are polled every 1 s instead"
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "sysctl fs.inotify.max_user_instances" in warning
    assert sees(place, seen)
    one.stop(5)


def test_wr11_watches_that_run_out_later_are_replaced_by_polling_once(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Change] = []
    one = Observing(seen.append, polling=False)
    one.start([place])
    monkeypatch.setattr(observing, "_has_run_out", lambda: True)
    assert one.follow([place])
    assert one.is_polling
    assert not one.follow([place])
    assert len(caplog.records) == 1
    assert sees(place, seen)
    one.stop(5)


def test_wr11_a_new_place_that_is_refused_leads_to_polling_of_all(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    one = Observing(lambda _: None, polling=False)
    one.start([place])
    refused = OSError(errno.ENOSPC, "inotify watch limit reached")
    monkeypatch.setattr(one, "_schedule", refusing(refused, times=1, of=one._schedule))
    assert one.follow([place, Place(str(inner))])
    assert one.is_polling
    assert {found.path for found in one.places} == {place.path, str(inner)}
    monkeypatch.setattr(one, "_schedule", refusing(refused, times=1, of=one._schedule))
    with pytest.raises(OSError, match="watch limit"):
        one.follow([Place(str(inner), names=frozenset(["x"]))])
    one.stop(5)


def test_wr11_if_nothing_can_watch_the_error_is_for_the_caller(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = OSError(errno.EIO, "input/output error")
    monkeypatch.setattr(observing, "_make_observer", refusing(refused, times=2, of=observing._make_observer))
    one = Observing(lambda _: None, polling=False)
    with pytest.raises(OSError, match="input/output"):
        one.start([place])
    assert one.places == ()
    one.stop(5)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSPC])
def test_wr11_the_advice_names_the_limit(number: int) -> None:
    assert "sysctl fs.inotify." in observing._advice(OSError(number, "x"))
    assert observing._advice(OSError(errno.EIO, "x")) == ""


def test_wr11_whether_the_system_has_watches_left_is_tried() -> None:
    assert observing._has_run_out() is False
    assert observing._identity("/no/such/place") == (0, 0)
