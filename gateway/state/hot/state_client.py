"""What the gate asks of state: facts about messages, many at a time.

A key that is missing in state is not innocence: where the snapshot knows a block or a closed room that state's answer
does not hold, it stands, and the facts say whence (``Fallback.beside``).

All messages of one loop turn leave in one write, up to ``settings.batch`` of them in one call of ``lua/admit.lua``.
``then`` is called exactly once for each message, later in the loop, whatever happens to the server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import hiredis

from filters.model.message import Message
from filters.model.remembered import Remembered
from filters.model.rule import Asks
from filters.model.verdict import Facts, Scan
from gateway.state.hot import give_back
from gateway.state.hot.admit_arguments import MAX_BATCH, encode
from gateway.state.hot.fallback import Fallback, LocalLimits
from gateway.state.hot.flight import AdmitBatch, CommandFlight, GiveBack, Pending
from gateway.state.hot.plan import Plan
from gateway.state.hot.replies import Unreadable, held, read
from gateway.state.hot.scripts import ADMIT, GIVE_BACK
from gateway.state.hot.server_link import ERROR, UNAVAILABLE, Command, ServerLink, error_word
from gateway.state.hot.verified import Verified
from gateway.state.model.keys import Keys, slot_of
from gateway.state.model.settings import Address, Credentials, StateSettings
from gateway.state.model.snapshot import Snapshot

EPOCH: Final = "state.epoch"
BUSY: Final = "state.busy"
NOT_OURS: Final = frozenset({"READONLY", "NOAUTH", "WRONGPASS", "NOPERM", "MASTERDOWN", "LOADING"})
REMEMBERED_ASKS: Final = 64
TICKET_TAKEN: Final = b"600"  # seconds; control has heard of a delivery long before, and its outcome is known
NOBODY: Final[frozenset[str]] = frozenset()

# Whether one call can write many keys that expire; and the scripts, so that the first messages find them. A server
# that refuses either is served all the same.
GREETING: tuple[Command, ...] = (
    ("COMMAND", "INFO", "MSETEX"),
    ("SCRIPT", "LOAD", ADMIT.text),
    ("SCRIPT", "LOAD", GIVE_BACK.text),
)

Then = Callable[[Facts], None]

# What NamedTuple's own constructor does, without its frame.
_new: Final = tuple.__new__


def knows_msetex(reply: Any) -> bool:
    """Read the reply to COMMAND INFO MSETEX (Valkey 9.1, Redis 8.4)."""
    return type(reply) is list and bool(reply) and bool(reply[0])


def _nothing(messages: int, seconds: float) -> None:
    """Nobody counts."""


def _nobody() -> None:
    """Nobody wants to know when a turn or a batch is over."""


def packed(*words: bytes) -> bytes:
    packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # any length of tuple
    return packed


class StateClient:
    """The client for one server, or one primary found through Sentinel; ``cluster.ClusterClient`` is for several.

    ``on_batch`` is called when the replies of one read of the socket, or the failures of one turn, were handed out.
    ``epoch`` is the least epoch to trust, where the caller remembers one: an older one is stale.
    """

    def __init__(
        self,
        locate: Callable[[], Awaitable[Address]],
        credentials: Credentials,
        settings: StateSettings,
        *,
        on_batch: Callable[[], None] = _nobody,
        epoch: int = 0,
    ) -> None:
        self.keys = Keys(settings.prefix)
        self.epoch = epoch
        self.settings = settings
        self.fallback = Fallback(
            LocalLimits(settings.local_share, settings.local_limits),
            Verified(settings.verified_for, settings.verified_most),
        )
        self.observe: Callable[[int, float], None] = _nothing  # messages and seconds of each answered call
        self.on_turn: Callable[[], None] = _nobody  # before a turn's messages leave; it may ask about more of them
        self._on_batch = on_batch
        self._credentials = credentials
        self._size = min(settings.batch, MAX_BATCH)
        self._plans: Remembered[int, dict[str, Plan]] = Remembered(REMEMBERED_ASKS)
        self._entries: list[Pending] = []
        self._returns: list[tuple[Message, Asks, Scan, bool]] = []
        self._scheduled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._link = self._new_link(locate, (("GET", self.keys.epoch), *GREETING))

    def _new_link(self, locate: Callable[[], Awaitable[Address]], greet: tuple[Command, ...]) -> ServerLink:
        return ServerLink(locate, self._credentials, self.settings, greet, self._greeted, self._on_batch)

    # Life

    async def start(self) -> None:
        """Begin to connect; messages that come before the link is up are told that state is unavailable."""
        self._loop = asyncio.get_running_loop()
        self._link.start()

    async def close(self) -> None:
        """Hand out what waits, as unavailable, and close."""
        await self._link.close()
        self._flush()

    def moved(self, primaries: frozenset[Address]) -> None:
        """These are the primaries now: one that is none any more may live on, and answer with what was."""
        if self._link.up and self._link.address not in primaries:
            self._link.abandon("moved")

    @property
    def problem(self) -> str:
        """Why state cannot be asked, in one word, for readiness; empty where it can."""
        return self._link.problem or ("" if self._link.ready() else "breaker")

    @property
    def breakers_open(self) -> int:
        """Of how many servers the breaker is open."""
        return int(self._link.breaker_open)

    @property
    def misses(self) -> int:
        """Confirmed misses so far."""
        return self._link.misses

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Hold a new snapshot: its address ranges are in force, its blocks and rooms stand by the side of state."""
        self.fallback.snapshot = snapshot

    def _greeted(self, link: ServerLink, replies: list[Any]) -> None:
        link.msetex = knows_msetex(replies[1])
        if isinstance(replies[0], bytes):
            self._learn(replies[0])

    # Asking

    def expect(self) -> None:
        """Call ``on_turn`` once this turn of the loop has read its sockets, and send then what was asked."""
        if not self._scheduled:
            self._schedule()

    def admit(self, message: Message, asks: Asks, scan: Scan, then: Then) -> None:
        """Ask for the facts about ``message`` that ``asks`` names. ``then`` is never called from inside."""
        self._entries.append(_new(Pending, (self._plan(asks, message.route), message, scan, then)))
        if not self._scheduled:
            self._schedule()

    def give_back(self, message: Message, asks: Asks, scan: Scan, *, charge: bool = True) -> None:
        """The message went no further: its repeat marks go back, and its sender's ``charge``. Nothing is waited for."""
        self._returns.append((message, asks, scan, charge))
        if not self._scheduled:
            self._schedule()

    def take_ticket(self, ticket: int, message_id: str, then: Callable[[bool], None]) -> None:
        """Take a re-send ticket for a message that came with it: ``then`` hears whether it has it, which one message
        does at a time. Where state does not answer it has not. ``then`` is never called from inside."""
        assert self._loop is not None, "start() comes first"
        key = self.keys.ticket(ticket).encode()
        link = self._link_of(slot_of(key))
        if link is None or not link.ready():
            self._loop.call_soon(then, False)
            return

        def told(mine: bool) -> None:
            try:
                then(mine)
            except Exception as error:  # one caller's fault must not take the others' replies
                self._blame(error)

        flight = CommandFlight(lambda reply: told(reply == b"OK"), lambda _cause: told(False))
        link.send(flight, packed(b"SET", key, message_id.encode(), b"NX", b"EX", TICKET_TAKEN))

    def return_ticket(self, ticket: int) -> None:
        """The message did not go on: another may take it. Where state does not answer it is free after a while."""
        key = self.keys.ticket(ticket).encode()
        link = self._link_of(slot_of(key))
        if link is not None and link.ready():
            link.send(CommandFlight(), packed(b"DEL", key))

    def _schedule(self) -> None:
        assert self._loop is not None, "start() comes first"
        self._scheduled = True
        self._loop.call_soon(self._flush)

    def _plan(self, asks: Asks, route: str) -> Plan:
        try:
            return self._plans.known[id(asks)][route]
        except KeyError:
            pass
        # A plan holds its asks, so an id is not used twice while it is remembered.
        plans = self._plans.known.get(id(asks))
        if plans is None:
            plans = self._plans.put(id(asks), {})
        plan = plans[route] = Plan(asks, route, self.keys, self.epoch)
        return plan

    def _flush(self) -> None:
        self.on_turn()
        self._scheduled = False
        entries, self._entries = self._entries, []
        returns, self._returns = self._returns, []
        if returns:
            self._return(returns)
        if entries:
            self._dispatch(entries)

    def _dispatch(self, entries: list[Pending]) -> None:
        link = self._link
        if not link.ready():
            self._told_nothing(entries, UNAVAILABLE)
            self._on_batch()
            return
        free = max(0, self.settings.max_waiting - link.waiting)
        if free < len(entries):
            entries, surplus = entries[:free], entries[free:]
            self._told_nothing(surplus, BUSY)
            self._on_batch()
        size = self._size
        batches = [
            AdmitBatch(entries[start : start + size], self.epoch, -1, self._replied, self._failed)
            for start in range(0, len(entries), size)
        ]
        self._send(link, batches)

    def _send(self, link: ServerLink, batches: Sequence[AdmitBatch]) -> None:
        now = time.monotonic()
        parts: list[bytes] = []
        for batch in batches:
            batch.link = link
            encode(batch, self.keys, link.msetex)
            link.enter(batch, now)
            parts += (b"*%d\r\n" % batch.count, ADMIT.by_digest, batch.arguments)
        link.write(b"".join(parts))

    # Replies

    def _replied(self, batch: AdmitBatch, reply: Any) -> None:
        entries = batch.entries
        if type(reply) is not list or len(reply) != len(entries) + 1:
            self._unusual(batch, reply)
            return
        now = time.monotonic()
        self.observe(len(entries), now - batch.sent_at)
        fallback = self.fallback
        snapshot = fallback.snapshot
        ranges = bool(snapshot is not None and snapshot.ranges)
        standing = snapshot.standing if snapshot is not None else NOBODY
        verified = fallback.verified
        verified.turn(now)
        done = 0
        try:
            for shape, entry, told in zip(batch.shapes, entries, reply[1:], strict=True):
                # The common case in one look-up: nothing to find, and an account that was seen before.
                facts = shape.clean.known.get(told) if type(told) is not list else None
                if facts is None:
                    facts = read(shape, told)
                plan, message = entry.plan, entry.message
                if plan.account is not None:
                    account = facts.account
                    if account is None or verified.younger.get(message.sender) is not account:
                        verified.note(message.sender, account)
                if standing and (
                    message.sender in standing
                    or message.room in standing
                    or message.ip in standing
                    or message.device in standing
                    or message.registrant in standing
                ):
                    facts = fallback.beside(plan, message, facts, held(shape, told))
                if ranges and plan.ranges and message.ip:
                    facts = self._with_range(facts, message)
                done += 1
                try:
                    entry.then(facts)
                except Exception as error:  # one caller's fault must not take the facts of the others
                    self._blame(error)
        except Unreadable:
            self._told_nothing(entries[done:], ERROR)
            batch.link.abandon("garbage")

    def _unusual(self, batch: AdmitBatch, reply: Any) -> None:
        link = batch.link
        if reply is None or (isinstance(reply, bytes) and reply.isdigit()):
            self._other_epoch(batch, reply)
        elif isinstance(reply, hiredis.ReplyError):
            word = error_word(reply)
            if word == "NOSCRIPT":
                link.send(batch, b"*%d\r\n%b%b" % (batch.count, ADMIT.by_text, batch.arguments))
                return
            self._told_nothing(batch.entries, ERROR)
            if word in NOT_OURS:
                link.abandon(word)
        else:
            self._told_nothing(batch.entries, ERROR)
            link.abandon("garbage")

    def _other_epoch(self, batch: AdmitBatch, found: bytes | None) -> None:
        """Governance data were rebuilt: ask again, once, under the new epoch. Gone or older: nothing of state's can be
        trusted, and the snapshot speaks."""
        known = self._learn(found) if found is not None else False
        if not known or batch.again:
            self._told_nothing(batch.entries, EPOCH)
            return
        entries = [entry._replace(plan=self._replan(entry.plan)) for entry in batch.entries]
        again = AdmitBatch(entries, self.epoch, batch.slot, self._replied, self._failed)
        again.again = True
        self._send(batch.link, (again,))

    def _replan(self, plan: Plan) -> Plan:
        return self._plan(plan.asks, plan.route)

    def _learn(self, found: bytes) -> bool:
        """Take over an epoch that is not older than ours; False where it is."""
        if not found.isdigit() or int(found) < max(self.epoch, 1):
            return False
        if int(found) > self.epoch:
            self.epoch = int(found)
            self._plans.known.clear()
            # Whoever waits for this turn's call has keys of the epoch before: under the new one they would be empty,
            # and an empty block is an innocent sender.
            self._entries = [
                entry._replace(plan=self._plan(entry.plan.asks, entry.plan.route)) for entry in self._entries
            ]
        return True

    def _with_range(self, facts: Facts, message: Message) -> Facts:
        assert self.fallback.snapshot is not None
        found = self.fallback.snapshot.ranges.all(message.ip)
        if not found:
            return facts
        # Each of them: a narrow one that is a limit, or over, does not lift a wide one that is a wall. Walls first, so
        # that whom they stop is not charged.
        for limited in (False, True):
            biting = [
                self.fallback.biting(one.block, f"cidr:{one.cidr}", message.received_at)
                for one in found
                if one.block.limited is limited
            ]
            blocks = tuple(block for block in biting if block is not None)
            if blocks:
                return facts._replace(blocks=(*facts.blocks, *blocks))
        return facts

    # Failures

    def _failed(self, batch: AdmitBatch, cause: str) -> None:
        self._told_nothing(batch.entries, cause)

    def _told_nothing(self, entries: Sequence[Pending], cause: str) -> None:
        self.fallback.verified.turn(time.monotonic())
        for entry in entries:
            facts = self.fallback.facts(entry.plan, entry.message, cause)
            if entry.plan.ranges and entry.message.ip and self.fallback.snapshot is not None:
                facts = self._with_range(facts, entry.message)
            self._tell(entry, facts)

    def _tell(self, entry: Pending, facts: Facts) -> None:
        try:
            entry.then(facts)
        except Exception as error:  # one caller's fault must not take the facts of the others
            self._blame(error)

    def _blame(self, error: Exception) -> None:
        """A callback failed. It must not take the other messages of its batch with it."""
        loop = self._loop or asyncio.get_running_loop()
        loop.call_exception_handler({"message": "a callback for facts failed", "exception": error})

    # Giving back

    def _return(self, returns: Sequence[tuple[Message, Asks, Scan, bool]]) -> None:
        now = time.monotonic()
        written: dict[ServerLink, list[bytes]] = {}
        for message, asks, scan, charge in returns:
            for slot, count, arguments in give_back.commands(message, asks, scan, charge, self.keys, self.epoch):
                link = self._link_of(slot)
                if link is None or not link.ready():
                    continue  # what was charged runs out by itself
                link.enter(GiveBack(arguments, count, link, self._returned), now)
                written.setdefault(link, []).append(b"*%d\r\n%b%b" % (count, GIVE_BACK.by_digest, arguments))
        for link, parts in written.items():
            link.write(b"".join(parts))

    def _returned(self, flight: GiveBack, reply: Any) -> None:
        if isinstance(reply, hiredis.ReplyError) and error_word(reply) == "NOSCRIPT":
            again = GiveBack(flight.arguments, flight.count, flight.link)
            flight.link.send(again, b"*%d\r\n%b%b" % (flight.count, GIVE_BACK.by_text, flight.arguments))

    def _link_of(self, slot: int) -> ServerLink | None:
        return self._link
