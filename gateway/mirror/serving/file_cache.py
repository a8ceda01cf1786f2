"""Files kept in memory as long as they are what is on disk: a request costs one look at the file, not its bytes."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

MAX_BYTES = 16 * 1024 * 1024
MAX_COPIES = 4096

_Version = tuple[int, int, int]


class CachedFile:
    """Bytes and their strong ETag, quotes included: equal bytes have equal tags, on every node and after a rebuild."""

    __slots__ = ("data", "etag")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.etag = b'"%b"' % hashlib.blake2b(data, digest_size=15).hexdigest().encode()


class FileCache:
    """Bounded: what was asked for longest ago goes first."""

    __slots__ = ("_held", "_size")

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str], tuple[_Version, CachedFile]] = OrderedDict()
        self._size = 0

    def file(self, path: Path) -> CachedFile | None:
        """A file's bytes; None where there is none. Raises OSError."""
        return self.made(path, "", lambda data: data)

    def made(self, path: Path, what: str, make: Callable[[bytes], bytes | None]) -> CachedFile | None:
        """What ``make`` makes of a file's bytes, kept until the file changes; None where there is no file, or ``make``
        gives None. Raises OSError."""
        name = os.fspath(path)
        key = (name, what)
        try:
            seen = os.stat(name)  # noqa: PTH116 - asked for each request
        except (FileNotFoundError, NotADirectoryError):
            return None
        version = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
        held = self._held.get(key)
        if held is not None and held[0] == version:
            self._held.move_to_end(key)
            return held[1]
        try:
            with path.open("rb") as file:
                opened = os.fstat(file.fileno())
                data = file.read()
        except FileNotFoundError:
            return None
        made = make(data)
        if made is None:
            return None
        copy = CachedFile(made)
        self._keep(key, (opened.st_ino, opened.st_mtime_ns, opened.st_size), copy)
        return copy

    def _keep(self, key: tuple[str, str], version: _Version, copy: CachedFile) -> None:
        before = self._held.pop(key, None)
        if before is not None:
            self._size -= len(before[1].data)
        if len(copy.data) > MAX_BYTES // 4:
            return
        self._held[key] = (version, copy)
        self._size += len(copy.data)
        while self._size > MAX_BYTES or len(self._held) > MAX_COPIES:
            _, (_, oldest) = self._held.popitem(last=False)
            self._size -= len(oldest.data)
