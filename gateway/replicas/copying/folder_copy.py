"""One folder of another node's journal, as it is kept here: the same segments, byte for byte.

    behind the last piece      appended
    the next segment           the one before is synced first, so that only the last can be torn by a loss of power
    what does not fit          an answer to something else: refused

A line whose sum is wrong is fetched once more; where it comes again, it is so on the other disk, and is kept as it is:
both sides' verification tells of it. Where the other node has something else than was copied (its disk was lost, a
backup was put back, a tail went with the power), the newest place that both have is looked for, and copying goes on
from there. The end of a segment that is here beyond it goes aside, into a folder that is read like any other. Where
whole segments are, it goes on in another folder beside (a later life), because names come again with other records, and
whoever reads a folder on knows it by its names. Nothing is thrown away.

Held by a lock like a folder of our own: one process writes it, and its last line counts as being written.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filters.model.errors import TidegateError
from gateway.common.boot import reading
from gateway.journal.write.encoding import MAX_LINE, Corrupt, decode
from gateway.journal.write.segments import ASIDE, LIFE, Owner, Synced, lines, lives, segments, sync_folder, synced
from gateway.replicas.copying.fetched import (
    LOOK_BACK,
    MAX_PLACES,
    Differing,
    Garbled,
    SegmentPiece,
    SegmentPlace,
    before,
)

COPY_AT_ONCE: Final = 1 << 20


class Doubted(TidegateError):
    """A line's sum is wrong: it may be right when it is fetched once more."""


