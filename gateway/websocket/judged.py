"""One frame of a client on its way through the gate, with the messages in it: what carries them (``pipeline.Carrier``).

A frame goes up when all its messages have their verdict and everything before it has gone: as the very bytes that came
where nothing in it changed, otherwise written again with masked texts in place and refused messages left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.websocket.frames import masked_frame

if TYPE_CHECKING:
    from gateway.pipeline import Passage
    from gateway.surfaces.decoded import Messages
    from gateway.websocket.frames import Message as Received
    from gateway.websocket.session import Session

GONE = "upstream.closed"
"""The reason of a failure: the upstream had closed, or was gone, when it was the message's turn."""

FAULT = "gateway.failure"
"""The reason of a failure: the frame could not be written again."""

SENT = 101
"""The status of a delivery over a socket: there is no answer, only the switched protocol."""


class Judged:
    """``left``: messages without a verdict."""

    __slots__ = ("_changes", "_decoded", "_passed", "_received", "_session", "left")

    def __init__(self, session: Session, received: Received, decoded: Messages) -> None:
        self._session = session
        self._received = received
        self._decoded = decoded
        self._changes: dict[int, tuple[str, ...] | None] | None = None
        self._passed: list[Passage] = []
        self.left = len(decoded.messages)

    def on_verdict(self, passage: Passage) -> None:
        """One message is judged, and its record written."""
        verdict = passage.verdict
        if verdict.disposition == "pass":
            self._passed.append(passage)
            if verdict.texts is not None:
                self._change(passage, verdict.texts)
                self._session.masked(passage)
            elif self._session.mute is not None:
                self._session.passed()
        else:
            self._change(passage, None)
            self._session.refused(passage)
        self._settle()

    def on_unrecorded(self, passage: Passage) -> None:
        """Nothing may leave that is not recorded."""
        self._change(passage, None)
        self._session.unrecorded(passage)
        self._settle()

    def leave(self) -> None:
        """All verdicts are there, and it is this frame's turn."""
        passed = self._passed
        decoded = self._decoded
        received = self._received
        session = self._session
        pipeline = session.sockets.pipeline
        changes = self._changes
        data: bytes | None = received.raw
        if changes is not None or decoded.stamped:
            try:
                body = decoded.encode(decoded.body, changes or {})
                data = None if body is None else masked_frame(received.opcode, body)
            except Exception as error:  # the frames behind this one must not wait for ever
                data = None
                session.failed(error)
                for passage in passed:
                    pipeline.failed(passage, FAULT)
        if data is None:
            passed.clear()
        elif session.up(data):
            for passage in passed:
                pipeline.delivered(passage, SENT, "")
        else:
            for passage in passed:
                pipeline.failed(passage, GONE)
        # A passage holds its carrier: nothing is left to the collector of cycles, which seldom comes.
        passed.clear()

    def _settle(self) -> None:
        self.left -= 1
        self._session.settled()

    def _change(self, passage: Passage, texts: tuple[str, ...] | None) -> None:
        messages = self._decoded.messages
        index = 0
        if len(messages) > 1:
            index = next(at for at, message in enumerate(messages) if message is passage.message)
        if self._changes is None:
            self._changes = {}
        self._changes[index] = texts
