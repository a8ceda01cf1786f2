"""What governs a message while its slot is on its way from one node of a cluster to another: asked key by key.

Until all keys of a slot have been carried over neither node answers a call with several of them (TRYAGAIN), and an
operator may leave a slot so for minutes. A question about one key is answered: by the old owner where it has the key,
and else (ASK) by the new one, which has it or knows that there is none. Of all keys the epoch's is read last: a
rebuild removes what it replaces only behind the switch, so what was found under an epoch in force was true.

Limits and slow rooms are counted by the worker meanwhile, as where state is away; repeats are missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from filters.model.limits import pace
from filters.model.verdict import Facts, RoomFact
from gateway.state.hot import replies
from gateway.state.hot.fallback import LOCAL, Fallback
from gateway.state.hot.flight import AdmitBatch, Pending

Found: TypeAlias = bytes | None
Told: TypeAlias = Callable[[Found], None]
Failed: TypeAlias = Callable[[str], None]
Ask: TypeAlias = Callable[[int, str, Told, Failed], None]

SEPARATOR: Final = "."


class KeyByKey:
    """The keys of one batch. ``then`` is called once: with a cause where one of them could not be asked, else with
    nothing; ``values`` hold them then, of each message by the kind of fact, and ``epoch`` what its key said."""

    def __init__(self, batch: AdmitBatch, ask: Ask, then: Callable[[KeyByKey, str], None]) -> None:
        self.batch = batch
        self.epoch: Found = None
        self.values: list[dict[str, Found]] = [{} for _ in batch.entries]
        self._ask = ask
        self._then = then
        self._left = 1  # the last one is the epoch's
        self._over = False

    def begin(self) -> None:
        """Ask for all of them."""
        asked = [
            (number, kind, key)
            for number, entry in enumerate(self.batch.entries)
            for kind, key in entry.plan.governing(entry.message)
        ]
        self._left += len(asked)
        for number, kind, key in asked:
            self._one(number, kind, key)
        self._done()

    def _one(self, number: int, kind: str, key: str) -> None:
        def told(found: Found) -> None:
            self.values[number][kind] = found
            self._done()

        self._ask(self.batch.slot, key, told, self._failed)

    def _done(self) -> None:
        self._left -= 1
        if self._left == 0 and not self._over:
            key = self.batch.entries[0].plan.keys.epoch_at(self.batch.slot)
            self._ask(self.batch.slot, key, self._ended, self._failed)

    def _ended(self, found: Found) -> None:
        if not self._over:
            self._over = True
            self.epoch = found
            self._then(self, "")

    def _failed(self, cause: str) -> None:
        if not self._over:
            self._over = True
            self._then(self, cause)


def facts(fallback: Fallback, entry: Pending, values: dict[str, Found], cause: str) -> Facts:
    """Of one message. ``cause``: why what cannot be asked so is missing. Raises ``Unreadable``."""
    plan, message = entry.plan, entry.message
    told = Facts(None, (), plan.zeros, plan.ones)
    if "limits" in plan.names:
        told = told._replace(limits=fallback.limits.admit(plan, message), fallback=(LOCAL,))
    if "repeats" in plan.names and entry.scan.fingerprint:
        told = told._replace(missing={"repeats": cause})
    if (stored := values.get("account")) is not None:
        told = told._replace(account=replies.account(stored))
    if (stored := values.get("room")) is not None:
        told = told._replace(room=_room(fallback, replies.room(stored), stored, f"{message.room}:{message.sender}"))
    blocks = []
    for kind, value in values.items():
        scope = kind.partition(SEPARATOR)[2]
        if scope and value is not None:
            block = replies.block(scope, value)
            name = f"{scope}:{getattr(message, scope)}"
            biting = fallback.biting(block, name, message.received_at)
            if biting is not None:
                blocks.append(biting)
    told = told._replace(blocks=tuple(blocks))
    if fallback.snapshot is None:
        return told
    held = frozenset(kind.partition(SEPARATOR)[2] for kind, value in values.items() if value is not None)
    return fallback.beside(plan, message, told, held)


def _room(fallback: Fallback, room: RoomFact, stored: bytes, name: str) -> RoomFact:
    if room.status != "slow":
        return room
    interval = int(stored.split(b" ")[1])
    return room._replace(retry_after=fallback.limits.block_wait(f"slow:{name}", pace(1, interval)) / 1e6)
