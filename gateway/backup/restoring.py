"""A backup becomes a node's data folder, whole or not at all.

    mark ──► each file beside its place, its digest looked at ──► acts again ──► synced ──► to its place ──► no mark

The folder must be empty, and nothing runs in it meanwhile. While the mark (``restoring``) is there no node starts;
after a crash the same command begins anew, and removes what the one before had put there. Which places those are says
the mark, not the command that comes after it: that may name another journal, or mean to keep the one that is there.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import orjson
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from gateway.backup.backup_manifest import (
    CONFIG,
    DATABASE,
    JOURNAL,
    MIRROR,
    SECRETS,
    BackupError,
    BackupManifest,
    SavedFile,
)
from gateway.backup.checking import lacking, unsound
from gateway.backup.database_rows import emptied, filled, imported
from gateway.backup.node import NodePlaces
from gateway.backup.source import BackupSource
from gateway.backup.taking import FIRST_TOKEN, SALT, SALT_KNOWN
from gateway.backup.writing import copy, digest, private, private_folder, sync_all
from gateway.common.folders import DatabasePlace, Folders
from gateway.control.acts.database import Database
from gateway.control.acts.governance import Governance
from gateway.control.acts.refusal import DatabaseInUse, DatabaseUnavailable
from gateway.control.acts.replay import Replayed, replay
from gateway.journal.read import verification
from gateway.journal.read.reader import Flaw
from gateway.journal.read.verification import JournalReport
from gateway.journal.write.segments import folders, owned, segments, sync_folder
from gateway.mirror.pages.pages import Pages
from gateway.mirror.projector.projector import own_folder, without_bullets
from gateway.mirror.store import folder as mirror_folder
from gateway.mirror.upkeep.rebuild import rebuild

STAGED = ".restoring"
NOT_OURS = "lost+found"  # a file system's own, at the top of each


class Restored(NamedTuple):
    """``journal``: what its own verification found. ``acts``: those that came back from the journal."""

    files: int
    size: int
    journal: JournalReport
    acts: Replayed
    told: list[str]


def restore(
    source: BackupSource,
    manifest: BackupManifest,
    node: NodePlaces,
    acts_from: Sequence[Path],
    governance: Governance,
    *,
    database_only: bool = False,
) -> Restored:
    """``database_only``: journal and mirror are there and stay. Raises ``BackupError``, ``OSError``; then nothing of
    it is there."""
    short = lacking(source, manifest)
    if short:
        raise BackupError(*short)
    if manifest.node != node.node:
        raise BackupError(
            f"it is a backup of node {manifest.node}, and {node.file} is of node {node.node}: correct server.node, or "
            "name the backup of this node"
        )
    mark = node.folders.restoring
    with unused(node.folders):
        placed = _placed(node, database_only)
        if mark.exists():
            _clear_up(mark, node.database, database_only=database_only)
        full = _occupied(node, placed)
        if full:
            raise BackupError(f"{full} holds something: restore into an empty data folder, or move that away first")
        private_folder(mark.parent)
        number = 0
        try:
            number = _mark(mark, node, placed)
            restored = _Restoring(source, manifest, node, database_only, number).restore(acts_from, governance)
        except BaseException as error:  # raised again: what was put there goes; where that fails, the mark stays
            with suppress(OSError, BackupError):
                if number and not isinstance(node.database, Path):
                    emptied(node.database, number)
                _clear(node.database_file, placed)
                mark.unlink(missing_ok=True)
            if isinstance(error, sqlite3.Error):
                raise BackupError(f"the static version cannot be made ({error})") from None
            raise
        mark.unlink()
        sync_folder(mark.parent)
    return restored


def configured(source: BackupSource, manifest: BackupManifest, target: Path, *, secrets: bool = True) -> list[str]:
    """Put the configuration and the files that it names into an empty folder, or one that the same command began to
    fill; what has to be put elsewhere by hand. Raises ``BackupError`` where the folder holds something else."""
    places = {
        target / name.partition("/")[2].removeprefix("files/"): name
        for name in manifest.places
        if name not in (FIRST_TOKEN, SALT, SALT_KNOWN) and (secrets or not name.startswith(SECRETS))
    }
    for path in target.rglob("*"):
        if path.name.endswith(STAGED) or (path.is_dir() and not path.is_symlink()):
            continue
        if path not in places or not _is(path, manifest.files[places[path]]):
            raise BackupError(
                f"{target} holds something: name a new folder for the configuration, or what is in it with --config"
            )
    private_folder(target)
    elsewhere = []
    for path, name in places.items():
        staged = path.with_name(path.name + STAGED)
        _checked(source, manifest, name, staged)
        staged.rename(path)
        if name.partition("/")[2].startswith("outside/"):
            elsewhere.append(f"{path} stood at {manifest.places[name]}: put it there")
        assert name.partition("/")[0] in (CONFIG, SECRETS)
    return elsewhere


def _is(path: Path, saved: SavedFile) -> bool:
    if path.is_symlink():
        return False
    with path.open("rb") as file:
        return digest(file, saved.size + 1) == (saved.size, saved.sha256)


def again(node: NodePlaces, acts_from: Sequence[Path], governance: Governance) -> Replayed:
    """Do acts again in the database of a node that does not run. Raises ``BackupError``."""
    with unused(node.folders):
        return _acts(node.database, acts_from, governance)


@contextmanager
def unused(held: Folders) -> Iterator[None]:
    """While this lasts no node starts in this data folder. Raises ``BackupError`` where one runs."""
    private_folder(held.root)
    private_folder(held.run)
    lock = os.open(held.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"a node runs in {held.root}: stop it first") from None
        yield
    finally:
        os.close(lock)


def _acts(database: DatabasePlace, acts_from: Sequence[Path], governance: Governance) -> Replayed:
    flaws: list[Flaw] = []
    try:
        opened = Database(database)
        try:
            replayed = replay(opened, acts_from, governance, flaws.append)
        finally:
            opened.close()
    except (DatabaseInUse, DatabaseUnavailable) as error:
        raise BackupError(f"{database}: {error}") from None
    except CommandError:
        raise BackupError(f"{database} is of a newer version of the gateway: use that one, or a later one") from None
    except (SQLAlchemyError, ValueError) as error:  # not its text: it may quote a row
        raise BackupError(f"acts cannot be done again in {database} ({type(error).__name__})") from None
    damaged = [f"{flaw.folder}/{flaw.segment} is damaged at byte {flaw.offset}: an act may be lost" for flaw in flaws]
    return replayed._replace(lost=[*damaged, *replayed.lost])


def _placed(node: NodePlaces, database_only: bool) -> list[Path]:
    """The folders that a restore fills; what is in them is all its own."""
    if database_only:
        return []
    return [node.journal, node.folders.control, *([node.mirror] if node.mirror is not None else [])]


def _occupied(node: NodePlaces, placed: Sequence[Path]) -> DatabasePlace | None:
    """The first place that is not empty."""
    held, place = node.folders, node.database
    if isinstance(place, Path):
        if place.exists():
            return place
    elif filled(place):
        return place
    used: list[Path] = [*placed, held.generations, held.artifacts, held.state] if placed else []
    for folder in used:
        if folder.is_dir() and any(path.name != NOT_OURS for path in folder.iterdir()):
            return folder
    return None


def _mark(mark: Path, node: NodePlaces, placed: Sequence[Path]) -> int:
    """Say what is about to be filled, before anything is; this restore's number."""
    number = time.time_ns() // 1000
    with private(mark) as file:
        told = {
            "database": os.fspath(node.database_file.absolute()), "restore": number,
            "server": "" if isinstance(node.database, Path) else str(node.database),
            "folders": [os.fspath(each.absolute()) for each in placed],
        }  # fmt: skip
        file.write(orjson.dumps(told))
        file.flush()
        os.fsync(file.fileno())
    sync_folder(mark.parent)
    return number


