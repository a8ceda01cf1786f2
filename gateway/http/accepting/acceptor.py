"""Accepting where something stands before the first request: a PROXY header, a TLS handshake, or one after the other.

On plain listeners the loop accepts, one connection a turn, which is cheap. It is too slow where many come at once (a
thousand of an attacker, everybody after a restart): then the others are taken here as well (``plain.py``). Here a
connection is a task until its protocol is made, for no longer than ``timeout`` a step; those that are amid it count as
connections of their address, and as connections of the worker, so half-open handshakes are bounded as open connections
are. An address that has had its share of the turn begins its next ones in later turns (``http/server/turns.py``): who
comes behind a thousand of them does not wait for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import structlog

from gateway.http.accepting.certificates import Certificates
from gateway.http.accepting.proxy_protocol import LONGEST_TAIL, BadProxyHeader, ProxyHeader
from gateway.http.wire.peers import TrustedProxies, canonical

AT_ONCE: Final = 16
"""Connections that begin in one turn of the loop, at most."""
LOOKED_AT: Final = 64
"""Connections that are taken from the kernel's queue in one turn: those whose address has had its share wait here."""
PAUSE: Final = 0.2
"""Seconds without accepting, where the process has no descriptor left."""
GONE: Final = (errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.EINTR)
"""A connection that ended before it was accepted, see accept(2)."""

log = structlog.get_logger()


class Announced:
    """What is known of a connection before its protocol is made. ``ip``: of the client that a balancer names; empty
    where none does, and the peer itself is meant. ``secure``: it comes through TLS. ``charged``: its address has paid
    for it (``turns.Turns.connected``).
    """

    __slots__ = ("_release", "charged", "ip", "secure")

    def __init__(self, secure: bool, release: Callable[[], None], *, charged: bool = False) -> None:
        self.ip = ""
        self.secure = secure
        self.charged = charged
        self._release: Callable[[], None] | None = release

    def over(self) -> None:
        """It has begun, and counts as itself from now on; or it never will."""
        release, self._release = self._release, None
        if release is not None:
            release()


class Coming(Protocol):
    """A connection that waits until its address may begin one more."""

    def go_on(self) -> None:
        """It is its turn."""


class Accepting(Protocol):
    """What the acceptor asks the server."""

    def announced(self, announced: Announced) -> asyncio.BaseProtocol:
        """The protocol of a connection."""

    def arrived(self, ip: str) -> Callable[[], None] | None:
        """Count a connection of which nothing is known but its peer; the result takes that back. None where it is one
        too many."""

    def begins(self, ip: str, waiting: Coming) -> bool:
        """Whether it may begin in this turn; else ``waiting`` goes on in a later one."""

    def count_refusal(self, reason: str) -> None:
        """Count one that ended before it began."""


