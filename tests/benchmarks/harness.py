"""Measure us beside a peer in the same run, and write the ratios into docs/benchmarks.md.

Seconds of one machine mean little on another, ratios mean something on both. So every comparison
interleaves the two (round by round, in changing order), takes medians, and states its budget.

    from harness import compare, process, report

    rows = [compare("hook call, 1 plugin", ours=lambda: hook(x=1), peer=lambda: theirs(x=1),
                    peer_name="pluggy", budget=0.16)]
    report("hooks", "Hook calls", rows)
"""

from __future__ import annotations

import gc
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from timeit import Timer

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"

# A round of a fast subject lasts about this long, far above the clock's resolution.
_ROUND_SECONDS = 0.01

# A callable, or a Timer("statement", globals={...}) where even the cost of a lambda would count.
Subject = Callable[[], object] | Timer


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: median seconds of one call of each, and the median of the rounds' ratios."""

    what: str
    ours: float
    peer: float
    peer_name: str
    ratio: float
    budget: float | None = None

    @property
    def is_within_budget(self) -> bool:
        return self.budget is None or self.ratio <= self.budget

    def cells(self) -> tuple[str, ...]:
        budget = "" if self.budget is None else f"≤ {self.budget:g}"
        ratio = f"{self.ratio:.2f}" if self.is_within_budget else f"**{self.ratio:.2f}**"
        return (self.what, seconds(self.ours), f"{seconds(self.peer)} ({self.peer_name})", ratio, budget)


def compare(
    what: str,
    *,
    ours: Subject,
    peer: Subject,
    peer_name: str,
    budget: float | None = None,
    rounds: int = 21,
    number: int | None = None,
) -> Row:
    """Compare two subjects; `budget` is the ratio ours / peer that is still good."""
    samples = measure({"ours": ours, "peer": peer}, rounds=rounds, number=number)
    ratio = median(a / b for a, b in zip(samples["ours"], samples["peer"], strict=True))
    return Row(what, median(samples["ours"]), median(samples["peer"]), peer_name, ratio, budget)


def measure(
    subjects: Mapping[str, Subject], *, rounds: int = 21, number: int | None = None
) -> dict[str, list[float]]:
    """Seconds of one call of each subject, one sample for each round.

    `number` calls make a sample; without it, as many as last about ten milliseconds. Every subject is
    called once before, so that caches and bytecode are warm for all.
    """
    timers = {name: s if isinstance(s, Timer) else Timer(s) for name, s in subjects.items()}
    for timer in timers.values():
        timer.timeit(1)
    numbers = {name: number or _calls_per_round(timer) for name, timer in timers.items()}
    samples: dict[str, list[float]] = {name: [] for name in timers}
    order = list(timers)
    for _ in range(rounds):
        for name in order:
            gc.collect()
            samples[name].append(timers[name].timeit(numbers[name]) / numbers[name])
        order.reverse()
    return samples


def process(
    *command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Callable[[], None]:
    """A subject that is a whole process, from its start to its end, with a user's environment."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | dict(env or {})

    def run() -> None:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")

    return run


def program(name: str) -> str:
    """The path of a program of the running Python's environment."""
    return str(Path(sys.executable).parent / name)


def seconds(value: float) -> str:
    """A duration as people read it: `74 ns`, `1.40 µs`, `4.2 ms`, `1.3 s`."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *map(tuple, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def report(section: str, title: str, rows: Iterable[Row], *, note: str = "") -> None:
    """Print a section, write it into docs/benchmarks.md, and exit with 1 if a budget is exceeded."""
    rows = list(rows)
    text = table(("what", "pluginkit", "peer", "ratio", "budget"), (row.cells() for row in rows))
    publish(section, title, f"{note}\n\n{text}" if note else text)
    exceeded = [row.what for row in rows if not row.is_within_budget]
    if exceeded:
        sys.exit(f"over budget: {', '.join(exceeded)}")


def publish(section: str, title: str, text: str) -> None:
    """Print a section and put it in the place of the one of that name in docs/benchmarks.md."""
    minor = ".".join(platform.python_version_tuple()[:2])
    name = f"{section}-{minor}"
    where = f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    command = f"python tests/benchmarks/{Path(sys.argv[0]).name}"
    body = f"## {title} (Python {minor})\n\n{text}\n\n`{command}` · {where}\n"
    print(body)
    begin, end = f"<!-- bench {name} -->\n", f"<!-- end {name} -->\n"
    old = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else "# Benchmarks\n"
    place = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    new = begin + body + end
    text = place.sub(lambda _: new, old) if place.search(old) else f"{old.rstrip()}\n\n{new}"
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(text, encoding="utf-8")


def _calls_per_round(timer: Timer) -> int:
    number = 1
    while (taken := timer.timeit(number)) < _ROUND_SECONDS:
        number = max(number * 2, int(number * _ROUND_SECONDS / max(taken, 1e-9)))
    return number
