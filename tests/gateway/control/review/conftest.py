"""People at the desk, each with a token of their own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from gateway.control.access.roles import Role
from gateway.control.acts.acts import SYSTEM, Intent, perform
from gateway.control.acts.rows import Act
from gateway.control.cases import cases
from gateway.control.cases.cases import Cause
from gateway.control.features import GOVERNANCE
from gateway.control.people import people
from gateway.control.review.neighbours import CaseText

S = 1_000_000
TEXT = "buy gold here"
FINDING = {"check": "keywords", "reason": "keywords.match", "field": 0, "spans": [[4, 8]], "category": "fraud"}


class Room:
    """``tokens`` by name; ``status`` of the last call."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.plant = api.plant
        self.desk = api.plant.desk
        self.tokens: dict[str, str] = {"admin": api.token}
        self.status = 0
        for name, role in (("ann", Role.REVIEWER), ("bob", Role.REVIEWER), ("lea", Role.LEAD), ("vic", Role.VIEWER)):
            self.add(name, role)

    def add(self, name: str, *roles: Role) -> None:
        token = self.tokens[name] = people.new_token()
        intent = Intent(self.plant.ids(), SYSTEM, "r", "person.add", f"person:{name}")
        self.plant.database.now(
            lambda session: perform(session, intent, lambda unit: people.add(unit, name, token, roles), GOVERNANCE)
        )
        self.plant.people.refresh(self.plant.database.now(people.callers))

    def open(self, message: str = "m1", cause: Cause = Cause.HOLD, **more: Any) -> int:
        """A case with a text in which a word was found; its number."""
        now = self.desk.now
        given = {"route": "comments", "room": "r1", "sender": "u1", "due_at": now, "expires_at": now + 3600 * S}
        given |= {"category": "fraud", "reason": "keywords.match", "fingerprint": "f" * 16} | more
        case = self.plant.database.now(lambda session: cases.open_case(session, message, cause, now=now, **given))
        self.desk.texts[case.id] = CaseText((TEXT,), None, (FINDING,))
        return int(case.id)

    async def __call__(self, who: str, method: str, path: str, body: Any = None, **query: Any) -> Any:
        more = {"json": body} if body is not None else {}
        answer = await self.api(method, f"/v1/review{path}", token=self.tokens[who], params=query, **more)
        self.status = self.api.status
        return answer

    async def claim(self, who: str, *numbers: int) -> Any:
        return await self(who, "POST", "/cases:claim", {"cases": list(numbers)})

    async def do(self, who: str, number: int, what: str, **body: Any) -> Any:
        return await self(who, "POST", f"/cases/{number}:{what}", body)

    async def later(self, seconds: float) -> None:
        self.desk.now += round(seconds * S)
        await self.plant.review.look()

    def acts(self) -> list[tuple[str, str, str, str]]:
        """Person, kind, subject, reason of each act of the desk."""
        wanted = select(Act).where(Act.kind.like("case.%")).order_by(Act.id)
        found: list[tuple[str, str, str, str]] = self.plant.database.now(
            lambda session: [(act.person, act.kind, act.subject, act.reason) for act in session.scalars(wanted)]
        )
        return found


@pytest.fixture
def room(api: Any) -> Room:
    return Room(api)
