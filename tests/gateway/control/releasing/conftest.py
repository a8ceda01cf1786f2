"""Releases over a real database, with a journal, a platform and a clock of the test's own; any step can be the last."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway import config as configuration
from gateway.config import Config
from gateway.config.sections.routes import Route
from gateway.control.acts.acts import Unit
from gateway.control.acts.neighbours import Row
from gateway.control.holding import adoption, held
from gateway.control.holding.rows import Held, HeldEvent, Release, Ticket
from gateway.control.releasing.journalling import Telling
from gateway.control.releasing.publishing import Published, Ways
from gateway.control.releasing.releases import Releases
from gateway.journal.write.errors import JournalUnavailable
from gateway.parking.parked import ParkedRequest
from gateway.parking.seal import Seal

KEY = bytes(range(32))
SECRET = "c00kie-of-the-sender"
NOW_NS = 1_800_000_000 * 10**9
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


class Killed(BaseException):
    """The process died here."""


def request(message_id: str, **changed: Any) -> ParkedRequest:
    """A parked comment of ``alice`` in ``r1``."""
    made = ParkedRequest(
        message_id, NOW_NS // 1000 - 60_000_000, "comments", "comment", "r1", "alice", ("buy this",), "keyword.match",
        "agreement 3.1",
        ({"check": "keywords", "reason": "keyword.match", "effect": "hold", "ground": "agreement 3.1"},), "digest",
        "POST", "/api/r1/comments",
        (("content-type", "application/json"), ("x-user-id", "alice"), ("cookie", SECRET)),
        b'{"content": "buy this"}',
    )  # fmt: skip
    return made._replace(**changed)


class Platform:
    """Takes what it is asked to publish. ``says``: in order, then the last again; ``honours``: the key."""

    def __init__(self) -> None:
        self.shown: list[str] = []  # ids of held messages, as often as they were published
        self.asked: list[tuple[str, str]] = []
        self.texts: list[tuple[str, ...] | None] = []
        self.honours = True
        self.publishes = True
        self.retry_for = 900.0
        self.says: list[Published] = [Published("delivered", 201, "", "77")]
        self.on_ask: Callable[[str], None] = lambda when: None

    def ways(self, parked: ParkedRequest) -> Ways:
        return Ways(self.publishes, self.honours, self.retry_for)

    def route(self, name: str) -> Route:
        return Route.model_construct(surface=None)

    async def publish(self, parked: ParkedRequest, release_id: str, texts: tuple[str, ...] | None) -> Published:
        self.on_ask("before")
        self.asked.append((parked.id, release_id))
        self.texts.append(texts)
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if said.became == "delivered" and not (self.honours and parked.id in self.shown):
            self.shown.append(parked.id)
        self.on_ask("after")
        return said


class Bench:
    """``journal``: its records. ``kill_at``: how many steps more the process lives; None for ever."""

    Killed = Killed

    def __init__(self, plant: Any) -> None:
        self.plant = plant
        self.platform = Platform()
        self.journal: list[Row] = []
        self.ns = NOW_NS
        self.seal = Seal(KEY)
        self.ids = (f"release-{number:03}" for number in itertools.count(1))
        self.journal_down = False
        self.config: Config = configuration.load(self._file(TOML))
        self.kill_at: int | None = None
        self.platform.on_ask = lambda when: self.lives()
        self.open()

    def _file(self, text: str) -> Path:
        path: Path = self.plant.folder / "tidegate.toml"
        path.write_text(text)
        return path

    def lives(self) -> None:
        """One step of the process is done, or about to be."""
        if self.kill_at is not None:
            self.kill_at -= 1
            if self.kill_at < 0:
                raise Killed

    def open(self) -> None:
        database = self.plant.database
        run = type(database).run

        async def killable(work: Any, committed: Any = None) -> Any:
            self.lives()
            result = await run(database, work, committed)
            self.lives()
            return result

        database.run = killable
        self.telling = Telling(database, self.record)
        self.releases = Releases(
            self.plant.ledger, self.platform, self.telling, lambda: self.seal, lambda: self.config,
            ids=lambda: next(self.ids), record=self.record, holds=self.holds, clock=lambda: self.ns,
        )  # fmt: skip

    async def restart(self) -> None:
        """A process that died is followed by another; its journal calls what it finds open unknown."""
        self.kill_at = None
        await self.plant.restart()
        done = {row["id"] for row in self.journal if row["kind"] == "outcome"}
        for row in list(self.journal):
            if row["kind"] == "judged" and row["id"] not in done:
                done.add(row["id"])
                self.journal.append({"kind": "outcome", "id": row["id"], "state": "unknown", "reason": "worker.lost"})
        self.open()

    async def record(self, row: Row) -> None:
        self.lives()
        if self.journal_down:
            raise JournalUnavailable("journal.unavailable")
        self.journal.append(dict(row))
        self.lives()

    async def holds(self, message_id: str) -> bool:
        return any(row["kind"] == "judged" and row["id"] == message_id for row in self.journal)

    # What people and time do

    def park(self, message_id: str, **changed: Any) -> None:
        made = request(message_id, **changed)
        sealed = self.seal.seal(message_id, made.encode())
        self.plant.database.now(
            lambda session: adoption.adopt(
                session, [adoption.Parked(made, sealed)], self.ns // 1000, lambda _surface: 72 * 3_600_000_000
            )
        )

    async def act(self, work: Callable[[Unit], Any]) -> Any:
        done = await self.plant.ledger.act("li", "read it", "review.decide", "message:x", work, settle=False)
        return done.result

    async def approve(self, message_id: str, texts: Sequence[str] | None = None, undo: float = 0.0) -> None:
        now = self.ns // 1000
        await self.act(lambda unit: held.approve(unit, message_id, texts, now + round(undo * 1e6), now))

    async def step(self, seconds: float = 0.0) -> bool:
        self.ns += round(seconds * 1e9)
        return await self.releases.step()

    async def settle(self, steps: int = 60, seconds: float = 30.0) -> None:
        """Go on until nothing is due for a while."""
        for _ in range(steps):
            if not await self.step():
                if self.next_due() is None:
                    break
                self.ns += round(seconds * 1e9)
        await self.telling.step()

    def next_due(self) -> int | None:
        moving = select(Held.due_at).where(Held.due_at > 0)
        return self.plant.database.now(lambda session: session.scalar(moving))

    def row(self, message_id: str) -> Held:
        return self.plant.database.now(lambda session: session.get_one(Held, message_id))

    def state(self, message_id: str) -> str:
        return self.row(message_id).state

    def events(self, message_id: str) -> list[str]:
        def work(session: Any) -> list[str]:
            return [row.event for row in held.trace(session, message_id)]

        return self.plant.database.now(work)

    def rows(self, kind: type[Any]) -> list[Any]:
        return self.plant.database.now(lambda session: session.scalars(select(kind)).all())

    def told(self, kind: str) -> list[Row]:
        return [row for row in self.journal if row["kind"] == kind]

    def became(self, release_id: str) -> list[str]:
        return [row["state"] for row in self.journal if row["kind"] == "outcome" and row["id"] == release_id]

    @property
    def tickets(self) -> list[Ticket]:
        return self.rows(Ticket)

    @property
    def tried(self) -> list[Release]:
        return self.rows(Release)

    @property
    def trace(self) -> list[HeldEvent]:
        return self.rows(HeldEvent)


@pytest.fixture
async def bench(plant: Any) -> Bench:
    return Bench(plant)
