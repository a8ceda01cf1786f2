"""What the sender of a judged socket is told, and what stands against them.

``SenderSide`` is the half of a ``Session`` that speaks to the client's person; the other half reads their frames.
Nothing is dropped silently: whoever sent it is told why (``notices``), and nobody else.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.carriers import sanctions
from gateway.carriers.judged import payload_of
from gateway.carriers.link import NOTICES, Link
from gateway.carriers.mute import Mute
from gateway.carriers.notices import notice
from gateway.http.server.problem import Problem
from gateway.judging import answers
from gateway.parking.parked import Original, lines
from gateway.websocket import endings
from gateway.websocket.frames import frame
from gateway.websocket.opcodes import BINARY, TEXT

if TYPE_CHECKING:
    from gateway.carriers.judged import About
    from gateway.carriers.sockets import Sockets
    from gateway.judging.overlay import Overlay
    from gateway.judging.pipeline import Passage
    from gateway.judging.route import Route
    from gateway.state.model.snapshot import Snapshot
    from gateway.surfaces.input.decoded import Malformed
    from gateway.surfaces.input.request import Arrived
    from gateway.surfaces.surface import SocketDecoder
    from gateway.websocket.frames import SocketMessage

MUTED: Final = "socket.muted"
UNKNOWN: Final = "sender.unknown"
UNAVAILABLE: Final = "sender.unavailable"


class SenderSide(Link):
    """``arrived``: the socket's handshake, which the sources of a route read. ``mute``: made with the first refusal."""

    __slots__ = ("_arrived", "_route", "_socket", "_who", "mute")

    def __init__(self, sockets: Sockets, route: Route, arrived: Arrived) -> None:
        assert route.socket is not None
        super().__init__(sockets, route.name, route.socket.habits)
        self._route = route
        self._arrived = arrived
        self._socket: SocketDecoder = route.surface.attach(arrived)
        self._who: tuple[str, str] | None = None  # sender and room of the last message
        self.mute: Mute | None = None

    def failed(self, error: Exception) -> None:
        """A fault of ours: told to the log, and to the client by the end of the socket."""
        self.sockets.report(error)
        self.end(endings.FAILURE)

    def tell(self, verdict: str, problem: Problem, about: About = None) -> None:
        """One notice for the sender, and nobody else. ``about``: what it answers."""
        socket = self._socket
        route = self._route
        accept = self._arrived.fields.get(b"accept-language")  # of the handshake
        problem, _ = self.sockets.sentences.told(problem, route.settings.language or "", accept)
        text = notice(verdict, problem, route.shapes, self._arrived, partial(payload_of, about, socket))
        if text and not self.relay.insert(frame(BINARY if socket.binary else TEXT, socket.notice(text))):
            self._stop_reading(NOTICES)

    def notices_sent(self) -> None:
        """Nothing of ours waits any more."""
        self._go_on_reading(NOTICES)

    def masked(self, passage: Passage) -> None:
        """A message goes on with a part of it masked."""
        self.tell("mask", answers.problem(passage.verdict, passage.message.id, passage.route.appeal), passage)
        if self.mute is not None:
            self.passed()

    def passed(self) -> None:
        """A message went on, so nothing stands against its sender any more."""
        assert self.mute is not None
        if ended := self.mute.passed():
            self.tell("unmute", sanctions.lifted(ended))

    def original(self, received: SocketMessage, body: bytes, place: int) -> Original:
        """What is parked of a message of this socket."""
        arrived = self._arrived
        return Original(
            arrived.method.decode("latin-1"), f"?{arrived.query.decode('latin-1')}", lines(arrived.fields), body,
            socket=True, binary=received.opcode == BINARY, place=place,
        )  # fmt: skip

    def refused(self, passage: Passage) -> None:
        """A message is refused, or waits for a person."""
        if passage.verdict.disposition == "hold":
            message_id = passage.message.id
            self.tell("hold", answers.held(message_id, passage.pipeline.address(message_id)), passage)
            return
        problem = answers.problem(passage.verdict, passage.message.id, passage.route.appeal)
        self.tell("reject", problem, passage)
        if problem.reason == MUTED:
            return
        if sanctions.is_standing(problem):
            appeal = problem.appeal.replace("{id}", problem.message_id)  # that message is what an appeal is about
            self._stands(problem._replace(message_id="", appeal=appeal))
        if problem.status < 500:  # an outage of ours is no misbehaviour of theirs
            self._refused()

    def delayed(self, passage: Passage) -> None:
        """A message passed, and waits for its time."""
        message_id = passage.message.id
        address = passage.pipeline.address(message_id)
        self.tell("delay", answers.delayed(message_id, address, passage.route.delay), passage)

    def unrecorded(self, passage: Passage) -> None:
        """A message could not be recorded."""
        problem = answers.unrecorded(passage.message.id)
        self.sockets.count_refused(self.name, problem.reason)
        self.tell("reject", problem, passage)

    def check(self, snapshot: Snapshot, overlay: Overlay | None) -> None:
        """The switches have changed: tell whoever they concern, before they write."""
        if self.closing:
            return
        sender, room = self._who or self._socket.who()
        problem = sanctions.of_snapshot(self._route, sender, room, self._arrived.peer_ip, snapshot, overlay)
        if self.mute is None:
            if problem is None:
                return
            self.mute = Mute()
        begun, ended = self.mute.listed(problem.reason if problem is not None else "")
        if ended:
            self.tell("unmute", sanctions.lifted(ended))
        if begun and problem is not None:
            self._told_standing(problem)

    def overdue(self, now: float) -> None:
        """The deadline has passed."""
        mute = self.mute
        if mute is not None and not self.closing and mute.over(now):
            self.tell("unmute", sanctions.lifted(MUTED))
        super().overdue(now)
        if mute is not None:
            self.deadline = min(self.deadline, mute.ends)

    def unknown(self, decoded: Malformed, frame: bytes) -> None:
        """Nobody can say, or not now, who sends a message."""
        problem = answers.malformed(decoded)
        self.sockets.count_refused(self.name, decoded.reason)
        self.tell("reject", problem, frame)
        if decoded.reason == UNAVAILABLE:  # an outage is no misbehaviour of theirs
            return
        whoami = self._route.whoami
        if whoami is not None and whoami.settings.unknown == "close":
            self.tell("close", problem)
            self.end(endings.UNKNOWN_SENDER)
        else:
            self._stands(problem)
            self._refused()

    def _stands(self, problem: Problem) -> None:
        if self.mute is None:
            self.mute = Mute()
        if self.mute.found(problem.reason):
            self._told_standing(problem)

    def _told_standing(self, problem: Problem) -> None:
        closes = self.habits.close_blocked and problem.reason in sanctions.PERSONAL
        self.tell("close" if closes else "mute", problem)
        if closes:
            self.end(endings.BLOCKED)

    def _refused(self) -> None:
        """One refusal more on this socket."""
        if self.mute is None:
            self.mute = Mute()
        now = self.live.client
        if self.mute.refused(now, self.habits):
            self.deadline = min(self.deadline, self.mute.ends)
            self.tell("mute", sanctions.muted(self.habits.mute_for))
