"""A backup is taken of a node that runs, or does not; nothing waits for it.

    database   one consistent read (SQLite's backup API; of a server its rows, into the same file), first: what it has
               acknowledged is in the journal already
    journal    the folders of control and of the mirror before those of workers: what refers comes before what is
               referred to. Sealed segments are linked, or copied; the open one is copied up to a record's end
    mirror     each room's pages and its own files: bullets that are older than the journal stand nowhere else
    lists      with the configuration in force and the files that it names; no secret, unless they were asked for
    manifest   last; then everything is made durable, and only then it gets its name

What began and did not end has another name and no manifest: the next one removes it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sqlite3
import stat
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from gateway.backup.backup_manifest import (
    CONFIG,
    CONFIGURATION,
    DATABASE,
    JOURNAL,
    MANIFEST,
    MIRROR,
    SECRETS,
    BackupError,
    BackupManifest,
    Position,
    SavedFile,
    decode,
    encode,
)
from gateway.backup.node import NodePlaces
from gateway.backup.writing import copy, digest, linked, private, private_folder, sync_all
from gateway.common.folders import DatabaseServer
from gateway.journal.write.ids import CONTROL, PROJECTOR
from gateway.journal.write.segments import bounds, lines, own_folders, segments, sync_folder
from gateway.mirror.store.shelf import Shelf

PART = ".part"
LOCK = ".backup-lock"
TRIES = 5  # passes over a journal in which segments go meanwhile
NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{6}\.[0-9]{6}Z-node-[0-9]+")
"""Of a backup's folder. What has another name here is not ours: an archive that is being made, somebody's download."""
FIRST_TOKEN = f"{SECRETS}/first-token"
SALT = f"{SECRETS}/salt"
SALT_KNOWN = f"{CONFIG}/salt.known"


class Taken(NamedTuple):
    """``size``: bytes of all files; ``new``: of those that no earlier backup held. ``told``: what a person should
    know."""

    path: Path
    manifest: BackupManifest
    size: int
    new: int
    told: list[str]


def into_folder(node: NodePlaces, root: Path, *, keep: int = 0, secrets: bool = False) -> Taken:
    """A backup in a folder of its own in ``root``, named by its time; what an earlier one there holds already is not
    copied anew. ``keep``: how many stay there, 0 for all. Raises ``BackupError``, ``OSError``."""
    _apart(node, root)
    private_folder(root)
    with _alone(root / LOCK):
        for left in root.iterdir():
            if NAME.fullmatch(left.name.removesuffix(PART)) and left.suffix == PART and left.is_dir():
                shutil.rmtree(left)
        made = time.time_ns() // 1000
        name = f"{datetime.fromtimestamp(made / 1e6, UTC):%Y-%m-%dT%H%M%S.%fZ}-node-{node.node}"
        part = root / (name + PART)
        before = newest(root, node.node)
        with _nothing_half(part):
            taken = _Taking(node, part, before, secrets=secrets).take(made)
            sync_all(part)
            part.rename(root / name)
            sync_folder(root)
        if keep:
            for _, old in complete(root, node.node)[:-keep]:
                _discard(old)
    return taken._replace(path=root / name)


def into_file(node: NodePlaces, file: Path, *, secrets: bool = False) -> Taken:
    """A backup as one archive. It is gathered beside the file first, mostly by links. Raises as ``into_folder``."""
    _apart(node, file)
    private_folder(file.parent)
    with _alone(file.with_name(file.name + LOCK)):
        gathered, part = file.with_name(file.name + ".gathered" + PART), file.with_name(file.name + PART)
        shutil.rmtree(gathered, ignore_errors=True)
        with _nothing_half(gathered), _nothing_half(part):
            taken = _Taking(node, gathered, None, secrets=secrets).take(time.time_ns() // 1000)
            with private(part) as out:
                with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
                    for name in (*sorted(taken.manifest.files), MANIFEST):
                        archive.add(gathered / name, name, recursive=False, filter=_anonymous)
                out.flush()
                os.fsync(out.fileno())
            part.rename(file)
            sync_folder(file.parent)
            shutil.rmtree(gathered)
    file.with_name(file.name + LOCK).unlink(missing_ok=True)
    return taken._replace(path=file)


def complete(root: Path, node: int) -> list[tuple[BackupManifest, Path]]:
    """The backups of a node in a folder, the oldest first; what has no sound manifest is none."""
    found = []
    for path in root.iterdir():
        if path.suffix == PART or not path.is_dir():
            continue
        with suppress(OSError, BackupError):
            manifest = decode((path / MANIFEST).read_bytes())
            if manifest.node == node:
                found.append((manifest, path))
    return sorted(found, key=lambda one: one[0].made)


def newest(root: Path, node: int) -> tuple[BackupManifest, Path] | None:
    """None where there is none yet."""
    return next(reversed(complete(root, node)), None)


def _discard(old: Path) -> None:
    """Its manifest first: what is left of it after a crash is no backup any more."""
    (old / MANIFEST).unlink()
    shutil.rmtree(old)


def _apart(node: NodePlaces, target: Path) -> None:
    places = [node.folders.root, node.journal, *([node.mirror] if node.mirror is not None else [])]
    for place in places:
        if target.resolve().is_relative_to(place.resolve()):
            raise BackupError(f"{target} is no place for a backup: what happens to {place} happens to it; name another")


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"another backup is being taken here ({lock} is held): wait for it") from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _nothing_half(part: Path) -> Iterator[None]:
    """What is at ``part`` goes where this fails."""
    try:
        yield
    except BaseException:  # raised again
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Owners are of this machine; who restores it owns it there. What is linked elsewhere is whole here."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


class _Taking:
    def __init__(
        self, node: NodePlaces, part: Path, before: tuple[BackupManifest, Path] | None, *, secrets: bool
    ) -> None:
        self._node = node
        self._part = part
        self._before = before
        self._secrets = secrets
        self._files: dict[str, SavedFile] = {}
        self._positions: dict[str, Position] = {}
        self._places: dict[str, str] = {}
        self._told: list[str] = []
        self._new = 0

    def take(self, made: int) -> Taken:
        self._part.mkdir(mode=0o700)
        database = self._database()
        for left in reversed(range(TRIES)):
            try:
                self._journal()
                break
            except FileNotFoundError:  # pruned under our hands: what says so stands in a folder that was read before
                if not left:
                    raise
        if self._node.mirror is not None and self._node.mirror.is_dir():
            self._mirror(self._node.mirror)
        self._configuration()
        manifest = BackupManifest(
            made, version("tidegate"), self._node.node, database, self._files, self._positions, self._places,
            str(self._node.base), [] if self._secrets else self._node.named(),
        )  # fmt: skip
        with private(self._part / MANIFEST) as file:
            file.write(encode(manifest))
        size = sum(saved.size for saved in self._files.values())
        return Taken(self._part, manifest, size, self._new, self._told)

    def _database(self) -> dict[str, Any]:
        path = self._node.database
        if not isinstance(path, Path):
            return self._server(path)
        if not path.is_file():
            raise BackupError(f"{path}: there is no control database; a node that never ran needs no backup")
        target = self._part / DATABASE
        private(target).close()
        try:
            source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
            made = sqlite3.connect(target)
            try:
                source.backup(made)
                # The log of a database in use would be a second file.
                made.execute("PRAGMA journal_mode = DELETE")
                told = described(made)
            finally:
                made.close()
                source.close()
        except sqlite3.Error as error:
            raise BackupError(f"{path} cannot be read ({error}): is it the control database, and whole?") from None
        self._note(DATABASE, target, 0)
        return told

    def _server(self, server: DatabaseServer) -> dict[str, Any]:
        from gateway.backup.database_rows import exported  # only here: control's libraries cost every start a second

        target = self._part / DATABASE
        private(target).close()
        exported(server, target)
        made = sqlite3.connect(target)
        try:
            told = described(made)
        finally:
            made.close()
        self._note(DATABASE, target, 0)
        return {**told, "server": str(server)}

    def _journal(self) -> None:
        root = self._node.journal
        self._positions.clear()
        for folder in sorted(own_folders(root), key=_refers):
            found = list(bounds(segments(folder)))
            name = f"{folder.parent.name}/{folder.name}"
            for place, (segment, _, _) in enumerate(found):
                successor = found[place + 1][1] if place + 1 < len(found) else None
                target = f"{JOURNAL}/{name}/{segment.name}"
                if successor is not None:
                    self._sealed(segment.path, target)
                elif not self._tail(segment.path, target):
                    continue
                self._positions[name] = Position(segment.name, self._files[target].size)

    def _tail(self, path: Path, name: str) -> bool:
        """What is being written, up to the end of its last whole record; False where it has none."""
        with self._regular(path) as file:
            size = os.fstat(file.fileno()).st_size  # it grows while it is read
            end = max((line.end for line in lines(file, end=size) if line.record is not None), default=0)
            if not end:
                return False
            file.seek(0)
            size, sha256 = copy(file, self._part / name, end)
        self._files[name] = SavedFile(size, sha256)
        self._new += size
        return True

    def _mirror(self, root: Path) -> None:
        for room in Shelf.rooms_in(root):
            for path in sorted(room.iterdir()):
                name = f"{MIRROR}/{room.name}/{path.name}"
                with suppress(FileNotFoundError):  # a room that was made anew meanwhile stands in the journal
                    if path.suffix == ".json" and path.stem.isdigit():
                        self._sealed(path, name)
                    elif path.name.startswith(".") and path.is_file():
                        self._copied(path, name)

    def _configuration(self) -> None:
        self._copied(self._node.file, CONFIGURATION)
        self._places[CONFIGURATION] = str(self._node.base / "tidegate.toml")
        for file in self._node.files():
            if file.private and not self._secrets:
                continue
            inside = file.path.is_relative_to(self._node.base)
            rest = file.path.relative_to(self._node.base if inside else file.path.anchor)
            name = f"{SECRETS if file.private else CONFIG}/{'files' if inside else 'outside'}/{rest.as_posix()}"
            if name not in self._files:
                # The operator's own file may be a link: what it leads to is meant.
                self._copied(file.path.resolve(), name)
                self._places[name] = str(file.path)
        token = self._node.folders.first_token(self._node.config)
        if self._secrets and token.is_file():
            self._copied(token, FIRST_TOKEN)
            self._places[FIRST_TOKEN] = str(token)
        salt = self._node.folders.salt
        if self._secrets and salt.is_file():
            self._copied(salt, SALT)
            self._places[SALT] = str(salt)
        known = self._node.folders.salt_known
        if known.is_file() and self._node.digests:
            self._copied(known, SALT_KNOWN)
            self._places[SALT_KNOWN] = str(known)
        if not self._secrets:
            self._told += [f"not in the backup: {told}" for told in self._node.named()]
        self._told += [f"{key} is a secret in the configuration itself, and so in the backup" for key in
                       self._node.plain()]  # fmt: skip

    def _sealed(self, path: Path, name: str) -> None:
        """A file that never changes: out of the backup before, or by another name, or copied."""
        seen = path.lstat()
        if name in self._files and self._files[name].sealed:
            return  # of a pass before
        held = self._before[0].files.get(name) if self._before is not None else None
        if held is not None and held.sealed and (held.size, held.seen) == (seen.st_size, seen.st_mtime_ns):
            assert self._before is not None
            with suppress(OSError):  # it was lost there: taken anew
                old = self._before[1] / name
                if old.lstat().st_size == held.size and linked(old, self._part / name):
                    self._files[name] = held
                    return
        if not stat.S_ISREG(seen.st_mode):
            raise BackupError(f"{path} is no regular file: nothing but files belongs there")
        if linked(path, self._part / name):
            self._note(name, self._part / name, seen.st_mtime_ns, sealed=True)
        else:
            self._copied(path, name, sealed=True)

    def _copied(self, path: Path, name: str, *, sealed: bool = False) -> None:
        with self._regular(path) as file:
            seen = os.fstat(file.fileno())
            size, sha256 = copy(file, self._part / name, 1 << 62)
        self._files[name] = SavedFile(size, sha256, seen.st_mtime_ns, sealed)
        self._new += size

    def _note(self, name: str, path: Path, seen: int, *, sealed: bool = False) -> None:
        with path.open("rb") as file:
            size, sha256 = digest(file, 1 << 62)
        self._files[name] = SavedFile(size, sha256, seen, sealed)
        self._new += size

    def _regular(self, path: Path) -> BinaryIO:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise BackupError(f"{path} is no regular file: nothing but files belongs there")
        return os.fdopen(descriptor, "rb")


def _refers(folder: Path) -> tuple[int, str]:
    """Control's records name messages and pages, the mirror's name bullets: read before what they name."""
    order = {str(CONTROL): 0, str(PROJECTOR): 1}
    return order.get(folder.name, 2), f"{folder.parent.name}/{folder.name}"


def described(connection: sqlite3.Connection) -> dict[str, Any]:
    """What a manifest says of a control database. Raises ``sqlite3.Error`` where it is none."""
    told = connection.execute("SELECT id, uid FROM acts ORDER BY id DESC LIMIT 1").fetchone() or (0, "")
    return {
        "id": _one(connection, "SELECT id FROM origin") or "",
        "schema": _one(connection, "SELECT version_num FROM alembic_version") or "",
        "act": told[0],
        "uid": told[1],
        "snapshot": _one(connection, "SELECT value FROM marks WHERE name = 'snapshot'") or 0,
    }


def _one(connection: sqlite3.Connection, query: str) -> Any:
    try:
        found = connection.execute(query).fetchone()
    except sqlite3.OperationalError:  # an earlier version's database, which has no such table
        return None
    return found[0] if found is not None else None
