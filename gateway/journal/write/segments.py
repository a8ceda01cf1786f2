"""The files of a journal: their names, their owner, and reading and appending their lines.

    <root>/<node>/<worker>/owner                      locked (flock) by the one process that may append in this folder
    <root>/<node>/<worker>/<epoch>-<number>.jsonl     six digits each: 000003-000012.jsonl
    <root>/<node>/copied                              there where the folder is kept of another node (gateway.replicas)
    <root>/<node>/<worker>+<number>/                  of a copy: what the node wrote after it had begun anew
    <root>/<node>/<worker>~<number>/                  of a copy: ends of segments that the node no longer has

An epoch is one life of one worker; segments count from 1 within it.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from gateway.journal.write import encoding
from gateway.journal.write.encoding import Corrupt
from gateway.journal.write.errors import Locked

LOCK = "owner"
NOTE_SIZE = 256  # bytes
IMPORTS = "desk/import"  # the folder of what is older than the gateway: no worker's
COPIED = "copied"
ASIDE, LIFE = "~", "+"
_NAME = re.compile(r"(\d{6,})-(\d{6,})\.jsonl")


class Segment(NamedTuple):
    """One file. Sorts in the order of writing."""

    epoch: int
    number: int
    path: Path

    @property
    def name(self) -> str:
        return self.path.name


def name(epoch: int, number: int) -> str:
    """The file name of a segment."""
    return f"{epoch:06d}-{number:06d}.jsonl"


def segments(folder: Path) -> list[Segment]:
    """The segments of one worker's folder, in the order of writing; empty where there is no folder."""
    found = []
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return []
    for path in paths:
        match = _NAME.fullmatch(path.name)
        if match:
            found.append(Segment(int(match[1]), int(match[2]), path))
    found.sort()
    return found


def folders(root: Path) -> list[Path]:
    """The folders ``<node>/<worker>`` of a journal, sorted."""
    return sorted(path for path in root.glob("*/*") if path.is_dir())


def copied(node: Path) -> bool:
    """Whether a node's folder is a copy: what is in it is read like everything else, and looked after by whoever
    copies."""
    return (node / COPIED).exists()


def own_folders(root: Path) -> list[Path]:
    """The folders that this node wrote, under whichever number: no copies."""
    found = folders(root)
    copies = {node for node in {folder.parent for folder in found} if copied(node)}
    return [folder for folder in found if folder.parent not in copies]


def lives(folder: Path) -> list[Path]:
    """A folder, and of a copy those in which it goes on where the node began anew, the newest last."""
    later = folder.parent.glob(f"{folder.name}{LIFE}*")
    return [folder, *sorted(later, key=lambda life: int(life.name.rpartition(LIFE)[2]))]


def with_aside(folder: Path) -> list[Path]:
    """A folder, where it goes on, and what was put aside of it."""
    return [*lives(folder), *sorted(folder.parent.glob(f"{folder.name}{ASIDE}*"))]


def imports(root: Path) -> list[Path]:
    """The folders of what is older than the gateway: of this node, and those copied."""
    return [root / IMPORTS, *sorted(root.glob(f"*/{IMPORTS.replace('/', '-')}*"))]


def is_segment(text: str) -> bool:
    """Whether a file of this name would be a segment."""
    return _NAME.fullmatch(text) is not None


class Synced(NamedTuple):
    """Everything up to ``size`` bytes of a segment was on disk at ``time`` (microseconds since the epoch)."""

    segment: str
    size: int
    time: int


class Owner:
    """Holds a folder for this process until ``release``. Raises Locked where another living one holds it.

    The lock's file also says how far the folder was last made durable, for a start after an unclean stop: ``note``.
    """

    __slots__ = ("_fd", "_identity", "_path")

    def __init__(self, folder: Path) -> None:
        make_durable_folder(folder)
        self._path = folder / LOCK
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise Locked(f"{folder} is being written by another process") from None
        self._identity = _identity(os.fstat(self._fd))

    def lost(self) -> bool:
        """Whether the folder is gone, or another stands in its place: then this lock keeps nobody out of it."""
        try:
            return _identity(self._path.stat()) != self._identity
        except OSError:
            return True

    def note(self, sync: Synced) -> None:
        """Say what an fsync has just made durable. Not synced itself: an older note says less, never what is wrong."""
        os.pwrite(self._fd, orjson.dumps(sync._asdict()).ljust(NOTE_SIZE - 1) + b"\n", 0)

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def synced(folder: Path) -> Synced | None:
    """What the last note in a folder says; None where there is none that can be read."""
    try:
        with (folder / LOCK).open("rb") as file:
            return Synced(**orjson.loads(file.read(NOTE_SIZE)))
    except (OSError, TypeError, orjson.JSONDecodeError):
        return None


def _identity(seen: os.stat_result) -> tuple[int, int]:
    return seen.st_dev, seen.st_ino


