"""Many files written as one. The order is what a crash at any moment leaves whole:

    aside      every new file, under another name
    sync       so that no name will point to bytes that are not on the disk
    rename     into place, in the order of ``put``: a reader sees a file whole, old or new
    in place   the files of ``patch``, whose readers know which part of them counts; synced again
    last       the one file that makes all of it count

What fails leaves the old files, or some of the new: the same batch made again puts that right.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path

ASIDE = ".new."
MANY = 24  # files; beyond, one sync of the file system costs less than one for each of them
PUBLIC, PRIVATE = 0o644, 0o600

_libc = ctypes.CDLL(None, use_errno=True)


class Batch:
    """``durable`` False leaves it to the system when bytes reach the disk (``journal.fsync = "no"``)."""

    def __init__(self, durable: bool = True) -> None:
        self._durable = durable
        self._aside: list[tuple[str, str]] = []
        self._patches: list[tuple[str, int, bytes, bool]] = []
        self._cleared: list[str] = []
        self._last: tuple[Path, bytes] | None = None
        self._unsynced: list[int] = []
        self._many = False

    def put(self, path: Path, data: bytes, mode: int = PUBLIC) -> None:
        """Replace a file. Raises OSError."""
        aside = f"{path.parent}/{ASIDE}{path.name}"
        self._aside.append((aside, os.fspath(path)))
        self._write(aside, os.O_TRUNC, mode, data)

    def link(self, path: Path, target: str) -> None:
        """Let a symbolic link point to ``target``. Raises OSError."""
        aside = f"{path.parent}/{ASIDE}{path.name}"
        with suppress(FileNotFoundError):
            os.unlink(aside)  # noqa: PTH108 - text, not Path: thousands of them in one batch
        os.symlink(target, aside)  # noqa: PTH211
        self._aside.append((aside, os.fspath(path)))

    def patch(self, path: Path, offset: int, data: bytes, *, end: bool = False) -> None:
        """Write into a file in place, once everything was renamed. ``end``: the file ends there."""
        self._patches.append((os.fspath(path), offset, data, end))

    def clear(self, path: Path) -> None:
        """Empty a file, if there is one, once everything was written."""
        self._cleared.append(os.fspath(path))

    def put_last(self, path: Path, data: bytes) -> None:
        """Replace a private file after everything else is on the disk."""
        self._last = (path, data)

    def commit(self) -> None:
        """Blocks; raises OSError."""
        try:
            self._sync()
            self._rename()
            for path, offset, data, end in self._patches:
                self._write(path, 0, PRIVATE, data, offset, end=end)
            for path in self._cleared:
                with suppress(FileNotFoundError):
                    os.truncate(path, 0)
            if self._last is not None:
                self.put(*self._last, PRIVATE)
            self._sync()
            self._rename()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Forget what was not renamed."""
        self._close()
        for aside, _ in self._aside:
            with suppress(OSError):
                os.unlink(aside)  # noqa: PTH108
        self._aside.clear()

    def _write(self, path: str, flags: int, mode: int, data: bytes, offset: int = 0, *, end: bool = False) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, mode)
        try:
            view = memoryview(data)
            while view:
                written = os.pwrite(fd, view, offset)
                view = view[written:]
                offset += written
            if end:
                os.ftruncate(fd, offset)
            if self._durable:
                if len(self._unsynced) < MANY:
                    self._unsynced.append(fd)
                    fd = -1
                else:
                    self._many = True
        finally:
            if fd >= 0:
                os.close(fd)

    def _sync(self) -> None:
        if self._many:
            if _libc.syncfs(self._unsynced[0]):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        else:
            for fd in self._unsynced:
                os.fdatasync(fd)
        self._close()

    def _close(self) -> None:
        for fd in self._unsynced:
            os.close(fd)
        self._unsynced.clear()
        self._many = False

    def _rename(self) -> None:
        for aside, path in self._aside:
            os.replace(aside, path)  # noqa: PTH105
        self._aside.clear()
