"""WebSocket frames, sans-I/O: bytes in, events out (RFC 6455 sections 5 and 8.1).

Laws:

* a message is an event only when it is whole: fragments are joined, within bounds of size and of count;
* control frames are events at once, also between the fragments of a message;
* what breaks a rule ends the parser: the last event is a ``ProtocolError`` with the close code to send, what follows is
  not looked at;
* each message keeps its bytes as they came (``raw``), masks included, so that it can go on unchanged;
* an idle parser holds no buffer: 10,000 sockets are idle most of the time;
* it reads at most ``most`` frames at once. While ``more`` is true it has stopped in the middle of what it was fed, and
  ``feed(b"")`` goes on; what comes meanwhile is kept behind it with ``hold``.

No extension is spoken: reserved bits are refused, which is why a handshake for a judged route offers none.
"""

from __future__ import annotations

import codecs
from os import urandom
from typing import Final, NamedTuple, TypeAlias

from filters.model.meaning import Meaning, titled
from gateway.websocket.opcodes import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    INVALID_DATA,
    MASKED,
    NO_STATUS,
    PING,
    POLICY_VIOLATION,
    PONG,
    RESERVED,
    TEXT,
    TOO_BIG,
    may_be_sent,
)
from gateway.websocket.opcodes import PROTOCOL_ERROR as BROKEN

REASONS: Final[dict[str, Meaning]] = {
    "websocket.reserved": titled(BROKEN, "A reserved bit or opcode is used", "使用了保留位或保留的操作码"),
    "websocket.mask": titled(
        BROKEN, "A client's frame is not masked, or a server's is", "客户端的帧未加掩码，或服务器的帧加了掩码"
    ),
    "websocket.length": titled(BROKEN, "A frame's length is not in its shortest form", "帧长度没有采用最短形式"),
    "websocket.control": titled(
        BROKEN, "A control frame is fragmented or longer than 125 bytes", "控制帧被分片，或超过 125 字节"
    ),
    "websocket.fragments": titled(
        BROKEN,
        "A continuation without a beginning, or a beginning without an end",
        "延续帧之前没有起始帧，或分片消息没有结束",
    ),
    "websocket.close": titled(BROKEN, "A close frame's code must not be sent", "关闭帧使用了不得发送的状态码"),
    "websocket.utf8": titled(INVALID_DATA, "A text is not UTF-8", "文本不是 UTF-8 编码"),
    "websocket.too_large": titled(TOO_BIG, "A frame or a message is larger than the bound", "帧或消息超出大小上限"),
    "websocket.too_many_fragments": titled(
        POLICY_VIOLATION, "A message has more fragments than the bound", "消息的分片数超出上限"
    ),
}
"""By reason code: the close code, and what it means."""


class SocketMessage(NamedTuple):
    """A whole message. ``opcode``: TEXT or BINARY. ``payload``: unmasked and joined; of a TEXT, valid UTF-8.

    ``raw``: the bytes of its frames as received, without control frames that came between.
    """

    opcode: int
    payload: bytes
    raw: bytes


class ControlFrame(NamedTuple):
    """A PING, PONG or CLOSE. ``raw``: its frame as received. After a CLOSE the parser looks at nothing more."""

    opcode: int
    payload: bytes
    raw: bytes

    @property
    def close_code(self) -> int:
        """Of a CLOSE: its code, or ``NO_STATUS`` where it has none."""
        return int.from_bytes(self.payload[:2], "big") if self.payload else NO_STATUS


class ProtocolError(NamedTuple):
    """The peer broke a rule: ``reason`` is a key of ``REASONS``, ``code`` what the close frame says."""

    reason: str
    code: int


Event: TypeAlias = SocketMessage | ControlFrame | ProtocolError


_WHOLE_TEXT: Final = FIN | TEXT
_ALL: Final = 1 << 30
_from_bytes: Final = int.from_bytes
_new: Final = tuple.__new__  # makes a NamedTuple in half the time


class _Fragments:
    """A message of which some fragments have come."""

    __slots__ = ("decoder", "opcode", "parts", "raw", "size")

    def __init__(self, opcode: int) -> None:
        self.opcode = opcode
        self.parts: list[bytes] = []
        self.raw: list[bytes] = []
        self.size = 0
        self.decoder = codecs.getincrementaldecoder("utf-8")() if opcode == TEXT else None


