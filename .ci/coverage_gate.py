"""Fail when a room is covered less than pyproject.toml's [tool.pluginkit.coverage] asks for.

One number for the whole package would let a well tested room pay for an untested one.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections import defaultdict
from pathlib import Path, PurePath
from typing import Any


def per_room(report: dict[str, Any]) -> dict[str, float]:
    """Per cent of lines and branches covered, by room (`hooks/`) or by module on the ground (`errors`)."""
    covered: dict[str, int] = defaultdict(int)
    present: dict[str, int] = defaultdict(int)
    for name, file in report["files"].items():
        room = PurePath(name).with_suffix("").parts[1]
        summary = file["summary"]
        covered[room] += summary["covered_lines"] + summary["covered_branches"]
        present[room] += summary["num_statements"] + summary["num_branches"]
    return {room: 100 * covered[room] / total for room, total in present.items() if total}


def main(report: Path) -> int:
    """Print a line for each room; the exit status is 1 if one is below its gate."""
    pyproject = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    gates: dict[str, float] = pyproject["tool"]["pluginkit"]["coverage"]
    rooms = per_room(json.loads(report.read_text(encoding="utf-8")))
    below = [room for room, gate in gates.items() if rooms.get(room, 0.0) < gate]
    for room, percent in sorted(rooms.items()):
        gate = f"gate {gates[room]}" if room in gates else "no gate"
        print(f"{room:<14} {percent:6.2f} %  {gate}{'  BELOW' if room in below else ''}")
    for room in below:
        print(f"{room}: below {gates[room]} %, or not measured at all", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
