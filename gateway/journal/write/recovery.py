"""What a start has to put right: the torn tail of a killed worker, and messages whose outcome nobody heard.

Only the last sound segment is read: its header lists the messages that were open when it began, so a journal of any
size is recovered in the time that one segment takes (``segment_size`` bounds it).
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.write import encoding, ids, record
from gateway.journal.write.errors import Locked
from gateway.journal.write.log import Log
from gateway.journal.write.segments import Owner, Segment, bounds, lines, segments

LAST_LINE = 64 * 1024  # bytes that hold a ``closed`` record


class Recovered(NamedTuple):
    """``cuts``: records of what was cut; ``open``: ids without an outcome; ``last_ms``: of the newest id, or 0."""

    epoch: int
    chain: bytes
    previous: tuple[str, int] | None
    open: frozenset[str]
    cuts: tuple[dict[str, Any], ...]
    last_ms: int


class _Scan:
    """Walks segments and keeps what the next epoch must know."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.chain = encoding.GENESIS
        self.newest_ms = 0

    def segment(self, path: Path, end: int | None) -> tuple[int, int]:
        """Returns where the last sound record ends, and how many bytes follow it."""
        running = hashlib.sha256(self.chain)
        before_damage = None
        sound = offset = 0
        with path.open("rb") as file:
            for line in lines(file, end=end):
                offset = line.end
                if line.record is None:
                    before_damage = before_damage or running.copy()
                else:
                    before_damage = None
                    sound = offset
                    if "chain" in line.record:
                        self.chain = bytes.fromhex(line.record["chain"])
                        running = hashlib.sha256(self.chain)
                    self._record(line.record)
                running.update(line.raw)
        self.chain = (before_damage or running).digest()
        return sound, offset - sound

    def _record(self, found: dict[str, Any]) -> None:
        kind = found["kind"]
        if kind == "judged":
            self._newest(found["id"])
            if found["verdict"] == "pass":
                self.open.add(found["id"])
        elif kind == "outcome":
            self.open.discard(found["id"])
        elif kind == "opened":
            self._newest(found["id"])
            self.open = set(found["open"])

    def _newest(self, message: str) -> None:
        with suppress(ValueError):  # an id that is none of ours says nothing of the time
            self.newest_ms = max(self.newest_ms, ids.parse(message).time_ms)


def recover(folder: Path) -> Recovered:
    """Cut the torn tail and say what the next epoch must know. The caller owns the folder. Raises OSError."""
    found = segments(folder)
    epoch = found[-1].epoch + 1 if found else 1
    cuts: list[dict[str, Any]] = []
    walk: list[tuple[Segment, int | None]] = []
    for segment, header, end in reversed(list(_recent(found))):
        if header is None and not _any_sound(segment.path):
            size = segment.path.stat().st_size
            if size:
                cuts.append({"segment": segment.name, "at": 0, "bytes": size})
            segment.path.unlink()  # its creation was cut short: nothing in it was ever confirmed
            continue
        walk.insert(0, (segment, end))
        if header is not None:
            break
    scan = _Scan()
    previous = None
    for segment, end in walk:
        sound, torn = scan.segment(segment.path, end)
        previous = (segment.name, sound)
    if previous is not None and torn:
        segment = walk[-1][0]
        cuts.append({"segment": segment.name, "at": sound, "bytes": torn})
        _cut(segment.path, sound)
    return Recovered(epoch, scan.chain, previous, frozenset(scan.open), tuple(cuts), scan.newest_ms)


def _recent(found: list[Segment]) -> list[tuple[Segment, dict[str, Any] | None, int | None]]:
    """The last few segments: as many as are needed to reach one with a sound header."""
    for start in range(len(found) - 1, -1, -1):
        recent = list(bounds(found[start:]))
        if recent[0][1] is not None:
            return recent
    return list(bounds(found))


def _any_sound(path: Path) -> bool:
    with path.open("rb") as file:
        return any(line.record is not None for line in lines(file))


def _cut(path: Path, size: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(fd, size)
        os.fsync(fd)
    finally:
        os.close(fd)


def begin(folder: Path, new_id: ids.Ids, *, always: bool) -> tuple[Log, Recovered]:
    """Recover a folder that this process owns and open its next epoch: header, cuts and unknown outcomes in one
    batch, so that a crash in the middle leaves all of it to be done again. Raises OSError."""
    found = recover(folder)
    new_id.not_before(found.last_ms)
    log = Log(folder, found.epoch, new_id, always=always, chain=found.chain, previous=found.previous)
    log.open = set(found.open)
    records = [{"kind": "cut", "id": new_id(), "time": time.time_ns() // 1000, **cut} for cut in found.cuts]
    records += [record.outcome(message, "unknown", reason="worker.lost") for message in sorted(found.open)]
    if records:
        _write(log, records)
    else:
        log.reopen()
    log.open.clear()
    return log, found


def end(log: Log, new_id: Callable[[], str], *entries: Mapping[str, Any]) -> None:
    """Write ``entries``, then the last record of an orderly stop: what is still open is unknown to the next start.
    Raises OSError."""
    closing = {"kind": "closed", "id": new_id(), "time": time.time_ns() // 1000, "open": len(log.open)}
    _write(log, [*entries, closing])
    if log.tail is not None:
        log.tail.sync()
        log.tail.close()


def _write(log: Log, entries: Sequence[Mapping[str, Any]]) -> None:
    log.write([encoding.fields(entry) for entry in entries])


def recover_dead(node_folder: Path, living: Collection[str], new_id: ids.Ids, *, always: bool = True) -> int:
    """Recover the folders of workers that no longer exist; ``living`` names those that do and look after themselves.

    One process a node calls this. Returns how many outcomes became unknown. Raises OSError.
    """
    unknown = 0
    for folder in sorted(node_folder.iterdir()) if node_folder.is_dir() else ():
        if folder.name in living or not folder.is_dir() or _closed_in_order(folder):
            continue
        try:
            owner = Owner(folder)
        except Locked:
            continue
        try:
            log, found = begin(folder, new_id, always=always)
            end(log, new_id)
            unknown += len(found.open)
        finally:
            owner.release()
    return unknown


def _closed_in_order(folder: Path) -> bool:
    found = segments(folder)
    if not found:
        return True
    with found[-1].path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LAST_LINE))
        last = file.read().splitlines(keepends=True)[-1:]
    try:
        closing = encoding.decode(last[0]) if last else {}
    except encoding.Corrupt:
        return False
    return closing.get("kind") == "closed" and closing.get("open") == 0
