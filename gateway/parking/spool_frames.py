"""What stands in a spool's file: a head that says what it is, then a frame for each parked message.

    head    8 bytes: ``TGPARK`` and the format, as two digits
    frame   length of what follows the checksum, 4 bytes; CRC32C (RFC 3720, appendix B.4) of it, 4 bytes;
            length of the id, 1 byte; the id; what was sealed

Numbers are unsigned, the highest byte first. A file's frames end with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from crc32c import crc32c

HEAD: Final = b"TGPARK01"
LARGEST: Final = 64 * 1024 * 1024  # bytes of a frame; a longer one is damage
_PLACES: Final = 8


class Frame(NamedTuple):
    """One parked message."""

    message_id: str
    sealed: bytes


def framed(frames: Iterable[tuple[str, bytes]]) -> bytes:
    """The whole file. Each is an id and what was sealed for it."""
    out = [HEAD]
    for message_id, sealed in frames:
        name = message_id.encode()
        told = bytes([len(name)]) + name + sealed
        out.append(len(told).to_bytes(4, "big") + crc32c(told).to_bytes(4, "big") + told)
    return b"".join(out)


def unframed(content: bytes) -> tuple[Sequence[Frame], int]:
    """The sound frames of a file from its beginning, and how many bytes stand behind the last of them: 0 for a whole
    file. What stands behind damage is not believed, because where its frames begin is not known."""
    if not content.startswith(HEAD):
        return [], len(content)
    found: list[Frame] = []
    at = len(HEAD)
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        told = content[at + _PLACES : at + _PLACES + size]
        if not 0 < size <= LARGEST or len(told) < size or told[0] >= size:
            break
        if crc32c(told).to_bytes(4, "big") != content[at + 4 : at + _PLACES]:
            break
        name = told[1 : 1 + told[0]]
        if not name.isascii():
            break
        found.append(Frame(name.decode("ascii"), told[1 + told[0] :]))
        at += _PLACES + size
    return found, len(content) - at
