"""Which ids stand on which complete page of a room: one row of 44 bytes for each page, in their order.

A row is the page's least id, the greatest id on it or before it (``until``), as 16 bytes each, its size and how many
of these were removed, and CRC32. ``until`` never falls, so a page is found by bisection and a step back.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.mirror.store.batch import Batch
from gateway.mirror.store.sealed import Damaged

NAME = ".index"
_ROW = struct.Struct(">16s16sII")
_SUM = struct.Struct(">I")
ROW = _ROW.size + _SUM.size


class PageRow(NamedTuple):
    """``first`` and ``until`` as 32 hexadecimal digits without hyphens; ``size`` includes ``removed``."""

    number: int
    first: str
    until: str
    size: int
    removed: int


def put(batch: Batch, folder: Path, row: PageRow) -> None:
    """Write a page's row, new or again."""
    data = _ROW.pack(digits(row.first), digits(row.until), row.size, row.removed)
    batch.patch(folder / NAME, (row.number - 1) * ROW, data + _SUM.pack(zlib.crc32(data)))


def digits(message_id: str) -> bytes:
    """The 16 bytes of a UUID. ValueError where it is none."""
    data = bytes.fromhex(message_id.replace("-", ""))
    if len(data) != 16:
        raise ValueError("an id of a bullet is a UUID")
    return data


def rows(folder: Path, pages: int) -> Iterator[PageRow]:
    """The rows of the first ``pages`` pages. Raises Damaged."""
    for number, data in enumerate(_read(folder, 0, pages), 1):
        yield _row(folder, data, number)


def row(folder: Path, number: int) -> PageRow:
    """One page's row. Raises Damaged."""
    (data,) = _read(folder, number - 1, number)
    return _row(folder, data, number)


def candidates(folder: Path, pages: int, message_id: str) -> list[PageRow]:
    """Those of the first ``pages`` pages that may hold an id, the likeliest first. Raises Damaged."""
    wanted = digits(message_id)
    low, high = 0, pages  # the first page whose ``until`` reaches the id, counted from 0
    while low < high:
        middle = (low + high) // 2
        (data,) = _read(folder, middle, middle + 1)
        if data[16:32] < wanted:
            low = middle + 1
        else:
            high = middle
    return [
        _row(folder, data, number)
        for number, data in enumerate(_read(folder, low, pages), low + 1)
        if data[:16] <= wanted
    ]


def _read(folder: Path, start: int, end: int) -> list[bytes]:
    if start >= end:
        return []
    try:
        with (folder / NAME).open("rb", buffering=0) as file:
            data = os.pread(file.fileno(), (end - start) * ROW, start * ROW)
    except FileNotFoundError:
        raise Damaged(f"the index of {folder.name} is not there") from None
    if len(data) < (end - start) * ROW:
        raise Damaged(f"the index of {folder.name} is too short")
    return [data[at : at + ROW] for at in range(0, len(data), ROW)]


def _row(folder: Path, raw: bytes, number: int) -> PageRow:
    if _SUM.unpack_from(raw, _ROW.size)[0] != zlib.crc32(raw[: _ROW.size]):
        raise Damaged(f"row {number} of the index of {folder.name} is damaged")
    first, until, size, removed = _ROW.unpack_from(raw)
    return PageRow(number, first.hex(), until.hex(), size, removed)
