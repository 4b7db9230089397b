"""What a program pays to import pluginkit, beside pluggy: whole processes, less a Python that does nothing."""

from __future__ import annotations

import sys

from harness import compare, process, report


def python(statement: str) -> tuple[str, ...]:
    return (sys.executable, "-c", statement)


def main() -> None:
    peer = process(*python("import pluggy"))
    budgets = {
        "import pluginkit": 1.3,
        "from pluginkit import Host, hookspec, hookimpl": 2.0,
    }
    rows = [
        compare(
            f"`{statement}`",
            ours=process(*python(statement)),
            peer=peer,
            peer_name="`import pluggy`",
            budget=budget,
            rounds=41,
            number=1,
        )
        for statement, budget in budgets.items()
    ]
    report("import", "Importing", rows, note="Whole processes, the start of Python included.")


if __name__ == "__main__":
    main()
