"""What a worker still knows while state is out of reach: a share of each limit, and the blocks of the last snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from filters.model.limits import Pace, charge, pace_of
from filters.model.message import Message
from filters.model.verdict import Block, Facts
from gateway.state.hot.plan import BLOCKED, Plan
from gateway.state.model.snapshot import LIMITED, Snapshot

LOCAL = "limits:local"
SNAPSHOT = "blocks:snapshot"


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
    """Facts without state. ``snapshot`` is swapped as one reference; None until a first one was read. ``limited``: what
    a block allows that is a limit."""

    __slots__ = ("limited", "limits", "snapshot")

    def __init__(self, limits: LocalLimits) -> None:
        self.limits = limits
        self.limited = LIMITED
        self.snapshot: Snapshot | None = None

    def facts(self, plan: Plan, message: Message, cause: str) -> Facts:
        """Limits as this worker grants them, blocks as the last snapshot has them, everything else missing."""
        missing = dict.fromkeys(plan.names, cause)
        told = []
        limits = plan.zeros
        blocks: tuple[Block, ...] = ()
        if missing.pop("limits", None) is not None:
            limits = self.limits.admit(plan, message)
            told.append(LOCAL)
        if "blocks" in missing and self.snapshot is not None:
            del missing["blocks"]
            blocks = self._blocks(self.snapshot, message)
            told.append(SNAPSHOT)
        return Facts(None, blocks, limits, plan.ones, missing=missing, fallback=tuple(told))

    def _blocks(self, snapshot: Snapshot, message: Message) -> tuple[Block, ...]:
        found = []
        for scope, value in zip(BLOCKED, (getattr(message, scope) for scope in BLOCKED), strict=True):
            block = snapshot.blocks.get((scope, value)) if value else None
            if block is not None:
                biting = self.biting(block, f"{scope}:{value}", message.received_at)
                if biting is not None:
                    found.append(biting)
        return tuple(found)

    def biting(self, block: Block, name: str, now_us: int) -> Block | None:
        """The block where it bites now: not expired (``now_us``: microseconds since the epoch), and, where it is a
        limit, used up."""
        if 0 < block.expires_at * 1_000_000 <= now_us:
            return None
        if not block.limited:
            return block
        wait = self.limits.block_wait(name, self.limited)
        return block._replace(retry_after=wait / 1e6) if wait else None


def nothing(plan: Plan, cause: str) -> Facts:
    """All that was asked is missing."""
    return Facts(None, (), plan.zeros, plan.ones, missing=dict.fromkeys(plan.names, cause))
