"""Fair turns: how much of one turn of the worker's loop one client address gets, and who goes on in the next.

A connection with much to do (pipelined requests, many small frames or chunks) would keep the loop until it is done,
and everybody else would wait for it; so would a thousand connections of one address with a little each. So each client
address has an account: what it begins in a turn is charged to it, and when its share is spent the rest stays where it
is, in the connection's buffer, unread and unjudged, and the connection waits (``Turns.wait``). In the next turn those
who wait go on, the addresses one after the other and the connections of one address one after the other (deficit round
robin: Shreedhar and Varghese, SIGCOMM 1995). Order on a connection is kept, because nothing overtakes what was left.

What one connection leaves unread does not help where a thousand of them can be read at once: the loop hands out all
that the kernel has, and each read costs ten times what is made of it. So reads are counted as well, and when so many of
one address were made in a turn as its share pays for, its other connections are held back before they are read: they
are paused and wait with those that stopped, and so many of them are read again in each turn, one after the other. Who
has fewer than ``CROWD`` connections never meets it.

An address that was alone for some seconds gets ``ALONE`` times the share: there is nobody to be fair to, and a larger
batch is cheaper.

Answers count as well, a quarter of what a request does: a platform that paused answers all that waited there at once,
and each costs as much to hand on as to read a small request. Those beyond the share wait unread, before what the
address sends next, since the platform's connections are held by them.

The price for who stays within his share is three comparisons and a few sums: no timer, no call and no object. A turn
is counted only where somebody waits (one ``call_soon`` for all of them), and with each tick of the sweep. So who has
spent his share may have done so over many turns: then he does not wait. That the loop went on is known from those who
judge, who go on once a turn (``went_on``), and asked where a share is spent (``renewed``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

from gateway.http.server.settings import ServerSettings
from gateway.http.upstream.shares import Share

if TYPE_CHECKING:
    from gateway.http.upstream.upstream import Upstream

ALONE: Final = 16
"""Times the share that an address gets which nobody shares the worker with."""
REMEMBERED: Final = 100
"""Ticks of the sweep, each a tenth of a second, for which a worker counts as shared after two addresses used it."""
KEPT: Final = 10
"""Ticks for which it is known what an address took that has no connection any more."""
READ: Final = 1024
"""Bytes that a read counts as besides its own: what it costs whatever it brings."""
DEBT: Final = 4.0
"""Shares that an address is in arrears with at most because of the connections that it opens."""
CROWD: Final = 64
"""Reads from which on it is asked whether they were made in one turn, and are as many as a share pays for."""
LARGE: Final = 13
"""A read counts as one more for each 8 KiB (two to the 13th) that it brings: that is copied before anybody is asked."""
ROUND: Final = 0.002
"""Seconds after which a round of those who waited ends, whoever is left in it: the loop looks for new bytes again."""
LONGEST: Final = 0.02
"""Seconds that such a round gets at most, where reading took as long: in an overload those who wait would otherwise be
served ever later, and everybody who comes at once."""


class TurnWaiting(Protocol):
    """A connection that stopped in the middle of what it has received."""

    def go_on(self) -> None:
        """It is its turn: take more of what is there, and ``Turns.wait`` again where that is not all."""


class TurnMember(TurnWaiting, Protocol):
    """An open connection."""

    def hold_back(self) -> None:
        """Be read no more in this turn: ``Turns.wait``, where it is read at all."""


class TurnAccount:
    """One client address. ``left``: of its share of turn ``turn``, below zero where it took more than that (one
    request or frame is taken whole). ``held``: open connections. ``tick``: when it did something last.

    ``reads``: counted since its turn began. ``members``: its connections, as far as they have begun. ``waiting``: those
    that stopped, oldest first; ``answers``: answers to them that wait, likewise. ``waited_tick``, ``least_waited``,
    ``standing``, ``sheds_until``: what ``queueing`` knows of those who waited.
    """

    __slots__ = (
        "_share", "_shares", "_upstream", "answers", "free", "held", "key", "least_waited", "left", "members", "reads",
        "sheds_until", "standing", "tick", "turn", "turns", "waited_tick", "waiting",
    )  # fmt: skip

    def __init__(self, turns: Turns, key: str, *, free: bool = False) -> None:
        self.turns = turns
        self.key = key
        self.free = free
        self.held = 0
        self.left = 0.0
        self.turn = -1
        self.tick = -1
        self.reads = 0
        self.members: set[TurnMember] = set()
        self.waiting: deque[TurnWaiting] | None = None
        self.answers: deque[TurnWaiting] | None = None
        self.waited_tick = -1
        self.least_waited = 0.0
        self.standing = 0
        self.sheds_until = 0
        self._upstream: Upstream | None = None  # the one asked last, and the share there
        self._share = Share()
        self._shares: dict[Upstream, Share] | None = None  # where it has used several

    def share(self, upstream: Upstream) -> Share:
        """What it holds of an upstream."""
        if upstream is self._upstream:
            return self._share
        last, self._upstream = self._upstream, upstream
        if last is not None:
            if self._shares is None:
                self._shares = {}
            self._shares[last] = self._share
            self._share = self._shares.get(upstream) or Share()
        return self._share

    @property
    def holds(self) -> bool:
        """Whether anything of it is under way."""
        return self._share.held > 0 or (self._shares is not None and any(one.held for one in self._shares.values()))


class Turns:
    """All accounts of one worker. Costs are parts of a share, which is 1: ``request``, ``answer``, ``frame``, ``chunk``
    of one each, ``byte`` of a byte and ``read`` of a read.

    ``number``: of the turn. ``share``: what an account gets in it. ``stops``: how often somebody had to wait; ``held``:
    how many of them were held back before they were read.
    """

    __slots__ = (
        "_accounts", "_active", "_clock", "_counted", "_empty", "_ended", "_loop", "_passed", "_ring", "_scheduled",
        "_shared_until", "_tick", "answer", "byte", "chunk", "frame", "held", "number", "read", "request", "share",
        "stops",
    )  # fmt: skip

    def __init__(
        self, loop: asyncio.AbstractEventLoop, settings: ServerSettings, clock: Callable[[], float] = perf_counter
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._accounts: dict[str, TurnAccount] = {}
        self._empty: list[TurnAccount] = []  # without a connection: forgotten when nothing else is known of them
        self._ring: deque[TurnAccount] = deque()  # accounts with somebody who waits
        self._scheduled = False
        self._ended = float("inf")  # the last round, where somebody is left of it
        self._active = 0
        self._tick = 0
        self._shared_until = 0
        self._passed = 0  # turns of the loop that are known of
        self._counted = 0  # of these when the last one was counted
        self.number = 0
        self.share = float(ALONE)
        self.stops = 0
        self.held = 0
        self.configure(settings)

    def configure(self, settings: ServerSettings) -> None:
        """Take over settings; what is charged already stays charged."""
        self.request = 1.0 / settings.turn_requests
        self.answer = self.request / 4
        self.frame = 1.0 / settings.turn_frames
        self.chunk = self.frame / 8  # what a chunk of a body costs beside a frame that is judged
        self.byte = 1.0 / settings.turn_bytes
        self.read = self.byte * READ

    # accounts

    def account(self, key: str) -> TurnAccount:
        """The account of a client address, as it is counted (``addresses.counted``)."""
        known = self._accounts.get(key)
        if known is None:
            known = self._accounts[key] = TurnAccount(self, key)
            self._empty.append(known)
        return known

    def unbounded(self) -> TurnAccount:
        """The account of a trusted proxy, which is nobody's own: each request is charged to whom the proxy names."""
        return TurnAccount(self, "", free=True)

    def connected(self, account: TurnAccount) -> None:
        """A connection of it was accepted: that costs what a request does, and is paid by those that follow. Who opens
        thousands for good is not held up for long."""
        if account.turn != self.number:
            self.begin(account)
        if account.left > -DEBT:
            account.left -= self.request

    def closed(self, account: TurnAccount) -> None:
        """A connection of it is gone."""
        account.held -= 1
        if account.held <= 0 and not account.free:
            self._empty.append(account)

    def begin(self, account: TurnAccount) -> None:
        """A new turn of an account: its share, less what it took too much. To be called where ``account.turn`` is
        not ``number``."""
        if account.free:
            account.turn = self.number
            account.left = float("inf")
            account.reads = 0
            return
        share = self.share
        account.left = min(share, account.left + share * (self.number - account.turn))
        account.turn = self.number
        account.reads = 0
        if account.tick != self._tick:
            account.tick = self._tick
            self._active += 1
            if self._active == 2:
                self._shared_until = self._tick + REMEMBERED
                self.share = 1.0

    def went_on(self) -> None:
        """A turn of the loop is over, whether or not anybody waits for the next."""
        self._passed += 1

    def renewed(self, account: TurnAccount) -> bool:
        """``account`` has spent its share; whether it may go on, because a turn was over meanwhile that nobody had
        counted. Once in a turn, whoever asks, and never past somebody who waits."""
        if self._scheduled or self._counted == self._passed:
            return False
        self._counted = self._passed
        self.number += 1
        self.begin(account)
        return account.left > 0

    def charge_read(self, account: TurnAccount, size: int) -> bool:
        """Charge a read of so many bytes; true where the turn is over with it."""
        if account.turn != self.number:
            self.begin(account)
        account.left -= self.read + size * self.byte
        return account.left <= 0

    def crowded(self, account: TurnAccount) -> None:
        """``CROWD`` reads of it were counted, or more. Where all of them were made in this turn, and are too many, none
        of its connections is read any more before the next."""
        if account.turn != self.number:
            self.begin(account)
            account.reads = 1
            return
        self._schedule()  # turns that nobody counts are told apart from now on
        if account.reads >= self.share / self.read and not account.free:
            before = self.stops
            for member in account.members:
                member.hold_back()
            self.held += self.stops - before

    def tick(self) -> None:
        """A tenth of a second is over."""
        self._tick += 1
        self._active = 0
        self.number += 1
        if self._tick > self._shared_until:
            self.share = float(ALONE)
        if self._empty and not self._tick % KEPT:
            self._forget()

    def _forget(self) -> None:
        """Let go of who has no connection and did nothing for a second: what they took counts until then."""
        kept: list[TurnAccount] = []
        for account in self._empty:
            if account.held > 0:
                continue
            if account.waiting or account.answers or account.holds or account.tick > self._tick - KEPT:
                kept.append(account)
            elif self._accounts.get(account.key) is account:
                del self._accounts[account.key]
        self._empty = kept

    # who waits

    def wait(self, account: TurnAccount, waiting: TurnWaiting) -> None:
        """``waiting`` goes on in the next turn, or in a later one: behind those who wait already."""
        self.stops += 1
        queue = account.waiting
        if queue is None:
            queue = account.waiting = deque()
        if not queue and not account.answers:
            self._ring.append(account)
        queue.append(waiting)
        self._schedule()

    def charge_answer(self, account: TurnAccount, answer: TurnWaiting) -> bool:
        """Charge an answer; true where it goes on in the next turn, or a later one: before who waits with requests."""
        if account.turn != self.number:
            self.begin(account)
        account.left -= self.answer
        if account.left > 0 or self.renewed(account):
            return False
        self.stops += 1
        queue = account.answers
        if queue is None:
            queue = account.answers = deque()
        if not queue and not account.waiting:
            self._ring.append(account)
        queue.append(answer)
        self._schedule()
        return True

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._round)

    def _round(self) -> None:
        """A new turn: whoever waits goes on within his share."""
        self.number += 1
        self._counted = self._passed
        ring = self._ring
        spent: list[TurnAccount] = []
        clock = self._clock
        began = clock()
        ends = began + min(max(ROUND, began - self._ended), LONGEST)
        reads = self.share / self.read
        try:
            while ring:
                account = ring.popleft()
                queue = account.answers or account.waiting
                if account.turn != self.number:
                    self.begin(account)
                if queue and account.left > 0 and account.reads < reads:
                    account.reads += 1
                    waiting = queue.popleft()
                    if account.answers or account.waiting:
                        ring.append(account)
                    waiting.go_on()
                    if clock() >= ends:
                        break
                elif queue:
                    spent.append(account)
        finally:
            ring.extend(spent)
            self._scheduled = bool(ring)
            self._ended = float("inf")
            if ring:
                self._ended = clock()
                self._loop.call_soon(self._round)
