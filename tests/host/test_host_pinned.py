"""`host.pinned()`: one version of everything for a block, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

SAYS = """
from pluginkit import hookimpl
class Cat:
    @hookimpl
    def speak(self, is_loud): return "{word}"
    def on_stop(self): self.note("stop {word}")
    def note(self, text):
        import builtins
        builtins.pk_journal.append(text)
"""


def write(zoo: Any, name: str, word: str) -> None:
    (zoo.plugins / name / f"{name}.py").write_text(SAYS.format(word=word))


def ended() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("pluginkit-retire-"):
            thread._started.wait(30)  # type: ignore[attr-defined]  # listed while it is being started: not to be joined yet
            thread.join(30)


def test_a_pinned_block_stays_on_its_versions_and_others_do_not(journal: Any, zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="1"))
    host = zoo.started()
    speak = host.hook.speak
    elsewhere: list[Any] = []
    with host.pinned():
        for word in ("2", "3"):
            write(zoo, "cat", word)
            assert host.reload("cat", timeout=5.0).ok
            thread = threading.Thread(target=lambda: elsewhere.append(speak(is_loud=True)))
            thread.start()
            thread.join(30)
        assert speak(is_loud=True) == ["1"]
        assert [one.result for one in speak.attributed(is_loud=True)] == ["1"]
        assert speak.using(timeout=30)(is_loud=True) == ["1"]
        assert host.plugins["cat"].call("speak", is_loud=True) == "1"
        # The second version has been used by others only, so it is gone; the first is pinned.
        assert journal() == ["stop 2"]
    assert elsewhere == [["2"], ["3"]]
    assert speak(is_loud=True) == ["3"]
    ended()
    assert journal() == ["stop 2", "stop 1"]


def test_a_pin_that_sees_no_change_costs_nothing_and_leaves_nothing(journal: Any, zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="1"))
    host = zoo.started()
    before = host.hook.speak.__globals__["body"]
    with host.pinned(), host.pinned():
        assert host.hook.speak(is_loud=True) == ["1"]
    host.hook.speak(is_loud=True)
    after = host.hook.speak.__globals__["body"]
    assert type(after).__name__ == "function"
    assert after is before or type(before).__name__ == "partial"
    with host.pinned():
        write(zoo, "cat", "2")
        host.reload("cat")
        assert type(host.hook.speak.__globals__["body"]).__name__ == "Pinned"
    host.hook.speak(is_loud=True)
    assert type(host.hook.speak.__globals__["body"]).__name__ == "function"


def test_pins_end_in_any_order_and_the_outermost_counts(journal: Any, zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="1"))
    host = zoo.started()
    said: list[Any] = []
    with host.pinned():
        write(zoo, "cat", "2")
        host.reload("cat")
        context = contextvars.copy_context()
        with host.pinned():
            said.append(host.hook.speak(is_loud=True))
        said.append(host.hook.speak(is_loud=True))
    # A context that outlives the block has nothing pinned any more.
    said.append(context.run(host.hook.speak, is_loud=True))
    assert said == [["1"], ["1"], ["2"]]


def test_tasks_of_the_block_share_its_pin_and_unloading_waits_for_its_end(journal: Any, zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="1"))
    zoo.speaker("dog")
    host = zoo.started()

    async def ask() -> Any:
        await asyncio.sleep(0)
        return await host.hook.speak.awaited(is_loud=True)

    async def main() -> Any:
        with host.pinned():
            task = asyncio.create_task(ask())
            host.unload("dog")
            return await task

    assert asyncio.run(main()) == ["1", "MEOW!"]
    assert host.hook.speak(is_loud=True) == ["1"]
    ended()


def test_two_hosts_are_pinned_apart(journal: Any, zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="1"))
    one, two = zoo.started(), zoo.started()
    with one.pinned():
        write(zoo, "cat", "2")
        assert one.reload("cat").ok
        assert two.reload("cat").ok
        assert (one.hook.speak(is_loud=True), two.hook.speak(is_loud=True)) == (["1"], ["2"])
    ended()


def test_a_gate_waits_for_pins_and_a_pin_for_the_gate(journal: Any, zoo: Any) -> None:
    zoo.add("cat", SAYS.format(word="1"), plugin={"reload": "gated"})
    host = zoo.started()
    write(zoo, "cat", "2")
    pinned, go = threading.Event(), threading.Event()
    said: list[Any] = []

    def hold() -> None:
        with host.pinned():
            pinned.set()
            go.wait(30)
            said.append(host.hook.speak(is_loud=True))

    holding = threading.Thread(target=hold)
    holding.start()
    assert pinned.wait(30)
    assert host.reload("cat", timeout=0.05).failure.step == "drain"
    reports: list[Any] = []
    reloading = threading.Thread(target=lambda: reports.append(host.reload("cat", timeout=30)))
    reloading.start()
    go.set()
    holding.join(30)
    reloading.join(30)
    assert said == [["1"]]
    assert reports[0].ok
    with host.pinned():
        assert host.hook.speak(is_loud=True) == ["2"]
