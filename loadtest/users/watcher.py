"""People at a WebSocket: they see what others write, and write themselves when it is time.

A message's end is the first of two frames: the platform's broadcast of it back to its sender (it passed), or the
gateway's notice ``tidegate.verdict``. Sender, text and ``time`` tell one's own broadcast; ``time`` is when it was sent,
so that every screen also tells how long it took to get there.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter, sleep, time
from typing import Any

import orjson
from locust import User, task

from loadtest.crowd.corpus import Line
from loadtest.crowd.people import Person, Span
from loadtest.users.crew import TALLY, Crew, crew_of
from loadtest.users.socket import Gone, NotOpened, Socket
from loadtest.verdicts.answers import notice_in
from loadtest.verdicts.expectation import MASK, PASS, Outcome, WrongVerdict

PATIENCE = 5.0  # seconds that a message's end may take
PING_EVERY = 20.0
LOOK_AT = 8  # every so many frames of others is read: decoding all of them would make the load the bottleneck
REFUSED_AT_MOST = 7  # in a minute on one socket; the gateway mutes it at ten
MUTE_WINDOW = 60.0
WRAP = 100_000.0  # seconds: the sending time must look like a place in a video
RECONNECT = 1.0


class Watcher(User):
    """Subclasses say where they sit and how they talk."""

    abstract = True
    route = ""
    rooms_prefix = ""
    frame_type = ""
    path = ""  # of a room's socket, with {room} in it
    wait_time = staticmethod(lambda: 0.0)  # the socket is where waiting is done

    crew: Crew

    def on_start(self) -> None:
        self.crew = crew_of(self.environment)
        self.part = self.crew.part(type(self).__name__)
        self.arrivals = self.crew.arrivals(self.part)
        self.person: Person | None = self.crew.people.lend()
        self._room = self.crew.rooms(self.rooms_prefix, self.part.rooms).choose(self.crew.draw)
        self._socket: Socket | None = None
        self._ping_at = perf_counter() + PING_EVERY * self.crew.draw.random()
        self._frames = self.crew.draw.randrange(LOOK_AT)
        self._refused: deque[float] = deque(maxlen=REFUSED_AT_MOST)

    def on_stop(self) -> None:
        self._hang_up()
        if self.person is not None:
            self.crew.people.back(self.person)

    @task
    def turn(self) -> None:
        """Watch until it is time to write, then write."""
        if self._socket is None:
            self._connect()
            return
        try:
            if self._watch(min(self.arrivals.due, self._ping_at)):
                return
            if self._ping_at <= perf_counter():
                self._ping_at += PING_EVERY
                self._socket.send(b'{"type":"ping"}')
            elif self.person is not None:
                TALLY.late(perf_counter() - self.arrivals.next())
                self._write(self._socket, self.person)
        except (Gone, OSError) as error:
            self._fault(str(error) if isinstance(error, Gone) else type(error).__name__)
            self._hang_up()

    def _connect(self) -> None:
        name = self.person.name if self.person is not None else "stranger"
        began = perf_counter()
        try:
            self._socket = Socket(self.host or "", self.path.format(room=self._room), {"X-User-Id": name})
        except NotOpened as error:
            self._fault(str(error), f"open {self.route}")
            self.arrivals.skip_to(perf_counter())
            sleep(RECONNECT)
        else:
            TALLY.answered(f"open {self.route}", perf_counter() - began, "read")
            self._fire(f"open {self.route}", perf_counter() - began, None)

    def _watch(self, until: float) -> bool:
        """Look at what comes; True where frames came before ``until``."""
        assert self._socket is not None
        texts = self._socket.receive(until)
        for text in texts:
            self._frames += 1
            if self._frames % LOOK_AT == 0:
                self._seen(text)
        return bool(texts)

    @staticmethod
    def _seen(text: bytes) -> None:
        sent = orjson.loads(text).get("time")
        if sent is not None:
            TALLY.seen((time() - sent) % WRAP)

    def _line(self, person: Person) -> Line | None:
        """What to say; None for somebody who has been refused often lately and is not sure to be let through now."""
        line = self.crew.corpus(self.part).draw(self.part.mix, self.crew.draw)
        now = perf_counter()
        if len(self._refused) < REFUSED_AT_MOST or now - self._refused[0] > MUTE_WINDOW:
            return line
        right = self.crew.right(person, line, self.route, Span.of(now, now + PATIENCE))
        return line if right <= {PASS, MASK} else None

    def _write(self, to: Socket, person: Person) -> None:
        line = self._line(person)
        if line is None:
            return
        stamp = round(time() % WRAP, 6)
        sent = perf_counter()
        to.send(orjson.dumps({"type": self.frame_type, "content": line.text, "time": stamp}))
        outcome, published = self._end(to, person.name, stamp, sent + PATIENCE)
        answered = perf_counter()
        span = Span.of(sent, answered)
        if outcome is None:
            self.crew.settle(person, line, self.route, span, None)
            self._fault(published, took=answered - sent)
            return
        if outcome.verdict == "reject":
            self._refused.append(answered)
        wrong = self.crew.weigh(person, line, self.route, span, outcome)
        if wrong is None and outcome.verdict != "reject":
            right = line.published if outcome == MASK else line.text
            if published != right:
                wrong = WrongVerdict(line, person.standing, frozenset((outcome,)), "another text was published")
        TALLY.answered(self.route, answered - sent, str(outcome))
        if wrong is not None:
            TALLY.wrong(str(wrong))
        self._fire(self.route, answered - sent, wrong)

    def _end(self, of: Socket, name: str, stamp: float, until: float) -> tuple[Outcome | None, str]:
        """The message's outcome and what was published; without an outcome, what went wrong instead.

        A mask is told twice, by notice and broadcast, in either order.
        """
        masked = False
        published: str | None = None
        while texts := of.receive(until):
            for text in texts:
                frame: dict[str, Any] = orjson.loads(text)
                notice = notice_in(frame)
                if notice is not None:
                    outcome = notice.outcome
                    if outcome is not None and outcome.verdict == "reject":
                        return (None, notice.reason) if _broken(notice.reason) else (outcome, "")
                    masked = masked or outcome == MASK
                elif frame.get("time") == stamp and frame.get("user") == name:
                    published = str(frame.get("content"))
            if published is not None and (masked or "*" not in published):
                return (MASK if masked else PASS), published
        return None, "no end of a message" if published is None else "masked without a notice"

    def _fault(self, kind: str, name: str = "", took: float = 0.0) -> None:
        TALLY.error(kind)
        self._fire(name or self.route, took, Exception(kind))

    def _fire(self, name: str, seconds: float, exception: Exception | None) -> None:
        self.environment.events.request.fire(
            request_type="WS", name=name, response_time=seconds * 1000, response_length=0, response=None,
            context=self.context(), exception=exception,
        )  # fmt: skip

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _broken(reason: str) -> bool:
    """Something failed, or what failed has muted the socket: nobody here provokes a mute (``REFUSED_AT_MOST``)."""
    return reason.endswith(".unavailable") or reason == "socket.muted"
