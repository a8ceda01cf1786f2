"""What one node answers another that asks how its journal goes on: JSON lines, and bytes of segments between them.

    {"node":2,"clock":[…],"complete":true,"behind":0}
    {"folder":"0","segment":"000001-000003.jsonl","offset":4096,"size":5000,"final":false,"bytes":904}
    904 bytes of that segment, as they stand there
    {"folder":"1","segment":"000007-000001.jsonl","size":-1}
    SHA-256 of all that, in hexadecimal

A line without ``bytes`` says that the segment is not what whoever asks has: shorter, other bytes, or not there at all
(-1). The digest is there since nothing else tells a byte that broke on its way from one that broke on the disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from filters.model.errors import TidegateError
from gateway.common.boot import ClockReading
from gateway.journal.write.segments import is_segment

MEDIA_TYPE = "application/vnd.tidegate.segments"
LOOK_BACK = 4096  # bytes before an offset that must be the same on both sides
MAX_PLACES = 16  # that may be asked about for one folder
DIGEST = 65  # bytes
MAX_FOLDERS = 300  # 256 writers and the desk


class Garbled(TidegateError):
    """An answer that is not what was sent, or not what a node sends."""


class SegmentPlace(NamedTuple):
    """How far a copy goes. ``before``: digest of the last ``LOOK_BACK`` bytes up to ``offset``."""

    segment: str
    offset: int
    before: str


class SegmentPiece(NamedTuple):
    """Bytes of a segment from ``offset``. ``size``: of the whole segment at that moment; ``final``: it is whole."""

    folder: str
    segment: str
    offset: int
    size: int
    final: bool
    data: bytes


class Differing(NamedTuple):
    """No place that was asked about is what stands there. ``segment``: of the first; ``size``: its, -1 for none."""

    folder: str
    segment: str
    size: int


class JournalFetched(NamedTuple):
    """``clock``: the node's own clocks. ``complete``: nothing was left out; ``behind``: the bytes left out."""

    node: int
    clock: ClockReading
    complete: bool
    behind: int
    pieces: tuple[SegmentPiece, ...]
    differing: tuple[Differing, ...]


def before(data: bytes) -> str:
    """The digest that a ``SegmentPlace`` carries; ``data`` ends at its offset."""
    return hashlib.sha256(data[-LOOK_BACK:]).hexdigest()[:32]


def encoded(answer: JournalFetched) -> bytes:
    """As it is sent."""
    first = {"node": answer.node, "clock": list(answer.clock), "complete": answer.complete, "behind": answer.behind}
    made = [orjson.dumps(first), b"\n"]
    for piece in answer.pieces:
        told: dict[str, Any] = {name: getattr(piece, name) for name in ("folder", "segment", "offset", "size", "final")}
        made += [orjson.dumps(told | {"bytes": len(piece.data)}), b"\n", piece.data]
    for one in answer.differing:
        made += [orjson.dumps(one._asdict()), b"\n"]
    body = b"".join(made)
    return b"%b%b\n" % (body, hashlib.sha256(body).hexdigest().encode())


def decoded(body: bytes) -> JournalFetched:
    """What was sent. Raises Garbled."""
    told = body[:-DIGEST]
    if body[-DIGEST:] != b"%b\n" % hashlib.sha256(told).hexdigest().encode():
        raise Garbled("bytes broke on their way")
    try:
        return _decoded(told)
    except (ValueError, KeyError, TypeError) as error:
        raise Garbled(f"the answer is none: {type(error).__name__}") from None


def _decoded(body: bytes) -> JournalFetched:
    first, at = _line(body, 0)
    pieces: list[SegmentPiece] = []
    differing: list[Differing] = []
    while at < len(body):
        told, at = _line(body, at)
        folder, segment, size = str(told["folder"]), str(told["segment"]), int(told["size"])
        if not is_folder(folder) or not is_segment(segment):
            raise Garbled("the answer names a file that no journal has")
        if "bytes" not in told:
            differing.append(Differing(folder, segment, size))
            continue
        data = body[at : at + int(told["bytes"])]
        if len(data) != int(told["bytes"]):
            raise Garbled("the answer is shorter than it says")
        at += len(data)
        pieces.append(SegmentPiece(folder, segment, int(told["offset"]), size, bool(told["final"]), data))
    time, boot, uptime = first["clock"]
    clock = ClockReading(int(time), str(boot), int(uptime))
    return JournalFetched(
        int(first["node"]), clock, bool(first["complete"]), int(first["behind"]), tuple(pieces), tuple(differing)
    )


def _line(body: bytes, at: int) -> tuple[dict[str, Any], int]:
    end = body.index(b"\n", at)
    told = orjson.loads(body[at:end])
    if not isinstance(told, dict):
        raise TypeError
    return told, end + 1


def is_folder(name: str) -> bool:
    """Whether a node has folders of this name: a writer's number, or the desk's. It becomes a path."""
    if name in ("desk-query", "desk-import"):
        return True
    return name.isascii() and name.isdigit() and len(name) <= 3 and str(int(name)) == name


def places(told: Iterable[SegmentPlace]) -> list[dict[str, Any]]:
    """As a request carries them."""
    return [place._asdict() for place in told]
