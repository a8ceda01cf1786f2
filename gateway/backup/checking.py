"""Is a backup what was taken? Every file against its size and digest, the database, and the journal's own proof."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from typing import NamedTuple

from gateway.backup.backup_manifest import DATABASE, JOURNAL, MANIFEST, BackupManifest
from gateway.backup.source import BackupSource, opened
from gateway.backup.writing import copy, digest
from gateway.journal.read import verification
from gateway.journal.read.verification import JournalReport


class Checked(NamedTuple):
    """``problems``: what is wrong with the backup. ``journal``: what the journal's own verification found, None for an
    archive, whose segments are compared by digest alone."""

    manifest: BackupManifest
    size: int
    problems: list[str]
    journal: JournalReport | None


def check(path: Path) -> Checked:
    """Read all of a backup. Raises ``BackupError`` where it is none, ``OSError`` where it cannot be read."""
    with opened(path) as (source, manifest):
        problems = [*_strange(source, manifest), *(told for name in manifest.files if (told := _file(source, manifest,
                    name)))]  # fmt: skip
        if DATABASE in manifest.files and not any(told.startswith(f"{DATABASE} ") for told in problems):
            problems += _database(source)
    journal = verification.verify(path / JOURNAL) if path.is_dir() else None
    return Checked(manifest, sum(saved.size for saved in manifest.files.values()), problems, journal)


def lacking(source: BackupSource, manifest: BackupManifest) -> list[str]:
    """What can be told without reading a file: those that are not there, and those of another size."""
    told = []
    for name, saved in manifest.files.items():
        size = source.names.get(name)
        if size is None:
            told.append(f"{name} is missing")
        elif size != saved.size:
            told.append(f"{name} has {size} bytes, and should have {saved.size}")
    return told if DATABASE in manifest.files else [*told, f"{DATABASE} is not in it"]


def _strange(source: BackupSource, manifest: BackupManifest) -> list[str]:
    extra = source.names.keys() - manifest.files.keys() - {MANIFEST}
    return [f"{name} is no part of it" for name in sorted(extra)]


def _file(source: BackupSource, manifest: BackupManifest, name: str) -> str:
    saved = manifest.files[name]
    if name not in source.names:
        return f"{name} is missing"
    with source.open(name) as file:
        size, sha256 = digest(file, max(saved.size, source.names[name]))
    if size != saved.size:
        return f"{name} has {size} bytes, and should have {saved.size}"
    return "" if sha256 == saved.sha256 else f"{name} is not what was saved: its digest differs"


def _database(source: BackupSource) -> list[str]:
    """SQLite looks at a copy: it writes beside what it opens."""
    with tempfile.TemporaryDirectory() as folder, source.open(DATABASE) as file:
        target = Path(folder, DATABASE)
        copy(file, target, 1 << 62)
        return [f"{DATABASE}: {told}" for told in unsound(target)]


def unsound(database: Path) -> list[str]:
    """What SQLite says is wrong with a database; nothing where it is whole."""
    try:
        connection = sqlite3.connect(database)
        try:
            told = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
        finally:
            connection.close()
    except sqlite3.Error as error:
        return [str(error)]
    return [] if told == ["ok"] else told
