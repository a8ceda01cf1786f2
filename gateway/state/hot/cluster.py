"""The client for a cluster: each message's questions go to the slots where their answers lie.

What hangs on one sender shares a slot (see ``keys``), so does what hangs on one room, one device, one address. A
message is therefore asked about in up to eight calls instead of one, and:

* limits of one message in different slots are checked and charged independently: a message that its room's limit
  refuses has still been charged to its sender;
* only limits of the sender scale with a credit kept in state; others scale where the front vouches for the level;
* what one node cannot say is missing; the rest is not;
* while a slot is on its way to another node, what governs is asked key by key (``key_by_key``).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import hiredis

from filters.model.message import Message
from filters.model.remembered import Remembered
from filters.model.verdict import OPEN, Facts, Scan
from gateway.common.addresses import counted
from gateway.common.ending import end
from gateway.state.cold import topology
from gateway.state.hot import key_by_key
from gateway.state.hot.flight import AdmitBatch, CommandFlight, Pending
from gateway.state.hot.key_by_key import KeyByKey
from gateway.state.hot.plan import Plan
from gateway.state.hot.replies import Unreadable
from gateway.state.hot.scripts import ADMIT
from gateway.state.hot.server_link import ERROR, UNAVAILABLE, ServerLink, error_word
from gateway.state.hot.state_client import BUSY, GREETING, StateClient, knows_msetex, packed
from gateway.state.model.keys import SLOTS, slot_of
from gateway.state.model.settings import Address, Credentials, StateSettings

PARTS = (("account", "sender"), ("registrant",), ("device",), ("ip",), ("room",), ("route",), ("global",), ("text",))
REFRESH = 30.0  # seconds between two looks at the cluster's slots when nothing says that they moved
ANEW = 0.25  # seconds between two, at least, while a slot moves or a primary is away
REMEMBERED_PLANS = 256
TRIES = 4  # of a call whose slot is on its way, before its keys are asked one by one
ASK = "ASK"
LED = ("MOVED", ASK)
ASKING = b"*1\r\n$6\r\nASKING\r\n"


class Gather:
    """Puts the facts of one message together; ``then`` is called with the last of them."""

    __slots__ = ("_facts", "_left", "_then")

    def __init__(self, then: Callable[[Facts], None], parts: int, empty: Facts) -> None:
        self._then = then
        self._left = parts
        self._facts = empty

    def add(self, told: Facts) -> None:
        mine = self._facts
        self._facts = Facts(
            told.account if told.account is not None else mine.account,
            mine.blocks + told.blocks,
            tuple(map(max, mine.limits, told.limits)),
            tuple(map(max, mine.repeats, told.repeats)),
            told.room if told.room is not OPEN else mine.room,
            {**mine.missing, **told.missing},
            tuple(dict.fromkeys(mine.fallback + told.fallback)),
            told.verified if told.verified is not None else mine.verified,
        )
        self._left -= 1
        if self._left == 0:
            self._then(self._facts)


@functools.lru_cache(maxsize=16384)
def _slot(value: str) -> int:
    return slot_of(f"{{{value}}}".encode("utf-8", "surrogatepass"))


class ClusterClient(StateClient):
    """One link to each primary. ``locate`` finds any node of the cluster."""

    def __init__(
        self,
        locate: Callable[[], Awaitable[Address]],
        credentials: Credentials,
        settings: StateSettings,
        *,
        on_batch: Callable[[], None] = lambda: None,
        epoch: int = 0,
    ) -> None:
        super().__init__(locate, credentials, settings, on_batch=on_batch, epoch=epoch)
        self._locate = locate
        self._links: dict[Address, ServerLink] = {}
        self._owners: list[ServerLink | None] = [None] * SLOTS
        self._parts: Remembered[int, tuple[Plan, ...]] = Remembered(REMEMBERED_PLANS)
        self._moved = asyncio.Event()
        self._awaited: set[Address] = set()  # nodes that we were sent to for a slot which is not theirs yet
        self._watcher: asyncio.Task[None] | None = None

    # Life

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._watcher = self._loop.create_task(self._watch())

    async def close(self) -> None:
        if self._watcher is not None:
            await end([self._watcher])
        for link in self._links.values():
            await link.close()
        self._owners = [None] * SLOTS
        self._flush()

    @property
    def problem(self) -> str:
        if not self._links:
            return "connecting"
        return next((link.problem or "breaker" for link in self._links.values() if not link.ready()), "")

    @property
    def breakers_open(self) -> int:
        return sum(link.breaker_open for link in self._links.values())

    @property
    def misses(self) -> int:
        return sum(link.misses for link in self._links.values())

    def moved(self, primaries: frozenset[Address]) -> None:
        self._moved.set()

    async def _watch(self) -> None:
        """Learn who owns which slot: at once, when a node says that a slot moved; again and again while a primary is
        away, because another one takes its place; and now and then."""
        seen = 0.0
        while True:
            if self._moved.is_set() or time.monotonic() - seen >= REFRESH or not self._whole():
                self._moved.clear()
                if await self._refresh():
                    seen = time.monotonic()
                await asyncio.sleep(max(self.settings.reconnect, ANEW))  # a slot that moves says so many times
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ANEW):
                        await self._moved.wait()

    def _whole(self) -> bool:
        return bool(self._links) and all(link.up for link in self._links.values())

    async def _refresh(self) -> bool:
        seeds = [address for address, link in self._links.items() if link.up]  # they answer; others may hang
        with contextlib.suppress(OSError):
            seeds.append(await self._locate())
        seeds += [address for address in self._links if address not in seeds]
        for seed in seeds:
            try:
                ranges = await topology.slots(seed, self._credentials)
            except OSError:
                continue
            owners: list[ServerLink | None] = [None] * SLOTS
            for first, last, address in ranges:
                owners[first : last + 1] = [self._link_to(address)] * (last + 1 - first)
            self._owners = owners
            gone = set(self._links) - {address for _, _, address in ranges} - self._awaited
            self._awaited.clear()
            for address in gone:
                await self._links.pop(address).close()
            return True
        return False

    def _link_to(self, address: Address) -> ServerLink:
        link = self._links.get(address)
        if link is None:
            link = self._links[address] = self._new_link(topology.fixed(address), GREETING)
            link.start()
        return link

    def _greeted(self, link: ServerLink, replies: list[Any]) -> None:
        # No epoch: each slot has its own key, and the first call in it tells.
        link.msetex = knows_msetex(replies[0])

    # Asking

    def _learn(self, found: bytes) -> bool:
        before = self.epoch
        known = super()._learn(found)
        if self.epoch != before:
            self._parts.known.clear()
        return known

    def _split(self, plan: Plan) -> tuple[Plan, ...]:
        parts = self._parts.known.get(id(plan))
        if parts is None or parts[0].asks is not plan.asks:
            made = [Plan(plan.asks, plan.route, self.keys, self.epoch, only) for only in PARTS]
            parts = self._parts.put(id(plan), (plan, *made))
        return parts[1:]

    def _replan(self, plan: Plan) -> Plan:
        whole = self._plan(plan.asks, plan.route)
        return next(part for part in self._split(whole) if part.only == plan.only)

    def _dispatch(self, entries: list[Pending]) -> None:
        by_slot: dict[int, list[Pending]] = {}
        for plan, message, scan, then in entries:
            asked = [(slot, part) for part in self._split(plan) if (slot := _slot_for(part, message, scan)) is not None]
            empty = Facts(None, (), plan.zeros, plan.ones)
            if not asked:
                self._tell(Pending(plan, message, scan, then), empty)
                continue
            gather = Gather(then, len(asked), empty)
            for slot, part in asked:
                by_slot.setdefault(slot, []).append(Pending(part, message, scan, gather.add))
        by_link: dict[ServerLink, list[AdmitBatch]] = {}
        failed = False
        for slot, waiting in by_slot.items():
            link = self._owners[slot]
            if link is None or not link.ready():
                self._told_nothing(waiting, UNAVAILABLE)
                failed = True
            elif link.waiting > self.settings.max_waiting:
                self._told_nothing(waiting, BUSY)
                failed = True
            else:
                for start in range(0, len(waiting), self._size):
                    batch = AdmitBatch(
                        waiting[start : start + self._size], self.epoch, slot, self._replied, self._failed
                    )
                    by_link.setdefault(link, []).append(batch)
        for link, batches in by_link.items():
            self._send(link, batches)
        if failed:
            self._on_batch()

    def _link_of(self, slot: int) -> ServerLink | None:
        return self._owners[slot]

    # Redirections (cluster specification)

    def _unusual(self, batch: AdmitBatch, reply: Any) -> None:
        word = error_word(reply) if isinstance(reply, hiredis.ReplyError) else ""
        if word in LED:
            self._moved.set()
            link = self._led(batch.link, str(reply), word)
            batch.tries += word == "MOVED"  # where two nodes name each other this ends
            if link.ready() and batch.tries <= TRIES:
                self._resend(batch, link, asking=word == ASK)
            else:  # a node that joined: it is being connected to
                self._later(batch)
        elif word == "TRYAGAIN":
            self._moved.set()
            self._later(batch)
        else:
            if word == "CLUSTERDOWN":
                self._moved.set()
            super()._unusual(batch, reply)

    def _led(self, asked: ServerLink, told: str, word: str) -> ServerLink:
        """Where a reply leads to."""
        host, _, port = told.split(" ")[2].rpartition(":")
        if not host and asked.address is not None:  # a node that does not know names: the one that was asked
            host = asked.address.host
        address = Address(host=host, port=int(port))
        if word == ASK:
            self._awaited.add(address)
        return self._link_to(address)

    def _resend(self, batch: AdmitBatch, link: ServerLink, *, asking: bool) -> None:
        if asking:
            link.send(CommandFlight(), ASKING)
        batch.link = link
        link.send(batch, b"*%d\r\n%b%b" % (batch.count, ADMIT.by_text, batch.arguments))

    def _later(self, batch: AdmitBatch) -> None:
        """A slot with few keys has arrived in a moment; a quarter of the deadline is spent on waiting for it."""
        assert self._loop is not None
        batch.tries += 1
        self._loop.call_later(self.settings.deadline / 4 / TRIES, self._once_more, batch)

    def _once_more(self, batch: AdmitBatch) -> None:
        link = self._owners[batch.slot]
        if link is None or not link.ready():
            self._told_nothing(batch.entries, UNAVAILABLE)
            self._on_batch()
        elif batch.tries < TRIES:
            self._resend(batch, link, asking=False)
        else:
            KeyByKey(batch, self._value, self._by_key).begin()

    def _value(self, slot: int, key: str, told: Callable[[bytes | None], None], failed: Callable[[str], None]) -> None:
        """Ask for one key, wherever it is."""
        link = self._owners[slot]
        if link is None or not link.ready():
            failed(UNAVAILABLE)
        else:
            self._get(link, packed(b"GET", key.encode("utf-8", "surrogatepass")), told, failed)

    def _get(
        self,
        link: ServerLink,
        command: bytes,
        told: Callable[[bytes | None], None],
        failed: Callable[[str], None],
        led: int = 0,
    ) -> None:
        def replied(reply: Any) -> None:
            if reply is None or isinstance(reply, bytes):
                told(reply)
                return
            word = error_word(reply) if isinstance(reply, hiredis.ReplyError) else ""
            there = self._led(link, str(reply), word) if word in LED and led < TRIES else None
            if there is None or not there.ready():
                failed(ERROR)
                return
            if word == ASK:
                there.send(CommandFlight(), ASKING)
            self._get(there, command, told, failed, led + 1)

        link.send(CommandFlight(replied, failed), command)

    def _by_key(self, asked: KeyByKey, cause: str) -> None:
        batch = asked.batch
        if cause:
            self._told_nothing(batch.entries, cause)
        elif asked.epoch != b"%d" % batch.epoch:
            self._other_epoch(batch, asked.epoch)
        else:
            self.fallback.verified.turn(time.monotonic())
            for entry, values in zip(batch.entries, asked.values, strict=True):
                try:
                    facts = key_by_key.facts(self.fallback, entry, values, ERROR)
                except Unreadable:
                    self._told_nothing((entry,), ERROR)
                    continue
                if facts.account is not None:
                    self.fallback.verified.note(entry.message.sender, facts.account)
                snapshot = self.fallback.snapshot
                if snapshot is not None and snapshot.ranges and entry.plan.ranges and entry.message.ip:
                    facts = self._with_range(facts, entry.message)
                self._tell(entry, facts)
        self._on_batch()


def _slot_for(part: Plan, message: Message, scan: Scan) -> int | None:
    """Where a part's keys lie; None where there is nothing to ask."""
    scope = part.only[-1]
    if scope == "text":
        return _slot(scan.fingerprint.hex()) if part.repeats and scan.fingerprint else None
    if not part.pieces and part.account is None and not part.repeats:
        return None
    if scope == "global":
        return _slot("global")
    value: str = getattr(message, scope)
    if scope == "ip":
        value = counted(value, part.asks.ipv6_prefix)
    return _slot(value) if value else None
