"""Opening one connection to an upstream server."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from gateway.http.upstream.connection import UpstreamConnection

if TYPE_CHECKING:
    from gateway.http.upstream.pool import ServerPool
    from gateway.http.upstream.upstream_call import UpstreamCall


class Attempt:
    """One connection being opened for ``call``; when the call is aborted, the connection is kept for the next one.

    Its end is told to the pool once, by ``opened`` or ``not_opened(reason, detail)``, never from within the
    constructor. The time limit is the pool's: it looks at ``deadline`` and calls ``give_up``.
    """

    __slots__ = ("_made", "_task", "call", "deadline", "pool")

    def __init__(self, pool: ServerPool, call: UpstreamCall | None, deadline: float) -> None:
        self.pool = pool
        self.call = call
        self.deadline = deadline
        self._made: UpstreamConnection | None = None
        self._task = pool.loop.create_task(self._run())

    def give_up(self, reason: str) -> None:
        """The time is over, or the pool is closed."""
        self._task.cancel()
        self.pool.not_opened(self, reason, "")

    async def _run(self) -> None:
        try:
            connection = await self._connect()
        except asyncio.CancelledError:
            if self._made is not None:
                self._made.drop()  # opened in the very turn in which it was given up
            raise
        except ssl.SSLError as error:
            detail = "certificate" if isinstance(error, ssl.SSLCertVerificationError) else "handshake"
            self.pool.not_opened(self, "upstream.tls", detail)
        except ConnectionError as error:
            # With TLS a reset after the TCP handshake is a server that speaks no TLS or wants a client certificate.
            refused = isinstance(error, ConnectionRefusedError) or not self.pool.settings.address.tls
            self.pool.not_opened(self, "upstream.refused" if refused else "upstream.tls", type(error).__name__)
        except OSError as error:
            self.pool.not_opened(self, "upstream.refused", type(error).__name__)
        else:
            self.pool.opened(self, connection)

    async def _connect(self) -> UpstreamConnection:
        pool, server = self.pool, self.pool.settings
        age = pool.tls_age
        address = server.address

        def protocol() -> UpstreamConnection:
            self._made = UpstreamConnection(pool)
            self._made.tls_age = age
            return self._made

        if address.path:
            _, made = await pool.loop.create_unix_connection(protocol, address.path)
        elif server.tls is not None and address.tls:
            name = server.server_name or address.host
            _, made = await pool.loop.create_connection(
                protocol, address.host, address.port, ssl=server.tls, server_hostname=name
            )
        else:
            _, made = await pool.loop.create_connection(protocol, address.host, address.port)
        return made
