"""The public addresses of one worker: what is accepted where, and with which certificates."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from time import monotonic
from typing import Final

import structlog

from gateway.common.listening import Inherited
from gateway.common.sweep import Sweep
from gateway.config import Config
from gateway.generation import conversion
from gateway.http.accepting.acceptor import Acceptor
from gateway.http.accepting.certificates import Certificates, ListeningTlsSettings, UnusablePair
from gateway.http.accepting.plain import PlainListener
from gateway.http.server.server import Server
from gateway.http.wire.peers import TrustedProxies

LOOK: Final = 10.0
"""Seconds between two looks at the files of certificates."""
STALLS: Final = 10
"""Stalls that closing may take at most: a slow reader gets what waits for it, and connections have deadlines of their
own, which know whether it reads."""

log = structlog.get_logger()


class Listeners:
    """What is accepted. Certificates and time limits are those of the generation in force."""

    def __init__(self, server: Server, sweep: Sweep) -> None:
        self._server = server
        self._sweep = sweep
        self._certificates: Certificates | None = None
        self._plain: list[PlainListener] = []
        self._acceptors: list[Acceptor] = []
        self._next_look = 0.0
        sweep.watch(self._look)

    def take(self, certificates: Certificates | None) -> None:
        """The pairs of a new generation: for handshakes from now on."""
        if certificates is not None:
            self._certificates = certificates

    async def open(self, inherited: Sequence[Inherited], last: ListeningTlsSettings | None = None) -> None:
        """Accept on what the supervisor opened. ``last``: the pairs for addresses with TLS where the generation in
        force has none: a reload took them away, and the addresses stay until the node starts anew."""
        if self._certificates is None and last is not None:
            self._certificates = Certificates(last, wanting=True)
        if self._certificates is not None:
            _tell(self._certificates.unusable)
        for one in inherited:
            listener = socket.socket(fileno=one.descriptor)
            if one.peers is None and not one.secure:
                plain = PlainListener(listener, self._server, timeout=self._timeout, closing=self._closing)
                await plain.open(self._server.settings.backlog)
                self._plain.append(plain)
                continue
            self._acceptors.append(
                Acceptor(
                    listener,
                    self._server,
                    certificates=self._in_force if one.secure else None,
                    peers=TrustedProxies(one.peers) if one.peers is not None else None,
                    timeout=self._timeout,
                    closing=self._closing,
                )
            )

    @property
    def beginning(self) -> int:
        """Connections that are amid a PROXY header or a handshake of TLS."""
        return sum(one.beginning for one in self._all)

    def leave(self) -> None:
        """Accept no more: others listen on the same sockets. What is amid its beginning becomes a connection."""
        for one in self._all:
            one.leave()

    def close(self) -> None:
        """Accept no more, and let go of what is amid its beginning."""
        self.leave()
        self._sweep.unwatch(self._look)
        for one in self._all:
            one.close()

    @property
    def _all(self) -> list[PlainListener | Acceptor]:
        return [*self._plain, *self._acceptors]

    def first_expiry(self) -> float:
        """When the first certificate expires, in seconds since the epoch; 0 without TLS."""
        return min(self._certificates.expiries.values(), default=0.0) if self._certificates is not None else 0.0

    def _in_force(self) -> Certificates:
        assert self._certificates is not None
        return self._certificates

    def _timeout(self) -> float:
        return self._server.settings.head_timeout

    def _closing(self) -> float:
        return STALLS * self._server.settings.stall_timeout

    def _look(self, _: float) -> None:
        for plain in self._plain:
            plain.tick()
        if self._certificates is None or (now := monotonic()) < self._next_look:
            return
        self._next_look = now + LOOK
        replaced, unusable = self._certificates.refresh()
        for name in replaced:
            log.info("tls.replaced", certificate=name)
        _tell(unusable)


def _tell(unusable: Sequence[UnusablePair]) -> None:
    for error in unusable:
        log.error("tls.kept", problem=str(error))


def certificates(config: Config, *, wanting: bool = False) -> Certificates | None:
    """Of ``[server.tls]``. Raises UnusablePair, unless pairs may be ``wanting``."""
    settings = conversion.listening_tls(config.server)
    return Certificates(settings, wanting=wanting) if settings is not None else None
