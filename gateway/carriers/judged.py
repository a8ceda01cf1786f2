"""One frame of a client on its way through the gate, with the messages in it.

A frame goes up when all its messages have their verdict and everything before it has gone: as the very bytes that came
where nothing in it changed, otherwise written again with masked texts in place and refused messages left out.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

from gateway.judging.pipeline import FAULT, Carried, Passage
from gateway.judging.tracer import record
from gateway.websocket.frames import masked_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filters.model.message import Message
    from filters.model.verdict import Facts, Verdict
    from gateway.carriers.session import Session
    from gateway.judging.route import Route
    from gateway.judging.tracer import Tracer
    from gateway.parking.parked import Original
    from gateway.surfaces.input.decoded import Changes, Messages
    from gateway.surfaces.surface import SocketDecoder
    from gateway.websocket.frames import SocketMessage

GONE = "upstream.closed"
"""The reason of a failure: the upstream had closed, or was gone, when it was the message's turn."""

SENT = 101
"""The status of a delivery over a socket: there is no answer, only the switched protocol."""


_DROPPED: Final[Changes] = {0: None}

About = Passage | bytes | None
"""What a notice answers: a message, a frame in which none was found, or nothing that the client sent."""


class SingleMessage(Passage):
    """The one message of a frame: nearly every frame is this. ``left``: 1 while there is no verdict."""

    __slots__ = ("_changes", "_decoded", "_session", "left", "received")

    def __init__(
        self, session: Session, route: Route, received: SocketMessage, decoded: Messages, began: float
    ) -> None:
        # What Passage.__init__ does, without its frame.
        self.pipeline = session.sockets.pipeline
        self.route = route
        self.message = decoded.messages[0]
        self.began = began
        self._session = session
        self.received = received
        self._decoded = decoded
        self._changes: Changes | None = None
        self.left = 1

    def original(self) -> Original:
        """See ``Passage``."""
        return self._session.original(self.received, self._decoded.body, 0)

    def on_delayed(self) -> None:
        """See ``Passage``."""
        self._session.delayed(self)

    def size(self) -> int:
        """See ``Passage``."""
        return len(self.received.raw)

    def on_verdict(self) -> None:
        """It is judged, and its record written."""
        session = self._session
        verdict = self.verdict
        if verdict.disposition != "pass":
            self._changes = _DROPPED
            session.refused(self)
        elif verdict.texts is not None:
            self._changes = {0: verdict.texts}
            session.masked(self)
        elif session.mute is not None:
            session.passed()
        self.left = 0
        session.settled()

    def on_unrecorded(self) -> None:
        """Nothing may leave that is not recorded."""
        self._changes = _DROPPED
        self._session.unrecorded(self)
        self.left = 0
        self._session.settled()

    def on_fault(self, fault: Exception) -> None:
        """It was not judged: it is left out, and the socket ends."""
        self._changes = _DROPPED
        self._session.failed(fault)
        self.left = 0
        self._session.settled()

    def leave(self) -> None:
        """It is this frame's turn."""
        changes = self._changes
        _leave(self._session, self.received, self._decoded, changes, () if changes is _DROPPED else (self,))


class JudgedFrame:
    """Several messages of one frame. ``left``: messages without a verdict."""

    __slots__ = ("_changes", "_decoded", "_passed", "_session", "left", "received")

    def __init__(self, session: Session, received: SocketMessage, decoded: Messages) -> None:
        self._session = session
        self.received = received
        self._decoded = decoded
        self._changes: dict[int, tuple[str, ...] | None] | None = None
        self._passed: list[Passage] = []
        self.left = len(decoded.messages)

    def original(self, passage: Passage) -> Original:
        """See ``Carrier``: it is left out of the frame, and waits with a copy of the frame's payload."""
        return self._session.original(self.received, self._decoded.body, self.place(passage))

    def on_delayed(self, passage: Passage) -> None:
        """See ``Carrier``: the frame waits with all that is in it."""
        self._session.delayed(passage)

    def size(self, passage: Passage) -> int:
        """See ``Carrier``."""
        return len(self.received.raw) // len(self._decoded.messages)

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

    def on_fault(self, passage: Passage, fault: Exception) -> None:
        """One message was not judged: it is left out, and the socket ends."""
        self._change(passage, None)
        self._session.failed(fault)
        self._settle()

    def leave(self) -> None:
        """All verdicts are there, and it is this frame's turn."""
        _leave(self._session, self.received, self._decoded, self._changes, self._passed)
        # A passage holds its carrier: nothing is left to the collector of cycles, which seldom comes.
        self._passed.clear()

    def _settle(self) -> None:
        self.left -= 1
        self._session.settled()

    def place(self, passage: Passage) -> int:
        """Which message of the frame it is."""
        return next(at for at, message in enumerate(self._decoded.messages) if message is passage.message)

    def _change(self, passage: Passage, texts: tuple[str, ...] | None) -> None:
        if self._changes is None:
            self._changes = {}
        self._changes[self.place(passage)] = texts


