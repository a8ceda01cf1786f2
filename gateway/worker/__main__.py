"""One worker process: an event loop, and everything that a message passes through.

``python -m gateway.worker --data-dir D --number N --listeners JSON [--tls JSON]``; started by the supervisor only.

It loads the generation in force, serves until SIGTERM, then drains: no new connections, kept-alive ones closed a moment
later, exchanges under way finished within ``server.drain``. Told to retire, because others take its place, it accepts
no more and leaves what is open to end by itself, for as long; then it drains. Its commands (unix socket
``run/worker-N.sock``): load, snapshot, waiting, counters, status, spans, retire, drain.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
import uvloop

from gateway.common import channel
from gateway.common.folders import Folders
from gateway.common.listening import Inherited, inherited
from gateway.common.posix import on_stop, take_standard_error
from gateway.generation import conversion, generation
from gateway.http.accepting.certificates import ListeningTlsSettings
from gateway.logs import logs
from gateway.worker import tracing
from gateway.worker.app import App

log = structlog.get_logger()

# A message builds a few dozen short-lived objects and no cycles; the collector finds nothing and costs a pause.
GC_THRESHOLD = (50_000, 50, 100)


LOOKS = 0.1  # seconds between two looks whether anything is left to wait for
MEETS_STATE = 2.0  # seconds at most from when all else is there
LAST = 5.0  # seconds at most for what is closed at the end of that

# The journal's thread has little to do between two system calls, and each time it would wait this long for a loop that
# is busy: with Python's own 5 ms one flooding client makes every record wait for 15 ms and more.
SWITCH_INTERVAL = 0.0005


class Worker:
    """The process's own life; what it carries is ``App``."""

    def __init__(
        self, folders: Folders, number: int, listeners: Sequence[Inherited], tls: ListeningTlsSettings | None
    ) -> None:
        self._folders = folders
        self._number = number
        self._listeners = listeners
        self._tls = tls
        self._stopping = asyncio.Event()
        self._ending = asyncio.Event()  # told to stop, or to retire
        self._retires_within = 0.0
        self._app: App | None = None
        self._generation = 0
        self._loading = asyncio.Lock()

    async def run(self) -> None:
        """Serve until told to stop."""
        on_stop(self._stop)
        first = generation.load(self._folders, self._folders.current())
        conversion.configure_logs(first.config, f"worker-{self._number}")
        app = self._app = await App.start(self._folders, self._number, first)
        self._generation = first.number
        await self._meet_state(app)
        await app.listeners.open(self._listeners, self._tls)
        commands = await channel.serve(
            self._folders.worker_socket(self._number),
            {
                "load": self._on_load,
                "snapshot": self._on_snapshot,
                "waiting": app.waiting.told,
                "counters": lambda request: app.counters(),
                "status": self._on_status,
                "retire": self._on_retire,
                "spans": lambda request: tracing.told(app.finished, request),
                "drain": self._on_drain,
            },
        )
        # A reload that ended between reading which generation is in force and listening for commands.
        if (current := self._folders.current()) != self._generation:
            await self._on_load({"generation": current})
        freeze()
        log.info("worker.serving", worker=self._number, generation=first.number)
        await self._ending.wait()
        if not self._stopping.is_set():
            await self._retire(app)
        await asyncio.sleep(0)  # who has connected by now is accepted: closed with the socket, they would be cut off
        app.listeners.close()
        await app.drain(math.inf if self._stopping.is_set() else LAST)
        await commands.close()
        await app.stop()

    async def _meet_state(self, app: App) -> None:
        """Be sent no message before state can be asked, where that takes but a moment: beside another node nobody has
        to be refused because this one has just begun. State that is away is not waited for."""
        until = time.monotonic() + MEETS_STATE
        while app.state_problem and time.monotonic() < until and not self._ending.is_set():
            await asyncio.sleep(0.01)

    def _stop(self) -> None:
        self._stopping.set()
        self._ending.set()

    async def _retire(self, app: App) -> None:
        """Serve what is open until nothing is, it has had its time, or it is told to stop after all."""
        app.leave()
        log.info("worker.retiring", worker=self._number, within=self._retires_within)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._retires_within
        while app.busy and loop.time() < until:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), LOOKS)
                return

    async def _on_load(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._app is not None
        number = int(request["generation"])
        async with self._loading:
            try:
                await self._app.load(generation.load(self._folders, number))
            except Exception as error:
                # Whatever is wrong with the new generation, the last good one stays in force (law 9).
                log.error("worker.load_failed", generation=number, exc_info=True)
                return {"error": f"{type(error).__name__}: {error}", "generation": self._generation}
            self._generation = number
        freeze()
        return {"ok": True, "generation": number}

    async def _on_snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._app is not None
        self._app.on_snapshot(request["snapshot"])
        return {"ok": True, "snapshot": self._app.snapshot_version}

    async def _on_status(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._app is not None
        return {"ok": True, "generation": self._generation, "retiring": self._ending.is_set(), **self._app.status()}

    async def _on_retire(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self._ending.is_set():
            self._retires_within = float(request["within"])
            self._ending.set()
        return {"ok": True}

    async def _on_drain(self, request: dict[str, Any]) -> dict[str, Any]:
        self._stop()
        return {"ok": True}


def freeze() -> None:
    """Take what is built now out of the collector's sight: it stays as long as its generation does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


def main() -> int:
    """Entry point of the process."""
    take_standard_error()
    parser = argparse.ArgumentParser(prog="python -m gateway.worker")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--listeners", required=True)
    parser.add_argument("--tls")
    options = parser.parse_args()
    logs.own_up(f"worker-{options.number}")
    sys.setswitchinterval(SWITCH_INTERVAL)
    tls = ListeningTlsSettings.inherited(options.tls) if options.tls else None
    worker = Worker(Folders(options.data_dir), options.number, inherited(options.listeners), tls)
    try:
        uvloop.run(worker.run())
    except Exception:  # never a traceback as it is: its message may quote what was being read
        log.critical("worker.failed", exc_info=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
