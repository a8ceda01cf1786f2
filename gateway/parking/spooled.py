"""The spools as control reads them: whole files, the oldest first, each given up once its rows are committed.

    for file in waiting(folders.park):
        spooled = read(file)
        …                               # rows for spooled.frames, in one transaction
        done([spooled])

A file may be read twice: who dies between commit and ``done`` meets it again, so rows are added where they are missing.
What is unsound at a file's end is told (``torn``), set aside alone and never read again; the sound frames before it
count.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gateway.parking.spool import ENDING
from gateway.parking.spool_frames import Frame, unframed

UNSOUND: Final = ".unsound"


class Spooled(NamedTuple):
    """One file. ``writer``: whose folder it lies in. ``torn``: bytes at its end that are no frame, 0 for a whole one.
    ``frames`` hold what is sealed still; ``Seal.open`` opens them."""

    path: Path
    writer: str
    frames: Sequence[Frame]
    torn: int


def waiting(root: Path) -> Iterator[Path]:
    """The files of all writers, each one's oldest first. ``root``: ``Folders.park``. Raises OSError."""
    try:
        folders = sorted(each for each in root.iterdir() if each.is_dir())
    except FileNotFoundError:
        return
    for folder in folders:
        yield from sorted(folder.glob(f"*{ENDING}"))


def read(file: Path) -> Spooled:
    """Raises OSError."""
    frames, torn = unframed(file.read_bytes())
    return Spooled(file, file.parent.name, frames, torn)


def done(files: Iterable[Spooled]) -> None:
    """Their rows are committed: nothing of them stays here. What could not be read does, for a person to see. Raises
    OSError."""
    folders = set()
    for spooled in files:
        if spooled.torn:
            content = spooled.path.read_bytes()
            spooled.path.with_suffix(UNSOUND).write_bytes(content[len(content) - spooled.torn :])
        spooled.path.unlink(missing_ok=True)
        folders.add(spooled.path.parent)
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
