"""Listening sockets, opened once by the supervisor and inherited by every worker.

A shared descriptor rather than SO_REUSEPORT: closing one socket of a SO_REUSEPORT group drops the connections that the
kernel has queued on it, whereas here a dead worker strands none.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from filters.model.errors import TidegateError

BACKLOG = 4096
REMEDIES = {
    errno.EADDRNOTAVAIL: "this machine has no such address (ip address list)",
    errno.EACCES: "this user may not; give the right CAP_NET_BIND_SERVICE, or use a port above 1023",
    errno.ENOENT: "the folder of the socket does not exist",
}


class Inherited(NamedTuple):
    """A listening socket as a worker inherits it. ``secure``: for TLS. ``peers``: address ranges of those who begin
    with a PROXY header; None where nobody does.

    All of it stays as it was when the node started, whatever a reload says: so does the socket.
    """

    descriptor: int
    secure: bool
    peers: tuple[str, ...] | None


def handed_down(several: Sequence[Inherited]) -> str:
    """An argument for a worker."""
    return json.dumps(several)


def inherited(argument: str) -> list[Inherited]:
    """What ``handed_down`` wrote."""
    return [
        Inherited(descriptor, secure, None if peers is None else tuple(peers))
        for descriptor, secure, peers in json.loads(argument)
    ]


class CannotListen(TidegateError):
    """The address cannot be had; the text names it, why, and a remedy."""


class AddressTaken(CannotListen):
    """Another process listens there already."""


def parse(address: str) -> tuple[str, int]:
    """``127.0.0.1:8080``, ``[::]:8080`` or ``:8080`` as host and port."""
    host, _, port = address.rpartition(":")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - an empty host means every address, as in nginx


def listen(address: str, backlog: int = BACKLOG, *, setting: str = "server.listen") -> socket.socket:
    """A bound, listening, non-blocking and inheritable socket for ``HOST:PORT`` or ``unix:/path``.

    ``backlog``: connections that may wait to be accepted; the kernel caps it at net.core.somaxconn. ``setting``: where
    the address stands, for the remedy. Raises CannotListen.
    """
    try:
        if address.startswith("unix:"):
            return _listen_unix(Path(address.removeprefix("unix:")), backlog, setting)
        return _listen_tcp(address, backlog, setting)
    except OSError as error:
        why = REMEDIES.get(error.errno or 0, error.strerror or type(error).__name__)
        raise CannotListen(f"{address} cannot be listened on: {why}; see {setting}") from None


def _listen_tcp(address: str, backlog: int, setting: str) -> socket.socket:
    host, port = parse(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Answers are small and written whole: Nagle's algorithm would only delay them. Accepted sockets inherit this.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(
                f"{address} is taken by another process: stop it, or change {setting} "
                f"(who it is: ss -ltnp 'sport = :{port}')"
            ) from None
        raise
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def _listen_unix(path: Path, backlog: int, setting: str) -> socket.socket:
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise AddressTaken(f"{path} exists and is not a socket: remove it, or change {setting}")
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            path.unlink()  # left behind by a process that was killed
        else:
            raise AddressTaken(f"{path} is served by another process: stop it, or change {setting}")
        finally:
            probe.close()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.fspath(path))
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener
