"""A process that journals as fast as it can and says on standard output what it was told is written.

    python writing.py ROOT FSYNC

Each line is an id whose ``then`` was called; a line goes out in one ``write``, so a killed process leaves whole lines.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

import structlog

from gateway.journal.write.ids import Ids
from gateway.journal.write.record import envelope, outcome
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer


async def main(root: Path, fsync: str) -> None:
    loop = asyncio.get_running_loop()
    ids = Ids(1, 0)
    settings = JournalSettings(fsync=fsync, segment_size=40_000, low_disk=0, full_disk=0)  # type: ignore[arg-type]
    journal = Writer(root, "n1", 0, ids=ids, settings=settings, loop=loop)
    journal.start()
    assert journal.available
    turn = 0
    while True:
        turn += 1
        for number in range(turn % 7 + 1):
            message = ids()
            record = {
                "kind": "judged",
                "id": message,
                "time": 1,
                "verdict": "pass",
                "content": envelope(["x" * (37 * turn % 400)]),
            }
            journal.append(record, partial(os.write, 1, f"{message}\n".encode()))
            if (turn + number) % 3:
                journal.append(outcome(message, "delivered", status=200))
        await asyncio.sleep(0.0005)


structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
