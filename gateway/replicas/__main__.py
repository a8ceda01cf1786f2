"""``python -m gateway.replicas --data-dir D``: the replicator, started by the supervisor."""

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
from gateway.logs import logs
from gateway.replicas.following.replicator import Replicator

log = structlog.get_logger()


async def _main(folders: Folders) -> None:
    stop = asyncio.Event()
    on_stop(stop.set)
    await Replicator(folders, stop).run()


def main() -> int:
    """Entry point of the process."""
    take_standard_error()
    parser = argparse.ArgumentParser(prog="python -m gateway.replicas")
    parser.add_argument("--data-dir", type=Path, required=True)
    options = parser.parse_args()
    os.umask(0o077)
    folders = Folders(options.data_dir)
    logs.own_up("replicator")
    try:
        conversion.configure_logs(generation.load(folders, folders.current()).config, "replicator")
        asyncio.run(_main(folders))
    except Exception:  # never a traceback as it is: its message may quote what was being read
        log.critical("replicator.failed", exc_info=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
