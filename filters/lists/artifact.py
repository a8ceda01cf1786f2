"""The file that a list is compiled to: one header, then flat sections that are used where they lie.

Layout, little-endian::

    0   magic      8 bytes  "TIDEGATE"
    8   format     u32      of this layout
    12  header     u32      length of the JSON header in bytes
    16  checksum   u32      CRC-32C of the header
    20  zero       u32
    24  header     JSON: what the list is, and where each section lies: [offset, length, CRC-32C], offset from the start
        sections   each begins at a multiple of 8

A section is read through a ``memoryview``, so that a list of a million words lies in the page cache once for all
workers and no Python object is made of its words.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Mapping
from typing import Any

from crc32c import crc32c

from filters.model.errors import TidegateError

MAGIC = b"TIDEGATE"
FORMAT = 2

_head = struct.Struct("<8sIIII")
_ALIGN = 8
_CHUNK = 1 << 20  # bytes checked at once: other threads get their turn between


class ArtifactError(TidegateError, ValueError):
    """A file that is no artifact, is damaged, or belongs to other code, tables or engine. Remedy: compile again."""


def pack(header: Mapping[str, Any], sections: Mapping[str, bytes]) -> bytes:
    """Header and sections as one file's content; equal input gives equal bytes."""
    places: dict[str, list[int]] = {}
    offset = 0
    for name, data in sections.items():
        places[name] = [offset, len(data), crc32c(data)]
        offset += -(-len(data) // _ALIGN) * _ALIGN
    text = json.dumps({**header, "sections": places}, ensure_ascii=False, sort_keys=True).encode()
    text += b" " * (-(_head.size + len(text)) % _ALIGN)
    blocks = [_head.pack(MAGIC, FORMAT, len(text), crc32c(text), 0), text]
    for data in sections.values():
        blocks += [data, bytes(-len(data) % _ALIGN)]
    return b"".join(blocks)


class Artifact:
    """A checked artifact over a buffer (bytes or a file map), which it keeps alive."""

    __slots__ = ("_base", "_places", "_view", "header")

    def __init__(
        self, buffer: bytes | memoryview, *, check: bool = True, given: Mapping[str, bytes] | None = None
    ) -> None:
        """Raises ``ArtifactError``. ``check=False`` leaves out the sections' checksums: the header alone is read.

        ``given`` are sections that the caller has read by themselves; they are checked in place of the buffer's, whose
        pages then need not be touched.
        """
        view = memoryview(buffer).cast("B")
        if sys.byteorder != "little":
            raise ArtifactError("artifacts are little-endian; this machine is not")
        if len(view) < _head.size:
            raise ArtifactError("too short for an artifact")
        magic, version, length, checksum, _ = _head.unpack_from(view)
        if magic != MAGIC:
            raise ArtifactError("not an artifact of a list")
        if version != FORMAT:
            raise ArtifactError(f"artifact format {version}, this program reads {FORMAT}; compile the list again")
        text = bytes(view[_head.size : _head.size + length])
        if len(text) != length or crc32c(text) != checksum:
            raise ArtifactError("the artifact's header is damaged; compile the list again")
        self.header: dict[str, Any] = json.loads(text)
        self._places: dict[str, list[int]] = self.header["sections"]
        self._base = _head.size + length
        self._view = view
        for name, (offset, size, crc) in self._places.items():
            data = view[self._base + offset : self._base + offset + size]
            if given and name in given and size == len(given[name]):
                data = memoryview(given[name])
            if len(data) != size or (check and _checksum(data) != crc):
                raise ArtifactError(f"the artifact's section {name} is damaged; compile the list again")

    def place(self, name: str) -> tuple[int, int]:
        """Where a section lies in the file: offset and length in bytes."""
        offset, size, _ = self._places[name]
        return self._base + offset, size

    def section(self, name: str) -> memoryview:
        """A section's bytes."""
        offset, size = self.place(name)
        return self._view[offset : offset + size]

    def array(self, name: str, code: str) -> memoryview:
        """A section as an array of ``code``: B, H, I or Q, as ``struct`` names them."""
        return self.section(name).cast(code)  # type: ignore[call-overload, no-any-return]


def _checksum(data: memoryview) -> int:
    crc = 0
    for start in range(0, len(data), _CHUNK):
        crc = crc32c(data[start : start + _CHUNK], crc)
    return crc
