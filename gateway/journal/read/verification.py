"""Is the journal what was written? Sums, sequence, chain, links between segments, torn ends.

What this cannot see: the removal of the last batches of a journal, or of all of it, by who can write its folder. That
takes a signature kept elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from gateway.journal.read.reader import folder_name
from gateway.journal.write import encoding
from gateway.journal.write.segments import ASIDE, LIFE, Line, Segment, bounds, copied, folders, lines, owned, segments

PROGRESS_BYTES = 1 << 20


class JournalProblem(NamedTuple):
    """``code``: those of ``encoding.Corrupt``, and sequence, chain, header, missing, size."""

    folder: str
    segment: str
    offset: int
    code: str
    detail: str


class UncleanStop(NamedTuple):
    """A life that did not end in order. Of what was recorded between ``since`` and ``until`` (microseconds since the
    epoch) the end may be missing; both 0 where no start has told of it yet. ``machine``: same, restarted, unknown."""

    folder: str
    segment: str
    since: int
    until: int
    machine: str


@dataclass(slots=True)
class JournalReport:
    """``beyond``: bytes that stand after the counted end of a segment: left there by a write that failed. ``aside``:
    folders in which lies what another node no longer has, or has otherwise, of the copy that is kept here."""

    records: int = 0
    segments: int = 0
    bytes: int = 0
    cuts: int = 0
    beyond: int = 0
    leaps: int = 0
    unclean: list[UncleanStop] = field(default_factory=list)
    problems: list[JournalProblem] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    pruned: set[str] = field(default_factory=set)
    missing: list[tuple[JournalProblem, str]] = field(default_factory=list)


def verify(root: Path, on_progress: Callable[[int], object] = lambda size: None) -> JournalReport:
    """Read all of a journal; ``on_progress`` gets the bytes read since it was last called."""
    report = JournalReport()
    for folder in folders(root):
        if ASIDE in folder.name:
            report.aside.append(folder_name(folder))  # pieces without what was before and after them
        else:
            _Folder(folder, report, on_progress).verify()
    report.problems.extend(problem for problem, path in report.missing if path not in report.pruned)
    return report


def size(root: Path) -> int:
    """Bytes that ``verify`` is going to read."""
    return sum(segment.path.stat().st_size for folder in folders(root) for segment in segments(folder))


class _Folder:
    def __init__(self, folder: Path, report: JournalReport, on_progress: Callable[[int], object]) -> None:
        self._folder = folder
        self._name = folder_name(folder)
        self._report = report
        self._on_progress = on_progress
        self._alive = owned(folder) or copied(folder.parent)  # of a copy the end is told by whoever wrote it
        self._epoch = 0
        self._sequence = 0
        self._chain: bytes | None = None
        self._running = hashlib.sha256()
        self._before: Segment | None = None
        self._kind = ""  # of the last record

    def verify(self) -> None:
        found = segments(self._folder)
        for segment, header, end in bounds(found):
            last = segment == found[-1]
            if header is None and last and self._alive and not segment.path.stat().st_size:
                continue  # prepared, not yet in use
            self._report.segments += 1
            if header is None:
                self._problem(segment, 0, "header", "the segment does not begin with a sound `opened` record")
            else:
                self._link(segment, header)
            self._lines(segment, end, last)
            self._before = segment
        if self._before is not None and self._kind != "closed" and not self._alive:
            self._report.unclean.append(UncleanStop(self._name, self._before.name, 0, 0, "unknown"))

    def _link(self, segment: Segment, header: dict[str, Any]) -> None:
        previous = header["previous"]
        before = self._before
        if previous is None:
            if before is not None:
                self._problem(segment, 0, "missing", f"it does not follow {before.name}")
            elif header["chain"] != encoding.GENESIS.hex():
                self._problem(segment, 0, "chain", "the first segment does not begin the chain")
        elif before is None and LIFE in self._folder.name:
            self._chain, self._sequence, self._epoch = None, header["seq"], header["epoch"]  # what was before is beside
        elif before is None or previous["segment"] != before.name:
            detail = f"{previous['segment']}, which it follows, is not there"
            problem = JournalProblem(self._name, segment.name, 0, "missing", detail)
            self._report.missing.append((problem, f"{self._name}/{previous['segment']}"))
            self._chain = None
            self._sequence = header["seq"]
            self._epoch = header["epoch"]
        elif before.path.stat().st_size < previous["size"]:
            self._problem(before, before.path.stat().st_size, "size", f"it should hold {previous['size']} bytes")

    def _lines(self, segment: Segment, end: int | None, last: bool) -> None:
        unsaid = 0
        with segment.path.open("rb") as file:
            for line in lines(file, end=end):
                unsaid += len(line.raw)
                if unsaid >= PROGRESS_BYTES:
                    self._on_progress(unsaid)
                    unsaid = 0
                if line.record is not None:
                    self._record(segment, line, line.record)
                elif line.flaw == "torn" and last and self._alive:
                    break  # being written
                else:
                    self._problem(segment, line.offset, line.flaw, f"{len(line.raw)} bytes are not a sound record")
                    self._sequence += 1  # most likely one record: then what follows is in order
                self._running.update(line.raw)
                self._report.bytes += len(line.raw)
        self._on_progress(unsaid)
        if end is not None:
            self._report.beyond += max(0, segment.path.stat().st_size - end)

    def _record(self, segment: Segment, line: Line, record: dict[str, Any]) -> None:
        opened = record["kind"] == "opened"
        if record["epoch"] != self._epoch and opened:
            self._epoch = record["epoch"]
            self._sequence = 0
        expected = self._sequence + (not opened)
        if record["epoch"] != self._epoch or record["epoch"] != segment.epoch:
            self._problem(segment, line.offset, "sequence", f"epoch {record['epoch']} in epoch {segment.epoch}")
        elif record["seq"] != expected:
            self._problem(segment, line.offset, "sequence", f"record {record['seq']} stands where {expected} belongs")
        self._sequence = record["seq"]
        if "chain" in record:
            chain = bytes.fromhex(record["chain"])
            if self._chain is not None and self._running.digest() != chain:
                self._problem(segment, line.offset, "chain", "the batch before this record is not the one written")
            self._chain = chain
            self._running = hashlib.sha256(chain)
        self._report.records += 1
        self._kind = record["kind"]
        if record["kind"] == "cut":
            self._report.cuts += 1
        elif record["kind"] == "leap":
            self._report.leaps += 1
        elif record["kind"] == "unclean":
            stop = UncleanStop(self._name, segment.name, record["from"], record["to"], record["machine"])
            self._report.unclean.append(stop)
        elif record["kind"] == "pruned":
            self._report.pruned.update(f"{record['folder']}/{name}" for name in record["segments"])

    def _problem(self, segment: Segment, offset: int, code: str, detail: str) -> None:
        self._report.problems.append(JournalProblem(self._name, segment.name, offset, code, detail))
