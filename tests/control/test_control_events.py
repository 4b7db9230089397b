"""The stream of events: nothing is lost unsaid, nobody waits for a client, and whoever leaves is gone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pluginkit import Host
from pluginkit.control.client import ControlClient
from pluginkit.control.following import Follower
from pluginkit.control.protocol import RemoteUsageError
from pluginkit.errors import UnknownName
from pluginkit.events import EventBus
from pluginkit.testing import write_plugin
from tests.control.conftest import the_running


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_events_come_in_order_with_what_they_say(host: Host, client: ControlClient) -> None:
    news = client.follow()
    host.reload("cat", force=True)
    host.unload("cat")
    first = next(news)["event"]
    assert (first["kind"], first["plugin"], first["data"]["version"]) == ("reloaded", "cat", "1.0.0")
    assert isinstance(first["time"], float)
    assert [next(news)["event"]["kind"] for _ in range(2)] == ["stopped", "unloaded"]


def test_only_what_was_asked_for_comes(host: Host, client: ControlClient, plugins: Path) -> None:
    write_plugin(plugins, "dog", "", type="pluggy")
    news = client.follow(kinds=["loaded", "unloaded"], plugin="dog")
    host.reload("cat", force=True)
    host.load("dog")
    host.unload("cat")
    host.unload("dog")
    seen = [next(news)["event"] for _ in range(2)]
    assert [(event["kind"], event["plugin"]) for event in seen] == [("loaded", "dog"), ("unloaded", "dog")]


def test_a_kind_that_does_not_exist_is_told_with_the_nearest(client: ControlClient) -> None:
    with pytest.raises(RemoteUsageError, match="did you mean 'reloaded'") as raised:
        client.follow(kinds=["reloded"])
    assert raised.value.nearest == "reloaded"
    assert client.ask("ping")


def test_the_stream_ends_with_the_host(host: Host, client: ControlClient) -> None:
    news = client.follow(kinds=["loaded"])
    host.close()
    assert list(news) == []


def test_lh14_the_unloads_of_the_end_are_told_too(host: Host, client: ControlClient) -> None:
    news = client.follow(kinds=["unloaded"])
    host.close()
    assert [one["event"]["plugin"] for one in news] == ["cat"]


def test_lh14_what_was_kept_is_told_before_the_stream_ends(pair: tuple[socket.socket, socket.socket]) -> None:
    bus = EventBus()
    with Follower(bus) as follower:
        bus.publish("loaded", "cat")
        pair[0].shutdown(socket.SHUT_RD)  # as a host does that is closed
        lines = follower.wait(pair[0])
        assert lines is not None
        assert [line["event"]["kind"] for line in lines] == ["loaded"]
        assert follower.wait(pair[0]) is None


def test_who_leaves_is_gone_from_the_hosts_events(host: Host) -> None:
    with ControlClient(the_running()) as client:
        client.follow()
        (thread,) = [t for t in threading.enumerate() if t.name == "pluginkit-control-client"]
        assert len(host.events._subscriptions) == 1
    thread.join(60)
    assert host.events._subscriptions == ()


def test_a_client_may_call_back_from_an_event_without_a_deadlock(host: Host, client: ControlClient) -> None:
    news = client.follow(kinds=["unloaded"])
    with ControlClient(the_running()) as other:
        other.ask("unload", name="cat")
        assert next(news)["event"]["plugin"] == "cat"
        assert other.ask("load", name="cat")["plugin"]["state"] == "running"


def test_what_does_not_fit_is_counted_and_told(pair: tuple[socket.socket, socket.socket]) -> None:
    bus = EventBus()
    with Follower(bus, queued=3) as follower:
        for number in range(5):
            bus.publish("loaded", "cat", number=number)
        lines = follower.wait(pair[0])
        assert lines is not None
        assert [line["event"]["data"]["number"] for line in lines[:-1]] == [0, 1, 2]
        assert lines[-1] == {"lost": 2}
        bus.publish("loaded", "cat", number=5)
        assert [line["event"]["data"]["number"] for line in follower.wait(pair[0]) or ()] == [5]


@pytest.mark.parametrize("says", [b"", b"anything"])
def test_whoever_leaves_or_speaks_ends_its_stream(
    pair: tuple[socket.socket, socket.socket], says: bytes
) -> None:
    bus = EventBus()
    with Follower(bus) as follower:
        if says:
            pair[1].sendall(says)
        else:
            pair[1].close()
        assert follower.wait(pair[0]) is None
    bus.publish("loaded", "cat")  # nobody hears it, and nothing breaks


def test_a_follower_that_cannot_subscribe_leaves_no_descriptor() -> None:
    follower = Follower(EventBus(), kinds=["nothing"])
    with pytest.raises(UnknownName):
        follower.__enter__()
    with pytest.raises(OSError, match="descriptor"):
        socket.socket(fileno=follower._woken)


def test_events_of_many_threads_all_arrive(host: Host, client: ControlClient) -> None:
    news = client.follow(kinds=["loaded"])
    threads = [
        threading.Thread(
            target=lambda n=n: [host.events.publish("loaded", "cat", thread=n, i=i) for i in range(50)]
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    got: dict[int, list[int]] = {}
    for _ in range(400):
        data = next(news)["event"]["data"]
        got.setdefault(data["thread"], []).append(data["i"])
    for thread in threads:
        thread.join()
    assert got == {n: list(range(50)) for n in range(8)}


def test_what_an_event_holds_that_json_does_not_know_is_given_by_its_repr(
    host: Host, client: ControlClient, make_host: Callable[..., Host]
) -> None:
    news = client.follow()
    host.events.publish("loaded", "cat", thing=object, path=Path("/x"))
    assert next(news)["event"]["data"] == {"thing": "<class 'object'>", "path": "/x"}
