"""Whether more may come: how long what was admitted waits in this worker, and what is let in while that is too long.

A worker that is asked for more than it can do is not slow at any one place: each turn of its loop grows, until nobody
is answered in time and half of the work is done for nothing. So queueing is measured where it is, in turns and in
batches and not message by message: how long a turn of the loop has read before it went on, and how long state took
beyond what it takes when nobody waits. A short queue is a burst and clears itself; one whose *least* delay stays above
``max_queueing`` is standing (CoDel: RFC 8289, section 3; Nichols and Jacobson, ACM Queue 2012). Then each turn admits
so many requests and no more; the others get one 503 with Retry-After before anything is judged or recorded, and their
connections are not read for that long. How many follows the delay: more while it is below the bound, fewer above it.
Who has waited longer than the bound for the turn of his address is refused as well: of many who cannot all be served,
those are who still are in time.

Where turns are short because each address gets no more than its share of one, the queue stands in front of the turns:
at those addresses that ask for more. So each is looked at by itself (as FQ-CoDel does with flows: RFC 8290): where all
who waited for its turns did so for too long, those who do are refused, and at no other address anybody.

The price while nothing stands is one comparison a request, and two calls a turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

from gateway.common.sweep import TICK

if TYPE_CHECKING:
    from gateway.http.server.turns import TurnAccount

OVERLOADED: Final = "server.overloaded"
RETRY: Final = 1.0
"""Seconds that a refused connection is told to wait, and is not read."""
STANDING: Final = 3
"""Ticks in a row whose least delay is too long: a queue that stands, and no burst and no pause of the machine."""
TURNS: Final = 2 * STANDING
"""Turns that such ticks have at least, together: one long turn is a pause, and of turns longer than a tick each tick
has one."""
QUIET: Final = 30
"""Ticks without a refusal after which all are admitted again: longer than ``RETRY``, because who waits is not seen."""
FEWEST: Final = 32
"""Requests of a turn that are admitted whatever they wait: fewer would be dearer each, in calls to state and writes to
the journal of a few messages, and so make of an overload a worse one."""
RESUMED: Final = 32
"""Connections that are read again in one turn: all at once would be a burst of their own."""
REMEMBERED: Final = 300
"""Ticks for which the least time that state took is remembered, at least."""
NEVER: Final = float("inf")


class Resting(Protocol):
    """A connection that is not read for a while."""

    def go_on(self) -> None:
        """It is read again."""


class Queueing:
    """Of one worker. ``shedding``: whether a queue stands; only then is ``admits`` asked. ``delay``: seconds that was
    waited in the last tick, on average. ``refused``: how many were.
    """

    __slots__ = (
        "_batches", "_clock", "_floor", "_floor_before", "_floor_ticks", "_least_state", "_least_turn", "_left",
        "_loop", "_messages", "_most", "_quiet", "_refused", "_resting", "_scheduled", "_standing", "_standing_turns",
        "_state", "_tick", "_turn_seconds",
        "_turns", "delay", "max_queueing", "refused", "shedding",
    )  # fmt: skip

    def __init__(
        self, loop: asyncio.AbstractEventLoop, max_queueing: float, clock: Callable[[], float] = perf_counter
    ) -> None:
        self.max_queueing = max_queueing  # seconds, 0: all are admitted
        self.shedding = False
        self.delay = 0.0
        self.refused = 0
        self._loop = loop
        self._clock = clock
        self._resting: deque[tuple[float, Resting]] = deque()
        self._scheduled = False
        self._standing = 0
        self._standing_turns = 0
        self._quiet = 0
        self._refused = False
        self._most = FEWEST
        self._left = 0
        self._floor = self._floor_before = NEVER  # what state took at least, in this half of REMEMBERED and before
        self._floor_ticks = 0
        self._tick = 0
        self._begin_tick()

    def _begin_tick(self) -> None:
        self._turns = 0
        self._turn_seconds = 0.0
        self._least_turn = NEVER
        self._batches = 0
        self._messages = 0
        self._state = 0.0
        self._least_state = NEVER

    # measured

    def read_for(self, seconds: float) -> None:
        """A turn of the loop went on to ask, so long after it had read the first message."""
        self._turns += 1
        self._turn_seconds += seconds
        self._least_turn = min(self._least_turn, seconds)

    def asked(self, messages: int, seconds: float) -> None:
        """State answered a batch."""
        self._batches += 1
        self._messages += messages
        self._state += seconds
        self._least_state = min(self._least_state, seconds)

    # asked by who waited for the turn of his address

    def too_late(self, account: TurnAccount, since: float) -> bool:
        """Whether a request is refused that waited since then (perf_counter): where a queue of its address stands."""
        bound = self.max_queueing
        if not bound:
            return False
        waited, tick = self._clock() - since, self._tick
        if account.waited_tick != tick:
            stood = account.waited_tick == tick - 1 and account.least_waited > bound
            account.standing = account.standing + 1 if stood else 0
            account.waited_tick = tick
            account.least_waited = waited
        elif waited < account.least_waited:
            account.least_waited = waited
        if waited <= bound or (account.standing < STANDING and tick >= account.sheds_until):
            return False
        account.sheds_until = tick + QUIET
        self.refused += 1
        return True

    # asked, while a queue stands

    def admits(self, since: float = 0.0) -> bool:
        """Whether one more request may be read in this turn. ``since``: when it began to wait for it (perf_counter); 0
        where it did not."""
        if self._left <= 0 or (since and self._clock() - since > self.max_queueing):
            self.refused += 1
            self._refused = True
            return False
        self._left -= 1
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)
        return True

    def rest(self, connection: Resting) -> None:
        """Read it again in ``RETRY`` seconds, and no later, or who comes back as he was told would wait unread; not all
        at once. A tick may be late by itself."""
        spread = RETRY * (self.refused % 16) / 64
        self._resting.append((self._loop.time() + RETRY - TICK - spread, connection))

    def _turn(self) -> None:
        self._scheduled = False
        self._left = self._most
        self._resume(RESUMED)

    def _resume(self, most: int) -> None:
        resting = self._resting
        if not resting:
            return
        now = self._loop.time()
        while resting and most > 0 and resting[0][0] <= now:
            most -= 1
            resting.popleft()[1].go_on()

    # each tenth of a second

    def tick(self) -> None:
        """A tick is over: look at what was waited in it."""
        self._tick += 1
        self._resume(len(self._resting))
        least, self.delay = self._waited()
        messages, turns = self._messages, self._turns
        self._begin_tick()
        bound = self.max_queueing
        if not bound:
            self.shedding = False
        elif not self.shedding:
            if turns and least > bound:
                self._standing += 1
                self._standing_turns += turns
            else:
                self._standing = self._standing_turns = 0
            if self._standing >= STANDING and self._standing_turns >= TURNS:
                self._most = self._left = max(FEWEST, int(messages * bound / TICK))
                self._quiet = 0
                self.shedding = True
        else:
            if turns and self.delay > bound:
                self._most = max(FEWEST, int(self._most * 0.8))
            elif self._refused:
                self._most += max(1, self._most // 10)
            self._quiet = 0 if self._refused else self._quiet + 1
            if self._quiet >= QUIET:
                self.shedding = False
                self._standing = self._standing_turns = 0
        self._refused = False

    def _waited(self) -> tuple[float, float]:
        """Seconds in this tick: at least, and on average. Of state's time only what is more than it took at its best:
        a server that is far away is no queue."""
        self._floor_ticks += 1
        if self._floor_ticks >= REMEMBERED:
            self._floor_ticks = 0
            self._floor_before, self._floor = self._floor, NEVER
        self._floor = min(self._floor, self._least_state)
        if not self._turns:
            return 0.0, 0.0
        least, mean = self._least_turn, self._turn_seconds / self._turns
        if self._batches:
            floor = min(self._floor, self._floor_before)
            least += self._least_state - floor
            mean += max(0.0, self._state / self._batches - floor)
        return least, mean
