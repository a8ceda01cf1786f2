"""A PostgreSQL of our own: Debian's server, a new cluster in a temporary folder, as a user without rights.

It is fast and not durable (``fsync = off``): what was committed survives the death of its processes, not the machine's.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from rig.ports import free_port

USER = "tidegate"
PASSWORD = "gate-#:/?@-way"
QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=40", "max_wal_senders=4")


def programs() -> Path | None:
    """The folder of the newest server's programs; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    one = shutil.which("postgres")
    return Path(one).resolve().parent if one is not None else None


class Postgres:
    """A cluster, as a context; ``of`` makes it a replica of another."""

    def __init__(self, of: Postgres | None = None) -> None:
        self.port = free_port()
        self._of = of
        folder = programs()
        assert folder is not None, "tools/debian-packages nodes"
        self._programs = folder
        self.folder = Path(tempfile.mkdtemp(prefix="tg-pg-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
        except BaseException:  # raised again; a server that does not answer would go on
            self.__exit__(None, None, None)
            raise
        return self

    def _make(self) -> None:
        """The cluster."""
        if os.geteuid() == 0:
            user = _unprivileged()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        data = self.folder / "data"
        if self._of is not None:
            self._run("pg_basebackup", "-D", str(data), "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d",
                      self._of.url("postgres"))  # fmt: skip
        else:
            secret = self.folder / "password"
            secret.write_text(PASSWORD, encoding="utf-8")
            secret.chmod(0o644)
            self._run("initdb", "-D", str(data), "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                      "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}")  # fmt: skip

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Returns when it answers."""
        options = [f"port={self.port}", f"unix_socket_directories={self.folder}", "listen_addresses=127.0.0.1", *QUICK]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *(f"--{one}" for one in options)],
            stdout=log, stderr=log, process_group=0, cwd="/", **_as_user(),
        )  # fmt: skip
        log.close()
        until = time.monotonic() + 30
        while True:
            try:
                self.ask("SELECT 1")
            except Exception:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:]) from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """As an operator does (fast): connections end, what is committed is on disk."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)

    def kill(self) -> None:
        """The server and all its processes die at once."""
        if self._process is not None and self._process.poll() is None:
            for pid in self._pids():  # each is a session of its own
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
        # A process that outlives its server by a moment still has the memory that the next one asks for.
        until = time.monotonic() + 10
        while _alive(self.folder / "data") and time.monotonic() < until:
            time.sleep(0.01)

    def pause(self) -> None:
        """Nothing of it goes on, and no connection ends."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """It all goes on."""
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def promote(self) -> None:
        """A replica takes over."""
        self.ask("SELECT pg_promote(true)")

    def url(self, name: str, *, password: bool = True, host: str = "") -> str:
        """Of a database, as an operator would write it."""
        secret = f":{quote(PASSWORD, safe='')}" if password else ""
        return f"postgresql://{USER}{secret}@{host or f'127.0.0.1:{self.port}'}/{name}"

    def ask(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """One statement outside of any transaction; its rows, where it has some."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=2) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description is not None else []

    def create(self, name: str, template: str = "template0") -> str:
        """A database; its URL."""
        self.ask(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return self.url(name)

    def drop(self, name: str) -> None:
        """With whoever is connected."""
        self.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([str(self._programs / program), *arguments], capture_output=True, cwd="/", check=False,
                              **_as_user())  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])

    def _pids(self) -> list[int]:
        assert self._process is not None
        return [self._process.pid, *_children(self._process.pid)]


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _as_user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user = _unprivileged()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _alive(data: Path) -> bool:
    """Whether a process still runs in this folder."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").resolve(strict=True) == data:
                    return True
            except OSError:
                continue
    return False
