"""How this node's own journal goes on, for a node that keeps a copy of it. Copies of others are never offered: so no
record goes round in a circle, and a copy has one origin.

Of a segment that is still written whole lines are given; one that another follows is given as it stands, damage and
torn ends included. A segment that was only prepared is not there yet. Everything here blocks, and is for a thread.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from gateway.common.boot import ClockReading, reading
from gateway.journal.read.listing import Listings
from gateway.journal.write.encoding import MAX_LINE
from gateway.journal.write.segments import Segment, copied, header
from gateway.replicas.copying.fetched import (
    LOOK_BACK,
    Differing,
    JournalFetched,
    SegmentPiece,
    SegmentPlace,
    before,
    is_folder,
)

DESK = "desk"
MAX_ENDED = 200_000  # segments whose sizes are remembered


class Offering:
    """``root``: the journal; ``node``: the number of this node in it."""

    def __init__(self, root: Path, node: int, clock: Callable[[], ClockReading] = reading) -> None:
        self.node = node
        self._root = root
        self._clock = clock
        self._listings = Listings()
        self._ended: dict[Path, int] = {}  # sizes of segments that others follow
        self._turn = 0

    def collect(self, wanted: Mapping[str, Sequence[SegmentPlace]], most: int) -> JournalFetched:
        """What follows the places, of each folder the first that is what stands here; about ``most`` bytes."""
        pieces: list[SegmentPiece] = []
        differing: list[Differing] = []
        behind = 0
        for name, folder in self._in_turn():
            places = wanted.get(name, ())
            found = self._listings.segments(folder)
            begin = _matched(found, places)
            if isinstance(begin, Differing):
                differing.append(begin._replace(folder=name))
                continue
            several = len(places) > 1  # then an empty piece says which of them it was
            at, offset = begin
            whole = final = True
            while whole and final and most > 0 and at < len(found):
                size, final = self._now(found, at)
                rest = 0
                if size > offset or several:
                    asked = SegmentPiece(name, found[at].name, offset, size, final, b"")
                    piece, rest = _read(folder / asked.segment, asked, most, alone=not pieces)
                    if piece.data or several:
                        pieces.append(piece)
                    most -= len(piece.data)
                    behind += rest
                whole, several, offset, at = not rest, False, 0, at + 1
            if final:
                behind += self._left(found, at, offset)
        return JournalFetched(self.node, self._clock(), not behind, behind, tuple(pieces), tuple(differing))

    def _in_turn(self) -> list[tuple[str, Path]]:
        """All folders of this node by the names that their copies have, each time another one first."""
        own = self._root / f"node-{self.node}"
        found = {} if copied(own) else {path.name: path for path in own.glob("*") if path.is_dir()}
        found |= {f"{DESK}-{path.name}": path for path in (self._root / DESK).glob("*") if path.is_dir()}
        names = sorted(name for name in found if is_folder(name))
        self._turn += 1
        first = self._turn % len(names) if names else 0
        return [(name, found[name]) for name in names[first:] + names[:first]]

    def _now(self, found: Sequence[Segment], at: int) -> tuple[int, bool]:
        """The size of a segment, and whether it grows no more: another follows that has a sound first record, or any
        that is itself followed."""
        later = list(islice((one for one in islice(found, at + 1, None) if _bytes(one.path)), 2))
        final = len(later) > 1 or (len(later) == 1 and header(later[0].path) is not None)
        size = _bytes(found[at].path)
        if final:
            self._ended[found[at].path] = size
        return size, final

    def _left(self, found: Sequence[Segment], at: int, offset: int) -> int:
        """About how many bytes there are from a place on: of segments that were ended once it is not asked again."""
        if len(self._ended) > MAX_ENDED:
            self._ended.clear()
        size = 0
        for place in range(at, len(found)):
            known = self._ended.get(found[place].path)
            size += self._now(found, place)[0] if known is None else known
        return max(0, size - offset)


def _read(path: Path, piece: SegmentPiece, most: int, *, alone: bool) -> tuple[SegmentPiece, int]:
    """With its bytes, whole lines where it goes on behind them; and how many bytes are left out that could be had.
    ``alone``: one line comes whole, however long it is."""
    wanted = piece.size - piece.offset
    try:
        with path.open("rb") as file:
            file.seek(piece.offset)
            data = file.read(min(most, wanted))
            if len(data) == wanted and piece.final:
                return piece._replace(data=data), 0
            end = data.rfind(b"\n") + 1
            if not end and alone and len(data) < wanted:
                data += file.readline(MAX_LINE)
                end = data.rfind(b"\n") + 1 or (len(data) if piece.final else 0)
    except FileNotFoundError:  # pruned meanwhile
        return piece, 0
    rest = wanted - end
    return piece._replace(data=data[:end]), max(0, rest) if piece.final or len(data) < wanted else 0


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # pruned meanwhile
        return 0


def _matched(found: Sequence[Segment], wanted: Sequence[SegmentPlace]) -> tuple[int, int] | Differing:
    """Which segment, and from which byte on. What is older than everything here was pruned."""
    if not wanted:
        return 0, 0
    for one in wanted:
        at = bisect_left(found, one.segment, key=_name)
        if at < len(found) and found[at].name == one.segment:
            if _same(found[at].path, one):
                return at, one.offset
        elif not at and found:
            return 0, 0
    at = bisect_left(found, wanted[0].segment, key=_name)
    there = at < len(found) and found[at].name == wanted[0].segment
    return Differing("", wanted[0].segment, _bytes(found[at].path) if there else -1)


def _name(segment: Segment) -> str:
    return segment.name


def _same(path: Path, place: SegmentPlace) -> bool:
    begin = max(0, place.offset - LOOK_BACK)
    try:
        with path.open("rb") as file:
            file.seek(begin)
            data = file.read(place.offset - begin)
    except FileNotFoundError:
        return False
    return len(data) == place.offset - begin and before(data) == place.before
