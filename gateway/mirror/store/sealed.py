"""Small files of the mirror's own that say whether they are whole: JSON, a line feed, CRC32 of the JSON."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import orjson

from filters.model.errors import TidegateError


class Damaged(TidegateError):
    """Something in the mirror's folder is not what was written there; ``mirror rebuild`` makes it anew."""


def seal(document: Any) -> bytes:
    """The bytes of a document."""
    data = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    return b"%b\n%08x" % (data, zlib.crc32(data))


def unseal(name: str, data: bytes) -> Any:
    """The document in what ``seal`` gave; ``name`` says what is damaged. Raises Damaged."""
    body, _, told = data.rpartition(b"\n")
    if told != b"%08x" % zlib.crc32(body):
        raise Damaged(f"{name} is damaged")
    return orjson.loads(body)


def read(path: Path) -> Any:
    """The document in a file, None where there is no file. Raises Damaged, OSError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    return unseal(f"{path.parent.name}/{path.name}", data)
