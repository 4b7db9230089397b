"""Calls of hooks through a contract. `# error` marks the lines that a type checker must refuse."""

from __future__ import annotations

from typing import Any, assert_type

from pluginkit import Host, hookspec
from pluginkit.hooks import Outcome


def use(*values: object) -> None: ...


class Animal:
    @hookspec
    def speak(self, is_loud: bool, times: int = 1) -> str:
        raise NotImplementedError

    @hookspec(firstresult=True)
    def name_of(self, nickname: str) -> str:
        raise NotImplementedError

    @hookspec(required=False)
    async def fetch(self, url: str) -> bytes:
        raise NotImplementedError

    @hookspec(historic=True)
    def noticed(self, what: str) -> int:
        raise NotImplementedError


def right(host: Host) -> None:
    animal = host.hooks(Animal)
    assert_type(animal.speak(is_loud=True), list[str])
    assert_type(animal.speak(is_loud=True, times=2), list[str])
    assert_type(animal.name_of(nickname="Tom"), str | None)
    assert_type(animal.speak.using(errors="group", timeout=2.0)(is_loud=True), list[str])
    assert_type(animal.speak.attributed(is_loud=True), tuple[Outcome[str], ...])
    assert_type(animal.speak.only("cat")(is_loud=True), str | None)
    animal.noticed.call_historic(lambda count: assert_type(count, int), {"what": "a mouse"})


async def right_async(host: Host) -> None:
    assert_type(await host.hooks(Animal).fetch.awaited(url="a"), list[bytes])
    assert_type(await host.hooks(Animal).fetch.using(timeout=1.0).awaited(url="a"), list[bytes])
    assert_type(await host.hooks(Animal).name_of.awaited(nickname="a"), str | None)


def wrong(host: Host) -> None:
    animal = host.hooks(Animal)
    animal.speak(is_lout=True)  # error: a misspelt argument
    animal.speak(is_loud="yes")  # error: a wrong type
    animal.speak()  # error: a missing argument
    animal.speek(is_loud=True)  # error: a misspelt hook
    count: list[int] = animal.speak(is_loud=True)  # error: a wrong use of the answers
    name: str = animal.name_of(nickname="Tom")  # error: there may be none
    animal.speak.using(errors="ignore")(is_loud=True)  # error: no such policy
    animal.speak.using(timeout="2s")(is_loud=True)  # error: seconds are a number
    animal.speak.using(errors="raise")(is_loud=1.5)  # error: a wrong type
    animal.speak.attributed(is_lout=True)  # error: a misspelt argument
    animal.speak.only("cat")(times=2)  # error: a missing argument
    animal.noticed.call_historic(lambda text: text.upper())  # error: the answers are numbers
    use(count, name)


async def wrong_async(host: Host) -> None:
    animal = host.hooks(Animal)
    await animal.fetch.awaited(uri="a")  # error: a misspelt argument
    texts: list[str] = await animal.fetch.awaited(url="a")  # error: they are bytes
    use(texts)


def through_the_relay(host: Host) -> None:
    # Without a contract nothing is known, as with pluggy.
    assert_type(host.hook.speak(whatever=1), Any)
