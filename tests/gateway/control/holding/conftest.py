"""Held messages over a real database, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.control.acts.acts import Unit
from gateway.control.holding import adoption, held
from gateway.control.holding.rows import Held
from gateway.parking.parked import ParkedRequest
from gateway.parking.seal import Seal

NOW_NS = 1_800_000_000 * 10**9
ID = "01a20094-b11c-7000-8001-0054a58fe235"


class Holding:
    """``park`` adopts a message of ``alice`` in ``r1``; ``ns`` is what time it is."""

    def __init__(self, plant: Any) -> None:
        self.plant = plant
        self.ns = NOW_NS
        self.seal = Seal(bytes(range(32)))
        self.id = ID

    @property
    def now(self) -> int:
        return self.ns // 1000

    def request(self, message_id: str = ID, **changed: Any) -> ParkedRequest:
        made = ParkedRequest(
            message_id, self.now, "comments", "comment", "r1", "alice", ("buy this",), "keyword.match", "agreement 3.1",
            ({"check": "keywords", "reason": "keyword.match", "effect": "hold", "category": "spam"},), "digest",
            "POST", "/api/r1/comments", (("content-type", "application/json"), ("cookie", "s3cret-cookie")),
            b'{"content": "buy this"}', fingerprint=bytes.fromhex("0123456789abcdef"),
        )  # fmt: skip
        return made._replace(**changed)

    def park(self, message_id: str = ID, expires: float = 3600.0, **changed: Any) -> None:
        made = self.request(message_id, **changed)
        sealed = self.seal.seal(message_id, made.encode())
        parked = [adoption.Parked(made, sealed)]
        self.plant.database.now(
            lambda session: adoption.adopt(session, parked, self.now, lambda _surface: round(expires * 1e6))
        )

    async def act(self, work: Callable[[Unit], Any]) -> Any:
        done = await self.plant.ledger.act("li", "read it", "review.decide", "message:x", work, settle=False)
        return done.result

    def row(self, message_id: str = ID) -> Held:
        return self.plant.database.now(lambda session: session.get_one(Held, message_id))

    def put(self, **values: Any) -> None:
        """Set columns of the message, as a task would have."""

        def work(session: Any) -> None:
            for name, value in values.items():
                setattr(session.get_one(Held, ID), name, value)

        self.plant.database.now(work)

    def trace(self, message_id: str = ID) -> list[Any]:
        return self.plant.database.now(lambda session: list(held.trace(session, message_id)))

    def events(self, message_id: str = ID) -> list[str]:
        return self.plant.database.now(lambda session: [row.event for row in held.trace(session, message_id)])


@pytest.fixture
async def holding(plant: Any) -> Holding:
    return Holding(plant)
