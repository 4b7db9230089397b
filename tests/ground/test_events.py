"""Events reach who subscribed, whatever the callbacks do."""

from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from functools import partial

import pytest

from pluginkit.errors import UnknownName
from pluginkit.events import EVENT_KINDS, Event, EventBus


def test_lh14_a_subscriber_gets_kind_plugin_data_and_time() -> None:
    bus, seen = EventBus(), list[Event]()
    bus.subscribe(seen.append)
    before = time.time()
    published = bus.publish("loaded", "cat", generation=2)
    assert seen == [published]
    assert (published.kind, published.plugin, dict(published.data)) == ("loaded", "cat", {"generation": 2})
    assert before <= published.time <= time.time()
    with pytest.raises(TypeError):
        published.data["generation"] = 3  # type: ignore[index]  # that it cannot be set is what is tested


def test_lh14_a_subscriber_gets_only_what_it_asked_for() -> None:
    bus = EventBus()
    got: dict[str, list[str]] = {"all": [], "kinds": [], "plugin": [], "both": [], "one": []}
    bus.subscribe(lambda event: got["all"].append(f"{event.kind} {event.plugin}"))
    bus.subscribe(
        lambda event: got["kinds"].append(f"{event.kind} {event.plugin}"), kinds=["loaded", "failed"]
    )
    bus.subscribe(lambda event: got["plugin"].append(f"{event.kind} {event.plugin}"), plugin="cat")
    bus.subscribe(
        lambda event: got["both"].append(f"{event.kind} {event.plugin}"), kinds={"failed"}, plugin="cat"
    )
    bus.subscribe(lambda event: got["one"].append(f"{event.kind} {event.plugin}"), kinds="started")
    for kind, plugin in [
        ("loaded", "cat"),
        ("loaded", "dog"),
        ("started", "cat"),
        ("failed", "cat"),
        ("failed", None),
    ]:
        bus.publish(kind, plugin)
    assert got == {
        "all": ["loaded cat", "loaded dog", "started cat", "failed cat", "failed None"],
        "kinds": ["loaded cat", "loaded dog", "failed cat", "failed None"],
        "plugin": ["loaded cat", "started cat", "failed cat"],
        "both": ["failed cat"],
        "one": ["started cat"],
    }


def test_lh14_callbacks_are_called_in_the_order_of_their_subscription() -> None:
    bus, order = EventBus(), list[int]()
    for number in range(20):
        bus.subscribe(partial(lambda number, _: order.append(number), number))
    bus.publish("loaded")
    assert order == list(range(20))


def test_lh14_an_unknown_kind_is_an_error_that_names_the_nearest() -> None:
    bus = EventBus()
    with pytest.raises(UnknownName, match="did you mean 'loaded'"):
        bus.publish("laoded")
    with pytest.raises(UnknownName, match="did you mean 'crashed'"):
        bus.subscribe(print, kinds=["crash"])
    assert {
        "discovered",
        "loaded",
        "started",
        "stopped",
        "reloaded",
        "unloaded",
        "failed",
        "crashed",
    } <= EVENT_KINDS


def test_lh14_a_cancelled_subscription_is_silent() -> None:
    bus, seen = EventBus(), list[Event]()
    subscription = bus.subscribe(seen.append)
    subscription.cancel()
    subscription.cancel()
    with bus.subscribe(seen.append) as within:
        bus.publish("loaded", "inside")
    bus.publish("loaded", "outside")
    assert [event.plugin for event in seen] == ["inside"]
    assert not within.is_active


def test_lh14_a_callback_may_publish_subscribe_and_cancel() -> None:
    bus, order = EventBus(), list[str]()

    def first(event: Event) -> None:
        order.append(f"first {event.kind}")
        if event.kind == "loaded":
            bus.subscribe(lambda later: order.append(f"added {later.kind}"))
            last.cancel()
            bus.publish("started")

    bus.subscribe(first)
    last = bus.subscribe(lambda event: order.append(f"last {event.kind}"))
    bus.publish("loaded")
    # The one that was cancelled gets nothing more; the added one only what is published after it.
    assert order == ["first loaded", "first started", "added started"]


def test_lh14_what_a_callback_raises_is_logged_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Rude(BaseException):
        """What no `except Exception` catches."""

    bus, seen = EventBus(), list[Event]()

    def broken(event: Event) -> None:
        raise [ValueError("no"), SystemExit(3), Rude("really")][len(seen)]

    bus.subscribe(broken)
    bus.subscribe(seen.append)
    with caplog.at_level(logging.ERROR, logger="pluginkit"):
        for plugin in ("cat", "dog", None):
            bus.publish("failed", plugin)
    assert len(seen) == 3
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [
        ValueError,
        SystemExit,
        Rude,
    ]
    assert "failed of cat" in caplog.records[0].getMessage()
    assert "failed of the host" in caplog.records[2].getMessage()


def test_lh07_ctrl_c_in_a_callback_reaches_the_publisher() -> None:
    bus = EventBus()

    def interrupted(event: Event) -> None:
        raise KeyboardInterrupt

    bus.subscribe(interrupted)
    with pytest.raises(KeyboardInterrupt):
        bus.publish("loaded")


def test_lh14_a_cancelled_callback_can_be_collected() -> None:
    class Listener:
        def heard(self, event: Event) -> None: ...

    bus, listener = EventBus(), Listener()
    subscription = bus.subscribe(listener.heard)
    gone = weakref.ref(listener)
    subscription.cancel()
    del subscription, listener
    gc.collect()
    assert gone() is None


def test_lh14_threads_may_subscribe_cancel_and_publish_at_once() -> None:
    bus, counts = EventBus(), [0] * 4
    begin = threading.Barrier(8)

    def subscribe_and_cancel() -> None:
        begin.wait()
        for _ in range(500):
            bus.subscribe(lambda _: None).cancel()

    def publish(number: int) -> None:
        def count(_: Event) -> None:
            counts[number] += 1

        with bus.subscribe(count, plugin=str(number)):
            begin.wait()
            for _ in range(500):
                bus.publish("loaded", str(number))

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(4)]
    threads += [threading.Thread(target=subscribe_and_cancel) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [500] * 4
    seen: list[Event] = []
    with bus.subscribe(seen.append):
        bus.publish("loaded")
    assert len(seen) == 1
