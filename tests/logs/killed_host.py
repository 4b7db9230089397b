"""A child of test_killed.py: three threads log through the queue until it is killed.

Each line on stdout is a record that was acknowledged: its call has returned.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from pluginkit.logs import ConsoleSink, FileSink, LogChain
from pluginkit.queue import PersistentQueue


def main(directory: Path, run: str, count: int) -> None:
    queue = PersistentQueue(directory / "logs.db")
    chain = LogChain("killed")
    chain.logger.remove()
    console = ConsoleSink(open(os.devnull, "w"), colour=False)  # noqa: SIM115  # as long as the process
    chain.asynchronous(
        queue, [FileSink(directory / "app.log", max_bytes=4_000, compress=True), console], batch=50
    )
    logger = chain.logger

    def work(thread: int) -> None:
        for number in range(count):
            logger.bind(run=run, writer=thread, number=number).info("a record of some length, as they are")
            os.write(1, f"{thread} {number}\n".encode())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    chain.close(120)
    queue.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
