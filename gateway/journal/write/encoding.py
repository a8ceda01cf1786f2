"""Records as bytes, and the proof that they are what was written (docs/journal.md has the format).

A line is a JSON object whose last member is the CRC32C (RFC 3720, appendix B.4) of everything before it in the line:

    {"v":1,"epoch":3,"seq":12,"kind":"judged", … ,"crc":"0a1b2c3d"}\\n

The first record of each batch also carries ``chain``, just before ``crc``: SHA-256 over the previous batch's chain
value (32 bytes) and the previous batch's lines. So one hash a batch, and no line of its own, ties all batches together:
a changed, missing, added or moved line shows at the start of the next batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from crc32c import crc32c

from filters.model.errors import TidegateError

FORMAT: Final = 1
GENESIS: Final = bytes(32)  # the chain value before the first batch of a folder
MAX_LINE: Final = 8 * 1024 * 1024  # bytes; a longer line is damage

_dumps: Final = orjson.dumps
_CRC: Final = b',"crc":"'
_PAIRS: Final = tuple(b"%02x" % byte for byte in range(256))
_CRC_SIZE: Final = len(_CRC) + 8 + 3  # digits, quote, brace, line feed


class Corrupt(TidegateError, ValueError):
    """A line that is not what was written. ``code``: ``torn``, ``format``, ``crc``, ``json`` or ``version``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def prefix(epoch: int) -> bytes:
    """How every line of an epoch begins, up to its sequence number."""
    return b'{"v":%d,"epoch":%d,"seq":' % (FORMAT, epoch)


def fields(record: Mapping[str, Any]) -> bytes:
    """A record's members, without braces. TypeError where a value is not JSON (RFC 8259)."""
    return _dumps(record)[1:-1]


def body(start: bytes, sequence: int, members: bytes) -> bytes:
    """A line without its end: ``start`` is from ``prefix``, ``members`` from ``fields``."""
    return b"%b%d,%b" % (start, sequence, members)


def lines(start: bytes, sequence: int, records: Iterable[bytes]) -> bytes:
    """The whole lines of ``records`` (each from ``fields``), numbered from ``sequence``."""
    made = []
    for members in records:
        made.append(sealed(b"%b%d,%b" % (start, sequence, members)))
        sequence += 1
    return b"".join(made)


def sealed(unsealed: bytes) -> bytes:
    """The whole line of what ``body`` began."""
    crc: int = crc32c(unsealed)
    # Two digits at a time from a table: a third of what formatting a number takes.
    return b'%b,"crc":"%b%b%b%b"}\n' % (
        unsealed, _PAIRS[crc >> 24], _PAIRS[crc >> 16 & 255], _PAIRS[crc >> 8 & 255], _PAIRS[crc & 255],
    )  # fmt: skip


def chained(unsealed: bytes, chain: bytes) -> bytes:
    """The whole line of a record that begins a batch."""
    return sealed(b'%b,"chain":"%b"' % (unsealed, chain.hex().encode()))


def next_chain(chain: bytes, batch: bytes) -> bytes:
    """The chain value after ``batch``, the bytes of its lines with their line feeds."""
    return hashlib.sha256(chain + batch).digest()


def decode(line: bytes) -> dict[str, Any]:
    """The record of one line (with its line feed). Raises Corrupt."""
    if not line.endswith(b"\n"):
        raise Corrupt("torn")
    unsealed = line[:-_CRC_SIZE]
    if line[-_CRC_SIZE:-11] != _CRC or line[-3:] != b'"}\n':
        raise Corrupt("format")
    if b"%08x" % crc32c(unsealed) != line[-11:-3]:
        raise Corrupt("crc")
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise Corrupt("json") from None
    if not isinstance(record, dict) or not all(isinstance(record.get(name), int) for name in ("v", "epoch", "seq")):
        raise Corrupt("format")
    if record["v"] != FORMAT:
        raise Corrupt("version")
    return record
