"""Finding what the journal says of one message, without reading all of it.

A message's own id says when it came and which worker gave it, so that two or three segments of one folder are searched.
The platform's id says nothing: it is looked for from the newest segment backwards, and only so far, and then among what
was imported, whenever that was. Searching is for bytes, over a map of the file; only lines that hold them are read.
Where that finds nothing, so are all that were open within two days of it: the clock may have been set meanwhile.
(What a failed write left beyond a segment's end is searched too: it never counted, and the same records stand in the
segment after it.)
"""

from __future__ import annotations

import mmap
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from gateway.journal.write import ids
from gateway.journal.write.encoding import Corrupt, decode
from gateway.journal.write.segments import Segment, folders, header, imports, segments, with_aside

OUTCOME_WITHIN_US = 3_600_000_000  # an outcome comes seconds after its message; behind a crash, with the next start
ABOUT_US = 2 * 86_400 * 1_000_000  # further than that a clock is rarely set, and then a leap says so
_IMPORTED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")  # UUID of version 8


class MessageHistory(NamedTuple):
    """What the journal holds of one message. ``outcome``: its last one, None where there is none yet.

    ``first`` is its ``judged`` record, or the ``imported`` one of a bullet from before the gateway, which nobody judged
    and the platform had shown.
    """

    first: dict[str, Any]
    outcome: dict[str, Any] | None

    @property
    def imported(self) -> bool:
        return bool(self.first["kind"] == "imported")

    @property
    def at(self) -> int:
        """When it was sent, in microseconds since the epoch."""
        return int(self.first["sent_at" if self.imported else "time"])

    @property
    def verdict(self) -> str:
        return "pass" if self.imported else str(self.first["verdict"])

    @property
    def state(self) -> str:
        """What became of it; empty where that is not known yet."""
        return "delivered" if self.imported else str((self.outcome or {}).get("state", ""))

    @property
    def stopped(self) -> str:
        """The reason where it was refused while its delay ran; empty where it was not."""
        outcome = self.outcome or {}
        ours = outcome.get("state") == "refused" and "status" not in outcome
        return str(outcome["reason"]) if ours and "delay" in self.first else ""

    @property
    def upstream_id(self) -> str:
        """What the platform calls it; empty where it did not say."""
        return str((self.first if self.imported else self.outcome or {}).get("upstream_id", ""))


def find(root: Path, message_id: str) -> MessageHistory | None:
    """What was judged and what became of it; None where the journal does not hold the message, or not any more."""
    try:
        told = ids.parse(message_id)
    except ValueError:
        return _imported(root, message_id)
    folder = root / f"node-{told.node}" / str(told.worker)
    needle = b'"id":"%b"' % message_id.encode()
    judged: dict[str, Any] | None = None
    outcome: dict[str, Any] | None = None
    for segment in _likely(folder, told.time_ms * 1000):
        for record in matches(segment.path, needle):
            if record.get("id") != message_id:
                continue
            if record["kind"] == "judged":
                judged = record
            elif record["kind"] == "outcome":
                outcome = record
        if judged is not None and outcome is not None:
            break
    return MessageHistory(judged, outcome) if judged is not None else None


def _likely(folder: Path, at_us: int) -> Iterator[Segment]:
    """Of a folder and what was put aside of it, the likely segments first."""
    lives = with_aside(folder)
    likely = [segment for life in lives for segment in _around(life, at_us)]
    yield from likely
    for life in lives:
        yield from _about(life, at_us, likely)


def about(root: Path, at_us: int, *, all_day: bool = False) -> Iterator[Path]:
    """The segments of all folders in which messages may stand that came at that time; with ``all_day`` the others of
    these days, for where the clock was set meanwhile."""
    for folder in folders(root):
        likely = list(_around(folder, at_us))
        for segment in _about(folder, at_us, likely) if all_day else likely:
            yield segment.path


def find_upstream(root: Path, route: str, upstream_id: str, since_us: int) -> str | None:
    """Our id of the newest message of ``route`` that the platform calls ``upstream_id``, delivered at ``since_us``
    (microseconds since the epoch) or later; of what was imported, where there is none."""
    needle = b'"upstream_id":%b' % orjson.dumps(upstream_id)
    for path in newest(root, since_us):
        found = [
            record
            for record in matches(path, needle)
            if record["kind"] == "outcome" and record.get("route") == route and record["upstream_id"] == upstream_id
        ]
        if found:
            last: str = found[-1]["id"]
            return last
    for segment in (one for folder in imports(root) for one in reversed(segments(folder))):
        for record in matches(segment.path, needle):
            if (record["kind"], record["route"], record["upstream_id"]) == ("imported", route, upstream_id):
                older: str = record["id"]
                return older
    return None


def _imported(root: Path, message_id: str) -> MessageHistory | None:
    if not _IMPORTED.fullmatch(message_id):
        return None
    for segment in (one for folder in imports(root) for one in segments(folder)):
        for record in matches(segment.path, b'"id":"%b"' % message_id.encode()):
            if record["kind"] == "imported" and record["id"] == message_id:
                return MessageHistory(record, None)
    return None


def matches(path: Path, needle: bytes) -> Iterator[dict[str, Any]]:
    """The sound records of a segment whose lines hold ``needle``, in order."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if not size:  # nothing can be mapped of a file that was only prepared
                return
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as held:
                at = held.find(needle)
                while at >= 0:
                    start = held.rfind(b"\n", 0, at) + 1
                    end = held.find(b"\n", at)
                    if end < 0:
                        return  # still being written
                    record = _sound(held[start : end + 1])
                    if record is not None:
                        yield record
                    at = held.find(needle, end)
    except FileNotFoundError:  # pruned meanwhile
        return


def _sound(line: bytes) -> dict[str, Any] | None:
    try:
        return decode(line)
    except Corrupt:
        return None  # the journal's own verification tells of it


def newest(root: Path, since_us: int) -> Iterator[Path]:
    """The segments of all folders that may hold records since then, the last opened first."""
    opened: list[tuple[int, Path]] = []
    for folder in folders(root):
        for segment in reversed(_begun(folder)):
            at = _opened(segment)
            opened.append((at, segment.path))
            if at < since_us:
                break
    opened.sort(reverse=True)
    for _, path in opened:
        yield path


def _around(folder: Path, at_us: int) -> Iterator[Segment]:
    """The segment that was open at that time, those after it as long as an outcome may stand there, and the one before:
    the message was received a moment before it was recorded, and clocks are set."""
    found = _begun(folder)
    first = max(bisect_right(found, at_us, key=_opened) - 1, 0)
    for segment in found[first:]:
        if _opened(segment) > at_us + OUTCOME_WITHIN_US:
            break
        yield segment
    if first:
        yield found[first - 1]


def _about(folder: Path, at_us: int, besides: Collection[Segment]) -> Iterator[Segment]:
    """The other segments of these days, the newest first. Asked for only where nothing was found among the likely."""
    found = _begun(folder)
    times = [_opened(segment) for segment in found]
    for place in range(len(found) - 1, -1, -1):
        near = times[place : place + 2]
        if min(near) - ABOUT_US <= at_us <= max(near) + ABOUT_US and found[place] not in besides:
            yield found[place]


def _begun(folder: Path) -> list[Segment]:
    """Without files that were only prepared: they have no place in time."""
    found = []
    for segment in segments(folder):
        try:
            if segment.path.stat().st_size:
                found.append(segment)
        except FileNotFoundError:
            continue
    return found


def _opened(segment: Segment) -> int:
    """Microseconds since the epoch."""
    found = header(segment.path)
    return int(found["time"]) if found is not None else 0
