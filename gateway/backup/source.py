"""A backup as it is read: a folder, or a tar archive of one. No symbolic link in it is followed, no device opened."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from gateway.backup.backup_manifest import LARGEST, MANIFEST, BackupError, BackupManifest, decode

CUT_SHORT = "it has no manifest: it was cut short, or is no backup"


class BackupSource(Protocol):
    """``names``: every file in it, with its size in bytes."""

    names: dict[str, int]

    def open(self, name: str) -> BinaryIO:
        """Raises ``BackupError`` where it is no regular file, ``OSError`` where it cannot be read."""


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.names: dict[str, int] = {}
        for folder, _, files in os.walk(root):
            for name in files:
                path = Path(folder, name)
                self.names[path.relative_to(root).as_posix()] = path.lstat().st_size

    def open(self, name: str) -> BinaryIO:
        path = self._root / name
        for above in path.relative_to(self._root).parents:
            if (self._root / above).is_symlink() and above != Path():
                raise BackupError(f"{name} lies behind a symbolic link: a backup has none")
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            if path.is_symlink():
                raise BackupError(f"{name} is a symbolic link: a backup has none") from None
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise BackupError(f"{name} is no regular file")
        return os.fdopen(descriptor, "rb")


class _Archive:
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._members: dict[str, tarfile.TarInfo] = {}
        for member in archive:
            if member.isdir():
                continue
            if member.name in self._members:
                raise BackupError(f"{member.name} is in it twice")
            self._members[member.name] = member
        self.names = {name: member.size for name, member in self._members.items()}

    def open(self, name: str) -> BinaryIO:
        member = self._members[name]
        if not member.isreg():
            raise BackupError(f"{name} is no regular file")
        return cast(BinaryIO, self._archive.extractfile(member))


@contextmanager
def opened(path: Path) -> Iterator[tuple[BackupSource, BackupManifest]]:
    """A backup and its manifest. Raises ``BackupError``."""
    with ExitStack() as stack:
        try:
            if path.is_dir():
                source: BackupSource = _Folder(path)
            else:
                file = stack.enter_context(path.open("rb"))
                source = _Archive(stack.enter_context(tarfile.open(fileobj=file, mode="r:")))
        except tarfile.TarError as error:
            raise BackupError(f"{path} is no archive of a backup, or was cut short ({error})") from None
        except OSError as error:
            raise BackupError(f"{path} cannot be read: {error.strerror or error}") from None
        yield source, _read(source, path)


def _read(source: BackupSource, path: Path) -> BackupManifest:
    if MANIFEST not in source.names:
        raise BackupError(f"{path}: {CUT_SHORT}")
    try:
        with source.open(MANIFEST) as file:
            return decode(file.read(LARGEST + 1))
    except BackupError as error:
        raise BackupError(*(f"{path}: {problem}" for problem in error.problems)) from None
