"""When a socket is idle, dead or too slow: numbers that the sweep compares, no timer.

Whoever is silent is pinged, on both sides, and has to say something within the time-out: any byte counts. A side that
the gateway itself does not read, for whatever reason, is not blamed for its silence, and once it is read again its time
begins anew. Only ``idle_timeout`` runs on: it ends a socket whose client went while nobody read it.
"""

from __future__ import annotations

from gateway.common.sweep import NEVER
from gateway.websocket import endings
from gateway.websocket.habits import Habits

PING_CLIENT = "ping.client"
PING_UPSTREAM = "ping.upstream"


class Liveness:
    """``client``, ``upstream``: when a byte came from there last. ``spoke``: when anything but an answer to our own
    pings came from either. ``client_slow``, ``upstream_slow``: since when more than the bound waits for it to read.
    All in seconds on the sweep's clock; ``NEVER`` where it is not so. ``client_read``: whether the gateway reads it;
    the upstream is read unless the client is slow.
    """

    __slots__ = (
        "client", "client_pinged", "client_read", "client_slow", "spoke",
        "upstream", "upstream_pinged", "upstream_slow",
    )  # fmt: skip

    def __init__(self, now: float) -> None:
        self.client = self.upstream = self.spoke = now
        self.client_pinged = self.upstream_pinged = NEVER
        self.client_slow = self.upstream_slow = NEVER
        self.client_read = True

    def read_client_again(self, now: float) -> None:
        """What the client said in the meantime is about to be read."""
        self.client_read = True
        self.client = self.spoke = now
        self.client_pinged = NEVER

    def read_upstream_again(self, now: float) -> None:
        """The client is slow no longer, and what the upstream said in the meantime is about to be read."""
        self.client_slow = NEVER
        self.upstream = self.spoke = now
        self.upstream_pinged = NEVER

    def due(self, now: float, habits: Habits) -> str:
        """One thing to do now: ``PING_CLIENT``, ``PING_UPSTREAM``, a reason of ``endings``, or nothing. Ask again after
        each ping."""
        if now >= self.client_slow + habits.slow_timeout:
            return endings.CLIENT_SLOW
        if now >= self.upstream_slow + habits.slow_timeout:
            return endings.UPSTREAM_SLOW
        if now >= self.spoke + habits.idle_timeout:
            return endings.IDLE
        interval = habits.ping_interval
        if not interval:
            return ""
        if self.client_read:
            if self.client >= self.client_pinged:
                self.client_pinged = NEVER
            if now >= self.client_pinged + habits.ping_timeout:
                return endings.CLIENT_SILENT
            if self.client_pinged == NEVER and now >= self.client + interval:
                self.client_pinged = now
                return PING_CLIENT
        if self.client_slow == NEVER:
            if self.upstream >= self.upstream_pinged:
                self.upstream_pinged = NEVER
            if now >= self.upstream_pinged + habits.ping_timeout:
                return endings.UPSTREAM_SILENT
            if self.upstream_pinged == NEVER and now >= self.upstream + interval:
                self.upstream_pinged = now
                return PING_UPSTREAM
        return ""

    def next(self, habits: Habits) -> float:
        """When to ask again, if nothing happens before."""
        when = min(
            self.client_slow + habits.slow_timeout,
            self.upstream_slow + habits.slow_timeout,
            self.spoke + habits.idle_timeout,
        )
        if habits.ping_interval:
            if self.client_read:
                when = min(when, self._side(self.client, self.client_pinged, habits))
            if self.client_slow == NEVER:
                when = min(when, self._side(self.upstream, self.upstream_pinged, habits))
        return when

    @staticmethod
    def _side(heard: float, pinged: float, habits: Habits) -> float:
        return heard + habits.ping_interval if heard >= pinged or pinged == NEVER else pinged + habits.ping_timeout
