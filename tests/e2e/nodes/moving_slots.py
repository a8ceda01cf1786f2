"""Hash slots that change their owner while everybody works with them, as ``--cluster reshard`` moves them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from gateway.state.model.keys import slot_of
from tests.e2e.nodes.failing_over import PASSWORD, ClusterPair, StateProcess

AT_ONCE: Final = 10  # keys of one MIGRATE: as valkey-cli does it


class MovingSlots:
    """Of the primaries of a cluster. ``moved``: how many slots have another owner since."""

    def __init__(self, state: ClusterPair) -> None:
        self.moved = 0
        self._primaries = state.nodes[:3]
        self._ids: list[str] = []

    async def begin(self, slot: int) -> tuple[StateProcess, StateProcess]:
        """The slot is on its way, and no key of it yet; from where, and where to."""
        if not self._ids:
            self._ids = [(await one.ask("CLUSTER", "MYID")).decode() for one in self._primaries]
        at = await self._owner(slot)
        there = (at + 1) % len(self._primaries)
        source, target = self._primaries[at], self._primaries[there]
        await target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", self._ids[at])
        await source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", self._ids[there])
        return source, target

    async def carry(self, slot: int, source: StateProcess, target: StateProcess, most: int = 0) -> int:
        """Carry its keys over, or so many of them; how many were."""
        carried = 0
        while not most or carried < most:
            count = min(AT_ONCE, most - carried) if most else AT_ONCE
            names = await source.ask("CLUSTER", "GETKEYSINSLOT", slot, count)
            if not names:
                break
            await source.ask(
                "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "AUTH2", "root", PASSWORD, "KEYS", *names
            )
            carried += len(names)
        return carried

    async def end(self, slot: int, target: StateProcess) -> None:
        """The slot is the other's, which the others hear of first from us."""
        name = self._ids[self._primaries.index(target)]
        await target.ask("CLUSTER", "SETSLOT", slot, "NODE", name)
        for one in self._primaries:
            if one is not target:
                await one.ask("CLUSTER", "SETSLOT", slot, "NODE", name)
        self.moved += 1

    async def move(self, slot: int) -> None:
        """All of it."""
        source, target = await self.begin(slot)
        while await self.carry(slot, source, target):  # until nothing came meanwhile
            pass
        await self.end(slot, target)

    async def go_on(self, slots: Iterable[int], enough: asyncio.Event) -> None:
        """One after the other, round and round."""
        wanted = list(dict.fromkeys(slots))
        while not enough.is_set():
            for slot in wanted:
                await self.move(slot)
                if enough.is_set():
                    break

    async def _owner(self, slot: int) -> int:
        rows = await self._primaries[0].ask("CLUSTER", "SLOTS")
        port = next(int(row[2][1]) for row in rows if row[0] <= slot <= row[1])
        return next(number for number, one in enumerate(self._primaries) if one.port == port)


def slots_of(*values: str) -> list[int]:
    """Where what hangs on these senders, rooms or whatever stands in braces lies."""
    return [slot_of(f"{{{value}}}".encode()) for value in values]