class Acceptor:
    """One listener of one worker. ``peers``: who must name the client in a PROXY header; None where nobody does.

    ``certificates``: for TLS; None without. ``timeout``: seconds for the header, and for the handshake, each.
    ``closing``: seconds in which what is written may still be sent, and the other end say that it leaves as well, once
    it is closed. ``watched``: the loop tells when somebody comes; else ``accept`` is called.
    """

    def __init__(
        self,
        listener: socket.socket,
        server: Accepting,
        *,
        certificates: Callable[[], Certificates] | None,
        peers: TrustedProxies | None,
        timeout: Callable[[], float],
        closing: Callable[[], float],
        watched: bool = True,
    ) -> None:
        self._listener = listener
        self._server = server
        self._certificates = certificates
        self._peers = peers
        self._timeout = timeout
        self._closing = closing
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[bool]] = set()
        self._parked: set[_Parked] = set()
        self._closed = False
        self._watched = watched
        if watched:
            self._loop.add_reader(listener, self.accept)

    @property
    def beginning(self) -> int:
        """How many are amid their beginning, or wait for it."""
        return len(self._tasks) + len(self._parked)

    def leave(self) -> None:
        """Accept no more; those that are amid their beginning go on."""
        if self._closed:
            return
        self._closed = True
        if self._watched:
            self._loop.remove_reader(self._listener)
            self._listener.close()

    def close(self) -> None:
        """Accept no more, and let go of those that are amid their beginning."""
        self.leave()
        for task in tuple(self._tasks):
            task.cancel()
        for parked in tuple(self._parked):
            parked.leave()

    def accept(self) -> None:
        """Take from the kernel who waits there, as many as a turn may."""
        if self._closed:
            return
        begun = 0
        for _ in range(LOOKED_AT):
            try:
                accepted, address = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in GONE:
                    continue
                if self._watched:
                    log.warning("accepting.paused", error=errno.errorcode.get(error.errno or 0, ""))
                    self._loop.remove_reader(self._listener)
                    self._loop.call_later(PAUSE, self._accept_again)
                return
            accepted.setblocking(False)
            ip = (canonical(address[0]) or "") if isinstance(address, tuple) else ""
            if self._peers is not None and not self._peers.trusts(ip):
                self._server.count_refusal("proxy.stranger")
                accepted.close()
                continue
            # A balancer brings the connections of many: its own number is bounded by the worker's alone.
            whose = "" if self._peers is not None else ip
            release = self._server.arrived(whose)
            if release is None:
                accepted.close()
                continue
            parked = _Parked(self, whose, accepted, release)
            self._parked.add(parked)
            if parked.begins():
                begun += 1
                if begun == AT_ONCE:
                    return

    def begin(self, parked: _Parked) -> None:
        """It is its turn."""
        self._parked.discard(parked)
        accepted = parked.accepted
        announced = Announced(self._certificates is not None, parked.release, charged=parked.ip != "")
        task = self._loop.create_task(self._begin(accepted, announced))
        self._tasks.add(task)
        # Not in the task: one that is cancelled before its first step never runs.
        task.add_done_callback(partial(self._begun, accepted, announced))

    def may_begin(self, parked: _Parked) -> bool:
        """Whether it is its turn; else it will be told."""
        return self._server.begins(parked.ip, parked)

    def let_go(self, parked: _Parked) -> None:
        """It never begins."""
        self._parked.discard(parked)

    def _accept_again(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._listener, self.accept)

    def _begun(self, accepted: socket.socket, announced: Announced, task: asyncio.Task[bool]) -> None:
        self._tasks.discard(task)
        announced.over()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._loop.call_exception_handler({"message": "a connection could not begin", "exception": error})
        if task.cancelled() or error is not None or not task.result():
            accepted.close()

    async def _begin(self, accepted: socket.socket, announced: Announced) -> bool:
        """Whether it has become a connection of the server. What is counted of the others is the step that failed."""
        announcing = self._peers is not None
        try:
            if announcing:
                async with asyncio.timeout(self._timeout()):
                    announced.ip = await self._header(accepted)
                announcing = False
            await self._hand_on(accepted, announced)
            return True
        except BadProxyHeader:
            self._server.count_refusal("proxy.malformed")
        except OSError as error:  # a time-out and a failure of TLS among them
            if announcing and isinstance(error, TimeoutError):
                self._server.count_refusal("proxy.timeout")
            elif announcing or self._certificates is None:
                self._server.count_refusal("proxy.cut_off")
            else:  # scanners, and clients that do not trust the certificate: many, and no fault of ours
                self._server.count_refusal("tls.handshake")
        return False

    async def _hand_on(self, accepted: socket.socket, announced: Announced) -> None:
        made = partial(self._server.announced, announced)
        if self._certificates is None:
            await self._loop.connect_accepted_socket(made, accepted)
            return
        await self._loop.connect_accepted_socket(
            made,
            accepted,
            ssl=self._certificates().context,
            ssl_handshake_timeout=self._timeout(),
            ssl_shutdown_timeout=self._closing(),
        )

    async def _header(self, accepted: socket.socket) -> str:
        """The client that the header names; reads the header and not a byte more. Raises BadProxyHeader and OSError."""
        header = ProxyHeader()
        while not header.complete:
            try:
                ahead = accepted.recv(16 + LONGEST_TAIL, socket.MSG_PEEK)
            except (BlockingIOError, InterruptedError):
                await self._readable(accepted)
                continue
            if not ahead:
                raise ConnectionResetError
            accepted.recv(header.feed(ahead))
        return header.source

    async def _readable(self, accepted: socket.socket) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(accepted, _done, ready)
        try:
            await ready
        finally:
            with contextlib.suppress(OSError, ValueError):
                self._loop.remove_reader(accepted)


class _Parked:
    """An accepted connection that has not begun. ``ip``: whose turn it waits for, empty for
    nobody's."""

    __slots__ = ("_acceptor", "_left", "accepted", "ip", "release")

    def __init__(self, acceptor: Acceptor, ip: str, accepted: socket.socket, release: Callable[[], None]) -> None:
        self._acceptor = acceptor
        self._left = False
        self.ip = ip
        self.accepted = accepted
        self.release = release

    def begins(self) -> bool:
        """Begin where it is its turn."""
        if not self._acceptor.may_begin(self):
            return False
        self._acceptor.begin(self)
        return True

    def go_on(self) -> None:
        """It is its turn, or nearly."""
        if not self._left:
            self.begins()

    def leave(self) -> None:
        """Nobody accepts any more."""
        self._left = True
        self._acceptor.let_go(self)
        self.accepted.close()
        self.release()


def _done(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
