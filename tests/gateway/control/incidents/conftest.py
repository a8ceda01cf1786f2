"""Incidents over the API, with messages that they held and people who decide."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from gateway.control.access.roles import Role
from gateway.control.acts.acts import SYSTEM, Intent, perform
from gateway.control.cases import cases
from gateway.control.cases.cases import Cause
from gateway.control.cases.rows import Case
from gateway.control.features import GOVERNANCE
from gateway.control.holding import adoption, held_states
from gateway.control.holding.rows import Held
from gateway.control.incidents.incident_states import IncidentEnds
from gateway.control.people import people
from gateway.parking.parked import ParkedRequest

S = 1_000_000
GIVEN = {"scope": "all", "hold": True, "seconds": 600, "reason": "rumours", "ground": "order 4"}


class Emergency:
    """``tokens`` by name; ``status`` of the last call; ``now`` is the desk's."""

    def __init__(self, api: Any, *, people_too: bool = True) -> None:
        self.api = api
        self.plant = api.plant
        self.status = 0
        self.tokens: dict[str, str] = {}
        self.on_call = True
        for name, role in (("ann", Role.REVIEWER), ("lea", Role.LEAD), ("vic", Role.VIEWER)) if people_too else ():
            token = self.tokens[name] = people.new_token()
            intent = Intent(self.plant.ids(), SYSTEM, "r", "person.add", f"person:{name}")
            self.plant.database.now(
                lambda session, i=intent, n=name, t=token, r=role: perform(
                    session, i, lambda unit: people.add(unit, n, t, (r,)), GOVERNANCE
                )
            )
        if people_too:
            self.plant.people.refresh(self.plant.database.now(people.callers))
        self.ends = IncidentEnds(
            self.plant.ledger, lambda: self.on_call, lambda: self.now * 1000, lambda: self.now * 1000
        )

    @property
    def now(self) -> int:
        return int(self.plant.desk.now)

    def later(self, seconds: float) -> None:
        self.plant.desk.now += round(seconds * S)

    async def __call__(self, method: str, path: str, body: Any = None, who: str = "lea", **query: Any) -> Any:
        more = {"json": body} if body is not None else {}
        answer = await self.api(method, f"/v1/incidents{path}", token=self.tokens[who], params=query, **more)
        self.status = self.api.status
        return answer

    async def begin(self, **changed: Any) -> int:
        done = await self("POST", "", {**GIVEN, **changed})
        assert self.status in (200, 202), done
        return int(done["result"]["id"])

    def hold(self, message_id: str, incident: int, **changed: Any) -> Case:
        """A message that this incident held, as it is taken over from a spool; 0: something else held it."""
        reason = "incident.held" if incident else "review.required"
        finding = {"check": "incident", "reason": reason, "effect": "hold", "detail": {"incident": incident}}
        request = ParkedRequest(
            message_id, self.now, "comments", "comment", "r1", "alice", ("text",), reason, "order 4", (finding,),
            "digest", "POST", "/x", (), b"{}",
        )  # fmt: skip
        parked = [adoption.Parked(request._replace(**changed), b"sealed")]
        database = self.plant.database
        database.now(lambda session: adoption.adopt(session, parked, self.now, lambda _surface: 3600 * S))
        return database.now(lambda session: session.scalars(select(Case).where(Case.message_id == message_id)).one())

    def claimed(self, case: Case, who: str = "ann") -> None:
        """Somebody has it, for an hour."""

        def work(session: Any) -> None:
            row = session.get_one(Case, case.id)
            row.state, row.claimed_by, row.claimed_until = "claimed", who, self.now + 3600 * S

        self.plant.database.now(work)

    def complained(self, case: Case) -> None:
        """Something else came up about it."""
        self.plant.database.now(
            lambda session: cases.open_case(
                session, case.message_id, Cause.COMPLAINT, now=self.now, route="comments", room="r1", sender="alice",
                due_at=self.now, reference="7",
            )
        )  # fmt: skip

    def states(self) -> dict[str, str]:
        """Of all held messages."""
        return self.plant.database.now(
            lambda session: {row.message_id: row.state for row in session.scalars(select(Held))}
        )

    def waiting(self) -> list[str]:
        return sorted(name for name, state in self.states().items() if state == held_states.HELD)


@pytest.fixture
def emergency(api: Any) -> Emergency:
    return Emergency(api)
