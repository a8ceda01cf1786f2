"""Calls over a real database, with receivers that say what a test wants, and a clock of the test's own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from gateway import config as configuration
from gateway.config import Config
from gateway.control.acts.acts import Unit
from gateway.control.callbacks.call_posting import Posted
from gateway.control.callbacks.callback_sender import CallbackSender
from gateway.control.callbacks.receivers import CallTarget
from gateway.control.callbacks.rows import Callback
from gateway.control.cases.cases import open_of
from gateway.control.holding import adoption, held
from gateway.control.holding.rows import Release
from gateway.parking.parked import ParkedRequest
from gateway.parking.seal import Seal

NOW_NS = 1_800_000_000 * 10**9
MINUTE = 60.0
TAKEN = Posted(200)
TOML = """
[upstreams.platform]
servers = ["http://127.0.0.1:9"]

[policies.p]
appeal = "off"
rules = [
  { check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" },
]

[[routes]]
name = "comments"
match = "POST /api/{room}/comments"
surface = "comment"
upstream = "platform"
policy = "p"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""
PLATFORM = """
[[callbacks]]
name = "platform"
url = "http://127.0.0.1:9/hook"
secret = "0123456789abcdef"
"""
ON_CALL = """
[desk.on_call]
url = "http://127.0.0.1:9/robot"
categories = ["minors"]
"""


class Made:
    """A call as its receiver got it."""

    def __init__(self, target: CallTarget, data: bytes, fields: dict[str, str]) -> None:
        self.target = target
        self.data = data
        self.fields = fields
        self.body: dict[str, Any] = orjson.loads(data)

    @property
    def event(self) -> str:
        return self.fields["Tidegate-Event"]


class Switchboard:
    """The sender under test, and everybody whom it calls. ``says``: by receiver, what it answers, in order, then the
    last again; ``holds``: receivers that answer only once they are let go."""

    def __init__(self, plant: Any) -> None:
        self.plant = plant
        self.ns = NOW_NS
        self.calls: list[Made] = []
        self.says: dict[str, list[Posted]] = {}
        self.holds: dict[str, asyncio.Event] = {}
        self.seal = Seal(bytes(range(32)))
        self.ids = (f"call-{number:04}" for number in itertools.count(1))
        self.config: Config = self.read(PLATFORM)
        self.open()

    def open(self) -> None:
        self.sender = CallbackSender(
            self.plant.database, lambda: self.config, self, ids=lambda: next(self.ids), clock=lambda: self.ns,
            jitter=lambda: 1.0,
        )  # fmt: skip

    def read(self, more: str) -> Config:
        path = self.plant.folder / "tidegate.toml"
        path.write_text(TOML + more, encoding="utf-8")
        return configuration.load(path, environ={})

    def configure(self, more: str) -> None:
        self.config = self.read(more)

    async def restart(self) -> None:
        await self.plant.restart()
        self.open()

    # As the receivers

    async def post(self, target: CallTarget, data: bytes, fields: dict[str, str], now_s: float) -> Posted:
        self.calls.append(Made(target, data, fields))
        if target.name in self.holds:
            await self.holds[target.name].wait()
        says = self.says.get(target.name, [TAKEN])
        return says.pop(0) if len(says) > 1 else says[0]

    async def close(self) -> None:
        """Nothing is open."""

    # What happens

    @property
    def now(self) -> int:
        return self.ns // 1000

    async def step(self, seconds: float = 0.0) -> list[Made]:
        """The calls that are made now."""
        self.ns += round(seconds * 1e9)
        before = len(self.calls)
        await asyncio.gather(*await self.sender.step())
        return self.calls[before:]

    async def until(self, done: Callable[[], bool], seconds: float = 1.0, steps: int = 200) -> int:
        """Go on until something holds; after how many steps."""
        for number in range(steps):
            if done():
                return number
            await self.step(seconds)
        raise AssertionError("it did not come to that")

    def park(self, message_id: str, category: str = "spam", **changed: Any) -> None:
        made = ParkedRequest(
            message_id, self.now - 60_000_000, "comments", "comment", "r1", "alice", ("buy this",), "keyword.match",
            "agreement 3.1",
            ({"check": "keywords", "reason": "keyword.match", "effect": "hold", "category": category},), "digest",
            "POST", "/api/r1/comments", (("content-type", "application/json"),), b'{"content": "buy this"}',
        )._replace(**changed)  # fmt: skip
        sealed = self.seal.seal(message_id, made.encode())
        parked = [adoption.Parked(made, sealed)]
        self.plant.database.now(
            lambda session: adoption.adopt(session, parked, self.now, lambda _surface: 72 * 3_600_000_000)
        )

    async def act(self, work: Callable[[Unit], Any]) -> Any:
        done = await self.plant.ledger.act("li", "read it", "review.decide", "message:x", work, settle=False)
        return done.result

    async def approve(self, message_id: str, outcome: str = "approved") -> None:
        def work(unit: Unit) -> None:
            case = open_of(unit.session, message_id)
            assert case is not None
            case.outcome = outcome
            held.approve(unit, message_id, None, self.now, self.now)

        await self.act(work)

    async def refuse(self, message_id: str) -> None:
        await self.act(lambda unit: held.refuse(unit, message_id, "review.refused", "agreement 3.1", self.now))

    def move(self, message_id: str, *events: str, **values: Any) -> None:
        """As a task of releasing does."""

        def work(session: Any) -> None:
            for event in events:
                held.move(session, held.of(session, message_id), event, self.now, **values)

        self.plant.database.now(work)

    def release(self, message_id: str, state: str, upstream_id: str = "") -> None:
        def work(session: Any) -> None:
            name = f"release-{message_id}"
            session.add(Release(id=name, message_id=message_id, at=self.now, state=state, upstream_id=upstream_id))
            held.of(session, message_id).release = name

        self.plant.database.now(work)

    @property
    def rows(self) -> list[Callback]:
        return self.plant.database.now(lambda session: session.scalars(select(Callback).order_by(Callback.id)).all())

    def told(self) -> list[tuple[str, str]]:
        """Event and state of every call there is."""
        return [(row.event, row.state) for row in self.rows]


@pytest.fixture
async def board(plant: Any) -> Switchboard:
    made = Switchboard(plant)
    await made.step()  # whoever is new hears of what happens from then on
    return made
