"""What a start has to put right: the torn tail of a killed worker, and messages whose outcome nobody heard; and what it
has to tell: an unclean stop with the time of which records may be missing, a time of day that was set meanwhile.

Only the last sound segment is read: its header lists the messages that were open when it began, so a journal of any
size is recovered in the time that one segment takes (``segment_size`` bounds it).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from gateway.common import boot
from gateway.common.boot import ClockReading
from gateway.journal.write import encoding, ids, record
from gateway.journal.write.errors import Locked
from gateway.journal.write.log import Log
from gateway.journal.write.segments import Owner, Segment, Synced, bounds, lines, segments, synced

LAST_LINE = 64 * 1024  # bytes that hold a ``closed`` record
OFF_US = 7 * 86_400 * 1_000_000  # longer than this nobody leaves a machine off without knowing why


class Recovered(NamedTuple):
    """``cuts``: records of what was cut; ``open``: ids without an outcome; ``waiting``: those of them that had a delay
    which was not over, so that they never left; ``last_ms``: of the newest id, or 0.

    ``ended``: whether the last life ended in order, as an empty folder did. ``clock``: both clocks as of the last
    record that tells them; ``newest_us``: the newest time that a record tells, or 0, ``began_us`` that of the last
    segment's first record; ``durable``: each record was on disk before it counted. ``leap``: by how much the time of
    day was set since, as far as it can be told (microseconds).
    """

    epoch: int
    chain: bytes
    previous: tuple[str, int] | None
    open: frozenset[str]
    cuts: tuple[dict[str, Any], ...]
    last_ms: int
    ended: bool = True
    clock: ClockReading | None = None
    newest_us: int = 0
    began_us: int = 0
    durable: bool = False
    leap: int = 0
    waiting: frozenset[str] = frozenset()

    @property
    def unknown(self) -> frozenset[str]:
        """Of those without an outcome, the ones that may have left."""
        return self.open - self.waiting


class _Scan:
    """Walks segments and keeps what the next epoch must know."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.waiting: set[str] = set()
        self.chain = encoding.GENESIS
        self.newest_ms = 0
        self.newest_us = 0
        self.began_us = 0
        self.ended = True
        self.clock: ClockReading | None = None
        self.durable = False

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
        self.ended = kind == "closed"
        self.newest_us = max(self.newest_us, found.get("time", 0))
        if "uptime" in found:
            self.clock = ClockReading(found["time"], found["boot"], found["uptime"])
        if kind == "judged":
            self._newest(found["id"])
            if found["verdict"] == "pass":
                self.open.add(found["id"])
                if "delay" in found:
                    self.waiting.add(found["id"])
        elif kind == "onward":
            self.waiting.discard(found["id"])
        elif kind == "outcome":
            self.open.discard(found["id"])
            self.waiting.discard(found["id"])
        elif kind == "opened":
            self._newest(found["id"])
            self.open = set(found["open"])
            self.waiting = set(found.get("waiting", ()))
            self.durable = found.get("durable", False)
            self.began_us = found["time"]

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
    return Recovered(
        epoch, scan.chain, previous, frozenset(scan.open), tuple(cuts), scan.newest_ms,
        scan.ended and not cuts, scan.clock, scan.newest_us, scan.began_us, scan.durable,
        waiting=frozenset(scan.waiting & scan.open),
    )  # fmt: skip


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
    noted = synced(folder)
    found = recover(folder)
    now = boot.reading()
    found = found._replace(leap=_leap(found, now))
    new_id.not_before(found.last_ms)
    log = Log(folder, found.epoch, new_id, always=always, chain=found.chain, previous=found.previous)
    log.open = set(found.open)
    log.waiting = lambda: found.waiting
    records = [{"kind": "cut", "id": new_id(), "time": now.time, **cut} for cut in found.cuts]
    if not found.ended:
        records.append({"kind": "unclean", "id": new_id(), "time": now.time, **_unclean(found, noted, now)})
    if found.leap:
        records.append(record.leap(new_id(), found.leap, now, "start"))
    records += [
        record.outcome(message, "failed" if message in found.waiting else "unknown", reason="worker.lost")
        for message in sorted(found.open)
    ]
    if records:
        _write(log, records)
    else:
        log.reopen()
    log.open.clear()
    log.waiting = tuple
    return log, found


def _leap(found: Recovered, now: ClockReading) -> int:
    """Across a start of the machine a clock that is behind what was recorded was surely set; one that is ahead of it is
    told where nobody leaves a machine off for so long."""
    if not found.newest_us:
        return 0
    by = now.leapt(found.clock) if found.clock is not None else None
    if by is None:
        by = now.time - found.newest_us
        if 0 <= by <= OFF_US:
            return 0
    return by if abs(by) >= boot.LEAP_US else 0


def _unclean(found: Recovered, noted: Synced | None, now: ClockReading) -> dict[str, Any]:
    """Between ``from`` and ``to`` what was recorded last may be missing (microseconds since the epoch)."""
    known = noted is not None and found.previous is not None and noted.segment <= found.previous[0]
    if found.durable:
        since = found.newest_us
    elif noted is not None and known:
        since = noted.time
    else:
        since = found.began_us
    if found.clock is None or not found.clock.boot or not now.boot:
        machine, until = "unknown", now.time
    elif found.clock.boot == now.boot:
        machine, until = "same", now.time
    else:
        machine, until = "restarted", now.time - now.uptime
    return {
        "from": since,
        "last": found.newest_us,
        "to": max(since, until),
        "machine": machine,
        "synced": {"segment": noted.segment, "size": noted.size} if noted is not None and known else None,
    }


def end(log: Log, new_id: Callable[[], str], *entries: Mapping[str, Any]) -> None:
    """Write ``entries``, then the last record of an orderly stop: what is still open is unknown to the next start.
    Raises OSError."""
    now = boot.reading()
    closing = {
        "kind": "closed",
        "id": new_id(),
        "time": now.time,
        "boot": now.boot,
        "uptime": now.uptime,
        "open": len(log.open),
    }
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
            unknown += len(found.unknown)
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
