"""One named upstream: several servers, and calls to them.

When a call is sent again. Nothing of it was written (refused, TLS, connect time-out): another server gets it, each
server once. It was written and the connection closed without one byte of an answer: again on a fresh connection, at
most ``retries`` times, and only when it is idempotent and its body is still at hand; a server may have acted on it, so
a call that is not idempotent is never written twice (RFC 9110 section 9.2.2). After a time-out or garbage nothing is
repeated: the client has waited enough, and the server would say the same again.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Final

from gateway.common.sweep import TICK, Sweep
from gateway.http.upstream.balance import Balance, LeastConnections, RoundRobin
from gateway.http.upstream.failure import REASONS, UpstreamError
from gateway.http.upstream.pool import ServerPool
from gateway.http.upstream.probe import Probe, check_settings
from gateway.http.upstream.server_health import may_eject_one_more
from gateway.http.upstream.settings import UpstreamSettings
from gateway.http.upstream.shares import Share, ShareBounds
from gateway.http.upstream.sink import ResponseSink, UpgradeSink
from gateway.http.upstream.upstream_call import UpstreamCall

__all__ = ["REASONS", "ResponseSink", "UpgradeSink", "Upstream", "UpstreamCall", "UpstreamError", "UpstreamSettings"]

REPORT_EVERY: Final = 10.0
"""Seconds between two lines of the log on why calls failed: an upstream that is down fails thousands a second."""
STANDING: Final = 0.3
"""Seconds beyond the bound after which a queue is no burst any more."""


class Upstream:
    """Lives as long as its name is configured: a reload swaps what is behind it (``apply``), calls in progress go on,
    and so they do where the reload takes the name away (``retire``).

    ``notice(event, server)`` tells of ``ejected``, ``returned``, ``unhealthy``, ``healthy``, ``panic`` (no server is
    well, so all are used; the server is empty): for the log, as is ``report(server, reason, detail, count)``, which
    tells why calls failed, at once and then every ``REPORT_EVERY`` seconds. ``failures`` counts by (server, reason):
    for metrics.
    """

    __slots__ = (
        "_balance",
        "_bounds",
        "_candidates",
        "_closed",
        "_notice",
        "_only",
        "_out",
        "_probes",
        "_report",
        "_report_at",
        "_retired",
        "_retiring",
        "_unreported",
        "authority",
        "failures",
        "host",
        "loop",
        "pools",
        "resting",
        "settings",
        "shares",
        "surplus",
        "sweep",
        "waiting",
    )

    def __init__(
        self,
        settings: UpstreamSettings,
        loop: asyncio.AbstractEventLoop,
        sweep: Sweep,
        notice: Callable[[str, str], None] | None = None,
        report: Callable[[str, str, str, int], None] | None = None,
    ) -> None:
        self.loop = loop
        self.sweep = sweep
        self.settings = settings
        self.pools: tuple[ServerPool, ...] = ()
        self.waiting: deque[UpstreamCall] = deque()
        self.surplus: deque[UpstreamCall] = deque()  # those that wait and are more than a share
        self.shares: dict[str, Share] = {}  # of routes, by name
        self.failures: Counter[tuple[str, str]] = Counter()
        self._notice = notice
        self._report = report
        self._report_at = 0.0
        self._unreported: Counter[tuple[str, str, str]] = Counter()
        self._out: frozenset[ServerPool] = frozenset()  # ejected or ill
        self._candidates: tuple[ServerPool, ...] = ()  # the others, or all when none is left
        self._retiring: tuple[ServerPool, ...] = ()
        self._probes: tuple[Probe, ...] = ()
        self._closed = False
        self._retired = False
        self.resting = False  # retired, and nothing is under way
        self.apply(settings)
        sweep.watch(self._look)

    def out(self) -> dict[str, bool]:
        """Its servers, and whether each gets no requests now, because it is ejected or ill."""
        return {pool.name: pool in self._out for pool in self.pools}

    # -- calls

    def share(self, route: str) -> Share:
        """A route's share."""
        known = self.shares.get(route)
        if known is None:
            known = self.shares[route] = Share()
            self._bounds = ShareBounds(self.settings, len(self._candidates), len(self.shares))
        return known

    def start(
        self,
        head: bytes,
        body: bytes | None,
        sink: ResponseSink,
        *,
        idempotent: bool,
        chunked: bool = False,
        client: Share | None = None,
        route: Share | None = None,
    ) -> UpstreamCall:
        """Send a request. ``head`` is complete: request line, fields with the body's framing, empty line.

        ``body`` given (``b""`` for none): one write with the head, and again where that is allowed. ``body`` None:
        streamed with ``UpstreamCall.write`` and ``end``; with ``chunked`` the call adds the chunk framing that the
        head announces. ``client`` and ``route``: whose shares it is charged to; None where it is the gateway's own.
        """
        call = UpstreamCall(self, head, body, sink, idempotent, chunked, client, route)
        if self.settings.total_timeout is not None:
            call.ends_at = self.sweep.after(self.settings.total_timeout)
        if client is not None and route is not None:  # as ``_charge``, without its frame
            client.held += 1
            route.held += 1
            bounds = self._bounds
            if client.held > bounds.client or route.held > bounds.route:
                call.surplus = True
        only = self._only
        if only is not None and only.idle and not call.surplus:
            only.begin(call)
        else:
            self._place(call)
        return call

    def _charge(self, call: UpstreamCall, client: Share, route: Share) -> None:
        client.held += 1
        route.held += 1
        bounds = self._bounds
        if client.held > bounds.client or route.held > bounds.route:
            call.surplus = True

    def upgrade(
        self, head: bytes, sink: UpgradeSink, *, client: Share | None = None, route: Share | None = None
    ) -> UpstreamCall:
        """Send an upgrade request (a WebSocket handshake) on a connection of its own.

        Kept connections are not used: a handshake is not idempotent, and it takes its connection along.
        """
        call = UpstreamCall(self, head, b"", sink, False, False, client, route, upgrade=True)
        call.fresh = True
        if client is not None and route is not None:
            self._charge(call, client, route)
        if sum(pool.upgraded for pool in self.pools) >= self.settings.max_upgraded * len(self.pools):
            self.loop.call_soon(self._refuse, call, "upstream.busy", "upgraded")
        else:
            self._place(call)
        return call

    # -- life

    def apply(self, settings: UpstreamSettings) -> None:
        """Swap the settings. Servers that stay keep connections and health; removed ones finish what they began."""
        before = {pool.name: pool for pool in self.pools}
        self.settings = settings
        self.host = settings.host.encode("ascii")
        self.authority = settings.servers[0].address.authority.encode("ascii")  # for who names no host
        pools: list[ServerPool] = []
        for server in settings.servers:
            pool = before.pop(server.address.text, None)
            if pool is None:
                pool = ServerPool(self, server)
            else:
                pool.adopt(server, settings.max_connections)
            pools.append(pool)
        self.pools = tuple(pools)
        for pool in before.values():
            pool.retire()
        self._retiring = (*self._retiring, *before.values())
        for probe in self._probes:
            probe.close()
        self._probes = tuple(self._probe(pool) for pool in pools) if settings.check is not None else ()
        if settings.check is None:
            for pool in pools:
                pool.health.unchecked()
        self._choose(frozenset(pool for pool in pools if not pool.health.usable(self.sweep.now)))
        self.serve_waiting()

    def retire(self) -> None:
        """The name is no longer configured. What was begun goes on to its end, and so does what the generation before
        has judged and not sent yet; then nothing stays open. Checks stop at once."""
        self._retired = True
        for probe in self._probes:
            probe.close()
        self._probes = ()

    def close(self) -> None:
        """Close every connection; calls in progress and waiting ones fail with ``upstream.stopped``."""
        if self._closed:
            return
        self._closed = True
        if not self.resting:
            self.sweep.unwatch(self._look)
        for probe in self._probes:
            probe.close()
        while self.waiting:
            self.waiting.popleft().fail("upstream.stopped", "")
        while self.surplus:
            self.surplus.popleft().fail("upstream.stopped", "")
        for pool in (*self.pools, *self._retiring):
            pool.close()
        self._tell_failures()

    # -- the pools' side

    def serve_waiting(self) -> None:
        """Give waiting calls to servers that have room, in order; a call that waits for one server stops no other."""
        waiting = self.waiting
        at = 0
        while at < len(waiting):
            call = waiting[at]
            pool = self._balance.pick(call.tried)
            if pool is not None:
                del waiting[at]
                pool.begin(call)
                at = 0
            elif call.tried:
                at += 1
            else:
                return
        while self.surplus and not self._short():
            pool = self._balance.pick(self.surplus[0].tried)
            if pool is None:
                return
            pool.begin(self.surplus.popleft())

    def _short(self) -> bool:
        """Whether only the spare part is free."""
        used = 0
        for pool in self.pools:
            used += len(pool.connections) - len(pool.idle) + len(pool.attempts)
        return used >= self._bounds.open

    def stands(self, bound: float) -> bool:
        """Whether calls within their shares have waited for a connection for longer than ``bound`` seconds and
        ``STANDING``: a queue that stands, and no burst. False where ``bound`` is 0."""
        if not bound or not self.waiting:
            return False
        since = self.waiting[0].wait_until - self.settings.wait_timeout - TICK
        return self.sweep.now - since > bound + STANDING

    def next_server(self, call: UpstreamCall, pool: ServerPool, reason: str, detail: str) -> None:
        """Nothing of the call was written to ``pool``: another server may have it, each once."""
        call.tried = [*call.tried, pool]
        if self._closed or all(other in call.tried for other in self._candidates):
            call.fail(reason, pool.name, detail)
        else:
            self._place(call)

    def repeat(self, call: UpstreamCall) -> None:
        """The call was written, nothing came back, and it may be written again."""
        call.repeated += 1
        call.fresh = True
        self._place(call)

    def forget(self, call: UpstreamCall) -> None:
        """A call that has no connection was aborted."""
        waiting = self.surplus if call.surplus else self.waiting
        if call in waiting:
            waiting.remove(call)

    def failed(self, pool: ServerPool, reason: str) -> None:
        """A failure that is the server's: it counts towards ejection."""
        self.failures[pool.name, reason] += 1
        if pool not in self.pools:
            return
        may = may_eject_one_more(len(self._out), len(self.pools), self.settings.ejection.share)
        if pool.health.fail(self.sweep.now, self.settings.ejection, may):
            self._tell("ejected", pool.name)
            self._choose(self._out | {pool})

    def ended(self, server: str, reason: str, detail: str) -> None:
        """A call failed, whoever is to blame: for the log."""
        self._unreported[server, reason, detail] += 1

    # -- inside

    def _place(self, call: UpstreamCall) -> None:
        if self.resting:
            self.resting = False
            self.sweep.watch(self._look)
        if call.surplus and not self._closed and (self.surplus or self._short()):
            if len(self.surplus) * 2 >= self.settings.max_waiting:
                self.loop.call_soon(self._refuse, call, "upstream.busy", "share")
            else:
                call.wait_until = min(call.wait_until, self.sweep.after(self.settings.wait_timeout))
                self.surplus.append(call)
            return
        pool = None if self.waiting or self._closed else self._balance.pick(call.tried)
        if pool is not None:
            pool.begin(call)
        elif self._closed:
            self.loop.call_soon(self._refuse, call, "upstream.stopped", "")
        elif len(self.waiting) >= self.settings.max_waiting:
            self.loop.call_soon(self._refuse, call, "upstream.busy", "queue")
        else:
            call.wait_until = min(call.wait_until, self.sweep.after(self.settings.wait_timeout))
            self.waiting.append(call)
            if len(self.waiting) > 1:
                self.serve_waiting()  # those before it may all wait for one server, and others have room

    def _refuse(self, call: UpstreamCall, reason: str, detail: str) -> None:
        if not call.done:
            self.failures["", reason] += 1
            call.fail(reason, "", detail)

    def _choose(self, out: frozenset[ServerPool]) -> None:
        """Balance over the servers that are not ``out``; over all when none is left."""
        candidates = tuple(pool for pool in self.pools if pool not in out)
        if not candidates:
            candidates = self.pools
            if len(self._out) < len(out):
                self._tell("panic", "")
        self._out = out
        self._candidates = candidates
        self._only = candidates[0] if len(candidates) == 1 else None
        self._bounds = ShareBounds(self.settings, len(candidates), len(self.shares))
        kind = RoundRobin if self.settings.balance == "round-robin" else LeastConnections
        self._balance: Balance[ServerPool] = kind(candidates)

    def _probe(self, pool: ServerPool) -> Probe:
        check = self.settings.check
        assert check is not None
        alone = Upstream(check_settings(self.settings, pool.settings, check), self.loop, self.sweep)
        return Probe(alone, pool.settings, check, partial(self._checked, pool))

    def _checked(self, pool: ServerPool, well: bool) -> None:
        check = self.settings.check
        if check is None or not pool.health.checked(well, check):
            return
        self._tell("healthy" if well else "unhealthy", pool.name)
        self._choose(self._out - {pool} if pool.health.usable(self.sweep.now) else self._out | {pool})
        self.serve_waiting()

    def _look(self, now: float) -> None:
        for pool in self.pools:
            pool.look(now)
        if self._retiring:
            for pool in self._retiring:
                pool.look(now)
            self._retiring = tuple(pool for pool in self._retiring if pool.active)
        for waiting in (self.waiting, self.surplus):
            for call in [call for call in waiting if min(call.wait_until, call.ends_at) <= now]:
                waiting.remove(call)
                self._refuse(call, "upstream.busy", "share" if call.surplus else "wait")
        for probe in self._probes:
            probe.look(now)
        if self._unreported and now >= self._report_at:
            self._report_at = now + REPORT_EVERY
            self._tell_failures()
        back = [pool for pool in self._out if pool.health.usable(now)]
        if back:
            for pool in back:
                self._tell("returned", pool.name)
            self._choose(self._out.difference(back))
            self.serve_waiting()
        if self._retired:
            self._come_to_rest()

    def _come_to_rest(self) -> None:
        for pool in self.pools:
            for connection in tuple(pool.idle):
                connection.close()
        if not self.waiting and not self.surplus and not self._retiring and not any(pool.active for pool in self.pools):
            self.resting = True
            self._tell_failures()
            self.sweep.unwatch(self._look)

    def _tell_failures(self) -> None:
        unreported, self._unreported = self._unreported, Counter()
        if self._report is not None:
            for (server, reason, detail), count in unreported.items():
                self._report(server, reason, detail, count)

    def _tell(self, event: str, server: str) -> None:
        if self._notice is not None:
            self._notice(event, server)
