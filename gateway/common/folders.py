"""Where everything of one node lives on disk: the one place that knows the names."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from gateway.common.defaults import default_time

SOCKET_PATH_LIMIT = 100  # sockaddr_un holds 108 bytes; the longest name below takes up the rest


SCHEMES = ("postgresql://", "postgres://")  # of a control database that is a server's


@dataclass(frozen=True, slots=True)
class PostgresqlSettings:
    """How long something may take, in seconds. ``connect_timeout``: of one address; ``statement_timeout``: one
    statement, and so long an act may stay open without one; ``lock_timeout``: waiting for what somebody else does in
    the database; ``max_wait``: a call that waits for those before it."""

    connect_timeout: float = default_time("3s")
    statement_timeout: float = default_time("10s")
    lock_timeout: float = default_time("5s")
    max_wait: float = default_time("5s")


class DatabaseServer(NamedTuple):
    """``url`` as libpq reads it (PostgreSQL, Connection URIs); it may hold a password, as ``password`` is one. Neither
    is ever shown."""

    url: str
    password: str = ""
    settings: PostgresqlSettings = PostgresqlSettings()

    def __str__(self) -> str:
        return shown(self.url)

    def __repr__(self) -> str:
        return f"DatabaseServer({shown(self.url)!r})"


DatabasePlace = Path | DatabaseServer


def shown(url: str) -> str:
    """A URL without user, password and parameters: ``postgresql://host:5432/name``."""
    parts = urlsplit(url)
    return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"


def has_password(url: str) -> bool:
    """Whether a password stands in it."""
    parts = urlsplit(url)
    parameters = [one.partition("=")[0] for one in parts.query.split("&")]
    return ":" in parts.netloc.rpartition("@")[0] or "password" in parameters


class _InFolder(Protocol):
    @property
    def dir(self) -> Path | None: ...


class _Hidden(Protocol):
    def get_secret_value(self) -> str: ...


class _OfServer(Protocol):
    @property
    def password(self) -> _Hidden: ...

    @property
    def connect_timeout(self) -> float: ...

    @property
    def statement_timeout(self) -> float: ...

    @property
    def lock_timeout(self) -> float: ...

    @property
    def max_wait(self) -> float: ...


class _OfControl(Protocol):
    @property
    def database(self) -> Path | _Hidden | None: ...

    @property
    def postgresql(self) -> _OfServer: ...

    @property
    def first_token(self) -> Path | None: ...


class ConfiguredPlaces(Protocol):
    """What a configuration may say of places. Structural: the configuration stands above what processes share."""

    @property
    def journal(self) -> _InFolder: ...

    @property
    def mirror(self) -> _InFolder | None: ...

    @property
    def index(self) -> _InFolder | None: ...

    @property
    def control(self) -> _OfControl: ...