class FolderCopy:
    """``size``: bytes of the segment that is copied now. ``flaws``, ``holes`` and ``put_aside`` count since the start:
    damaged lines, segments that do not begin where the one before ended here, and what went aside."""

    def __init__(self, folder: Path) -> None:
        """Raises Locked where another process copies, OSError."""
        self.segment = ""
        self.size = 0
        self.flaws = self.holes = self.put_aside = 0
        self.dirty = False
        self._base = folder
        self._folder = lives(folder)[-1]
        self._owner = Owner(self._folder)
        self._fd = -1
        self._tail = b""  # the last bytes of what is here
        self._doubted: frozenset[tuple[str, int, str]] = frozenset()
        self._asked: list[SegmentPlace] = []  # newest first; more than one while a common place is looked for
        self._older: Iterator[SegmentPlace] | None = None
        try:
            self._resume()
        except BaseException:
            self.close()
            raise

    # -- where it stands

    def places(self) -> list[SegmentPlace]:
        """What to ask the other node about."""
        if self._older is None:
            self._asked = [SegmentPlace(self.segment, self.size, before(self._tail))] if self.segment else []
        return self._asked

    def take(self, piece: SegmentPiece) -> int:
        """How many bytes were added. Raises Doubted, Garbled, OSError."""
        if self._older is not None:
            self._found(piece)
        if piece.segment == self.segment:
            if piece.offset != self.size:
                raise Garbled("a piece begins elsewhere than was asked for")
            if piece.data and self._fd < 0 and not (self._folder / self.segment).exists():
                self.segment, self.size, self._tail = "", 0, b""  # it goes on in a segment of an earlier life: all anew
                return 0
        elif piece.offset or piece.segment <= self.segment:
            raise Garbled("a piece is of another segment than was asked for")
        if not piece.data:
            return 0
        self._weigh(piece)
        if piece.segment != self.segment:
            self._begin(piece)
        self._append(piece.data)
        return len(piece.data)

    def differs(self, told: Differing) -> None:
        """What was asked about stands otherwise there: ask about older places, the newest first. Raises OSError."""
        if not self._asked or told.segment != self._asked[0].segment:
            raise Garbled("what differs was not asked for")
        if self._older is None:
            self._older = self._candidates(told)
        self._asked = [place for place, _ in zip(self._older, range(MAX_PLACES), strict=False)]
        if not self._asked:
            self._older = None
            self._back_to("", 0)

    def sync(self) -> None:
        """Make durable what was added. Raises OSError."""
        if self._fd >= 0 and self.dirty:
            os.fdatasync(self._fd)
            self.dirty = False
            self._owner.note(Synced(self.segment, self.size, reading().time))

    def close(self) -> None:
        """Give the folder up; what is not synced is looked through by the next life."""
        self._leave()
        self._owner.release()

    # -- writing

    def _begin(self, piece: SegmentPiece) -> None:
        self.sync()
        self._follows(piece)
        self._leave()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(self._folder / piece.segment, flags, 0o600)
        self.segment, self.size, self._tail = piece.segment, 0, b""
        self._owner.note(Synced(self.segment, 0, reading().time))
        sync_folder(self._folder)

    def _append(self, data: bytes) -> None:
        if self._fd < 0:
            self._fd = os.open(self._folder / self.segment, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self.dirty = True
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, self.size)
            raise
        self.size += len(data)
        self._tail = (self._tail + data)[-LOOK_BACK:]

    def _leave(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _weigh(self, piece: SegmentPiece) -> None:
        flaws = frozenset(_unsound(piece))
        if flaws and not flaws <= self._doubted:
            self._doubted = flaws
            raise Doubted(f"{len(flaws)} lines of {piece.segment} from byte {piece.offset} are not sound")
        self._doubted = frozenset()
        self.flaws += len(flaws)

    def _follows(self, piece: SegmentPiece) -> None:
        """Counts a hole where the segment does not begin where ours ends: the rest was pruned, or lost there."""
        if not self.segment:
            return
        try:
            previous = decode(piece.data[: piece.data.index(b"\n") + 1]).get("previous")
        except (Corrupt, ValueError):
            return
        if not isinstance(previous, dict) or previous["segment"] != self.segment or previous["size"] > self.size:
            self.holes += 1

    # -- beginning, and beginning again

    def _resume(self) -> None:
        """Go on behind the last sound line. What was synced is believed; what was written since is read."""
        found = segments(self._folder)
        if not found:
            self.segment, self.size, self._tail = "", 0, b""
            return
        last = found[-1]
        noted = synced(self._folder)
        with last.path.open("rb") as file:
            end = file.seek(0, 2)
            start = noted.size if noted is not None and noted.segment == last.name and noted.size <= end else 0
            sound = start
            for line in lines(file, start):
                if line.record is None:
                    break
                sound = line.end
            file.seek(max(0, sound - LOOK_BACK))
            self._tail = file.read(min(sound, LOOK_BACK))
        if sound < end:
            os.truncate(last.path, sound)
        self.segment, self.size = last.name, sound
        self.dirty = sound > start
        if self.dirty:
            self._fd = os.open(last.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def _candidates(self, told: Differing) -> Iterator[SegmentPlace]:
        """Places that may be common, the newest first."""
        if told.segment == self.segment and 0 < told.size < self.size:
            size = self._line_end(told.size)  # so that no line of ours is torn in two
            if size:
                yield self._place(told.segment, size)
        for segment in reversed(segments(self._folder)):
            if segment.name < self.segment:
                yield self._place(segment.name, segment.path.stat().st_size)

    def _line_end(self, size: int) -> int:
        with (self._folder / self.segment).open("rb") as file:
            begin = max(0, size - MAX_LINE)
            file.seek(begin)
            found = file.read(size - begin).rfind(b"\n") + 1
        return begin + found if found else 0

    def _place(self, segment: str, size: int) -> SegmentPlace:
        with (self._folder / segment).open("rb") as file:
            file.seek(max(0, size - LOOK_BACK))
            return SegmentPlace(segment, size, before(file.read(min(size, LOOK_BACK))))

    def _found(self, piece: SegmentPiece) -> None:
        """Begin again at the place that both have, or at the oldest segment where all that is here is older."""
        self._older = None
        common = next((one for one in self._asked if (one.segment, one.offset) == (piece.segment, piece.offset)), None)
        if common is not None:
            self._back_to(common.segment, common.offset)
            return
        older = next((one for one in self._asked if one.segment < piece.segment), None)
        if older is None or piece.offset:
            raise Garbled("a piece begins elsewhere than was asked for")
        self._back_to(older.segment, older.offset)

    def _back_to(self, segment: str, size: int) -> None:
        """What is beyond stays beside. Whatever is cut short is begun again."""
        self._leave()
        self.dirty = False
        found = segments(self._folder)
        tail = b""
        for one in found:
            if one.name == segment:
                if one.path.stat().st_size > size:
                    _excess(one.path, size, self._made(ASIDE) / one.name)
                    self.put_aside += 1
                with one.path.open("rb") as file:
                    file.seek(max(0, size - LOOK_BACK))
                    tail = file.read(min(size, LOOK_BACK))
        beyond = sum(one.name > segment for one in found)
        if not beyond:
            self._resume()
            return
        self.put_aside += beyond
        folder = self._made(LIFE)
        owner = Owner(folder)
        self._owner.release()
        self._owner, self._folder = owner, folder
        self.segment, self.size, self._tail = segment, size, tail

    def _made(self, mark: str) -> Path:
        """A new folder beside."""
        number = 1
        while True:
            made = self._base.with_name(f"{self._base.name}{mark}{number}")
            try:
                made.mkdir(mode=0o700)
            except FileExistsError:
                number += 1
                continue
            sync_folder(made.parent)
            return made


def _unsound(piece: SegmentPiece) -> Iterator[tuple[str, int, str]]:
    """The damaged lines of a piece: where each begins, and what it is."""
    at = 0
    while at < len(piece.data):
        end = piece.data.find(b"\n", at) + 1 or len(piece.data)
        line = piece.data[at:end]
        try:
            decode(line)
        except Corrupt:
            yield piece.segment, piece.offset + at, hashlib.sha256(line).hexdigest()
        at = end


def _excess(path: Path, size: int, target: Path) -> None:
    """Move what is beyond ``size`` into a file of its own."""
    with path.open("rb") as source, target.open("xb") as made:
        os.fchmod(made.fileno(), 0o600)
        source.seek(size)
        while data := source.read(COPY_AT_ONCE):
            made.write(data)
        made.flush()
        os.fsync(made.fileno())
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.ftruncate(fd, size)
        os.fsync(fd)
    finally:
        os.close(fd)