def _clear_up(mark: Path, place: DatabasePlace, *, database_only: bool) -> None:
    """Take away what the restore that left this mark has put there. One that is not whole was left before that."""
    try:
        told = orjson.loads(mark.read_bytes())
        database, placed = Path(told["database"]), [Path(each) for each in told["folders"]]
        server = str(told.get("server", ""))
    except (ValueError, KeyError, TypeError):
        pass
    else:
        if placed and database_only:
            raise BackupError(
                "a restore of everything was cut short here: say it again without --database-only, or, if the journal "
                f"in {placed[0]} is to stay, remove {mark}"
            )
        if server and str(place) != server:
            raise BackupError(f"a restore to {server} was cut short here: say it again, as it was said")
        if not isinstance(place, Path) and server:
            emptied(place, int(told.get("restore", 0)))
        _clear(database, placed)
    mark.unlink()
    sync_folder(mark.parent)


def _clear(database: Path, placed: Sequence[Path]) -> None:
    """Take away what a restore that did not end has put there; it was empty before it."""
    name = database.name
    for path in database.parent.glob(f"{glob.escape(name)}*"):
        if path.name in (name, f"{name}-wal", f"{name}-shm") or path.name.startswith(name + STAGED):
            path.unlink()
    for folder in placed:
        if folder.is_dir():
            for path in folder.iterdir():
                if path.name == NOT_OURS:
                    continue
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        shutil.rmtree(mirror_folder.rebuilt_beside(folder), ignore_errors=True)


