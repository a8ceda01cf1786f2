"""A room's own file, written in place in one of two slots by turns: the slot written last, and whole, counts.

A file that is replaced every second by a new one makes the file system look for a new inode each time, past those freed
lately (ext4: half a millisecond). Pages must be replaced, because a slow reader may have them open; this file has no
readers but us.

A slot: ``TGRM``, sequence (64 bits), length and CRC32 of the body, the body. Numbers are big-endian.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import orjson

from gateway.mirror.store.batch import Batch
from gateway.mirror.store.sealed import Damaged

SLOTS = (".room.0", ".room.1")
_HEAD = struct.Struct(">4sQII")
_MAGIC = b"TGRM"


def load(folder: Path) -> tuple[int, Any] | None:
    """The sequence and the document of the newest whole slot; None where there is none at all. Raises Damaged, OSError.

    One damaged slot is what a crash in the middle of writing leaves; the other one then counts.
    """
    found: list[tuple[int, bytes]] = []
    seen = False
    for name in SLOTS:
        try:
            data = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        seen = seen or bool(data)
        if len(data) < _HEAD.size:
            continue
        magic, sequence, length, crc = _HEAD.unpack_from(data)
        body = data[_HEAD.size : _HEAD.size + length]
        if magic == _MAGIC and len(body) == length and zlib.crc32(body) == crc:
            found.append((sequence, body))
    if not found:
        if seen:
            raise Damaged(f"the room's file of {folder.name} is damaged")
        return None
    sequence, body = max(found)
    return sequence, orjson.loads(body)


def put(batch: Batch, folder: Path, sequence: int, document: Any, *, alone: bool) -> None:
    """Write the slot of ``sequence``. ``alone``: nothing that was written before may stay, in either slot."""
    body = orjson.dumps(document)
    data = _HEAD.pack(_MAGIC, sequence, len(body), zlib.crc32(body)) + body
    batch.patch(folder / SLOTS[sequence % 2], 0, data, end=alone)
    if alone:
        batch.clear(folder / SLOTS[(sequence + 1) % 2])
