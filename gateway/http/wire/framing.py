"""Where a body ends: sans-I/O decoders for both directions (RFC 9112 sections 6 and 7).

``decoder.feed(data)`` gives the body's bytes in ``data`` with the framing removed. Once ``done`` is true, ``rest`` is
what followed the body: the next message of the connection. Feeding after that is an error of the caller. While ``more``
is true the decoder has stopped in the middle of what it was fed: ``feed(b"")`` goes on.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from gateway.http.wire.errors import HTTPError
from gateway.http.wire.fields import CONTROLS
from gateway.http.wire.head import CHUNKED, UNTIL_CLOSE

_size_line = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*(;[^\r\n]*))?").fullmatch
_trailer_line = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\r\n]*").fullmatch

LONGEST_SIZE_LINE: Final = 256
"""Bytes of a chunk-size line with its extensions and its line end."""
EXTENSIONS_BOUND: Final = 4096
"""Bytes of chunk extensions in one body: nobody needs them, and they are work without payload."""
TRAILERS_BOUND: Final = 4096
SMALL: Final = 64
"""Bytes of a chunk below which its framing and what it costs are out of proportion."""


class BodyDecoder(Protocol):
    """What every decoder offers."""

    done: bool
    more: bool
    rest: bytes

    def feed(self, data: bytes) -> bytes:
        """The body's bytes in ``data``. Raises ``HTTPError``."""
        ...

    def close(self) -> None:
        """The peer has ended its stream. Raises ``HTTPError("body.cut_off")`` where the body is not whole."""
        ...


class LengthDecoder:
    """A body of ``length`` bytes."""

    __slots__ = ("done", "left", "more", "rest")

    def __init__(self, length: int) -> None:
        self.more = False
        self.left = length
        self.done = length == 0
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        size = len(data)
        left = self.left
        if size < left:
            self.left = left - size
            return data
        self.left = 0
        self.done = True
        if size == left:
            return data
        self.rest = data[left:]
        return data[:left]

    def close(self) -> None:
        if not self.done:
            raise HTTPError("body.cut_off")


class UntilCloseDecoder:
    """A response's body that ends with the connection."""

    __slots__ = ("done", "more", "rest")

    def __init__(self) -> None:
        self.done = self.more = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        return data

    def close(self) -> None:
        self.done = True


class ChunkedDecoder:
    """A chunked body. ``trailers`` are the trailer lines, checked, for whoever wants to refuse them.

    At most ``most`` chunks are read at once, all where it is 0. ``chunks`` counts them; ``small`` those that are
    shorter than ``SMALL``, until who bounds them sets it back.
    """

    __slots__ = (
        "_buffer", "_extensions", "_left", "_most", "_state", "_trailers_size",
        "chunks", "done", "more", "rest", "small", "trailers",
    )  # fmt: skip

    _SIZE: Final = 0
    _DATA: Final = 1
    _DATA_END: Final = 2
    _TRAILERS: Final = 3

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self.chunks = 0
        self.small = 0
        self.done = self.more = False
        self.rest = b""
        self.trailers: list[bytes] = []
        self._buffer = b""
        self._left = 0
        self._state = self._SIZE
        self._extensions = 0
        self._trailers_size = 0

    def feed(self, data: bytes) -> bytes:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        pieces: list[bytes] = []
        at = 0
        size = len(data)
        self.more = False
        last = self.chunks + self._most if self._most else -1
        while not self.done:
            if self._state == self._DATA:
                take = min(self._left, size - at)
                if take:
                    pieces.append(data[at : at + take])
                    at += take
                    self._left -= take
                if self._left:
                    break
                self._state = self._DATA_END
            elif self._state == self._DATA_END:
                if size - at < 2:
                    if data[at:] not in (b"", b"\r"):
                        raise HTTPError("body.chunk_end")
                    break
                if data[at : at + 2] != b"\r\n":
                    raise HTTPError("body.chunk_end")
                at += 2
                self._state = self._SIZE
            else:
                if self.chunks == last and at < size:
                    self.more = True
                    break
                end = data.find(b"\r\n", at)
                if end < 0:
                    self._unfinished(data, at)
                    break
                line = data[at:end]
                at = end + 2
                if self._state == self._SIZE:
                    self._chunk(line)
                else:
                    self._trailer(line)
        if self.done:
            self.rest = data[at:]
        else:
            self._buffer = data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        if not self.done:
            raise HTTPError("body.cut_off")

    def _unfinished(self, data: bytes, at: int) -> None:
        """Refuse early what can no longer become a line, so that a body is refused alike however it is cut."""
        line = data[at:].removesuffix(b"\r")
        sizing = self._state == self._SIZE
        if len(line) > (LONGEST_SIZE_LINE if sizing else TRAILERS_BOUND - self._trailers_size):
            raise HTTPError("body.chunk_extension" if sizing else "body.trailer_fields")

    def _chunk(self, line: bytes) -> None:
        matched = _size_line(line)
        if matched is None:
            raise HTTPError("body.chunk_size")
        extension = matched[2]
        if extension is not None:
            self._extensions += len(extension)
            if len(line) > LONGEST_SIZE_LINE or self._extensions > EXTENSIONS_BOUND or _controls(extension):
                raise HTTPError("body.chunk_extension")
        self.chunks += 1
        self._left = int(matched[1], 16)
        if 0 < self._left < SMALL:
            self.small += 1
        self._state = self._DATA if self._left else self._TRAILERS

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailers_size += len(line) + 2
        if self._trailers_size > TRAILERS_BOUND or _trailer_line(line) is None or _controls(line):
            raise HTTPError("body.trailer_fields")
        self.trailers.append(line)


def _controls(line: bytes) -> bool:
    return len(line.translate(None, CONTROLS)) != len(line)


def decoder_for(length: int, most: int = 0) -> LengthDecoder | ChunkedDecoder | UntilCloseDecoder:
    """The decoder for a head's ``length``: bytes, ``CHUNKED`` or ``UNTIL_CLOSE``. ``most``: chunks read at once."""
    if length == CHUNKED:
        return ChunkedDecoder(most)
    if length == UNTIL_CLOSE:
        return UntilCloseDecoder()
    return LengthDecoder(length)


def encode_chunk(data: bytes) -> bytes:
    """``data`` as one chunk. Empty data is the last chunk, which ends the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)