class FrameParser:
    """Reads one direction of one socket.

    ``masked``: the peer is a client, whose frames must be masked; a server's must not. ``max_frame``: payload bytes of
    one frame, 125 at least; as ``max_message`` where None. ``max_message``: payload bytes of a message, all fragments
    together. ``max_fragments``: frames of a message. ``most``: frames read at once, fragments too; all where it is 0.
    ``read``: frames that the last ``feed`` read.
    """

    __slots__ = (
        "_buffer", "_fragments", "_masked", "_max_fragments", "_max_frame", "_max_message", "_most", "_need", "_rest",
        "done", "more", "read",
    )  # fmt: skip

    def __init__(
        self,
        *,
        masked: bool,
        max_message: int = 65536,
        max_fragments: int = 256,
        max_frame: int | None = None,
        most: int = 0,
    ) -> None:
        self._most = most or _ALL
        self._rest = b""  # what it stopped before
        self.more = False
        self.read = 0
        self._masked = MASKED if masked else 0
        self._max_frame = max_message if max_frame is None else max_frame
        self._max_message = max_message
        self._max_fragments = max_fragments
        self._buffer: bytearray | None = None  # the beginning of a frame
        self._need = 0  # bytes that the buffer must have before looking at it makes sense
        self._fragments: _Fragments | None = None
        self.done = False  # a CLOSE or an error was seen

    @property
    def amid(self) -> bool:
        """Whether a frame or a message is incomplete: then silence of the peer is a stall."""
        return self._buffer is not None or self._fragments is not None

    def hold(self, data: bytes) -> None:
        """Keep ``data`` for the next ``feed``: it is not the time to read it."""
        self._rest += data
        self.more = True

    def feed(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes, in order, of as many frames as are read at once."""
        if self.more:
            data = self._rest + data if data else self._rest
            self._rest = b""
            self.more = False
        self.read = 0
        buffer = self._buffer
        if buffer is not None:
            buffer += data
            if len(buffer) < self._need:
                return []
            data = bytes(buffer)
            self._buffer = None
        if self.done:
            return []
        events: list[Event] = []
        masked = self._masked
        at = 0
        size = len(data)
        left = self._most
        while True:
            if size - at < 2:
                need = 2
                break
            if not left:
                self.read = self._most
                self._rest = data[at:]
                self.more = True
                return events
            left -= 1
            first = data[at]
            second = data[at + 1]
            if first == _WHOLE_TEXT and MASKED <= second < MASKED + 126 and masked and self._fragments is None:
                # Nearly every frame there is: what the rest of the loop does, for this case only, a quarter faster.
                body = at + 6
                length = second - MASKED
                end = body + length
                if end <= size:
                    payload = (
                        _from_bytes(data[body:end], "little")
                        ^ _from_bytes((data[at + 2 : body] * 32)[:length], "little")
                    ).to_bytes(length, "little")
                    if not payload.isascii():
                        try:
                            payload.decode()
                        except UnicodeDecodeError:
                            return self._refuse(events, "websocket.utf8")
                    if length > self._max_message:
                        return self._refuse(events, "websocket.too_large")
                    events.append(_new(SocketMessage, (TEXT, payload, data if end - at == size else data[at:end])))
                    at = end
                    if at == size:
                        self.read = self._most - left
                        return events
                    continue
            length = second & 0x7F
            body = at + 2
            if first & RESERVED:
                return self._refuse(events, "websocket.reserved")
            if second & MASKED != masked:
                return self._refuse(events, "websocket.mask")
            opcode = first & 0x0F
            if opcode >= CLOSE:
                if opcode > PONG:
                    return self._refuse(events, "websocket.reserved")
                if length > 125 or not first & FIN:
                    return self._refuse(events, "websocket.control")
            elif opcode > BINARY:
                return self._refuse(events, "websocket.reserved")
            if length > 125:
                wide = 2 if length == 126 else 8
                body += wide
                if size < body:
                    need = 2 + wide
                    break
                length = int.from_bytes(data[at + 2 : body], "big")
                if length < (126 if wide == 2 else 65536) or length >> 63:
                    return self._refuse(events, "websocket.length")
                # Before it is received: nobody makes us hold what we will not take.
                joined = length + (0 if self._fragments is None else self._fragments.size)
                if length > self._max_frame or joined > self._max_message:
                    return self._refuse(events, "websocket.too_large")
            if masked:
                body += 4
            end = body + length
            if end > size:
                need = end - at
                break
            payload = data[body:end]
            if masked and length:
                payload = mask(payload, data[body - 4 : body])
            raw = data if not at and end == size else data[at:end]
            at = end
            if self._fragments is None and first & FIN and TEXT <= opcode <= BINARY:
                if length > self._max_message:
                    return self._refuse(events, "websocket.too_large")
                if opcode == TEXT and not payload.isascii():
                    try:
                        payload.decode()
                    except UnicodeDecodeError:
                        return self._refuse(events, "websocket.utf8")
                events.append(SocketMessage(opcode, payload, raw))
            elif opcode >= CLOSE:
                if opcode == CLOSE:
                    fault = _close_fault(payload)
                    if fault:
                        return self._refuse(events, fault)
                    self.done = True
                    self._fragments = None
                    events.append(ControlFrame(opcode, payload, raw))
                    return events
                events.append(ControlFrame(opcode, payload, raw))
            else:
                fault = self._fragment(events, opcode, bool(first & FIN), payload, raw)
                if fault:
                    return self._refuse(events, fault)
            if at == size:
                self.read = self._most - left
                return events
        self.read = self._most - left
        self._need = need
        if size:
            self._buffer = bytearray(data[at:] if at else data)
        return events

    def _fragment(self, events: list[Event], opcode: int, final: bool, payload: bytes, raw: bytes) -> str:
        """One frame of a fragmented message; a reason where it breaks a rule."""
        message = self._fragments
        if message is None:
            if opcode == CONTINUATION:
                return "websocket.fragments"
            message = self._fragments = _Fragments(opcode)
        elif opcode != CONTINUATION:
            return "websocket.fragments"
        message.size += len(payload)
        if message.size > self._max_message:
            return "websocket.too_large"
        if len(message.raw) >= self._max_fragments:
            return "websocket.too_many_fragments"
        if message.decoder is not None:
            try:
                message.decoder.decode(payload, final)
            except UnicodeDecodeError:
                return "websocket.utf8"
        message.parts.append(payload)
        message.raw.append(raw)
        if final:
            self._fragments = None
            events.append(SocketMessage(message.opcode, b"".join(message.parts), b"".join(message.raw)))
        return ""

    def _refuse(self, events: list[Event], reason: str) -> list[Event]:
        self.done = True
        self._fragments = None
        events.append(ProtocolError(reason, REASONS[reason].status))
        return events


def _close_fault(payload: bytes) -> str:
    """What is wrong with a close frame's payload (section 5.5.1), or nothing."""
    if not payload:
        return ""
    if len(payload) < 2:
        return "websocket.close"
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return "websocket.utf8"
    return "" if may_be_sent(int.from_bytes(payload[:2], "big")) else "websocket.close"


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A server's frame."""
    return _header(opcode, len(payload), final, 0) + payload


def masked_frame(opcode: int, payload: bytes, *, final: bool = True, key: bytes | None = None) -> bytes:
    """A client's frame. ``key``: 4 bytes, from the system's randomness where not given (section 5.3)."""
    if key is None:
        key = urandom(4)
    return _header(opcode, len(payload), final, MASKED) + key + mask(payload, key)


def close_frame(code: int, reason: str = "") -> bytes:
    """A server's close frame; ``reason`` is cut to what fits, at a character. ``NO_STATUS`` gives an empty one."""
    return frame(CLOSE, close_payload(code, reason))


def close_payload(code: int, reason: str = "") -> bytes:
    """The payload of a close frame: 125 bytes at most."""
    if code == NO_STATUS:
        return b""
    if not may_be_sent(code):
        raise ValueError(f"close code {code} must not be sent")
    return code.to_bytes(2, "big") + reason.encode()[:123].decode(errors="ignore").encode()


def mask(payload: bytes, key: bytes) -> bytes:
    """``payload`` masked with ``key`` (4 bytes), or unmasked: it is the same (section 5.3)."""
    length = len(payload)
    repeated = (key * ((length + 3) >> 2))[:length]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(repeated, "little")).to_bytes(length, "little")


def _header(opcode: int, length: int, final: bool, masked: int) -> bytes:
    if opcode in (CLOSE, PING, PONG) and (length > 125 or not final):
        raise ValueError("a control frame is whole and has at most 125 bytes")
    first = opcode | FIN if final else opcode
    if length < 126:
        return bytes((first, masked | length))
    if length < 65536:
        return bytes((first, masked | 126)) + length.to_bytes(2, "big")
    return bytes((first, masked | 127)) + length.to_bytes(8, "big")