def owned(folder: Path) -> bool:
    """True while a living process holds the folder."""
    try:
        fd = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a new file is not, however often it is synced itself."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_durable_folder(folder: Path) -> None:
    """Make a folder, and those above it, whose names are on disk when this returns."""
    if not folder.is_dir():
        make_durable_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


class Tail:
    """The segment that is being appended to. ``size``: bytes that count; nothing beyond them was ever confirmed."""

    __slots__ = ("fd", "identity", "segment", "size", "synced")

    def __init__(self, segment: Segment, fd: int, size: int = 0, synced: int = 0) -> None:
        """``fd`` is the tail's from now on. ``synced``: bytes that a successful fsync covers."""
        self.identity = _identity(os.fstat(fd))
        self.segment = segment
        self.fd = fd
        self.size = size
        self.synced = synced

    def twin(self) -> Tail:
        """The same file on a descriptor of its own, for a sync that may outlast this one."""
        return Tail(self.segment, os.dup(self.fd), self.size, self.synced)

    def misplaced(self) -> str:
        """What became of the file behind its writer's back: ``removed``, ``replaced`` (also where another folder or
        disk stands in its place), ``truncated``, ``read-only`` (nothing can be made in its folder); else nothing.

        Asks by name, and so about every folder above it: an open file tells nobody that it has no name any more. Safe
        in another thread. Blocks.
        """
        size = self.size
        path = self.segment.path
        try:
            seen = path.stat()
        except FileNotFoundError:
            return "removed"
        except OSError:
            return "replaced"
        if _identity(seen) != self.identity:
            return "replaced"
        if seen.st_size < size:
            return "truncated"
        return "" if os.access(path.parent, os.W_OK | os.X_OK) else "read-only"

    def append(self, data: bytes) -> None:
        """Write all of ``data`` or raise OSError; the caller then gives this segment up (``abandon``)."""
        written = os.write(self.fd, data)
        if written != len(data):
            raise OSError(f"short write: {written} of {len(data)} bytes")
        self.size += written

    def sync(self) -> None:
        """Raises OSError once; after that the pages may be marked clean, so nobody may sync this file again."""
        size = self.size
        os.fdatasync(self.fd)
        self.synced = max(self.synced, size)

    def abandon(self) -> None:
        """Close after a failure. What is beyond ``size`` is cut where the disk lets us; readers ignore it anyway,
        because the next segment's first record says where this one ended."""
        try:
            os.ftruncate(self.fd, self.size)
            if not self.size:
                self.segment.path.unlink()
        except OSError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)


def created(folder: Path, epoch: int, number: int) -> Tail:
    """A new segment, empty, whose name is on disk. Raises OSError."""
    segment = Segment(epoch, number, folder / name(epoch, number))
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    tail = Tail(segment, os.open(segment.path, flags, 0o600))
    try:
        sync_folder(folder)
    except OSError:
        tail.abandon()
        raise
    return tail


class Line(NamedTuple):
    """One line of a segment: where it begins, its bytes, and its record or what is wrong with it."""

    offset: int
    raw: bytes
    record: dict[str, Any] | None
    flaw: str = ""

    @property
    def end(self) -> int:
        return self.offset + len(self.raw)


def lines(file: BinaryIO, offset: int = 0, end: int | None = None, needle: bytes = b"") -> Iterator[Line]:
    """The lines from ``offset`` (bytes) up to ``end``, damaged ones included; bounded memory.

    A last line without its line feed has the flaw ``torn``. Lines that do not hold ``needle`` are passed over unread.
    """
    file.seek(offset)
    while end is None or offset < end:
        room = encoding.MAX_LINE if end is None else min(encoding.MAX_LINE, end - offset)
        raw = file.readline(room)
        if not raw:
            return
        if needle in raw:
            record, flaw = None, ""
            try:
                record = encoding.decode(raw)
            except Corrupt as error:
                flaw = error.code
            yield Line(offset, raw, record, flaw)
        offset += len(raw)


def header(path: Path) -> dict[str, Any] | None:
    """The ``opened`` record that a segment begins with; None where the file is gone or has no sound one."""
    try:
        with path.open("rb") as file:
            line = next(lines(file), None)
    except FileNotFoundError:
        return None
    if line is None or line.record is None or line.record.get("kind") != "opened":
        return None
    return line.record


def bounds(found: list[Segment]) -> Iterator[tuple[Segment, dict[str, Any] | None, int | None]]:
    """Each segment, its header, and the byte where it ends according to its successor (None: at the file's end)."""
    following = header(found[0].path) if found else None
    for place, segment in enumerate(found):
        own = following
        following = header(found[place + 1].path) if place + 1 < len(found) else None
        yield segment, own, end_of(segment, following)


def end_of(segment: Segment, successor: dict[str, Any] | None) -> int | None:
    """Where ``segment`` ends according to the header of the segment after it."""
    previous = successor.get("previous") if successor else None
    if previous and previous["segment"] == segment.name:
        size: int = previous["size"]
        return size
    return None
