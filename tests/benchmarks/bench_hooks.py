"""What a hook call costs: through a `Host`, through `PluginManager`, on pluggy, and as a loop by hand."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from timeit import Timer
from typing import Any

import pluggy
from harness import Row, Subject, compare, report

from pluginkit import Host, hookimpl, hookspec
from pluginkit.hooks import HookTable, PluginManager, Provider
from pluginkit.hooks.body import Form, body_text, callees_of
from pluginkit.hooks.compiling import function_of
from pluginkit.hooks.entry import Entry, Parameters

COUNTS = (1, 2, 5, 20, 100)
ON_311 = sys.version_info < (3, 12)
HOST_BUDGET = 0.2 if ON_311 else 0.16
MANAGER_BUDGET = 0.22 if ON_311 else 0.18
CALL = "hooks.ask(arg1=1, arg2=2, arg3=3)"


class Contract:
    @hookspec
    def ask(self, arg1: int, arg2: int, arg3: int) -> int:
        raise NotImplementedError

    @hookspec(firstresult=True)
    def first(self, arg1: int, arg2: int, arg3: int) -> int:
        raise NotImplementedError


class Plugin:
    @hookimpl
    def ask(self, arg1: int, arg2: int, arg3: int) -> int:
        return arg1

    @hookimpl
    def first(self, arg1: int, arg2: int, arg3: int) -> int | None:
        return arg1


class Silent:
    @hookimpl
    def first(self, arg1: int, arg2: int, arg3: int) -> None:
        return None


class Wrapper:
    @hookimpl(wrapper=True)
    def ask(self) -> Any:
        return (yield)


class Loop:
    """What a program without a plugin framework would write."""

    def __init__(self, plugins: Sequence[Any]) -> None:
        self.asked = [plugin.ask for plugin in plugins]

    def relay(self) -> Any:
        asked = self.asked

        def ask(*, arg1: int, arg2: int, arg3: int) -> list[int]:
            results = []
            for one in asked:
                result = one(arg1, arg2, arg3)
                if result is not None:
                    results.append(result)
            return results

        holder = type("Relay", (), {})()
        holder.ask = ask
        return holder


def timer(hooks: Any, call: str = CALL) -> Timer:
    return Timer(call, globals={"hooks": hooks})


def on_host(plugins: Sequence[Any], *, timing: bool = False) -> Any:
    with tempfile.TemporaryDirectory() as directory:
        host = Host(contracts={"contract": Contract}, entry_point_group=None, state_dir=directory)
        for number, plugin in enumerate(plugins):
            host.register(plugin, name=f"plugin{number:04}")
        host.timing = timing
    return host.hook


def on_manager(manager: Any, plugins: Sequence[Any]) -> Any:
    manager.add_hookspecs(Contract)
    for number, plugin in enumerate(plugins):
        manager.register(plugin, name=f"plugin{number:04}")
    return manager.hook


def on_pluggy(plugins: Sequence[Any]) -> Any:
    return on_manager(pluggy.PluginManager("pluginkit"), plugins)


def on_ours(plugins: Sequence[Any]) -> Any:
    return on_manager(PluginManager("pluginkit"), plugins)


def without_isolation(plugins: Sequence[Any]) -> Any:
    """The same generated call with no `try` in it, which no host gets."""
    table = HookTable()
    table.add_contract(Contract, name="contract")
    table.commit(table.stage(add=[Provider(f"plugin{n:04}", plugin) for n, plugin in enumerate(plugins)]))
    implementations = table.hook.ask.implementations()
    names = ("arg1", "arg2", "arg3")
    form = Form("ask", dict(zip(names, names, strict=True)), errors="none")
    callees = callees_of(implementations, lambda _: "plain", names)
    functions = {c.label: i.function for c, i in zip(callees, implementations, strict=True)}
    body = function_of(body_text(form, callees), functions, "ask")
    vars(table.hook)["ask"] = Entry("ask", Parameters(names), body, body).function
    return table.hook


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def plain_rows() -> list[Row]:
    rows = []
    for count in COUNTS:
        plugins = [Plugin() for _ in range(count)]
        host, manager, loop, theirs = (
            on_host(plugins),
            on_ours(plugins),
            Loop(plugins).relay(),
            on_pluggy(plugins),
        )
        what = plural(count, "implementation")
        rows += [
            compare(
                f"`Host`, {what}",
                ours=timer(host),
                peer=timer(theirs),
                peer_name="pluggy",
                budget=HOST_BUDGET,
            ),
            compare(f"`Host`, {what}", ours=timer(host), peer=timer(loop), peer_name="a loop", budget=1.15),
            compare(
                f"`PluginManager`, {what}",
                ours=timer(manager),
                peer=timer(theirs),
                peer_name="pluggy",
                budget=MANAGER_BUDGET,
            ),
            compare(
                f"`PluginManager`, {what}",
                ours=timer(manager),
                peer=timer(loop),
                peer_name="a loop",
                budget=1.4,
            ),
        ]
    return rows


def other_rows() -> list[Row]:
    none: list[Any] = []
    five = [Plugin() for _ in range(5)]
    rows = [
        against_pluggy("`Host`, no implementation", on_host(none), none),
        against_pluggy("`PluginManager`, no implementation", on_ours(none), none),
    ]
    for count, wrappers, budget in ((1, 1, 0.5), (5, 1, 0.5), (5, 5, None)):
        plugins = [*(Plugin() for _ in range(count)), *(Wrapper() for _ in range(wrappers))]
        what = f"{plural(count, 'implementation')}, {plural(wrappers, 'wrapper')}"
        rows += [
            against_pluggy(f"`Host`, {what}", on_host(plugins), plugins, budget=budget),
            against_pluggy(f"`PluginManager`, {what}", on_ours(plugins), plugins, budget=budget),
        ]
    first = [*(Silent() for _ in range(4)), Plugin()]
    call = CALL.replace("ask", "first")
    rows += [
        against_pluggy("`Host`, first result of the 1st of 5", on_host(five), five, call),
        against_pluggy("`Host`, first result of the 5th of 5", on_host(first), first[::-1], call),
    ]
    return rows


def against_pluggy(
    what: str, ours: Any, plugins: Sequence[Any], call: str = CALL, *, budget: float | None = None
) -> Row:
    peer = timer(on_pluggy(plugins), call)
    return compare(what, ours=timer(ours, call), peer=peer, peer_name="pluggy", budget=budget)


def option_rows() -> list[Row]:
    """What options cost, beside the same call without them."""
    rows = []
    for count in (1, 5, 100):
        plugins = [Plugin() for _ in range(count)]
        plain, bare = on_host(plugins), timer(without_isolation(plugins))
        what = plural(count, "implementation")
        timed = on_host(plugins, timing=True)
        rows += [
            compare(
                f"isolation and attribution of errors, {what}",
                ours=timer(plain),
                peer=bare,
                peer_name="without",
                budget=1.1,
                rounds=41,
            ),
            compare(f"counting and timing, {what}", ours=timer(timed), peer=timer(plain), peer_name="off"),
            compare(
                f"`attributed`, {what}",
                ours=timer(plain, CALL.replace("ask", "ask.attributed")),
                peer=timer(plain),
                peer_name="plain",
            ),
        ]
    return rows


def registration_row(what: str, ours: Subject, peer: Subject) -> Row:
    return compare(what, ours=ours, peer=peer, peer_name="pluggy", budget=1.2, rounds=11, number=1)


def registration_rows() -> list[Row]:
    """A thousand plugins with ten hooks each, one after the other."""
    specs, plugins = many_hooks(10), [with_hooks(10) for _ in range(1000)]

    def register(make: Any) -> Any:
        def run() -> None:
            manager = make("pluginkit")
            manager.add_hookspecs(specs)
            for number, plugin in enumerate(plugins):
                manager.register(plugin, name=f"plugin{number}")

        return run

    def stage() -> None:
        table = HookTable()
        table.add_contract(specs, name="contract")
        for number, plugin in enumerate(plugins):
            table.commit(table.stage(add=[Provider(f"plugin{number}", plugin)]))

    theirs = register(pluggy.PluginManager)
    return [
        registration_row("`PluginManager`, 1,000 plugins with 10 hooks", register(PluginManager), theirs),
        registration_row("`HookTable`, 1,000 plugins with 10 hooks", stage, theirs),
    ]


def many_hooks(count: int) -> Any:
    lines = [f"    @mark\n    def hook{n}(self, arg1, arg2): ...\n" for n in range(count)]
    return defined("Many", lines, hookspec)


def with_hooks(count: int) -> Any:
    lines = [f"    @mark\n    def hook{n}(self, arg1, arg2): return arg1\n" for n in range(count)]
    return defined("Many", lines, hookimpl)()


def defined(name: str, lines: list[str], mark: Any) -> Any:
    namespace: dict[str, Any] = {"mark": mark}
    exec("".join([f"class {name}:\n", *lines]), namespace)
    return namespace[name]


def main() -> None:
    report(
        "hooks",
        "Hook calls",
        [*plain_rows(), *other_rows()],
        note="Three keyword arguments, implementations that return at once; the loop is the fastest we can write.",
    )
    report("hook-options", "Hook calls: what options cost", option_rows())
    report("hook-registration", "Hook registration", registration_rows())


if __name__ == "__main__":
    main()
