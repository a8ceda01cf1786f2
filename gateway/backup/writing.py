"""Files on their way into a backup and out of it: copied with their digest, or linked; made durable together."""

from __future__ import annotations

import ctypes
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20  # bytes

_libc = ctypes.CDLL(None, use_errno=True)


def pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """At most ``size`` bytes of a file, from where it stands."""
    while size > 0:
        piece = file.read(min(CHUNK, size))
        if not piece:
            return
        size -= len(piece)
        yield piece


def digest(file: BinaryIO, size: int) -> tuple[int, str]:
    """How many of ``size`` bytes there are, and their SHA-256 in hexadecimal."""
    running, seen = hashlib.sha256(), 0
    for piece in pieces(file, size):
        running.update(piece)
        seen += len(piece)
    return seen, running.hexdigest()


def copy(file: BinaryIO, target: Path, size: int) -> tuple[int, str]:
    """Copy at most ``size`` bytes into a new file of its owner's alone; as ``digest``. Raises ``OSError``."""
    private_folder(target.parent)
    running, seen = hashlib.sha256(), 0
    with private(target) as out:
        for piece in pieces(file, size):
            out.write(piece)
            running.update(piece)
            seen += len(piece)
    return seen, running.hexdigest()


def private_folder(folder: Path) -> None:
    """A folder of its owner's alone, and those above it that are missing."""
    for above in reversed((folder, *folder.parents)):
        if not above.is_dir():
            above.mkdir(mode=0o700, exist_ok=True)


def private(target: Path) -> BinaryIO:
    """A new file of mode 0600, open for writing; whatever stood there is not written to."""
    target.unlink(missing_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")


def linked(source: Path, target: Path) -> bool:
    """Give a file that never changes another name; False where the file system has no place for one."""
    private_folder(target.parent)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links, or too many of them
        return False
    return True


def sync_all(folder: Path) -> None:
    """Make everything on the file system of ``folder`` durable, names included: one call, where a call a file would
    take hours for a million pages. Raises ``OSError``."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _libc.syncfs(descriptor):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(descriptor)