class _Restoring:
    def __init__(
        self, source: BackupSource, manifest: BackupManifest, node: NodePlaces, database_only: bool, number: int
    ) -> None:
        self._number = number
        self._database_only = database_only
        self._source = source
        self._manifest = manifest
        self._node = node

    def restore(self, acts_from: Sequence[Path], governance: Governance) -> Restored:
        node, files = self._node, self._manifest.files
        place = node.database
        database = node.database_file.with_name(node.database_file.name + STAGED)
        journal = node.journal if self._database_only else node.journal / STAGED
        private_folder(database.parent)
        self._put(DATABASE, database)
        told: list[str] = []
        if not self._database_only:
            private_folder(node.journal)
            private_folder(journal)
            self._folder(JOURNAL, journal)
            told = self._mirror()
        wrong = unsound(database)
        if wrong:
            raise BackupError(*(f"{DATABASE}: {problem}" for problem in wrong))
        report = verification.verify(journal)
        acts = _acts(database, [journal, *acts_from], governance)
        _alone(database)
        for folder in (database.parent, journal, node.mirror):
            if folder is not None and folder.is_dir():
                sync_all(folder)
        if not self._database_only:
            for found in journal.iterdir():
                found.rename(node.journal / found.name)
            journal.rmdir()
            sync_folder(node.journal)
            self._pages()
        if isinstance(place, Path):
            database.rename(place)
        else:
            imported(database, place, self._number)
            database.unlink()
        sync_folder(database.parent)
        if FIRST_TOKEN in files and not self._database_only:
            self._put(FIRST_TOKEN, node.folders.first_token(node.config))
        if not self._database_only:
            self._salt()
        return Restored(len(files), sum(saved.size for saved in files.values()), report, acts, told)

    def _salt(self) -> None:
        """In the place of one that was made meanwhile. Without the salt its fingerprint comes back: names of people in
        the database mean nothing with another, and no node begins so."""
        for name, path in ((SALT, self._node.folders.salt), (SALT_KNOWN, self._node.folders.salt_known)):
            if name in self._manifest.files:
                self._node.folders.salt_known.unlink(missing_ok=True)
                path.unlink(missing_ok=True)
                self._put(name, path)

    def _folder(self, kind: str, target: Path) -> None:
        for name in self._manifest.files:
            if name.startswith(f"{kind}/"):
                self._put(name, target / name.partition("/")[2])

    def _mirror(self) -> list[str]:
        if self._node.mirror is not None:
            self._folder(MIRROR, self._node.mirror)
        elif any(name.startswith(f"{MIRROR}/") for name in self._manifest.files):
            return ["this configuration has no [mirror]: the static version was not restored"]
        return []

    def _put(self, name: str, target: Path) -> None:
        _checked(self._source, self._manifest, name, target)

    def _pages(self) -> None:
        """The static version anew from the journal, with those bullets that are older than it."""
        config, root = self._node.config, self._node.mirror
        if root is None or config.mirror is None:
            return
        root.mkdir(mode=0o755, parents=True, exist_ok=True)
        made = rebuild(
            root, self._node.journal, own_folder(config), pages=Pages(config.mirror.language, config.mirror.path),
            others=without_bullets(config), on_flaw=lambda flaw: None,
        )  # fmt: skip
        mirror_folder.swap(root, made)


def _alone(database: Path) -> None:
    """One file that says all: what SQLite keeps beside it does not come along when it is renamed."""
    connection = sqlite3.connect(database)
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()
    database.with_name(database.name + ".lock").unlink(missing_ok=True)


def _checked(source: BackupSource, manifest: BackupManifest, name: str, target: Path) -> None:
    saved = manifest.files[name]
    with source.open(name) as file:
        size, sha256 = copy(file, target, saved.size)
    if (size, sha256) != (saved.size, saved.sha256):
        raise BackupError(f"{name} is not what was saved: its digest differs; use another backup")


def journals(named: Sequence[Path]) -> list[Path]:
    """Folders that a person names as journals. Raises ``BackupError`` where one is none."""
    for root in named:
        if not any(segments(one) for one in folders(root)):
            raise BackupError(f"{root} is no journal: there are no segments in it (…/NODE/WORKER/SEGMENT)")
        alive = [one for one in folders(root) if owned(one)]
        if alive:
            raise BackupError(f"{alive[0]} is being written: stop that node, or name a copy of its journal")
    return list(named)
