"""How long copies of other nodes' journals are kept here: as long as our own, told by both machines' clocks.

How old a record of another machine is, no clock here has seen. Two stretches that follow each other say it: from its
segment to the moment when the node was last heard, by the clock of that machine, as its own first records tell
(``evidence.py``); and from that moment until now, by ours. What lies aside has often no first record: it is as
old as the first segment of the copy that began after its newest record.

The last segment of a folder says where copying goes on; it goes only where nobody copies any more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.common.boot import ClockReading
from gateway.journal.retention.evidence import Elapsed, Evidence
from gateway.journal.retention.retention import Due, Journal, Retention, due, newest_in, stamps
from gateway.journal.write.segments import ASIDE, LIFE, Segment, bounds, copied, lives, owned, segments
from gateway.replicas.copying.node_copy import heard

Known = list[tuple[Segment, dict[str, Any] | None]]


class CopiedJournal:
    """The first records of one node's copy. ``own``: what this node wrote, read just now. ``since``: how long ago the
    node was heard, by our clock."""

    def __init__(self, node: Path, own: Journal) -> None:
        self.now = own.now
        self.folders: dict[Path, Known] = {}
        self.aside: dict[Path, list[Segment]] = {}
        for folder in sorted(path for path in node.iterdir() if path.is_dir()):
            if ASIDE in folder.name:
                self.aside[folder] = segments(folder)
            else:
                self.folders[folder] = [entry[:2] for entry in bounds(segments(folder))]
        told = heard(node)
        there = told.there if told is not None else ClockReading(0, "", 0)
        self.since = own.evidence.since(told.here) if told is not None else Elapsed(0, 0)
        self._evidence = Evidence([stamps(known) for known in self.folders.values()], there)

    def age(self, began: list[ClockReading]) -> Elapsed:
        """Time since the first of ``began``, which are those of one folder from there on."""
        there = self._evidence.age(began)
        return Elapsed(there.proven + self.since.proven, there.believed + self.since.believed)

    def behind(self, folder: Path, newest: int) -> Elapsed:
        """How long ago what ends with ``newest`` was surely there: since the first segment after it of the same
        writer, or since the node was heard."""
        base = folder.name.partition(ASIDE)[0].partition(LIFE)[0]
        for life in lives(folder.with_name(base)):
            later = [one for one in stamps(self.folders.get(life, [])) if one.time >= newest]
            if later:
                return self.age(later)
        return self.since


def copies(root: Path, own: Journal) -> list[CopiedJournal]:
    """Every copy in a journal."""
    return [CopiedJournal(node, own) for node in sorted(root.glob("*")) if node.is_dir() and copied(node)]


def due_of_copy(journal: CopiedJournal, retention: Retention) -> list[Due]:
    """What is past the ceiling."""
    found = {one.folder: one for one in due(journal, retention)}
    for folder, known in journal.folders.items():
        old = found[folder].segments if folder in found else ()
        if not known or len(old) < len(known) - 1 or owned(folder):
            continue
        last = known[-1][0]
        told = max(newest_in(last), found[folder].newest_us if old else 0)
        if retention.expired(told, journal.now.time) and retention.elapsed(journal.behind(folder, told)):
            found[folder] = Due(folder, (*old, last), told)
    for folder, kept in journal.aside.items():
        one = _aside(journal, folder, kept, retention)
        if one is not None:
            found[folder] = one
    return list(found.values())


def _aside(journal: CopiedJournal, folder: Path, kept: list[Segment], retention: Retention) -> Due | None:
    if not kept:
        return None
    # Where no line is sound, not even that: then it is as old as its being put aside.
    told = max(newest_in(one) or one.path.stat().st_mtime_ns // 1000 for one in kept)
    gone_by = journal.behind(folder, told)
    if not retention.expired(told, journal.now.time) or not retention.elapsed(gone_by):
        return None
    return Due(folder, tuple(kept), told)
