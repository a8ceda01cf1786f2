"""A request's body that did not come whole with its head: collected for judging, or streamed past."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from gateway.common.sweep import NEVER
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.framing import ChunkedDecoder, decoder_for
from gateway.http.wire.tally import Tally

CHUNKS: Final = 128
"""Chunks that are read at once; then the others have their turn."""

if TYPE_CHECKING:
    from gateway.http.server.exchange import Exchange
    from gateway.http.server.server_protocol import ServerProtocol
    from gateway.http.upstream.upstream import UpstreamCall
    from gateway.http.wire.override import Screen


class ArrivingBody(ABC):
    """What is still to come of one request. ``limit``: the bytes that may come in all."""

    __slots__ = ("_small", "_unread", "connection", "decoder", "exchange", "limit")

    def __init__(self, connection: ServerProtocol, exchange: Exchange, limit: int) -> None:
        self.connection = connection
        self.exchange = exchange
        self.limit = limit
        self.decoder = decoder_for(exchange.head.length, CHUNKS)
        self._unread = b""  # came when its address's turn was over
        self._small: Tally | None = None  # of small chunks

    def received(self, data: bytes) -> None:
        """Bytes from the client; what is wrong with them is answered. Beyond the address's share they wait."""
        connection = self.connection
        account = connection.account
        turns = account.turns
        if account.turn != turns.number:
            turns.begin(account)
        if account.left <= 0:
            self._unread += data
            connection.body_waits(self)
            return
        account.left -= turns.read + len(data) * turns.byte
        decoder = self.decoder
        try:
            if type(decoder) is ChunkedDecoder:
                before = decoder.chunks
                piece = decoder.feed(data)
                account.left -= (decoder.chunks - before) * turns.chunk
                if decoder.small:
                    self._count_small(decoder)
                self._take(piece)
            else:
                self._take(decoder.feed(data))
        except HTTPError as error:
            self.connection.body_failed(error.reason)
        except Exception as failure:  # a fault of ours: the client must not wait for ever
            self.connection.failed(self.exchange, failure)
        if not decoder.done and (decoder.more or account.left <= 0):
            connection.body_waits(self)

    def go_on(self) -> None:
        """It is the connection's turn again."""
        self.read_anew()
        data, self._unread = self._unread, b""
        if data or self.decoder.more:
            self.received(data)

    def read_anew(self) -> None:  # noqa: B027 - who counts no time has nothing to do
        """The client was not read for a while, for reasons of ours: its time begins anew."""

    def _count_small(self, decoder: ChunkedDecoder) -> None:
        """Chunks of a few bytes are work without payload: so many in a time are more than anybody needs."""
        server = self.connection.server
        tally = self._small
        if tally is None:
            tally = self._small = Tally()
        small, decoder.small = decoder.small, 0
        if tally.exceeds(server.settings.max_small_chunks, small, server.sweep.now):
            raise HTTPError("body.small_chunks")

    @abstractmethod
    def _take(self, piece: bytes) -> None:
        """The next decoded piece, which may be empty."""

    @abstractmethod
    def release(self) -> None:
        """Whatever was held for the body is held no more."""


class Collected(ArrivingBody):
    """A judged body: held until it is whole, within the connection's and the worker's bounds."""

    __slots__ = ("_held", "_pieces")

    def __init__(self, connection: ServerProtocol, exchange: Exchange, limit: int) -> None:
        super().__init__(connection, exchange, limit)
        self._pieces: list[bytes] = []
        self._held = 0

    def _take(self, piece: bytes) -> None:
        server = self.connection.server
        decoder = self.decoder
        if piece:
            self._pieces.append(piece)
            self._held += len(piece)
            server.collected += len(piece)
            if self._held > self.limit:
                raise HTTPError("body.too_large")
            if server.collected > server.settings.max_collected:
                raise HTTPError("server.full")
        if not decoder.done:
            return
        if isinstance(decoder, ChunkedDecoder) and decoder.trailers:
            raise HTTPError("body.trailers")
        body = b"".join(self._pieces)
        self.release()
        self.connection.body_ended(decoder.rest)
        server.gate.on_body(self.exchange, body)

    def release(self) -> None:
        self.connection.server.collected -= self._held
        self._held = 0
        self._pieces = []


class Streamed(ArrivingBody):
    """An unjudged body: handed on as it comes, as fast as the upstream takes it, and not for ever: in each time of
    ``stall_timeout`` as much has to come as ``min_receive_rate`` says. Only what the client is read counts.
    ``screen``: looks at it first."""

    __slots__ = ("_call", "_came", "_counts_until", "_screen")

    def __init__(
        self, connection: ServerProtocol, exchange: Exchange, call: UpstreamCall, limit: int, screen: Screen | None
    ) -> None:
        super().__init__(connection, exchange, limit)
        self._call = call
        self._screen = screen
        self.read_anew()

    def read_anew(self) -> None:
        settings = self.connection.server.settings
        self._came = 0
        self._counts_until = self.connection.server.sweep.after(settings.stall_timeout)

    def _take(self, piece: bytes) -> None:
        self.exchange.head.expect = False  # it waits for no 100 (Continue)
        self.limit -= len(piece)
        if self.limit < 0:
            raise HTTPError("body.too_large")
        if self._screen is not None:
            self._screen.look(piece)
        more = self._call.write(piece) if piece else True
        connection = self.connection
        self._came += len(piece)
        if self.decoder.done:
            connection.body_ended(self.decoder.rest)
            self._call.end()
        elif more and connection.server.sweep.now >= self._counts_until:
            settings = connection.server.settings
            if self._came < settings.min_receive_rate * settings.stall_timeout:
                raise HTTPError("body.too_slow")
            self.read_anew()
            connection.rearm()
        elif more:
            connection.rearm()
        else:
            connection.deadline = NEVER  # the upstream's own time-outs count while it is the slow one
            connection.pause_reading()

    def release(self) -> None:
        self.limit = 0
