"""The public side of one worker: its connections, what they may cost together, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from email.utils import formatdate
from typing import Final, Literal

import structlog

from gateway.common.addresses import counted
from gateway.common.sweep import Sweep
from gateway.http.accepting.acceptor import Announced
from gateway.http.server.exchange import Exchange
from gateway.http.server.queueing import Queueing
from gateway.http.server.request_handler import RequestHandler
from gateway.http.server.sentences import SILENT
from gateway.http.server.server_protocol import ServerProtocol
from gateway.http.server.settings import ServerSettings
from gateway.http.server.turns import TurnAccount, Turns, TurnWaiting
from gateway.http.wire.head import RequestHead
from gateway.http.wire.peers import Peer, TrustedProxies, canonical

Ended = Literal["whole", "left", "cut"]

LOOKS: Final = 5
"""The connections are looked at every fifth tick of the sweep: with 20,000 of them a look costs about a millisecond."""

LAST_REQUESTS: Final = 0.5  # seconds in which what was on its way to a server that stops has arrived

log = structlog.get_logger()


class Server:
    """``gate``, ``sentences`` and the settings may be swapped between two requests (a reload); connections stay.

    Counters for metrics: ``refusals`` (by reason code), ``connections`` (open ones), ``collected`` (bytes
    of judged bodies not yet complete).
    """

    def __init__(self, gate: RequestHandler, settings: ServerSettings, sweep: Sweep) -> None:
        self.gate = gate
        self.sweep = sweep
        self.sentences = SILENT
        self.turns = Turns(sweep.loop, settings)
        self.queueing = Queueing(sweep.loop, settings.max_queueing)
        self.configure(settings)
        self.connections: set[ServerProtocol] = set()
        self.refusals: dict[str, int] = {}
        self.collected = 0
        self.draining = False
        # For an access log. How an answer ended: whole, left (by its client) or cut. Of a head that is none: status,
        # reason code, bytes of the answer's body.
        self.on_answered: Callable[[Exchange, Ended], None] | None = None
        self.on_refused: Callable[[int, str, int], None] | None = None
        self.date_line = b""
        self._date()
        self._taken = 0
        self._arriving = 0
        self._listening: list[asyncio.Server] = []
        self._empty: asyncio.Event = asyncio.Event()
        self._ticks = 0
        sweep.watch(self._look)

    def configure(self, settings: ServerSettings) -> None:
        """Take over settings: whole at once; open connections keep the head bounds they began with."""
        trusted = TrustedProxies(settings.trusted_proxies)
        via = settings.via.encode("ascii")
        self.settings = settings
        self.turns.configure(settings)
        self.queueing.max_queueing = settings.max_queueing
        self.bounds = settings.head_bounds
        self.trusted = trusted
        self.via = via

    async def listen(self, sock: socket.socket) -> None:
        """Accept on a listening socket that the supervisor has opened."""
        loop = asyncio.get_running_loop()
        self._listening.append(await loop.create_server(self.protocol, sock=sock, backlog=self.settings.backlog))

    def protocol(self) -> ServerProtocol:
        """What ``loop.create_server`` calls for each connection."""
        return ServerProtocol(self)

    def announced(self, announced: Announced) -> ServerProtocol:
        """The same for one that came through ``gateway.http.accepting``."""
        return ServerProtocol(self, announced)

    def retire(self) -> None:
        """Let every connection end behind its next answer. One that is idle is not closed: a request may be on its way
        that nobody else could answer."""
        self.draining = True

    async def drain(self, seconds: float) -> bool:
        """Stop accepting, let open exchanges finish, and cut off what is left after ``seconds``.

        What is idle is closed a moment later (``LAST_REQUESTS``): a proxy that keeps connections may have sent a
        request on one of them, and can ask nobody else with it (RFC 9110 section 9.2.2). Requests meanwhile are
        answered, each with ``Connection: close``.

        True where nothing had to be cut. Connections that were taken over are their takers' to end.
        """
        self.draining = True
        for listening in self._listening:
            listening.close()
        if self.connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), min(LAST_REQUESTS, seconds))
        for connection in tuple(self.connections):
            connection.drain()
        clean = True
        if self.connections:
            try:
                await asyncio.wait_for(self._empty.wait(), seconds)
            except TimeoutError:
                clean = False
                for connection in tuple(self.connections):
                    connection.abort()
        self.sweep.unwatch(self._look)
        return clean

    # what connections tell

    def arrived(self, ip: str) -> Callable[[], None] | None:
        """Count one whose first request is far off yet (PROXY header, TLS); the result takes that back.

        None where it is one too many: nothing can be told to it. ``ip``: of the client, canonical; empty where it is
        not known.
        """
        settings = self.settings
        free = not ip or self.trusted.trusts(ip)
        account = self.turns.unbounded() if free else self.turns.account(counted(ip, settings.ipv6_prefix))
        few = free or account.held < settings.max_connections_per_address
        if not few or len(self.connections) + self._taken + self._arriving >= settings.max_connections:
            self.count_refusal("server.full" if few else "server.busy")
            return None
        self._arriving += 1
        account.held += 1

        def begun() -> None:
            self._arriving -= 1
            self.turns.closed(account)

        return begun

    def read_for(self, seconds: float) -> None:
        """A turn of the loop goes on to judge, so long after it had read the first message of it."""
        self.turns.went_on()
        self.queueing.read_for(seconds)

    def begins(self, ip: str, waiting: TurnWaiting) -> bool:
        """Whether a connection that has ``arrived`` may begin in this turn, and is charged for it; else ``waiting``
        goes on in a later one."""
        if not ip or self.trusted.trusts(ip):
            return True
        account = self.turns.account(counted(ip, self.settings.ipv6_prefix))
        if account.turn != self.turns.number:
            self.turns.begin(account)
        if account.left <= 0:
            self.turns.wait(account, waiting)
            return False
        self.turns.connected(account)
        return True

    def peer_of(self, transport: asyncio.BaseTransport, announced: Announced | None) -> Peer:
        """Who is at the other end, or whom its balancer's PROXY header names."""
        name = transport.get_extra_info("peername")
        ip = (canonical(name[0]) or "") if isinstance(name, tuple) else ""
        scheme = b"http"
        if announced is not None:
            announced.over()
            ip = announced.ip or ip
            scheme = b"https" if announced.secure else scheme
        return Peer(ip, self.trusted.trusts(ip), self.via, self.settings.ipv6_prefix, scheme)

    def named(self, peer: Peer, head: RequestHead) -> TurnAccount:
        """The account of whom a trusted proxy names: its request is charged to that address."""
        ip = self.trusted.client(peer.ip, head.fields.get(b"x-forwarded-for"))
        account = self.turns.account(counted(ip, self.settings.ipv6_prefix))
        if account.turn != self.turns.number:
            self.turns.begin(account)
        return account

    def opened(self, connection: ServerProtocol, announced: Announced | None) -> str:
        """A connection was made; a reason code where it is one too many: ``server.full`` is not even told so.
        ``announced``: what was known of it, and counted, before; from now on it counts as itself and not twice."""
        account = connection.owner
        account.held += 1
        account.members.add(connection)
        known = announced is not None and announced.charged  # its address was held to its bound when it arrived
        if not known:
            self.turns.connected(account)
        self.connections.add(connection)
        if announced is not None:
            announced.over()
        settings = self.settings
        if len(self.connections) + self._taken + self._arriving > settings.max_connections:
            self.count_refusal("server.full")
            return "server.full"
        if not known and account.held > settings.max_connections_per_address and not connection.peer.trusted:
            return "server.busy"
        return ""

    def closed(self, connection: ServerProtocol) -> None:
        """A connection is lost."""
        self.connections.discard(connection)
        connection.owner.members.discard(connection)
        self.turns.closed(connection.owner)
        if not self.connections:
            self._empty.set()

    def taken(self, connection: ServerProtocol) -> Callable[[], None]:
        """A connection changes its protocol; the result is called when it is lost."""
        owner = connection.owner
        owner.members.discard(connection)
        self.connections.discard(connection)
        self._taken += 1
        if not self.connections:
            self._empty.set()
        released = False

        def release() -> None:
            nonlocal released
            if not released:
                released = True
                self._taken -= 1
                self.turns.closed(owner)

        return release

    def count_refusal(self, reason: str) -> None:
        """Count a request that was refused before anything judged it."""
        self.refusals[reason] = self.refusals.get(reason, 0) + 1

    def failed(self, error: Exception) -> None:
        """A gate broke: the request is answered 500. The text of the error stays out of the log: it may be personal."""
        log.error("request.failed", exc_info=error)

    def _look(self, now: float) -> None:
        self.turns.tick()
        self.queueing.tick()
        self._ticks += 1
        if self._ticks % LOOKS:
            return
        self._date()
        late = [connection for connection in self.connections if connection.deadline <= now]
        for connection in late:
            connection.overdue()

    def _date(self) -> None:
        self.date_line = b"Date: %b\r\n" % formatdate(usegmt=True).encode("ascii")
