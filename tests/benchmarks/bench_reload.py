"""A reload after one edit, beside what people do instead: latency by size of the plugin, and what is kept.

Each driver has a package of its own, of the same modules (70 lines, eight functions and a class
each); before each turn one module of it is edited. IPython and jurigged patch running code and
reload only what has changed, which is another promise; they are shown when they are installed.
"""

from __future__ import annotations

import gc
import importlib
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from harness import Row, publish, report, seconds, table

from pluginkit import Host, hookspec

SIZES = {1: 2.0, 10: None, 100: 1.2, 1_000: 1.1}
ROUNDS = {1: 41, 10: 41, 100: 21, 1_000: 7}
KEPT_BUDGET = 1024
HEAD = "V = {version}\nimport os, sys, logging\nfrom functools import lru_cache\nlog = logging.getLogger(__name__)\n"
FUNCTION = '''
def f{number}(value, other=None, *, flag=False):
    """One of eight."""
    if flag:
        return [value, other, {number}]
    result = {{}}
    for index in range(value):
        result[index] = (index, other)
    return result
'''
CLASS = """
class C:
    size = 3
    def __init__(self, a):
        self.a = a
    def method(self):
        return self.a + V
"""
BODY = "".join(FUNCTION.format(number=number) for number in range(7)).replace("{{}}", "{}") + CLASS
HOOK = "from pluginkit import hookimpl\n@hookimpl\ndef ask(): return V\n"


class Specs:
    """The one hook."""

    @hookspec
    def ask(self) -> int:
        """The version."""
        raise NotImplementedError