class Folders:
    """The data folder of a node:

    generations/N/   compiled configurations; ``current`` names the one in force
    artifacts/       compiled word lists, named by content
    journal/         records, a folder for each writer; copies of other nodes' beside this one's
    park/            messages that wait for a person, sealed, until control has them; a folder for each writer
    state/           the embedded state server
    node.json        which node this folder is: its number, and an id of the folder's own
    salt             what digests of senders are keyed with: made once, for ever
    salt.known       its fingerprint, by which its loss is noticed
    control/         the control database, what people changed in lists, the snapshot, the first person's token
    mirror/          the static version of bullets
    index/           what messages are found by, made from the journal
    run/             unix sockets, the projector's pulse and the lock
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.generations = self.root / "generations"
        self.artifacts = self.root / "artifacts"
        self.state = self.root / "state"
        self.control = self.root / "control"
        self.run = self._run()

    def _run(self) -> Path:
        run = self.root / "run"
        if len(os.fspath(run / "supervisor.sock")) <= SOCKET_PATH_LIMIT:
            return run
        # A socket's path has a small bound in every Unix; a deep data folder gets a short stand-in, the same each time.
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"tidegate-{os.getuid()}-{digest}"

    def make(self) -> None:
        """Create what is missing; only the owner may enter, because tokens and texts are inside."""
        for folder in (self.root, self.generations, self.artifacts, self.state, self.control, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.run / "lock"

    @property
    def in_use(self) -> bool:
        """Whether a supervisor lives in this folder."""
        try:
            descriptor = os.open(self.lock, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    @property
    def restoring(self) -> Path:
        """There while a backup is put back; a restore that was cut short leaves it, and no node starts."""
        return self.root / "restoring"

    @property
    def identity(self) -> Path:
        """Which node this folder is (``gateway.node.folder_number``)."""
        return self.root / "node.json"

    @property
    def salt(self) -> Path:
        """What digests of senders are keyed with, where the configuration names no salt."""
        return self.root / "salt"

    @property
    def salt_known(self) -> Path:
        """The fingerprint of the salt that digests were made with."""
        return self.root / "salt.known"

    @property
    def supervisor_socket(self) -> Path:
        """Commands to the supervisor: reload, status."""
        return self.run / "supervisor.sock"

    @property
    def control_socket(self) -> Path:
        """Commands to the control process: status."""
        return self.run / "control.sock"

    @property
    def projector_socket(self) -> Path:
        """Commands to the projector: status, counters, adopt."""
        return self.run / "projector.sock"

    @property
    def index_socket(self) -> Path:
        """Questions to the index: search, message; and status, reindex."""
        return self.run / "index.sock"

    @property
    def replicator_socket(self) -> Path:
        """Commands to the replicator: status, counters."""
        return self.run / "replicator.sock"

    @property
    def pulse(self) -> Path:
        """Whether the projector lives and how far it came; written by it, read by the workers."""
        return self.run / "projector"

    @property
    def appeals_socket(self) -> Path:
        """Where control hears appellants, whose calls the workers pass on."""
        return self.run / "appeals.sock"

    def worker_socket(self, number: int) -> Path:
        """Commands to a worker: load, snapshot, counters, status, drain."""
        return self.run / f"worker-{number}.sock"

    def journal(self, config: ConfiguredPlaces) -> Path:
        """Where records are written."""
        return config.journal.dir or self.root / "journal"

    @property
    def park(self) -> Path:
        """Messages that wait for a person, sealed: written by workers, taken into the control database."""
        return self.root / "park"

    def mirror(self, config: ConfiguredPlaces) -> Path:
        """The static version of bullets."""
        own = config.mirror.dir if config.mirror is not None else None
        return own or self.root / "mirror"

    def index(self, config: ConfiguredPlaces) -> Path:
        """What messages are found by."""
        own = config.index.dir if config.index is not None else None
        return own or self.root / "index"

    def database(self, config: ConfiguredPlaces) -> DatabasePlace:
        """The control database."""
        told, server = config.control.database, config.control.postgresql
        if isinstance(told, Path):
            return told
        url = told.get_secret_value() if told is not None else ""
        if not url:
            return self.control / "control.sqlite3"
        settings = PostgresqlSettings(
            server.connect_timeout, server.statement_timeout, server.lock_timeout, server.max_wait
        )
        return DatabaseServer(url, server.password.get_secret_value(), settings)

    @property
    def database_id(self) -> Path:
        """The id of a control database that is a server's, as it was when it last answered: whose state it is must be
        known while it does not."""
        return self.control / "database-id.json"

    @property
    def list_changes(self) -> Path:
        """What people changed in word lists: written by control, read by the compiler of lists."""
        return self.control / "list-changes.json"

    @property
    def snapshot(self) -> Path:
        """The snapshot that control made last: written by it, read by a worker that starts."""
        return self.control / "snapshot.json"

    def upstream_ids(self, config: ConfiguredPlaces) -> Path:
        """The index of the platform's ids, beside the control database where that is a file."""
        database = self.database(config)
        return (database if isinstance(database, Path) else self.control / "control").with_name("upstream-ids.sqlite3")

    def first_token(self, config: ConfiguredPlaces) -> Path:
        """Where the first person's token is kept."""
        return config.control.first_token or self.control / "first-token"

    def generation(self, number: int) -> Path:
        """The folder of one compiled configuration."""
        return self.generations / str(number)

    def current(self) -> int:
        """The number of the generation in force; 0 before the first."""
        try:
            return int((self.generations / "current").read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0

    def current_since(self) -> int:
        """When that generation came into force, µs since the epoch; 0 before the first."""
        try:
            return (self.generations / "current").stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return 0

    def make_current(self, number: int) -> None:
        """Name the generation that a worker loads when it starts."""
        aside = self.generations / "current.new"
        aside.write_text(str(number), encoding="ascii")
        aside.replace(self.generations / "current")


def keep_id(file: Path, server: DatabaseServer, found: str, obstacle: str = "") -> None:
    """Remember the id of a server's database; empty where it has none yet. ``obstacle``: why its nodes leave no place
    for this one. Raises ``OSError``."""
    aside = file.with_name(file.name + ".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump({"database": str(server), "id": found, "obstacle": obstacle}, out)
    aside.replace(file)


def known_obstacle(file: Path, server: DatabaseServer) -> str:
    """Why its nodes left no place for this one, when the database last answered; empty where they did."""
    try:
        told = json.loads(file.read_bytes())
        return str(told.get("obstacle", "")) if told["database"] == str(server) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def known_id(file: Path, server: DatabaseServer) -> str | None:
    """The id of a server's database, as it was when it last answered; None where nobody knows."""
    try:
        told = json.loads(file.read_bytes())
        return str(told["id"]) if told["database"] == str(server) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
