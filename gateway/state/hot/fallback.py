"""What a worker knows by itself: a share of each limit, the blocks and rooms of the last snapshot, and who was verified
a short while ago. It stands in for state while that is out of reach, and beside it where a key of state's is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from filters.model.limits import Pace, charge, pace_of
from filters.model.message import Message
from filters.model.verdict import OPEN, Block, Facts, RoomFact
from gateway.common.addresses import counted
from gateway.state.hot.plan import BLOCKED, Plan
from gateway.state.hot.verified import Verified
from gateway.state.model.snapshot import LIMITED, ClosedRoom, Snapshot

LOCAL = "limits:local"
BLOCKS = "blocks:snapshot"
ROOM = "room:snapshot"
VERIFIED = "verified:recent"
LATE = "state.deadline"  # the cause that what was verified a short while ago may bridge: state is there, and slow


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1000


class LocalLimits:
    """GCRA in this process. Of each quota a worker grants ``share``; ``bound`` arrival times are remembered."""

    __slots__ = ("_arrivals", "_bound", "_now_us", "_share")

    def __init__(self, share: float, bound: int, now_us: Callable[[], int] = _monotonic_us) -> None:
        self._share = share
        self._bound = bound
        self._now_us = now_us
        self._arrivals: dict[str, int] = {}

    def admit(self, plan: Plan, message: Message) -> tuple[int, ...]:
        """``Facts.limits`` as this worker alone would have it: enforced limits together, shadow ones each alone."""
        vouched = message.vouched
        credit = vouched.level if vouched is not None and vouched.level >= 0 else None
        waits = list(plan.zeros)
        enforced = []
        for counter, key in plan.counted(message):
            limit = counter.limit
            asked = (key, pace_of(limit._replace(quota=max(1, int(limit.quota * self._share))), credit), counter.places)
            if counter.shadow:
                self._charge([asked], waits)
            else:
                enforced.append(asked)
        self._charge(enforced, waits)
        return tuple(waits)

    def block_wait(self, name: str, pace: Pace) -> int:
        """Charge a block that is a limit; returns the wait in microseconds."""
        waits = [0]
        self._charge([(name, pace, (0,))], waits)
        return waits[0]

    def _charge(self, asked: Sequence[tuple[str, Pace, tuple[int, ...]]], waits: list[int]) -> None:
        now = self._now_us()
        arrivals = self._arrivals
        stored = [arrivals.get(key) for key, _, _ in asked]
        told, following = charge(stored, [pace for _, pace, _ in asked], now)
        for (key, _, places), wait, arrival in zip(asked, told, following, strict=True):
            for place in places:
                waits[place] = wait
            if arrival is not None:
                arrivals[key] = arrival
        if len(arrivals) > self._bound:
            self._forget(now)

    def _forget(self, now: int) -> None:
        """Drop what has run out; where that is not enough, the oldest half: their senders begin anew."""
        left = [(key, arrival) for key, arrival in self._arrivals.items() if arrival > now]
        self._arrivals = dict(left[len(left) // 2 :] if len(left) > self._bound // 2 else left)


class Fallback:
    """Facts without state, and beside it. ``snapshot`` is swapped as one reference; None until a first one was read.
    ``limited``: what a block allows that is a limit. ``lost``: messages so far for which the snapshot knew a block or a
    room that state had lost.
    """

    __slots__ = ("limited", "limits", "lost", "snapshot", "verified")

    def __init__(self, limits: LocalLimits, verified: Verified) -> None:
        self.limits = limits
        self.limited = LIMITED
        self.lost = 0
        self.snapshot: Snapshot | None = None
        self.verified = verified

    def facts(self, plan: Plan, message: Message, cause: str) -> Facts:
        """Limits as this worker grants them, blocks and room as the last snapshot has them, everything else missing.

        Who is not in a snapshot that left some out is not innocent for that: the blocks are missing then.
        """
        missing = dict.fromkeys(plan.names, cause)
        told = []
        limits = plan.zeros
        blocks: tuple[Block, ...] = ()
        room = OPEN
        verified = None
        if missing.pop("limits", None) is not None:
            limits = self.limits.admit(plan, message)
            told.append(LOCAL)
        snapshot = self.snapshot
        if snapshot is not None and "blocks" in missing:
            blocks = self._biting(self._standing(plan, snapshot, message, (), ()), message)
            if blocks or snapshot.rows.blocks_whole:
                del missing["blocks"]
                told.append(BLOCKS)
        if snapshot is not None and "room" in missing:
            closed = snapshot.rooms.get(message.room)
            if closed is not None or snapshot.rows.rooms_whole:
                del missing["room"]
                told.append(ROOM)
            if closed is not None:
                room = self._room(closed, message)
        if cause == LATE and "account" in missing:
            verified = self.verified.of(message.sender)
            if verified is not None:
                told.append(VERIFIED)
        return Facts(None, blocks, limits, plan.ones, room, missing, tuple(told), verified)

    def beside(self, plan: Plan, message: Message, facts: Facts, held: Collection[str]) -> Facts:
        """``facts`` as state told them, and what the snapshot knows that state has lost: a missing key is no innocence.

        ``held``: the scopes whose block state holds, whether it bites or not. Between the act that lifts a block and
        the snapshot without it this finds one too much, for the moment that the snapshot takes.
        """
        snapshot = self.snapshot
        assert snapshot is not None
        told: list[str] = []
        if "blocks" in plan.names:
            lost = self._standing(plan, snapshot, message, [block.scope for block in facts.blocks], held)
            if lost:
                facts = facts._replace(blocks=(*facts.blocks, *self._biting(lost, message)))
                told.append(BLOCKS)
        closed = snapshot.rooms.get(message.room) if plan.room else None
        if closed is not None and (facts.room is OPEN or (closed.pace is None and facts.room.status == "slow")):
            facts = facts._replace(room=self._room(closed, message))
            told.append(ROOM)
        if not told:
            return facts
        self.lost += 1
        return facts._replace(fallback=(*facts.fallback, *told))

    def _room(self, closed: ClosedRoom, message: Message) -> RoomFact:
        if closed.pace is None or not message.sender:
            return closed.fact
        wait = self.limits.block_wait(f"slow:{message.room}:{message.sender}", closed.pace)
        return closed.fact._replace(retry_after=wait / 1e6)

    @staticmethod
    def _standing(
        plan: Plan, snapshot: Snapshot, message: Message, told: Collection[str], held: Collection[str]
    ) -> list[tuple[str, Block]]:
        """The snapshot's blocks that have not expired, by name, but for those that state told. A limit that state
        ``held`` is counted there; a wall stands, whatever state holds in its place."""
        found = []
        for scope in BLOCKED:
            if scope not in plan.only or scope in told:
                continue
            value: str = getattr(message, scope)
            if scope == "ip":
                value = counted(value, plan.asks.ipv6_prefix)
            block = snapshot.blocks.get((scope, value)) if value else None
            if block is None or (block.limited and scope in held) or _over(block, message.received_at):
                continue
            found.append((f"{scope}:{value}", block))
        return found

    def _biting(self, standing: list[tuple[str, Block]], message: Message) -> tuple[Block, ...]:
        biting = [self.biting(block, name, message.received_at) for name, block in standing]
        return tuple([block for block in biting if block is not None])

    def biting(self, block: Block, name: str, now_us: int) -> Block | None:
        """The block where it bites now: not expired (``now_us``: microseconds since the epoch), and, where it is a
        limit, used up."""
        if _over(block, now_us):
            return None
        if not block.limited:
            return block
        wait = self.limits.block_wait(name, self.limited)
        return block._replace(retry_after=wait / 1e6) if wait else None


def _over(block: Block, now_us: int) -> bool:
    return 0 < block.expires_at * 1_000_000 <= now_us
