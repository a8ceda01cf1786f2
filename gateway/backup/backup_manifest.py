"""What a backup says of itself: every file with its size and digest, and where each journal folder ended.

A backup is a folder, or a tar archive of one (uncompressed: segments are read from it at their places):

    manifest.json                       this, written last
    control.sqlite3                     the control database, wherever it is
    journal/NODE/WORKER/SEGMENT         sealed segments whole, the open one up to a record's end
    mirror/ROOM/…                       of the static version what the journal may no longer know
    config/…                            the configuration in force (``tidegate.toml``) and the files that it names
    secrets/…                           only where they were asked for

Without a sound manifest there is no backup: one that was cut short has none.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import orjson

from filters.model.errors import TidegateError

MANIFEST = "manifest.json"
DATABASE = "control.sqlite3"
JOURNAL = "journal"
MIRROR = "mirror"
CONFIG = "config"
SECRETS = "secrets"
CONFIGURATION = f"{CONFIG}/tidegate.toml"
VERSION = 1
LARGEST = 256 * 1024 * 1024  # bytes of a manifest; a file takes about 150


class BackupError(TidegateError):
    """A backup cannot be made, or is none, or cannot be restored here. The text says what helps; ``problems`` has all
    that was found."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SavedFile(NamedTuple):
    """``size`` in bytes, ``sha256`` in hexadecimal. ``seen``: when the original was last changed (nanoseconds), and
    ``sealed`` that it never changes any more: the next backup takes it from this one."""

    size: int
    sha256: str
    seen: int = 0
    sealed: bool = False


class Position(NamedTuple):
    """How far a journal folder was read: the last segment, and the bytes of it."""

    segment: str
    size: int


class BackupManifest(NamedTuple):
    """``made`` in microseconds since the epoch. ``database``: its own id, the revision of its schema, its newest act
    (number and uid) and its snapshot's version; ``server`` where its rows came from one. ``places``: for each file of
    the configuration where it stood. ``named``: secrets that are not in it, as the configuration names them."""

    made: int
    program: str
    node: int
    database: dict[str, Any]
    files: dict[str, SavedFile]
    journal: dict[str, Position]
    places: dict[str, str]
    base: str
    named: list[str]


def encode(manifest: BackupManifest) -> bytes:
    """As the file holds it; the last member is a digest of all before it."""
    document = {"v": VERSION, **manifest._asdict()}
    document["files"] = {name: saved._asdict() for name, saved in sorted(manifest.files.items())}
    document["journal"] = {name: position._asdict() for name, position in sorted(manifest.journal.items())}
    return orjson.dumps(document | {"sum": _sum(document)}, option=orjson.OPT_INDENT_2)


def decode(data: bytes) -> BackupManifest:
    """Raises ``BackupError`` where it is damaged, or of a newer version."""
    try:
        document: dict[str, Any] = orjson.loads(data)
        told = document.pop("sum")
        version = document.pop("v")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupError("its manifest is damaged: take another backup") from None
    if isinstance(version, int) and version > VERSION:
        raise BackupError(f"it was made by a newer version ({document.get('program')}): use that one, or a later one")
    if told != _sum({"v": version, **document}):
        raise BackupError("its manifest is damaged: take another backup")
    try:
        files = {name: SavedFile(**saved) for name, saved in document.pop("files").items()}
        journal = {name: Position(**position) for name, position in document.pop("journal").items()}
        manifest = BackupManifest(files=files, journal=journal, **document)
    except (TypeError, KeyError, AttributeError):
        raise BackupError("its manifest is not one of this version: take another backup") from None
    unsafe = [name for name in (*files, *manifest.places) if not safe(name)]
    if unsafe:
        raise BackupError(f"its manifest names what lies outside of it ({unsafe[0]!r}): it is not to be trusted")
    return manifest


def safe(name: str) -> bool:
    """Whether a name stays within the backup, in one of its own folders."""
    parts = PurePosixPath(name).parts
    known = name == DATABASE or (len(parts) > 1 and parts[0] in (JOURNAL, MIRROR, CONFIG, SECRETS))
    return known and os.path.normpath(name) == name and not name.startswith("/") and ".." not in parts


def _sum(document: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
