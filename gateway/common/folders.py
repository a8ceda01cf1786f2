"""Where everything of one node lives on disk: the one place that knows the names."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Protocol

SOCKET_PATH_LIMIT = 100  # sockaddr_un holds 108 bytes; the longest name below takes up the rest


class _InFolder(Protocol):
    @property
    def dir(self) -> Path | None: ...


class _OfControl(Protocol):
    @property
    def database(self) -> Path | None: ...

    @property
    def first_token(self) -> Path | None: ...


class ConfiguredPlaces(Protocol):
    """What a configuration may say of places. Structural: the configuration stands above what processes share."""

    @property
    def journal(self) -> _InFolder: ...

    @property
    def mirror(self) -> _InFolder | None: ...

    @property
    def control(self) -> _OfControl: ...


class Folders:
    """The data folder of a node:

    generations/N/   compiled configurations; ``current`` names the one in force
    artifacts/       compiled word lists, named by content
    journal/         records, a folder for each writer
    state/           the embedded state server
    salt             what digests of senders are keyed with: made once, for ever
    salt.known       its fingerprint, by which its loss is noticed
    control/         the control database, what people changed in lists, the snapshot, the first person's token
    mirror/          the static version of bullets
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
    def pulse(self) -> Path:
        """Whether the projector lives and how far it came; written by it, read by the workers."""
        return self.run / "projector"

    def worker_socket(self, number: int) -> Path:
        """Commands to a worker: load, snapshot, counters, status, drain."""
        return self.run / f"worker-{number}.sock"

    def journal(self, config: ConfiguredPlaces) -> Path:
        """Where records are written."""
        return config.journal.dir or self.root / "journal"

    def mirror(self, config: ConfiguredPlaces) -> Path:
        """The static version of bullets."""
        own = config.mirror.dir if config.mirror is not None else None
        return own or self.root / "mirror"

    def database(self, config: ConfiguredPlaces) -> Path:
        """The control database."""
        return config.control.database or self.control / "control.sqlite3"

    @property
    def list_changes(self) -> Path:
        """What people changed in word lists: written by control, read by the compiler of lists."""
        return self.control / "list-changes.json"

    @property
    def snapshot(self) -> Path:
        """The snapshot that control made last: written by it, read by a worker that starts."""
        return self.control / "snapshot.json"

    def upstream_ids(self, config: ConfiguredPlaces) -> Path:
        """The index of the platform's ids, beside the control database."""
        return self.database(config).with_name("upstream-ids.sqlite3")

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

    def make_current(self, number: int) -> None:
        """Name the generation that a worker loads when it starts."""
        aside = self.generations / "current.new"
        aside.write_text(str(number), encoding="ascii")
        aside.replace(self.generations / "current")
