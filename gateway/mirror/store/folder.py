"""The mirror's folder as a whole: is it still the one we write to, and swapping it for another."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

from gateway.mirror.store.checkpoint import FOLDER

REBUILT = ".rebuilt"  # suffix of the folder beside it in which a mirror is made anew
_AT_FDCWD = -100
_EXCHANGE = 2  # RENAME_EXCHANGE, renameat2(2)

_libc = ctypes.CDLL(None, use_errno=True)


def rebuilt_beside(root: Path) -> Path:
    """Where a mirror is made anew, on the same file system."""
    return root.with_name(root.name + REBUILT)


class FolderIdentity:
    """Remembers which folder a path was, to notice that it was deleted or replaced."""

    def __init__(self, root: Path) -> None:
        self._path = root / FOLDER
        self._seen = self._look()

    def gone(self) -> bool:
        """Whether the path is not that folder any more."""
        return self._look() != self._seen

    def _look(self) -> tuple[int, int] | None:
        try:
            seen = self._path.stat()
        except OSError:
            return None
        return seen.st_dev, seen.st_ino


def swap(root: Path, made: Path) -> None:
    """Put ``made`` where ``root`` is, in one step for those who read, and delete what was there. Raises OSError."""
    if root.exists():
        if _libc.renameat2(_AT_FDCWD, os.fsencode(made), _AT_FDCWD, os.fsencode(root), _EXCHANGE):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        shutil.rmtree(made, ignore_errors=True)
    else:
        made.rename(root)
