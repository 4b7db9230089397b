"""A pig: two classes share what they have in common; the manifest names the one to load."""

from __future__ import annotations

from pluginkit import hookimpl


class FarmAnimal:
    """An animal that says one word; hooks are inherited like any other method."""

    word = ""

    @hookimpl
    def speak(self, is_loud: bool) -> str:
        """The animal's word."""
        return f"{self.word.upper()}!" if is_loud else self.word


class Pig(FarmAnimal):
    """The only animal of this farm."""

    word = "Oink"
