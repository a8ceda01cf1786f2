"""Where a worker parks: all that a loop turn holds goes into one file, sealed, and is on disk before anybody hears.

Laws of this file:

* ``on_parked`` is called after the file has its name and both it and the folder are on disk (fsync), whatever
  ``journal.fsync`` says: it is the only copy of a promise; else ``on_unparked`` is, with a cause; never from inside
  ``park``, exactly once, in the order of ``park``;
* a file that has its name is whole. It is written under another one first (``.part``), which nobody reads; what a crash
  leaves of those is removed at the next start, because nobody was promised anything for it;
* one file is under way at a time, and everything that comes meanwhile goes into the next one: so the disk says how
  many files a second there are, and not the crowd;
* what waits to be written is bounded (``most`` bytes).

A file is named by the id of its first message, so names are told apart by node, worker and time, and sort by time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import time
from typing import Final, Protocol

import structlog

from gateway.journal.write.offload import Offload
from gateway.parking.seal import Seal
from gateway.parking.spool_frames import framed

ENDING: Final = ".spool"
UNFINISHED: Final = ".part"
MOST: Final = 32 * 1024 * 1024  # bytes that wait to be written

LEFT: Final = 60.0  # seconds; nobody writes one file for as long

logger = structlog.get_logger("parking")


class Parking(Protocol):
    """Who waits until a message is parked: it hears of exactly one of the two, once."""

    def on_parked(self, file: str) -> None:
        """It is on disk, in the file of this name."""

    def on_unparked(self, cause: str) -> None:
        """It is not: ``queue`` (too much waits), ``disk`` or ``closed``."""


class _Load:
    """What goes into one file, and who waits for it."""

    __slots__ = ("frames", "size", "waiting")

    def __init__(self) -> None:
        self.frames: list[tuple[str, bytes]] = []
        self.waiting: list[Parking] = []
        self.size = 0


class Spool:
    """Writes into ``folder``, which is its own: made with the first file. ``seal`` is swapped by a reload."""

    def __init__(self, folder: Path, seal: Seal, loop: asyncio.AbstractEventLoop, most: int = MOST) -> None:
        self.folder = folder
        self.seal = seal
        self._loop = loop
        self._most = most
        self._load = _Load()
        self._refused: list[tuple[Parking, str]] = []
        self._scheduled = False
        self._under_way: _Load | None = None
        self._offload: Offload | None = None
        self._failing = False
        self._closed = False

    def park(self, message_id: str, plain: bytes, waiting: Parking) -> None:
        """Seal it, and write it with all that comes in this turn of the loop."""
        load = self._load
        if self._closed or load.size + len(plain) > self._most:
            self._refused.append((waiting, "closed" if self._closed else "queue"))
        else:
            sealed = self.seal.seal(message_id, plain)
            load.frames.append((message_id, sealed))
            load.waiting.append(waiting)
            load.size += len(sealed)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def close(self) -> None:
        """Write what waits, tell who waits for it. Blocks."""
        if self._closed:
            return
        self._closed = True
        offload, self._offload = self._offload, None
        if offload is not None:
            offload.close()
        self._turn()

    def _turn(self) -> None:
        self._scheduled = False
        refused, self._refused = self._refused, []
        for waiting, cause in refused:
            self._call(partial(waiting.on_unparked, cause))
        if self._under_way is not None or not self._load.frames:
            return
        load, self._load = self._load, _Load()
        self._under_way = load
        job = partial(write, self.folder, f"{load.frames[0][0]}{ENDING}", load.frames)
        if self._closed:
            self._write_here(load, job)
            return
        if self._offload is None:
            self._offload = Offload(self._loop, "parking")
        self._offload.submit(job, partial(self._landed, load))

    def _write_here(self, load: _Load, job: Callable[[], str]) -> None:
        name, error = "", None
        try:
            name = job()
        except OSError as caught:
            error = caught
        self._landed(load, name, error)

    def _landed(self, load: _Load, name: str, error: OSError | None) -> None:
        self._under_way = None
        if (error is not None) is not self._failing:
            self._failing = error is not None
            if error is not None:
                logger.error("parking.unavailable", error=os.strerror(error.errno) if error.errno else str(error))
            else:
                logger.warning("parking.available")
        for waiting in load.waiting:
            self._call(partial(waiting.on_parked, name) if error is None else partial(waiting.on_unparked, "disk"))
        self._turn()

    def _call(self, told: Callable[[], None]) -> None:
        try:
            told()
        except Exception as fault:  # one caller's fault must not take the others' answers
            self._loop.call_exception_handler({"message": "a parking's callback failed", "exception": fault})


def write(folder: Path, name: str, frames: Sequence[tuple[str, bytes]]) -> str:
    """Write a whole file and give its name back once it is on disk. Raises OSError, and leaves nothing behind then."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = folder / f"{name}{UNFINISHED}"
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(framed(frames))
            out.flush()
            os.fsync(descriptor)
        aside.rename(folder / name)
        _sync(folder)
    except OSError:
        for left in (aside, folder / name):  # where the folder could not be synced it was promised to nobody
            left.unlink(missing_ok=True)
        raise
    return name


def tidied(folder: Path) -> int:
    """Remove what a crash left unfinished, before the first file is written; how many there were. What is younger than
    ``LEFT`` may be somebody's who is about to end and writes still."""
    now = time()
    left = [each for each in folder.glob(f"*{UNFINISHED}") if abs(now - each.stat().st_mtime) > LEFT]
    for each in left:
        each.unlink(missing_ok=True)
    return len(left)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
