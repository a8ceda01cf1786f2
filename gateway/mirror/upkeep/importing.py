"""Bullets from before the gateway: brought in as records of their own, so that every rebuild has them.

One JSON object a line (NDJSON): ``{"id": "platform's id", "room": "…", "text": "…", "time": 12.5, "at": …}``. ``at``
is when it was sent: seconds since the epoch, or ISO 8601 with a zone. ``time`` is its place in the video in the unit of
the route, and may be left out. The whole file is read before anything is written: with one bad line nothing is
imported.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from filters.model.errors import TidegateError
from gateway.config.sections.routes import Route
from gateway.journal.read.reader import records
from gateway.journal.write import encoding, recovery
from gateway.journal.write.ids import IMPORTER, Ids
from gateway.journal.write.log import Log
from gateway.journal.write.record import imported
from gateway.journal.write.segments import IMPORTS, Owner

MAX_LINE = 64 * 1024  # bytes
MAX_PLACE_MS = 10**9
MAX_FAULTS = 20
AT_ONCE = 500  # records in one write
SEGMENT = 64 * 1024 * 1024  # bytes

_KNOWN = {"id", "room", "text", "time", "at"}


class BadLine(NamedTuple):
    """A line that cannot be imported, and why; never its text."""

    line: int
    why: str


class ImportRefused(TidegateError):
    """Nothing was imported."""

    def __init__(self, faults: list[BadLine]) -> None:
        super().__init__(f"{len(faults)} lines cannot be imported")
        self.faults = faults


class Old(NamedTuple):
    """A bullet of a file. ``sent_at``: microseconds since the epoch."""

    platform_id: str
    room: str
    text: str
    playback_ms: int
    sent_at: int


def bullet_id(room: str, platform_id: str, sent_at: int) -> str:
    """The id of an old bullet, the same each time: a UUID of version 8 (RFC 9562, section 5.8) that sorts by time."""
    name = f"{len(room)}:{room}{platform_id}"
    digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10], "big")
    value = (sent_at // 1000) << 80 | digest
    value = value & ~(0xF << 76) | 8 << 76  # version
    value = value & ~(0x3 << 62) | 2 << 62  # variant
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def read(lines: Iterable[bytes], route: Route) -> Iterator[Old | BadLine]:
    """Each line as a bullet, or what is wrong with it. Empty lines are passed over."""
    factor = 1000 if route.playback_unit == "s" else 1
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _one(line, factor)
        except ValueError as error:
            yield BadLine(number, str(error))


def bring_in(
    source: Path, journal: Path, route: Route, on_progress: Callable[[int], object] = lambda count: None
) -> tuple[int, int]:
    """Import a file; how many bullets are new, and how many were there already. Raises ImportRefused, and OSError (also
    where another import runs)."""
    faults: list[BadLine] = []
    with source.open("rb") as file:
        for found in read(_lines(file), route):
            if isinstance(found, BadLine):
                faults.append(found)
                if len(faults) >= MAX_FAULTS:
                    break
    if faults:
        raise ImportRefused(faults)
    folder = journal / IMPORTS
    owner = Owner(folder)
    try:
        ids = Ids(0, IMPORTER)
        log, _ = recovery.begin(folder, ids, always=True)
        known = _Known(folder)
        try:
            with source.open("rb") as file:
                counts = _write(log, known, (one for one in read(_lines(file), route)), route.name, on_progress)
        finally:
            known.close()
            recovery.end(log, ids)
    finally:
        owner.release()
    return counts


def _write(
    log: Log, known: _Known, found: Iterable[Old | BadLine], route: str, on_progress: Callable[[int], object]
) -> tuple[int, int]:
    new = old = 0
    waiting: list[dict[str, Any]] = []

    def flush() -> None:
        log.write([encoding.fields(made) for made in waiting])
        on_progress(len(waiting))
        waiting.clear()
        if log.tail is not None and log.tail.size >= SEGMENT:
            left = log.leave("size")
            if left is not None:
                left.close()

    for one in found:
        assert isinstance(one, Old), "the file was read once without a fault"
        made = bullet_id(one.room, one.platform_id, one.sent_at)
        if not known.add(made):
            old += 1
            continue
        new += 1
        waiting.append(
            imported(
                made, one.room, one.text, one.sent_at, route=route, upstream_id=one.platform_id,
                playback_ms=one.playback_ms,
            )
        )  # fmt: skip
        if len(waiting) >= AT_ONCE:
            flush()
    if waiting:
        flush()
    return new, old


class _Known:
    """Ids that were imported before; on disk, so that their number does not matter."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # a temporary file of the engine's own
        self._database.execute("create table known (id blob primary key) without rowid")
        self._database.execute("begin")
        for entry in records(folder, lambda flaw: None, needle=b'"kind":"imported"'):
            if entry.record["kind"] == "imported":
                self.add(entry.record["id"])

    def add(self, message_id: str) -> bool:
        """Whether it is new."""
        key = bytes.fromhex(message_id.replace("-", ""))
        return self._database.execute("insert or ignore into known values (?)", (key,)).rowcount == 1

    def close(self) -> None:
        self._database.close()


def _lines(file: Any) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE + 1):
        yield line


def _one(line: bytes, factor: int) -> Old:
    if len(line) > MAX_LINE:
        raise ValueError(f"is longer than {MAX_LINE} bytes")
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise ValueError("is not JSON") from None
    if not isinstance(found, dict):
        raise ValueError("is not an object")
    unknown = set(found) - _KNOWN
    if unknown:
        raise ValueError(f"has members that are not known: known are {', '.join(sorted(_KNOWN))}")
    platform_id = found.get("id")
    if isinstance(platform_id, int) and not isinstance(platform_id, bool):
        platform_id = str(platform_id)
    room, text = found.get("room"), found.get("text")
    for name, value, longest in (("id", platform_id, 256), ("room", room, 256)):
        if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
            raise ValueError(f"has no “{name}” of 1 to {longest} printable characters")
    if not isinstance(text, str) or not text:
        raise ValueError("has no “text”")
    assert isinstance(platform_id, str)
    assert isinstance(room, str)
    return Old(platform_id, room, text, _place(found.get("time"), factor), _moment(found.get("at")))


def _place(value: Any, factor: int) -> int:
    if value is None:
        return -1
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("has a “time” that is no number")
    place = round(value * factor)
    if not 0 <= place <= MAX_PLACE_MS:
        raise ValueError("has a “time” that lies in no video")
    return place


def _moment(value: Any) -> int:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("has an “at” that is no time: write seconds since 1970, or ISO 8601 with a zone") from None
        if moment.tzinfo is None:
            raise ValueError("has an “at” without a zone: write +08:00 or Z behind it")
        value = moment.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("has no “at”: write seconds since 1970, or ISO 8601 with a zone")
    if not 0 < value <= time.time():
        raise ValueError("has an “at” before 1970 or in the future; it is in seconds")
    return round(value * 1_000_000)
