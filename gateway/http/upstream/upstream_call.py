"""One request to an upstream and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.common.sweep import NEVER
from gateway.http.upstream.failure import UpstreamError
from gateway.http.upstream.sink import ResponseSink

if TYPE_CHECKING:
    from gateway.http.upstream.connection import UpstreamConnection
    from gateway.http.upstream.pool import ServerPool
    from gateway.http.upstream.shares import Share
    from gateway.http.upstream.upstream import Upstream


class UpstreamCall:
    """Made by ``Upstream.start`` and ``Upstream.upgrade``; the public methods are the sink's side of it.

    A call is waiting (``connection`` None), on a connection, or ``done``: answered, failed, aborted, or handed over
    after a 101. What is public here besides those methods belongs to the upstream side.
    """

    __slots__ = (
        "body",
        "chunked",
        "client",
        "complete",
        "connection",
        "done",
        "ends_at",
        "fresh",
        "head",
        "head_relayed",
        "hurried",
        "hushed",
        "idempotent",
        "informational",
        "paused",
        "pending",
        "relayed",
        "repeated",
        "route",
        "sent",
        "sink",
        "surplus",
        "tried",
        "upgrade",
        "upstream",
        "wait_until",
    )

    def __init__(
        self,
        upstream: Upstream,
        head: bytes,
        body: bytes | None,
        sink: ResponseSink,
        idempotent: bool,
        chunked: bool,
        client: Share | None,
        route: Share | None,
        upgrade: bool = False,
    ) -> None:
        self.upstream = upstream
        self.head = head
        self.body = body
        self.sink = sink
        self.idempotent = idempotent
        self.chunked = chunked
        self.upgrade = upgrade
        self.connection: UpstreamConnection | None = None
        self.pending: list[bytes] | None = None  # body of a streamed request, until there is a connection
        self.complete = body is not None  # the whole request was given
        self.client = client  # whose call it is
        self.route = route
        self.surplus = False  # more than a share
        self.tried: list[ServerPool] | tuple[()] = ()  # servers that could not be connected to
        self.done = False
        self.sent = False  # a byte of it was handed to some connection
        self.fresh = False  # a kept connection failed it: take a new one
        self.repeated = 0
        self.paused = False
        self.informational = 0
        self.head_relayed = False
        self.hurried = False
        self.hushed = False
        self.relayed = 0
        self.ends_at = NEVER
        self.wait_until = NEVER

    def over(self) -> None:
        """However it ended: it is nobody's any more."""
        if self.done:
            return
        self.done = True
        client, route = self.client, self.route
        if client is not None and route is not None:
            client.held -= 1
            route.held -= 1

    def write(self, data: bytes) -> bool:
        """Body bytes of a streamed request, without chunk framing.

        False: taken, but the sink waits for ``on_drain`` before it writes more. After the call is over bytes are
        dropped (a server may answer without reading the whole request).
        """
        if self.body is not None or self.complete:
            raise RuntimeError("write after the request was complete")
        if self.done or not data:
            return True
        if self.chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self.connection is not None:
            return self.connection.write_body(data)
        if self.pending is None:
            self.pending = []
        self.pending.append(data)
        return False

    def end(self) -> None:
        """The streamed body is complete."""
        if self.body is not None or self.complete:
            raise RuntimeError("end after the request was complete")
        self.complete = True
        if self.done:
            return
        last = b"0\r\n\r\n" if self.chunked else b""
        if self.connection is not None:
            self.connection.end_body(last)
        elif last:
            if self.pending is None:
                self.pending = []
            self.pending.append(last)

    def abort(self) -> None:
        """The client is gone: the sink hears nothing more, a connection in use is closed. Harmless when over."""
        if self.done:
            return
        self.over()
        if self.connection is not None:
            self.connection.abandon()
        else:
            self.upstream.forget(self)

    def hurry(self, seconds: float) -> None:
        """Nobody waits for the answer any more: it ends within ``seconds``, and late it is nobody's failure."""
        self.hurried = True
        self.ends_at = min(self.ends_at, self.upstream.sweep.after(seconds))
        if self.connection is not None:
            self.connection.deadline = min(self.connection.deadline, self.ends_at)

    def hush(self) -> None:
        """Nobody may be there to read the answer: a pause in it is short, or its end, and not the server's failure."""
        self.hushed = True
        if self.connection is not None:
            self.connection.rearm(self)

    def pause(self) -> None:
        """Stop reading the answer. At most what one read gave (256 KiB) still comes."""
        self.paused = True
        if self.connection is not None:
            self.connection.pause_answer()

    def resume(self) -> None:
        """Read on."""
        self.paused = False
        if self.connection is not None:
            self.connection.resume_answer()

    def fail(self, reason: str, server: str, detail: str = "") -> None:
        """Over, without an answer or with a part of one."""
        self.over()
        self.connection = None
        if not (self.hurried or self.hushed) and reason != "upstream.stopped":
            self.upstream.ended(server, reason, detail)
        self.sink.on_error(
            UpstreamError(
                reason,
                sent=self.sent,
                server=server,
                detail=detail,
                relayed=self.relayed,
                head_relayed=self.head_relayed,
            )
        )
