"""A journal in a temporary folder, and what is written to it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.write.errors import JournalUnavailable
from gateway.journal.write.ids import Ids
from gateway.journal.write.record import envelope
from gateway.journal.write.segments import Line, lines, segments
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer

MakeWriter = Callable[..., Writer]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
async def make_writer(root: Path) -> AsyncIterator[MakeWriter]:
    """``make_writer(worker=0, **settings)`` starts a writer on the running loop; all are closed at the end."""
    made: list[Writer] = []

    def make(worker: int = 0, folder: Path = root, **settings: Any) -> Writer:
        loop = asyncio.get_running_loop()
        settings.setdefault("low_disk", 0)
        settings.setdefault("full_disk", 0)
        writer = Writer(folder, "n1", worker, ids=Ids(1, worker), settings=JournalSettings(**settings), loop=loop)
        made.append(writer)
        writer.start()
        return writer

    yield make
    for writer in made:
        writer.close()


class Journalist:
    """Appends records and keeps what came of each: ``written`` or ``refused``, in the order of the calls."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.ids = Ids(1, 0)
        self.events: list[tuple[str, str]] = []
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def judged(self, verdict: str = "pass", text: str = "hello") -> str:
        message = self.ids()
        record = {
            "kind": "judged",
            "id": message,
            "time": 1_700_000_000_000_000,
            "sender": "alice",
            "verdict": verdict,
            "content": envelope([text]),
        }
        self.append(record)
        return message

    def append(self, record: dict[str, Any]) -> None:
        def then() -> None:
            self._tell("written", record["id"])

        def failed(error: JournalUnavailable) -> None:
            self._tell(error.reason, record["id"])

        self.writer.append(record, then, failed)

    async def told(self, count: int) -> list[tuple[str, str]]:
        """Wait until ``count`` records were answered."""
        if len(self.events) < count:
            future = asyncio.get_running_loop().create_future()
            self._waiting.append((count, future))
            await asyncio.wait_for(future, 10)
        return self.events

    def _tell(self, what: str, message: str) -> None:
        self.events.append((what, message))
        for count, future in self._waiting:
            if len(self.events) >= count and not future.done():
                future.set_result(None)


@pytest.fixture
def journalist() -> type[Journalist]:
    return Journalist


def read_all(folder: Path) -> list[Line]:
    """Every line of a folder, to the end of each file."""
    found: list[Line] = []
    for segment in segments(folder):
        with segment.path.open("rb") as file:
            found.extend(lines(file))
    return found


@pytest.fixture
def read() -> Callable[[Path], list[Line]]:
    return read_all


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB. Mounting one takes root: without it the test is skipped."""
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(disk)], check=False, capture_output=True
    )
    if done.returncode != 0:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def read_only_disk(small_disk: Path) -> Iterator[Callable[[bool], None]]:
    """Makes ``small_disk`` read-only or writable: a folder's mode does not stop root."""

    def remount(read_only: bool) -> None:
        mode = "ro" if read_only else "rw"
        subprocess.run(["mount", "-o", f"remount,{mode}", str(small_disk)], check=True)

    yield remount
    remount(False)
