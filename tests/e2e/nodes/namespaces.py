"""Machines on one network, of which some do not hear each other for a while: network namespaces on a bridge (root)."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

CLONE_NEWNET: Final = 0x40000000
TAG: Final = f"tg{os.getpid() % 100_000}"
NETWORK: Final = f"10.77.{os.getpid() % 250}"
_libc = ctypes.CDLL(None, use_errno=True)


def obstacle() -> str:
    """Why there can be none here; empty where there can."""
    try:
        _ip("netns", "add", f"{TAG}-try")
        _ip("netns", "delete", f"{TAG}-try")
        _ip("link", "add", f"{TAG}-try", "type", "bridge")
        _ip("link", "delete", f"{TAG}-try")
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces: {type(error).__name__}"
    return ""


class Namespaces:
    """A machine for each name, as a context. What one of those that are parted sends to another of them is dropped on
    its way, so that nobody is told: no connection ends, and none is refused."""

    def __init__(self, *names: str) -> None:
        self.address = {name: f"{NETWORK}.{10 + number}" for number, name in enumerate(names)}
        self._parted: set[str] = set()

    def __enter__(self) -> Self:
        _ip("link", "add", TAG, "type", "bridge")
        _ip("link", "set", TAG, "up")
        for name, address in self.address.items():
            _ip("netns", "add", self.machine(name))
            _ip("link", "add", self._port(name), "type", "veth", "peer", "name", "eth0", "netns", self.machine(name))
            _ip("link", "set", self._port(name), "master", TAG, "up")
            _ip("-n", self.machine(name), "address", "add", f"{address}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                _ip("-n", self.machine(name), "link", "set", link, "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self.address:
            _ip("netns", "delete", self.machine(name))
        _ip("link", "delete", TAG)

    def machine(self, name: str) -> str:
        """The name of its namespace."""
        return f"{TAG}-{name}"

    def part(self, *names: str) -> None:
        """From now on none of these hears another of them."""
        self._set(set(names))

    def join(self) -> None:
        """Everybody hears everybody."""
        self._set(set())

    def _set(self, parted: set[str]) -> None:
        for name in self.address:
            how = "on" if name in parted else "off"
            subprocess.run(["bridge", "link", "set", "dev", self._port(name), "isolated", how], check=True)

    def _port(self, name: str) -> str:
        return f"{TAG}{name}"

    def listening(self, name: str, port: int, *, inside: bool = False) -> socket.socket:
        """A socket that listens there, on its address or, ``inside``, for itself alone."""
        with self._there(name):
            return socket.create_server(("127.0.0.1" if inside else self.address[name], port))

    async def connected(self, name: str, host: str, port: int) -> socket.socket:
        """A connection from there."""
        with self._there(name):
            made = socket.socket()
        made.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(made, (host, port))
        except BaseException:  # raised again; a socket that is connected to nothing is nobody's
            made.close()
            raise
        return made

    @contextmanager
    def _there(self, name: str) -> Iterator[None]:
        """What this thread opens meanwhile is of that machine."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        other = os.open(Path("/run/netns") / self.machine(name), os.O_RDONLY)
        try:
            _enter(other)
            try:
                yield
            finally:
                _enter(own)
        finally:
            os.close(own)
            os.close(other)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
