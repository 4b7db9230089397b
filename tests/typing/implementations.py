"""Implementations held to a contract. `# error` marks what a type checker must refuse."""

from __future__ import annotations

from collections.abc import Generator

from pluginkit import hookimpl, hookspec
from pluginkit.markers import implements


class Animal:
    @hookspec
    def speak(self, is_loud: bool) -> str:
        raise NotImplementedError

    @hookspec(firstresult=True)
    def name_of(self, nickname: str) -> str:
        raise NotImplementedError

    @hookspec
    async def fetch(self, url: str) -> bytes:
        raise NotImplementedError


class Cat:
    @implements(Animal.speak)
    def speak(self, is_loud: bool) -> str:
        return "MEOW!" if is_loud else "Meow"

    @implements(Animal.name_of, tryfirst=True)
    def find_name(self, nickname: str) -> str | None:
        return None

    @implements(Animal.fetch)
    async def fetch(self, url: str) -> bytes:
        return b""


class Wrapping:
    @implements(Animal.speak, wrapper=True)
    def speak(self, is_loud: bool) -> Generator[None, list[str], list[str]]:
        answers = yield
        return [answer.upper() for answer in answers]

    @implements(Animal.name_of, wrapper=True)
    def name_of(self, nickname: str) -> Generator[None, str | None, str | None]:
        return (yield)


class Plain:
    @hookimpl
    def speak(self, is_loud: bool) -> str:
        return "…"


class AsyncAnyway:
    @implements(Animal.speak)
    async def speak(self, is_loud: bool) -> str:
        return "…"


class Misspelt:
    @implements(Animal.speak)  # error: a misspelt argument
    def speak(self, is_lout: bool) -> str:
        return "…"


class WrongArgument:
    @implements(Animal.speak)  # error: a wrong type
    def speak(self, is_loud: str) -> str:
        return "…"


class WrongAnswer:
    @implements(Animal.speak)  # error: a wrong return
    def speak(self, is_loud: bool) -> int:
        return 1


class FewerArguments:
    @implements(Animal.speak)  # error: allowed when called, but here it is taken literally
    def speak(self) -> str:
        return "…"


class WrongAsyncAnswer:
    @implements(Animal.fetch)  # error: a wrong return
    async def fetch(self, url: str) -> str:
        return ""


class WrongWrapper:
    @implements(Animal.speak, wrapper=True)  # error: the results are a list
    def speak(self, is_loud: bool) -> Generator[None, str, str]:
        return (yield)


class NoSuchHook:
    @implements(Animal.speek)  # error: a misspelt hook
    def speak(self, is_loud: bool) -> str:
        return "…"


class NotEvenAHook:
    @implements(Plain.speak)  # error: no hookspec
    def speak(self, is_loud: bool) -> str:
        return "…"


class WrongOption:
    @hookimpl(try_first=True)  # error: a misspelt option
    def speak(self, is_loud: bool) -> str:
        return "…"