def payload_of(about: About, socket: SocketDecoder) -> bytes | None:
    """The bytes of what a notice answers."""
    if type(about) is SingleMessage:
        return socket.payload(about.received.payload, 0)
    if isinstance(about, Carried) and isinstance(about.carrier, JudgedFrame):
        return socket.payload(about.carrier.received.payload, about.carrier.place(about))
    return about if isinstance(about, bytes) else None


def _leave(
    session: Session, received: SocketMessage, decoded: Messages, changes: Changes | None, passed: Sequence[Passage]
) -> None:
    """Send what is left of a frame up, and tell what became of its messages that ``passed``."""
    pipeline = session.sockets.pipeline
    data: bytes | None = received.raw
    if changes is not None or decoded.stamped:
        try:
            body = decoded.encode(decoded.body, changes or {})
            data = None if body is None else masked_frame(received.opcode, body)
        except Exception as error:  # the frames behind this one must not wait for ever
            session.failed(error)
            for passage in passed:
                pipeline.failed(passage, FAULT)
            return
    if data is None:
        return
    if session.up(data):
        for passage in passed:
            pipeline.delivered(passage, SENT, "")
    else:
        for passage in passed:
            pipeline.failed(passage, GONE)


class SampledMessage(SingleMessage):
    """The one message of a frame, where it is sampled."""

    __slots__ = ("_trace", "_tracer")

    def __init__(
        self, tracer: Tracer, session: Session, route: Route, received: SocketMessage, decoded: Messages, began: float
    ) -> None:
        super().__init__(session, route, received, decoded, began)
        self._tracer = tracer
        self._trace = tracer.message(route, began)

    def read(self) -> None:
        """See ``Passage``."""
        super().read()
        self._trace.reading()

    def on_facts(self, facts: Facts) -> None:
        """See ``Passage``."""
        self._trace.facts_at = perf_counter()
        super().on_facts(facts)

    def _record(self, verdict: Verdict) -> None:
        trace = self._trace
        trace.judged(self.began, verdict)
        record(self, verdict, trace)

    def on_verdict(self) -> None:
        """See ``SingleMessage``."""
        self._tracer.told(self._trace)
        super().on_verdict()

    def on_unrecorded(self) -> None:
        """See ``SingleMessage``."""
        self._tracer.told(self._trace, "journal.unavailable")
        super().on_unrecorded()

    def on_fault(self, fault: Exception) -> None:
        """See ``SingleMessage``."""
        self._tracer.told(self._trace, "gateway.failure")
        super().on_fault(fault)


class SampledCarried(Carried):
    """One of several messages of a frame, where it is sampled."""

    __slots__ = ("_trace", "_tracer")

    def __init__(
        self, tracer: Tracer, session: Session, route: Route, message: Message, frame: JudgedFrame, began: float
    ) -> None:
        super().__init__(session.sockets.pipeline, route, message, frame, began)
        self._tracer = tracer
        self._trace = tracer.message(route, began)

    def read(self) -> None:
        """See ``Passage``."""
        super().read()
        self._trace.reading()

    def on_facts(self, facts: Facts) -> None:
        """See ``Passage``."""
        self._trace.facts_at = perf_counter()
        super().on_facts(facts)

    def _record(self, verdict: Verdict) -> None:
        trace = self._trace
        trace.judged(self.began, verdict)
        record(self, verdict, trace)

    def on_verdict(self) -> None:
        """See ``Passage``."""
        self._tracer.told(self._trace)
        super().on_verdict()

    def on_unrecorded(self) -> None:
        """See ``Passage``."""
        self._tracer.told(self._trace, "journal.unavailable")
        super().on_unrecorded()

    def on_fault(self, fault: Exception) -> None:
        """See ``Passage``."""
        self._tracer.told(self._trace, "gateway.failure")
        super().on_fault(fault)


def single_message(
    session: Session, route: Route, received: SocketMessage, decoded: Messages, began: float
) -> SingleMessage:  # fmt: skip
    """A frame's one message, where there is a tracer."""
    tracer = session.sockets.tracer
    if tracer is not None and tracer.drawn():
        return SampledMessage(tracer, session, route, received, decoded, began)
    return SingleMessage(session, route, received, decoded, began)


def carried(session: Session, route: Route, decoded: Messages, frame: JudgedFrame, began: float) -> list[Carried]:
    """The messages of a frame that holds several."""
    tracer = session.sockets.tracer
    if tracer is None:
        pipeline = session.sockets.pipeline
        return [Carried(pipeline, route, each, frame, began) for each in decoded.messages]
    made: list[Carried] = []
    for each in decoded.messages:
        if tracer.drawn():
            made.append(SampledCarried(tracer, session, route, each, frame, began))
        else:
            made.append(Carried(session.sockets.pipeline, route, each, frame, began))
    return made
