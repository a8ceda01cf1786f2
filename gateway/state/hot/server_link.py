"""One connection to one server of state: everything of a loop turn in one write, replies in order, no reply too late.

Laws of this file:

* replies come in the order of the commands (RESP has no ids), so what was sent and not answered stands in one deque,
  and a reply that comes too late is read past, never given to somebody else;
* a deadline that fires proves only that this process got round to looking. Before a miss is declared the loop goes
  round once more and reads the socket (measured: a bare 1 ms timer fired for 12 to 30 % of messages with a healthy
  server, because the loop itself was late);
* a deadline counts the time that the server had, not how late this process was: while a command waits the link looks
  four times in a deadline, and each look counts for a quarter at most, however long ago the one before it was. A
  process that stood still, or wrote late, has used up a quarter, and the server has the rest;
* one timer for the oldest command, not one for each.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, cast

import hiredis

from filters.model.errors import TidegateError
from gateway.common.ending import end
from gateway.state.hot.breaker import Breaker
from gateway.state.hot.flight import CommandFlight, Flight
from gateway.state.model.settings import Address, Credentials, StateSettings

LONGEST_PAUSE: Final = 1.0  # seconds between two attempts to connect: so late is a primary found that is there
STALLED: Final = 3.0  # seconds without any reply, after which a connection is given up
LOOKS: Final = 4  # at the loop within one deadline
LEAST: Final = 0.001  # seconds: the loop's timers know nothing shorter
NOT_YET: Final = object()

Command: TypeAlias = tuple[str | int | float | bytes | memoryview, ...]

UNAVAILABLE: Final = "state.unavailable"
DEADLINE: Final = "state.deadline"
ERROR: Final = "state.error"


class StateHandshakeError(TidegateError):
    """The server did not take us. The text is the first word of its error: nothing of ours is repeated."""


class _Wire(asyncio.Protocol):
    """One connection of a link; what an earlier one still says is not heard."""

    def __init__(self, link: ServerLink) -> None:
        self._link = link
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's transports are not subclasses of it

    def data_received(self, data: bytes) -> None:
        self._link.received(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.lost(self)


class ServerLink:
    """A connection that comes back. ``up`` tells whether commands may be sent; ``problem`` why not, in one word.

    ``locate`` says where the server is, each time anew: a primary moves. ``greet`` are commands
    sent after the introduction; their replies go to ``greeted`` before the link is up.
    ``on_read`` is called after the replies of one read were handed out.
    """

    def __init__(
        self,
        locate: Callable[[], Awaitable[Address]],
        credentials: Credentials,
        settings: StateSettings,
        greet: tuple[Command, ...],
        greeted: Callable[[ServerLink, list[Any]], None],
        on_read: Callable[[], None],
    ) -> None:
        self._locate = locate
        self.up = False
        self.problem = "connecting"
        self.address: Address | None = None  # of the last server that was tried
        self.waiting = 0  # messages sent and not answered
        self.misses = 0  # confirmed, ever
        self.msetex = False
        self._credentials = credentials
        self._settings = settings
        self._greet = greet
        self._greeted = greeted
        self._on_read = on_read
        self._breaker = Breaker(settings.misses, settings.window, settings.pause, settings.max_pause)
        self._flights: deque[Flight] = deque()
        self._reader = _reader()
        self._wire: _Wire | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._lost: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._probe_timer: asyncio.TimerHandle | None = None
        self._looking = False
        self._heard = 0.0  # when the last reply came
        self._slice = settings.deadline / LOOKS
        self._had = 0.0  # seconds that the server had, counted while commands waited
        self._looked = 0.0  # when that was last counted

    # Life

    def start(self) -> None:
        """Connect, and again whenever the connection is lost, until ``close``."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._keep())

    async def close(self) -> None:
        """Close for good; what waits is told that state is unavailable."""
        task, self._task = self._task, None
        if task is not None:
            await end([task])
        self._drop("closed")
        for timer in (self._timer, self._probe_timer):
            if timer is not None:
                timer.cancel()

    async def _keep(self) -> None:
        pause = self._settings.reconnect
        while True:
            loop = asyncio.get_running_loop()
            lost = self._lost = loop.create_future()
            try:
                async with asyncio.timeout(self._settings.connect_timeout):
                    await self._connect()
                    await self._introduce()
            except (OSError, StateHandshakeError) as error:
                # TimeoutError is an OSError; its text is empty.
                self._drop(str(error) if isinstance(error, StateHandshakeError) else type(error).__name__)
            else:
                pause = self._settings.reconnect
                self.up = True
                self.problem = ""
                await lost
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # not a secret: it spreads the rush
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _connect(self) -> None:
        assert self._loop is not None
        address = self.address = await self._locate()
        self._reader = _reader()
        wire = self._wire = _Wire(self)
        if address.path:
            await self._loop.create_unix_connection(lambda: wire, address.path)
        else:
            tls = self._credentials.tls.context() if self._credentials.tls is not None else None
            await self._loop.create_connection(lambda: wire, address.host, address.port, ssl=tls)

    async def _introduce(self) -> None:
        """HELLO (with AUTH), SELECT, and what the owner asks for; all in one write."""
        assert self._loop is not None
        credentials = self._credentials
        hello: list[str] = ["HELLO", "3"]
        if credentials.password or credentials.username:
            hello += ["AUTH", credentials.username or "default", credentials.password]
        commands: list[Command] = [(*hello, "SETNAME", "tidegate")]
        if credentials.database:
            commands.append(("SELECT", str(credentials.database)))
        done: asyncio.Future[None] = self._loop.create_future()
        replies: list[Any] = []
        expected = len(commands) + len(self._greet)

        def replied(reply: Any) -> None:
            replies.append(reply)
            refused = isinstance(reply, hiredis.ReplyError)
            # What the owner asks for may be forbidden to us; a server that is still loading may not be used at all.
            if refused and (len(replies) <= len(commands) or error_word(reply) == "LOADING") and not done.done():
                done.set_exception(StateHandshakeError(error_word(reply)))
            elif len(replies) == expected and not done.done():
                done.set_result(None)

        def failed(cause: str) -> None:
            if not done.done():
                done.set_exception(StateHandshakeError("lost"))

        for command in (*commands, *self._greet):
            self.send(CommandFlight(replied, failed), hiredis.pack_command(command))  # type: ignore[arg-type]  # any length of tuple
        await done
        self._heard = time.monotonic()
        self._breaker.close()
        self._greeted(self, replies[len(commands) :])

    # Sending

    def ready(self) -> bool:
        """May messages be sent now?"""
        return self.up and not self._breaker.open

    @property
    def breaker_open(self) -> bool:
        """Are its answers waited for no more?"""
        return self._breaker.open

    def send(self, flight: Flight, data: bytes) -> None:
        """Write a command. Callers with several in one turn join them and use ``enter`` for each."""
        self.enter(flight, time.monotonic())
        self.write(data)

    def enter(self, flight: Flight, now: float) -> None:
        """Expect a reply for ``flight`` to what is about to be written; ``now`` is monotonic seconds."""
        flight.sent_at = now
        self._flights.append(flight)
        self.waiting += flight.weight
        if self._timer is None and not self._looking and self.up:
            assert self._loop is not None
            self._looked = now
            self._timer = self._loop.call_later(self._slice, self._look)
        flight.due = self._had + min(now - self._looked, self._slice) + self._settings.deadline

    def write(self, data: bytes) -> None:
        """Write what ``enter`` announced."""
        if self._wire is not None and self._wire.transport is not None:
            self._wire.transport.write(data)

    # What a wire hears

    def received(self, wire: _Wire, data: bytes) -> None:
        if wire is not self._wire:
            return
        reader = self._reader
        flights = self._flights
        self._heard = time.monotonic()
        try:
            reader.feed(data)
            while True:
                reply = reader.gets()
                if reply is NOT_YET:
                    break
                if isinstance(reply, hiredis.PushNotification):
                    continue
                if not flights:
                    self._drop("garbage", ERROR)
                    break
                flight = flights.popleft()
                self.waiting -= flight.weight
                if not flight.missed:
                    flight.on_reply(reply)
                    if wire is not self._wire:  # the reply was such that the link was given up
                        break
                elif self._probe_timer is not None:  # it is late, but it lives: no need to wait out the pause
                    self._probe_timer.cancel()
                    self._probe()
        except hiredis.ProtocolError:
            self._drop("garbage", ERROR)
        self._on_read()

    def lost(self, wire: _Wire) -> None:
        if wire is self._wire:
            self._drop("lost")

    def abandon(self, problem: str) -> None:
        """Give this connection up and make a new one: what it says is not to be trusted, or is not our server's."""
        self._drop(problem, ERROR)

    def _drop(self, problem: str, cause: str = UNAVAILABLE) -> None:
        self.up = False
        self.problem = problem
        wire, self._wire = self._wire, None
        if wire is not None and wire.transport is not None:
            wire.transport.abort()
        flights, self._flights = self._flights, deque()
        self.waiting = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for flight in flights:
            if not flight.missed:
                flight.missed = True
                flight.on_failure(cause)
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)

    # Deadlines

    def _look(self) -> None:
        """The timer fired. If the oldest command is late, let the loop read the socket before anything is declared."""
        self._timer = None
        assert self._loop is not None
        self._count()
        oldest = self._oldest()
        if oldest is None:
            return
        if oldest.due > self._had:
            self._again(oldest)
            return
        # The first pass runs before this turn's reads on some loops, the second after a whole poll on all of them.
        self._looking = True
        self._loop.call_soon(self._loop.call_soon, self._declare, self._had)

    def _count(self) -> None:
        """Count what the server had since the last look."""
        now = time.monotonic()
        passed = now - self._looked
        had = min(passed, self._slice)
        self._had += had
        self._heard += passed - had  # nor is a connection silent while nobody listened
        self._looked = now

    def _again(self, oldest: Flight) -> None:
        """Look again when a quarter of the deadline has gone, or what is left of it for the oldest command."""
        assert self._loop is not None
        wait = min(self._slice, max(LEAST, oldest.due - self._had))
        self._timer = self._loop.call_later(wait, self._look)

    def _declare(self, had: float) -> None:
        self._looking = False
        self._count()
        opened = False
        missed = [flight for flight in self._flights if flight.due <= had and not flight.missed]
        now = time.monotonic()
        for flight in missed:
            flight.missed = True
            self.misses += 1
            opened = self._breaker.missed(now) or opened
        for flight in missed:
            flight.on_failure(DEADLINE)
        if missed:
            self._on_read()
        if opened:
            self._pause()
        if self.up and self._flights and now - self._heard > STALLED and now - self._flights[0].sent_at > STALLED:
            self._drop("stalled")
            return
        oldest = self._oldest()
        if oldest is not None and self._timer is None:
            self._again(oldest)

    def _oldest(self) -> Flight | None:
        for flight in self._flights:
            if not flight.missed:
                return flight
        return None

    # The breaker is open: no message is risked; a PING finds out.

    def _pause(self) -> None:
        assert self._loop is not None
        wait = self._breaker.pause * random.uniform(0.75, 1.0)  # noqa: S311
        self._probe_timer = self._loop.call_later(wait, self._probe)

    def _probe(self) -> None:
        self._probe_timer = None
        if not self.up:
            self._breaker.close()  # the next connection begins with a clean sheet
            return
        self.send(CommandFlight(self._probed, self._probe_missed), hiredis.pack_command(("PING",)))

    def _probed(self, reply: Any) -> None:
        self._breaker.close()

    def _probe_missed(self, cause: str) -> None:
        self._breaker.probe_failed()
        self._pause()


def error_word(error: Exception) -> str:
    """The code of a server's error: NOAUTH, LOADING, READONLY. The rest of its text may quote what was sent."""
    return str(error).partition(" ")[0][:32]


def _reader() -> hiredis.Reader:
    return hiredis.Reader(notEnoughData=NOT_YET)
