"""Names of plugins in a `PluginManager`: pluggy's rules, in the code that is ours."""

from __future__ import annotations

from typing import Any

import pytest

from pluginkit.hooks import PluginManager
from pluginkit.markers import HookimplMarker, HookspecMarker

hookspec, hookimpl = HookspecMarker("zoo"), HookimplMarker("zoo")


class Specs:
    @hookspec(historic=True)
    def seen(self, what: str) -> str:
        """Remembered."""


class Plugin:
    @hookimpl
    def seen(self, what: str) -> str:
        return what.upper()


@pytest.fixture
def manager() -> Any:
    made = PluginManager("zoo")
    made.add_hookspecs(Specs)
    return made


def test_lh05_the_room_gives_the_manager_and_nothing_unknown() -> None:
    from pluginkit import hooks

    assert hooks.PluginManager is PluginManager
    with pytest.raises(AttributeError, match="has no attribute 'PluginManger'"):
        _ = hooks.PluginManger


def test_lh13_none_is_no_plugin(manager: Any) -> None:
    assert manager.register(None) is None
    assert manager.get_plugins() == set()


def test_lh13_a_blocked_name_is_not_registered(manager: Any) -> None:
    manager.set_blocked("plugin")
    assert manager.register(Plugin(), "plugin") is None
    assert manager.unblock("plugin")
    assert manager.register(Plugin(), "plugin") == "plugin"


def test_lh13_names_and_plugins_are_registered_once(manager: Any) -> None:
    plugin = Plugin()
    manager.register(plugin, "plugin")
    with pytest.raises(ValueError, match="Plugin name already registered: plugin="):
        manager.register(Plugin(), "plugin")
    with pytest.raises(ValueError, match="Plugin already registered under a different name: other="):
        manager.register(plugin, "other")


def test_lh05_what_has_no_hookspecs_is_refused(manager: Any) -> None:
    with pytest.raises(ValueError, match="did not find any 'zoo' hooks in"):
        manager.add_hookspecs(Plugin)
    with pytest.raises(ValueError, match="Hook 'seen' is already registered within namespace"):
        manager.add_hookspecs(Specs)


def test_lh05_a_result_callback_hears_now_and_later(manager: Any) -> None:
    results: list[str] = []
    manager.register(Plugin(), "early")
    manager.hook.seen.call_historic(results.append, {"what": "mouse"})
    manager.register(Plugin(), "late")
    assert results == ["MOUSE", "MOUSE"]


def test_lh13_removing_what_is_not_there_is_an_error(manager: Any) -> None:
    stranger = Plugin()
    with pytest.raises(ValueError, match="not found"):
        manager.hook.seen._remove_plugin(stranger)


def test_lh05_a_spec_added_while_history_is_replayed_holds_for_the_rest() -> None:
    manager: Any = PluginManager("zoo")
    manager.add_hookspecs(Specs)
    manager.hook.seen.call_historic(kwargs={"what": "mouse"})

    class Late:
        @hookspec
        def zzz(self, what: str) -> str:
            """Added in the middle of a registration."""

    class Adding:
        @hookimpl
        def seen(self) -> None:
            manager.add_hookspecs(Late)

        @hookimpl
        def zzz(self, unknown: str) -> None: ...

    with pytest.raises(Exception, match="unknown"):
        manager.register(Adding())
