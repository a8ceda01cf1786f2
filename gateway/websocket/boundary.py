"""Where the frames of a stream end that is only relayed, so that frames of our own can go in between.

What comes from an upstream is not judged: it needs neither unmasking, joining nor UTF-8. Only two things matter: a
frame of ours must not land inside a frame, and a data frame of ours must not land between the fragments of a message
(RFC 6455 section 5.4).
"""

from __future__ import annotations

from typing import Final

from gateway.websocket.frames import ProtocolError
from gateway.websocket.opcodes import BINARY, CLOSE, FIN, MASKED, NO_STATUS, PONG, PROTOCOL_ERROR, RESERVED, TEXT

_TEXT: Final = FIN | TEXT
_BINARY: Final = FIN | BINARY


class BoundaryTracker:
    """Follows one server-to-client stream; a client-to-server one where it is ``masked``. Nothing is held back: what
    ``feed`` gives is what it was given, cut in two.

    ``between_frames``: a control frame may be sent now. ``between_messages``: a data frame as well. ``closed``: a CLOSE
    frame came, so that nothing may be sent behind it. ``error``: the stream is broken; nothing more is cut, and
    what came before stays correct. Reserved bits are let through where ``extensions`` were agreed end to end.
    ``frames`` counts messages and control frames that began their last frame; ``close_code`` is the CLOSE frame's.
    """

    __slots__ = (
        "_bit",
        "_extensions",
        "_header",
        "_in_message",
        "_key",
        "_left",
        "close_code",
        "closed",
        "error",
        "frames",
    )

    def __init__(self, *, extensions: bool = False, masked: bool = False) -> None:
        self._extensions = extensions
        self._bit = MASKED if masked else 0  # of the second byte
        self._key = 4 if masked else 0  # bytes of the masking key
        self._header = b""  # of a frame whose header is not complete
        self._left = 0  # bytes of the current frame still to come
        self._in_message = False
        self.closed = False
        self.close_code = 0
        self.frames = 0
        self.error: ProtocolError | None = None

    @property
    def between_frames(self) -> bool:
        """After all that was fed, a frame would begin."""
        return not self._left and not self._header

    @property
    def between_messages(self) -> bool:
        """After all that was fed, a message would begin."""
        return not self._left and not self._header and not self._in_message

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """``data`` cut at its last place between messages: (up to there, the rest). Either may be empty.

        A frame of ours goes between the two. After an error all is in the first part up to the broken frame, and the
        broken frame itself is dropped.
        """
        cut = self.cut(data)
        if self.error is not None:
            return data[:cut], b""
        if cut == len(data):
            return data, b""
        return data[:cut], data[cut:]

    def whole(self, data: bytes) -> bool:
        """Whether ``data`` is one whole data frame that is a message, where one may begin; ``feed`` it otherwise.

        Nearly every read is this: what ``cut`` says of it, in a third of the time.
        """
        size = len(data)
        if (
            size < 4
            or not _TEXT <= data[0] <= _BINARY
            or self._left
            or self._in_message
            or self._header
            or self.closed
            or self.error is not None
        ):
            return False
        length = data[1] - self._bit
        if length < 126:
            if length < 0 or length + 2 + self._key != size:
                return False
        elif length != 126 or (data[2] << 8 | data[3]) + 4 + self._key != size:
            return False
        self.frames += 1
        return True

    def cut(self, data: bytes) -> int:
        """As ``feed``, without making the parts: where the last place between messages is in ``data``, 0 where there is
        none. With ``error``: where the broken frame begins, and what lies behind it is to be dropped.
        """
        if self.error is not None:
            return 0
        size = len(data)
        left = self._left
        if left > size:
            self._left = left - size
            return 0
        at = left
        self._left = 0
        cut = at if left and not self._in_message else 0
        header = self._header
        while at < size:
            # ``begin`` lies before ``data`` when the header's first bytes came earlier.
            begin = at - len(header)
            head = header + data[at : at + 10 - len(header)] if header else data[at : at + 10]
            header = b""
            length = self._length(head)
            if length < 0:
                if self._broken():
                    return max(begin, 0)
                header = head
                break
            first = head[0]
            if first & FIN:
                self.frames += 1
            if first & 0x0F < CLOSE:
                self._in_message = not first & FIN
            elif first & 0x0F == CLOSE:
                self.closed = True
                # A code that is cut off from its header is not waited for.
                key = self._key
                if min(length, len(head)) >= 4 + key:
                    self.close_code = int.from_bytes(head[2 + key : 4 + key], "big")
                    if key:
                        self.close_code ^= int.from_bytes(head[2:4], "big")
                else:
                    self.close_code = NO_STATUS
            at = begin + length
            if at > size:
                self._left = at - size
                break
            if not self._in_message:
                cut = at
        self._header = header
        return cut

    def _broken(self) -> bool:
        """Asked anew: what ``_length`` has found is not known to whoever looked before."""
        return self.error is not None

    def _length(self, head: bytes) -> int:
        """The whole frame's bytes; -1 where ``head`` is too short to tell, or broken (``error``)."""
        if len(head) < 2:
            return -1
        first, second = head[0], head[1]
        opcode = first & 0x0F
        if opcode > PONG or BINARY < opcode < CLOSE or (first & RESERVED and not self._extensions):
            self.error = ProtocolError("websocket.reserved", PROTOCOL_ERROR)
            return -1
        if second & MASKED != self._bit:
            self.error = ProtocolError("websocket.mask", PROTOCOL_ERROR)
            return -1
        second -= self._bit
        if second < 126:
            return 2 + self._key + second
        if second == 126:
            return 4 + self._key + int.from_bytes(head[2:4], "big") if len(head) >= 4 else -1
        if len(head) < 10:
            return -1
        length = int.from_bytes(head[2:10], "big")
        if length >> 63:
            self.error = ProtocolError("websocket.length", PROTOCOL_ERROR)
            return -1
        return 10 + self._key + length
