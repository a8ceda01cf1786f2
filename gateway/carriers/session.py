"""One judged socket: what its client sends is read, judged and passed on in order.

Laws:

* what the client's frames hold goes up in the order in which it came (law 11): a frame waits behind those before it
  that are being judged. Pings and pongs do not wait; a close frame does, because nothing may follow it;
* at most ``max_checking`` messages of a socket are judged at once. No more frames than that wait for a verdict or for
  their turn, nor more bytes than ``max_buffered`` and one message. With more, or while too many notices wait for the
  client, it is not read; what had come already is held;
* a frame in which nothing changed goes up as the bytes that came, its mask included;
* nothing is dropped silently: whoever sent it is told why (``notices``), and nobody else;
* what was received is judged and delivered also when its sender has gone: without a gate the platform would have it.

"Delivered" means here: written to the upstream's connection. Nothing on a socket says more. A message that was judged
when the upstream had closed or was gone has failed with ``upstream.closed``.

Pings of the client go up, and the upstream's pongs come down, so that both ends see each other; our own pings go only
to a side that has been silent (``liveness``), and the pongs to them go no further.

A reload changes no socket: the next message is judged by the route of the same name and match in the new generation,
where there is one, with its lists, policy and habits; otherwise the old route stays in force for this socket. The
bounds of the frame parser stay those with which the socket was opened.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Final

from gateway.carriers import sanctions
from gateway.carriers.judged import JudgedFrame, SingleMessage, carried, single_message
from gateway.carriers.link import ASKING, HELD, NOTICES
from gateway.carriers.relay import PAYLOAD
from gateway.carriers.telling import UNAVAILABLE, UNKNOWN, SenderSide
from gateway.common.addresses import counted
from gateway.http.server.turns import CROWD, LARGE
from gateway.http.wire.tally import Tally
from gateway.judging import answers
from gateway.surfaces.input.decoded import Malformed, Messages, Unasked
from gateway.surfaces.input.reasons import Refused
from gateway.websocket import endings
from gateway.websocket.frames import ControlFrame, FrameParser, SocketMessage, masked_frame
from gateway.websocket.opcodes import BINARY, CLOSE, GOING_AWAY, PING, PONG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.carriers.sockets import Sockets
    from gateway.judging.pipeline import Passage
    from gateway.judging.route import Route
    from gateway.senders.whoami import Whoami
    from gateway.surfaces.input.request import Arrived, Told
    from gateway.websocket.frames import Event

FRAMES: Final = 16
"""Frames that are read at once, before it is asked whether the turn goes on."""
UNREAD: Final = NOTICES | ASKING
"""Why nothing that comes is taken on."""
_BYE: Final = GOING_AWAY.to_bytes(2, "big")  # what an upstream is told when the gateway ends a socket

Slot = SingleMessage | JudgedFrame | SocketMessage | ControlFrame | str | None
"""What waits for its turn: a frame being judged, one that is only relayed, the client's close frame, an ending of ours
(its reason), or the news that the client has gone (None)."""


class Session(SenderSide):
    """The link of a judged socket."""

    __slots__ = (
        "_answer", "_checking", "_controls", "_frames", "_held", "_key", "_left", "_parser", "_routes", "_slots",
        "_unasked", "_unreadable", "_waiting",
    )  # fmt: skip

    def __init__(self, sockets: Sockets, route: Route, arrived: Arrived) -> None:
        super().__init__(sockets, route, arrived)
        habits = self.habits
        self._routes: Mapping[str, Route] = sockets.routes
        self._parser = FrameParser(
            masked=True, max_frame=habits.max_frame, max_message=habits.max_message,
            max_fragments=habits.max_fragments, most=FRAMES,
        )  # fmt: skip
        self._checking = self._frames = 0
        self._slots: deque[Slot] | None = None
        self._waiting = 0  # bytes of the frames in the slots
        self._held: deque[Event | None] | None = None  # came already, and has no room; None: the client has gone
        self._left = False  # the client has gone, and not all is read that it sent
        self._controls: Tally | None = None  # pings and pongs
        self._unreadable: Tally | None = None  # frames that say nothing
        self._unasked: SocketMessage | None = None  # the platform is being asked who sends it
        self._answer: Told | None = None  # to that question
        self._key = self._presented()

    @property
    def frames_up(self) -> int:
        """Messages and control frames that the client has sent."""
        return self._frames

    # what the client sends

    def _follow(self, extensions: bool) -> None:
        """The parser does."""

    def data_received(self, data: bytes) -> None:
        self.live.client = self.sweep.now
        size = len(data)
        self.bytes_up += size
        account = self.account
        turns = account.turns
        account.reads += 1 + (size >> LARGE)
        if account.reads >= CROWD:
            turns.crowded(account)
        if account.turn != turns.number:
            turns.begin(account)
        account.left -= size * turns.byte
        parser = self._parser
        amid = parser.more
        if amid or self._held is not None or (account.left <= 0 and not turns.renewed(account)):
            parser.hold(data)
            if self._held is None:
                self._wait_turn()
            return
        events = parser.feed(data)
        self._frames += len(events)
        account.left -= parser.read * turns.frame
        if events:
            self._take(deque(events))
        if parser.more:
            self._read_on()

    def go_on(self) -> None:
        super().go_on()
        self._read_on()

    def _read_on(self) -> None:
        """Go on in the middle of what has come, as far as there is room and the turn goes."""
        parser = self._parser
        account = self.account
        turns = account.turns
        while parser.more:
            if self._waits or self._held is not None:
                return
            if account.turn != turns.number:
                turns.begin(account)
            if account.left <= 0 and not turns.renewed(account):
                self._wait_turn()
                return
            events = parser.feed(b"")
            self._frames += len(events)
            account.left -= parser.read * turns.frame
            if events:
                self._take(deque(events))
        if self._left and self._held is None:
            self._left = False
            self._leave()

    def _take(self, came: deque[Event | None]) -> None:
        """Take what has come in its order; from the first message on that has no room it is held."""
        while came:
            if self.closing:
                self._take_close(came)
                return
            event = came[0]
            kind = type(event)
            if self._pauses & UNREAD or (kind is SocketMessage and self._slots and self._full()):
                self._held = came
                self._stop_reading(HELD)
                return
            came.popleft()
            if kind is SocketMessage:
                self._take_message(event)  # type: ignore[arg-type]
            elif kind is ControlFrame:
                self._take_control(event)  # type: ignore[arg-type]
            elif event is None:
                self._leave()
            else:
                self.end(event.reason)  # type: ignore[union-attr]

    def _full(self) -> bool:
        """Whether as much waits as may."""
        assert self._slots is not None
        habits = self.habits
        most = habits.max_checking
        return self._checking >= most or len(self._slots) >= most or self._waiting >= habits.max_buffered

    def _take_message(self, received: SocketMessage) -> None:
        sockets = self.sockets
        if sockets.routes is not self._routes:
            self._renew()
        live = self.live
        live.spoke = live.client
        began = perf_counter()
        opcode, payload, _ = received
        whoami = self._route.whoami
        if whoami is not None:
            self._socket.told = self._told(whoami)
        decoded = self._socket.decode(payload, opcode == BINARY)
        kind = type(decoded)
        if kind is Messages:
            self._judge(received, decoded, began)  # type: ignore[arg-type]
        elif kind is Malformed:
            self._malformed(decoded, payload)  # type: ignore[arg-type]
        elif kind is Unasked:
            self._ask(received)
        elif self._slots:
            self._slots.append(received)
            self._waiting += len(received.raw)
        else:
            self.up(received.raw)

    def _presented(self) -> bytes | None:
        """What stands for the credentials of the handshake; None where they are not plainly ones."""
        whoami = self._route.whoami
        if whoami is None:
            return b""
        try:
            return whoami.key(self._arrived.fields, self._arrived.repeated)
        except Refused:
            return None

    def _told(self, whoami: Whoami) -> Told:
        """What the platform says now of who has opened this socket."""
        told, self._answer = self._answer, None
        if told is not None:
            return told
        key = self._key
        return whoami.told(key) if key is not None else whoami.look(self._arrived.fields, self._arrived.repeated)

    def _ask(self, received: SocketMessage) -> None:
        """Ask the platform who sends; what comes meanwhile is held behind it."""
        arrived = self._arrived
        whoami = self._route.whoami
        assert whoami is not None
        self._unasked = received
        self._stop_reading(ASKING)
        whoami.ask(arrived.fields, arrived.repeated, counted(arrived.peer_ip), self)

    def on_told(self, told: Told) -> None:
        """See ``SenderWaiting``: the message is taken as if it had come now."""
        received, self._unasked = self._unasked, None
        if received is None or self.closing:
            return
        self._answer = told
        try:
            self._take_message(received)
        except Exception as fault:  # others wait for the same answer
            self.failed(fault)
        self._go_on_reading(ASKING)

    def _judge(self, received: SocketMessage, decoded: Messages, began: float) -> None:
        slots = self._slots
        if slots is None:
            slots = self._slots = deque()
        self._waiting += len(received.raw)
        messages = decoded.messages
        message = messages[-1]
        self._who = "" if message.weak else message.sender, message.room
        if message.degraded:
            self._ask_again()
        account = self.account
        account.left -= len(messages) * account.turns.request  # it costs what a request does that is judged
        route = self._route if decoded.kind < 0 else self._route.kinds[decoded.kind]
        passages: Sequence[Passage]
        if len(messages) == 1:
            if self.sockets.tracer is None:
                single = SingleMessage(self, route, received, decoded, began)
            else:
                single = single_message(self, route, received, decoded, began)
            slots.append(single)
            self._checking += 1
            if self.mute is None:
                single.enter()
                return
            passages = (single,)
        else:
            judged = JudgedFrame(self, received, decoded)
            slots.append(judged)
            self._checking += len(messages)
            passages = carried(self, route, decoded, judged, began)
        if self.mute is not None and self.mute.muted(self.live.client):
            act = sanctions.repeated(self.mute.until - self.live.client)
            for passage in passages:
                passage.refuse(act)
        else:
            for passage in passages:
                passage.enter()

    def _ask_again(self) -> None:
        """The platform does not answer, and a bridge holds: ask behind the message."""
        whoami = self._route.whoami
        if whoami is not None:
            whoami.ask(self._arrived.fields, self._arrived.repeated, "", None)

    def _take_control(self, control: ControlFrame) -> None:
        opcode = control.opcode
        if opcode == CLOSE:
            if self._slots:
                self._begin_end()
                self._slots.append(control)
            else:
                self._close_frame(control)
            return
        live = self.live
        if opcode == PONG and control.payload == PAYLOAD:
            return  # the answer to our own ping
        if self._controls is None:
            self._controls = Tally()
        if self._controls.exceeds(self.habits.max_controls, 1, live.client):
            self.end(endings.TOO_MANY_CONTROLS)
            return
        live.spoke = live.client
        self.up(control.raw)

    def _take_close(self, came: deque[Event | None]) -> None:
        """The link is ending: all that counts is the client's own close frame."""
        for event in came:
            if type(event) is ControlFrame and event.opcode == CLOSE:
                if self._slots:
                    self._slots.append(event)
                else:
                    self._close_frame(event)

    def _malformed(self, decoded: Malformed, frame: bytes) -> None:
        if decoded.reason in (UNKNOWN, UNAVAILABLE):
            self.unknown(decoded, frame)
            return
        self.sockets.count_refused(self.name, decoded.reason)
        self.tell("reject", answers.malformed(decoded), frame)
        if decoded.reason == "frame.too_many":
            self.end(endings.TOO_MANY_PACKETS)
            return
        if self._unreadable is None:
            self._unreadable = Tally()
        if self._unreadable.exceeds(self.habits.max_malformed, 1, self.live.client):
            self.end(endings.TOO_MANY_MALFORMED)
        else:
            self._refused()

    def _renew(self) -> None:
        """A reload: go on with the route of the same name, if it still is one for this socket."""
        routes = self._routes = self.sockets.routes
        route = routes.get(self.name)
        if route is not None and route.socket is not None and route.settings.match == self._route.settings.match:
            self._route = route
            self._socket = route.surface.attach(self._arrived)
            self.habits = route.socket.habits
            self._key = self._presented()

    # what the pipeline tells

    def settled(self) -> None:
        """A message has its verdict: what waits for nothing any more goes, in its order."""
        self._checking -= 1
        slots = self._slots
        while slots:
            slot = slots[0]
            if isinstance(slot, SingleMessage | JudgedFrame):
                if slot.left:
                    break
                slots.popleft()
                self._waiting -= len(slot.received.raw)
                slot.leave()
            else:
                slots.popleft()
                self._advance(slot)
        if self._held is not None:
            self._take_held()

    def _advance(self, slot: Slot) -> None:
        if type(slot) is SocketMessage:
            self._waiting -= len(slot.raw)
            self.up(slot.raw)
        elif type(slot) is ControlFrame:
            self._close_frame(slot)
        elif type(slot) is str:
            self._say_goodbye(slot)
        else:
            super()._leave()

    def _take_held(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._take(held)
            if self._held is None:
                super()._go_on_reading(HELD)
                if self._parser.more or self._left:
                    self._read_on()

    def _go_on_reading(self, why: int) -> None:
        super()._go_on_reading(why)
        self._take_held()

    def up(self, data: bytes) -> bool:
        """Write a whole frame to the upstream. False where nobody is there to read it."""
        if not self._upstream_up or self.relay.closed or self._upstream.is_closing():
            return False
        self._upstream.write(data)
        return True

    # ends

    def end(self, reason: str) -> None:
        """End for a reason of ours, behind what is being judged."""
        if self.closing:
            return
        self._begin_end()
        if self._slots:
            self._slots.append(reason)
        else:
            self._say_goodbye(reason)

    def _begin_end(self) -> None:
        super()._begin_end()
        if self._slots and self._route.delay:
            self.deadline += self._route.delay  # what waits was promised to go up
        self._held = None
        self._go_on_reading(-1)  # what comes is thrown away, but for a close frame
        if self._parser.more:
            self._wait_turn()

    def _say_goodbye(self, reason: str) -> None:
        if not self.relay.closed:
            self.up(masked_frame(CLOSE, _BYE))
        super()._say_goodbye(reason)

    def _leave(self) -> None:
        if self._parser.more:
            self._left = True
            if not self._client_up:
                self.notices_sent()
        elif self._held is not None or self._unasked is not None:
            if self._held is None:
                self._held = deque()
            self._held.append(None)
            if not self._client_up:
                self.notices_sent()  # nobody is there to be told
        else:
            self._begin_end()
            if self._slots:
                self._slots.append(None)
            else:
                super()._leave()

    def _close_frame(self, close: ControlFrame) -> None:
        """The client's close frame: the first one goes up with its code, an answer to the upstream's as well."""
        self._begin_end()
        self._client_closed = close.close_code
        if self._said_goodbye:
            self._client.close()
        elif self.relay.closed:
            if self._upstream_up and not self._upstream.is_closing():
                self._upstream.write(close.raw)
            self._client.close()
        elif not self.up(close.raw):
            self._answer_close()

    def _ping_upstream(self, now: float) -> None:
        self.up(masked_frame(PING, PAYLOAD))
