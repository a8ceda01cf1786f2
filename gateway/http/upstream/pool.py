"""The connections to one server, kept and opened within a bound."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.common.sweep import NEVER
from gateway.http.upstream.connector import Attempt
from gateway.http.upstream.server_health import ServerHealth

if TYPE_CHECKING:
    from gateway.http.upstream.connection import UpstreamConnection
    from gateway.http.upstream.settings import UpstreamServerSettings
    from gateway.http.upstream.upstream import Upstream
    from gateway.http.upstream.upstream_call import UpstreamCall


class ServerPool:
    """One server of one upstream. It outlives reloads that keep the server's address.

    Idle connections are taken last in, first out: the busy ones stay busy, and the others grow old and are closed.
    """

    __slots__ = (
        "attempts",
        "connections",
        "health",
        "idle",
        "loop",
        "max_connections",
        "retired",
        "settings",
        "tls_age",
        "turn",
        "upgraded",
        "upstream",
        "weight",
    )

    def __init__(self, upstream: Upstream, settings: UpstreamServerSettings) -> None:
        self.upstream = upstream
        self.settings = settings
        self.loop: asyncio.AbstractEventLoop = upstream.loop
        self.weight = settings.weight
        self.turn = 0
        self.max_connections = upstream.settings.max_connections
        self.health = ServerHealth()
        self.connections: set[UpstreamConnection] = set()  # open ones, in use or idle
        self.idle: list[UpstreamConnection] = []
        self.attempts: set[Attempt] = set()
        self.upgraded = 0
        self.retired = False
        self.tls_age = 0  # how often the TLS settings have changed

    @property
    def active(self) -> int:
        """See ``balance.Candidate``."""
        return len(self.connections) - len(self.idle) + len(self.attempts) + self.upgraded

    @property
    def has_room(self) -> bool:
        """See ``balance.Candidate``."""
        return bool(self.idle) or len(self.connections) + len(self.attempts) < self.max_connections

    @property
    def name(self) -> str:
        """The address as configured: for errors, logs and metrics."""
        return self.settings.address.text

    def adopt(self, settings: UpstreamServerSettings, max_connections: int) -> None:
        """Settings of a reload. Connections made under other TLS settings are not used again."""
        changed = (settings.tls_key, settings.server_name) != (self.settings.tls_key, self.settings.server_name)
        self.settings = settings
        self.weight = settings.weight
        self.max_connections = max_connections
        if changed:
            self.tls_age += 1
            for connection in tuple(self.idle):
                connection.close()

    def begin(self, call: UpstreamCall) -> None:
        """Put a call on a kept connection, or open one for it. The pool has room."""
        idle = self.idle
        if call.fresh:
            if idle and len(self.connections) + len(self.attempts) >= self.max_connections:
                idle[0].close()  # the oldest makes room
        else:
            while idle:
                connection = idle.pop()
                if connection.still_good():
                    connection.send(call)
                    return
                connection.close()
        upstream = self.upstream
        self.attempts.add(Attempt(self, call, upstream.sweep.after(upstream.settings.connect_timeout)))

    def release(self, connection: UpstreamConnection) -> None:
        """The answer is complete and the connection can be used again."""
        if self.retired or len(self.connections) > self.max_connections or connection.tls_age != self.tls_age:
            connection.close()
        else:
            self.idle.append(connection)
        upstream = self.upstream
        if upstream.waiting or upstream.surplus:
            upstream.serve_waiting()

    def discard(self, connection: UpstreamConnection) -> None:
        """The connection is no longer the pool's."""
        self.connections.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)

    def freed(self) -> None:
        """A place has become free."""
        if self.upstream.waiting or self.upstream.surplus:
            self.upstream.serve_waiting()

    def remove(self, connection: UpstreamConnection) -> None:
        """``discard`` and ``freed``, for a connection that may be gone already."""
        if connection in self.connections:
            self.discard(connection)
            self.freed()

    def opened(self, attempt: Attempt, connection: UpstreamConnection) -> None:
        """An attempt went well."""
        self.attempts.discard(attempt)
        call = attempt.call
        if connection.is_closing:
            # Opened and closed within one turn: nothing was sent yet.
            self._lost(call, "upstream.refused", "closed")
        elif self.retired:
            connection.close()
            self._lost(call, "upstream.stopped", "")
        elif connection.tls_age != self.tls_age:
            connection.drop()
            if call is not None and not call.done:
                self.begin(call)
        else:
            self.connections.add(connection)
            connection.keep_idle()
            if call is not None and not call.done:
                connection.send(call)
            else:
                self.release(connection)

    def not_opened(self, attempt: Attempt, reason: str, detail: str) -> None:
        """An attempt failed: another server may have the call."""
        self.attempts.discard(attempt)
        self._lost(attempt.call, reason, detail)

    def look(self, now: float) -> None:
        """End what waited too long: kept connections, answers, attempts."""
        for connection in [connection for connection in self.connections if connection.deadline <= now]:
            connection.expire(now)
        for attempt in [attempt for attempt in self.attempts if attempt.deadline <= now]:
            attempt.deadline = NEVER
            attempt.give_up("upstream.connect_timeout")

    def retire(self) -> None:
        """The server is no longer configured: calls in progress end, nothing new begins."""
        self.retired = True
        for connection in tuple(self.idle):
            connection.close()

    def close(self) -> None:
        """Close every connection now; calls in progress fail with ``upstream.stopped``."""
        self.retired = True
        for attempt in tuple(self.attempts):
            attempt.give_up("upstream.stopped")
        for connection in tuple(self.connections):
            connection.stop()

    def _lost(self, call: UpstreamCall | None, reason: str, detail: str) -> None:
        if reason != "upstream.stopped":
            self.upstream.failed(self, reason)
        if call is not None and not call.done:
            self.upstream.next_server(call, self, reason, detail)
        self.freed()
