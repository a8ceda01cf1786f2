"""The listening sockets of a node, by address: opened here, by a service manager before the node starts, or by the
program that stood in this one's place before. They outlive every worker and every program.

A service manager says in LISTEN_FDS how many it has opened, from descriptor 3 on, for the process LISTEN_PID
(sd_listen_fds(3)). Each is taken for the configured address that it is bound to; what fits none is an error, because
somebody would connect there and wait for ever.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Final, NamedTuple

from gateway.common.listening import CannotListen, listen, parse

FIRST: Final = 3
"""SD_LISTEN_FDS_START."""
MOST: Final = 1024
"""Descriptors that are looked at."""
FAMILIES: Final = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
Place = tuple[str, int]
"""Where something is bound: an address in its canonical form and its port, or the path of a unix socket and -1."""


class ToOpen(NamedTuple):
    """An address of the configuration. ``setting``: where it stands."""

    address: str
    setting: str
    backlog: int


class OpenSockets:
    """``wanted`` says what is open; ``settle`` closes what is wanted no longer."""

    def __init__(self) -> None:
        self._open: dict[Place, socket.socket] = {}
        self._wanted: set[Place] = set()

    def take(self, descriptors: Sequence[int]) -> None:
        """What the program before this one had open. The descriptors stay: it needs them if this one gives up."""
        for descriptor in descriptors:
            held = socket.socket(fileno=os.dup(descriptor))
            held.set_inheritable(True)
            self._open[_bound(held)] = held

    def take_activated(self, environ: MutableMapping[str, str]) -> dict[Place, str]:
        """What a service manager has opened, and the names that it has for them. The variables are removed: they are
        meant for this process. Raises CannotListen where one is no stream socket that listens."""
        count, whose = environ.pop("LISTEN_FDS", ""), environ.pop("LISTEN_PID", "")
        names = environ.pop("LISTEN_FDNAMES", "").split(":")
        found: dict[Place, str] = {}
        if whose != str(os.getpid()) or not count.isascii() or not count.isdigit():
            return found
        for place in range(min(int(count[:9]), MOST)):
            name = names[place] if place < len(names) and names[place] else f"descriptor {FIRST + place}"
            bound = _listening(FIRST + place, name)
            if bound in found:
                raise CannotListen(f"{name}: {found[bound]} is a socket for {_shown(bound)} already: hand over one")
            held = socket.socket(fileno=FIRST + place)
            held.setblocking(False)
            held.set_inheritable(True)
            if held.family != socket.AF_UNIX:  # as ``listen`` does it
                held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open[bound] = held
            found[bound] = name
        return found

    def wanted(self, several: Sequence[ToOpen], activated: Mapping[Place, str] | None = None) -> None:
        """Have these open. Raises CannotListen where one cannot be had, and nothing has changed, or where one that was
        handed over is none of them."""
        places = {_place(one.address): one for one in several}
        for place, name in (activated or {}).items():
            if place not in places:
                known = ", ".join(f"{one.address} ({one.setting})" for one in several)
                raise CannotListen(
                    f"{name}: a socket for {_shown(place)} was handed over, and the configuration has no such "
                    f"address: {known}"
                )
        new: dict[Place, socket.socket] = {}
        try:
            for place, one in places.items():
                if place not in self._open:
                    new[place] = listen(one.address, one.backlog, setting=one.setting)
        except CannotListen:
            for held in new.values():
                held.close()
            raise
        self._open |= new
        self._wanted = set(places)

    def settle(self) -> None:
        """Close what is wanted no longer: whoever still accepts there was told, and nobody goes back."""
        for place in self._open.keys() - self._wanted:
            self._open.pop(place).close()

    def descriptor(self, address: str) -> int:
        """Of an address that is wanted."""
        return self._open[_place(address)].fileno()

    @property
    def descriptors(self) -> list[int]:
        """All of them, for the program after this one."""
        return [held.fileno() for held in self._open.values()]

    def close(self) -> None:
        """Let them go; who inherited them has them still."""
        for held in self._open.values():
            held.close()
        self._open.clear()


def _listening(descriptor: int, name: str) -> Place:
    """Where a socket is bound that a service manager has opened. What is none of its sockets may be a descriptor that
    this process itself needs: it is looked at, and stays open. Raises CannotListen."""
    try:
        held = socket.socket(fileno=descriptor)
    except OSError as error:
        raise CannotListen(f"{name}: what LISTEN_FDS announces is no socket ({error.strerror})") from None
    try:
        streams = held.family in FAMILIES and held.type == socket.SOCK_STREAM
        if not streams or not held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise CannotListen(f"{name}: a socket that was handed over does not listen for streams: ListenStream=")
        return _bound(held)
    finally:
        held.detach()


def _bound(held: socket.socket) -> Place:
    name = held.getsockname()
    if isinstance(name, tuple):
        return str(ipaddress.ip_address(name[0].partition("%")[0])), int(name[1])
    return os.path.abspath(os.fsdecode(name)), -1  # noqa: PTH100 - a link stays what it is


def _place(address: str) -> Place:
    if address.startswith("unix:"):
        return os.path.abspath(address.removeprefix("unix:")), -1  # noqa: PTH100 - a link stays what it is
    host, port = parse(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4][0]
    except OSError:
        return host, port  # ``listen`` says what is wrong with it
    return str(ipaddress.ip_address(str(found).partition("%")[0])), port


def _shown(place: Place) -> str:
    host, port = place
    if port < 0:
        return f"unix:{host}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