class Package:
    """One package of `size` modules in a directory of its own."""

    def __init__(self, directory: Path, name: str, size: int) -> None:
        self.name, self.size = name, size
        self.directory = directory / name
        self.directory.mkdir(parents=True)
        self.modules = [f"m{number}" for number in range(size - 1)]
        self.version = 0
        for module in self.modules:
            self.write(module)
        self.write("__init__")

    def write(self, module: str) -> None:
        # Python's bytecode cache takes an edit of the same size within a second for none.
        text = HEAD.format(version=self.version) + BODY + "#" * (self.version % 97) + "\n"
        if module == "__init__":
            text += HOOK + "".join(f"from . import {name}\n" for name in self.modules)
        (self.directory / f"{module}.py").write_text(text)

    @property
    def edited(self) -> str:
        return self.modules[len(self.modules) // 2] if self.modules else "__init__"

    def edit(self) -> None:
        self.version += 1
        self.write(self.edited)

    def names(self) -> list[str]:
        return [f"{self.name}.{module}" for module in self.modules] + [self.name]


def ours(package: Package) -> tuple[Callable[[], object], Host]:
    manifest = f"plugin: {{name: {package.name}, type: pluggy, format: native, entrypoint: {package.name}, language: python, version: 1.0.0}}"
    (package.directory / "manifest.yaml").write_text(manifest)
    host = Host(hookspecs=[Specs], plugins_dir=package.directory.parent, entry_point_group=None)
    if not host.load().ok:
        sys.exit("the plugin does not load")
    host.start()

    def reload() -> None:
        result = host.reload(package.name)
        if not result.ok or result.is_unchanged:
            sys.exit(str(result))

    return reload, host


def purge_and_import(package: Package) -> Callable[[], object]:
    importlib.import_module(package.name)

    def turn() -> None:
        for name in package.names():
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        importlib.import_module(package.name)

    return turn


def reload_every_module(package: Package) -> Callable[[], object]:
    importlib.import_module(package.name)

    def turn() -> None:
        importlib.invalidate_caches()
        for name in package.names():
            importlib.reload(sys.modules[name])

    return turn


def ipython(package: Package) -> Callable[[], object] | None:
    try:
        from IPython.extensions.autoreload import ModuleReloader
    except ImportError:
        return None
    importlib.import_module(package.name)
    reloader: Any = ModuleReloader()
    reloader.check(check_all=True, do_reload=False)
    return lambda: reloader.check(check_all=True)


def jurigged(package: Package) -> Callable[[], object] | None:
    try:
        from jurigged import registry
    except ImportError:
        return None
    importlib.import_module(package.name)
    files = [str(sys.modules[name].__file__) for name in package.names()]
    for name, file in zip(package.names(), files, strict=True):
        registry.prepare(name, file)
    found: list[Any] = [registry.get(file) for file in files]

    def turn() -> None:
        for file in found:
            file.refresh()

    return turn


def latency(size: int, directory: Path) -> tuple[Row, list[str]]:
    packages = {
        name: Package(directory / name, f"bench_{name}{size}", size)
        for name in ("ours", "purge", "all", "ipython", "jurigged")
    }
    sys.path[:0] = [str(package.directory.parent) for name, package in packages.items() if name != "ours"]
    reload, host = ours(packages["ours"])
    drivers: dict[str, Callable[[], object] | None] = {
        "ours": reload,
        "purge": purge_and_import(packages["purge"]),
        "all": reload_every_module(packages["all"]),
        "ipython": ipython(packages["ipython"]),
        "jurigged": jurigged(packages["jurigged"]),
    }
    samples: dict[str, list[float]] = {name: [] for name, driver in drivers.items() if driver is not None}
    order = list(samples)
    for _ in range(ROUNDS[size] + 1):
        for name in order:
            packages[name].edit()
            gc.collect()
            began = time.perf_counter()
            driver = drivers[name]
            if driver is not None:
                driver()
            samples[name].append(time.perf_counter() - began)
        order.reverse()
    if host.hook.ask() != [packages["ours"].version] and not packages["ours"].modules:
        sys.exit("the old version serves")
    host.close()
    middle = {name: median(values[1:]) for name, values in samples.items()}
    ratio = median(a / b for a, b in zip(samples["ours"][1:], samples["purge"][1:], strict=True))
    row = Row(
        f"reload, {size:,} modules", middle["ours"], middle["purge"], "purge and import", ratio, SIZES[size]
    )
    shown = [f"{size:,}", *(seconds(middle[name]) if name in middle else "not installed" for name in drivers)]
    return row, shown


def kept(directory: Path) -> int:
    """Bytes that one more reload of a plugin of 10 modules leaves allocated, after a collection.

    What is allocated goes up and down with caches of Python's own; the lowest of each of several
    windows is what stays. A table of Python's own, such as that of interned strings, is made anew and
    larger once in a long while: what is kept by each reload grows in both of two stretches.
    Allocations have to be traced from the start of the process, so that the old table is counted, too.
    """
    package = Package(directory, "bench_kept", 10)
    reload, host = ours(package)

    def lowest(windows: int) -> int:
        seen = []
        for _ in range(windows):
            for _ in range(10):
                package.edit()
                reload()
            host._lifecycle.retiring.collector.collect()
            gc.collect()
            seen.append(tracemalloc.get_traced_memory()[0])
        return min(seen)

    lowest(30)
    seen = [lowest(10)]
    for _ in range(2):
        lowest(40)
        seen.append(lowest(10))
    host.close()
    # From the middle of one ten of windows to that of the next are 50 windows.
    return max(0, min(seen[1] - seen[0], seen[2] - seen[1])) // 500


def kept_elsewhere(directory: Path) -> int:
    """The same in a process of its own, which traces from its start and has imported none of the others."""
    command = [sys.executable, "-X", "tracemalloc", __file__, "--kept", str(directory)]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def under_reloads(directory: Path) -> Row:
    """A hook call while another thread reloads its plugin, beside one while a thread imports as much."""
    package, other = Package(directory / "h", "bench_hook", 10), Package(directory / "o", "bench_other", 10)
    sys.path.insert(0, str(other.directory.parent))
    reload, host = ours(package)
    turn = purge_and_import(other)
    ask = host.hook.ask

    def timed(background: Callable[[], object], edited: Package) -> float:
        stop = threading.Event()

        def work() -> None:
            while not stop.wait(0.002):
                edited.edit()
                background()

        thread = threading.Thread(target=work)
        thread.start()
        samples = []
        for _ in range(300):
            began = time.perf_counter()
            for _ in range(1_000):
                ask()
            samples.append((time.perf_counter() - began) / 1_000)
        stop.set()
        thread.join()
        return median(samples)

    pairs = [(timed(reload, package), timed(turn, other)) for _ in range(5)]
    host.close()
    return Row(
        "hook call, 1 implementation, while another thread reloads its plugin",
        median(a for a, _ in pairs),
        median(b for _, b in pairs),
        "while it purges and imports",
        median(a / b for a, b in pairs),
    )


def main() -> None:
    rows, all_shown = [], []
    with tempfile.TemporaryDirectory() as name:
        grown = kept_elsewhere(Path(name) / "kept")
        for size in SIZES:
            row, shown = latency(size, Path(name) / str(size))
            rows.append(row)
            all_shown.append(shown)
        rows.append(under_reloads(Path(name) / "hook"))
    publish(
        "reload-drivers",
        "Reload: beside other ways",
        table(
            (
                "modules",
                "pluginkit",
                "purge and import",
                "reload every module",
                "IPython autoreload",
                "jurigged",
            ),
            all_shown,
        ),
    )
    report(
        "reload",
        "Reload after one edit",
        rows,
        note=f"Kept per reload of a plugin of 10 modules, after collection: {grown} bytes (budget: {KEPT_BUDGET}).",
    )
    if grown > KEPT_BUDGET:
        sys.exit(f"over budget: {grown} bytes are kept per reload")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--kept"]:
        print(kept(Path(sys.argv[2])))
    else:
        main()
