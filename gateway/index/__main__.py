"""``python -m gateway.index --data-dir D``: the index, started by the supervisor."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

import structlog

from gateway.common.folders import Folders
from gateway.common.posix import on_stop, take_standard_error
from gateway.generation import conversion, generation
from gateway.index.index_process import IndexProcess
from gateway.logs import logs

log = structlog.get_logger()

NICE = 10  # whoever judges goes first


async def _main(folders: Folders, current: generation.Generation) -> None:
    stop = asyncio.Event()
    on_stop(stop.set)
    await IndexProcess(folders, current, stop).run()


def main() -> int:
    """Entry point of the process."""
    take_standard_error()
    parser = argparse.ArgumentParser(prog="python -m gateway.index")
    parser.add_argument("--data-dir", type=Path, required=True)
    options = parser.parse_args()
    os.umask(0o077)
    os.nice(NICE)
    folders = Folders(options.data_dir)
    logs.own_up("index")
    try:
        current = generation.load(folders, folders.current())
        conversion.configure_logs(current.config, "index")
        asyncio.run(_main(folders, current))
    except Exception:  # never a traceback as it is: its message may quote what was being read
        log.critical("index.failed", exc_info=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
