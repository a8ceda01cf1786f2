"""``python -m gateway.control --data-dir D [--listen-fd N] [--probes-fd N]``: the descriptors are those of listening
sockets that the supervisor has opened, so that nobody is refused while this process starts anew."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

import structlog

from gateway.common.folders import Folders
from gateway.common.posix import on_stop, take_standard_error
from gateway.control.process import ControlSockets, run
from gateway.generation import conversion, generation
from gateway.logs import logs

log = structlog.get_logger()


async def _main(folders: Folders, inherited: ControlSockets) -> None:
    stop = asyncio.Event()
    on_stop(stop.set)
    await run(folders, stop=stop, inherited=inherited)


def main() -> int:
    """Entry point of the process."""
    take_standard_error()
    parser = argparse.ArgumentParser(prog="python -m gateway.control")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--listen-fd", type=int)
    parser.add_argument("--probes-fd", type=int)
    options = parser.parse_args()
    os.umask(0o077)
    folders = Folders(options.data_dir)
    logs.own_up("control")
    try:
        conversion.configure_logs(generation.load(folders, folders.current()).config, "control")
        asyncio.run(_main(folders, ControlSockets(options.listen_fd, options.probes_fd)))
    except Exception:  # never a traceback as it is: its message may quote what was being read
        log.critical("control.failed", exc_info=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
