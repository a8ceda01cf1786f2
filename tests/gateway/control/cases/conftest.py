"""A database with cases, and people who work on them by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.common.folders import DatabasePlace
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import ControlError
from gateway.control.cases import cases, claims, decisions
from gateway.control.cases.case_states import Move
from gateway.control.cases.cases import Cause
from gateway.control.cases.claims import Claimant
from gateway.control.cases.rows import Case, CaseEvent

S = 1_000_000  # a second in µs
CLAIM = 600 * S
UNDO = 10 * S


class Desk:
    """Cases by hand. ``now`` is the time of everything that is done here, in µs since the epoch."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.now = 1_700_000_000 * S

    def open(self, message: str = "m1", cause: Cause = Cause.HOLD, **more: Any) -> Case:
        given: dict[str, Any] = {"route": "comments", "room": "r1", "sender": "u1", "due_at": self.now + 60 * S}
        given["expires_at"] = self.now + 3600 * S
        return cases.open_case(self.session, message, cause, now=self.now, **{**given, **more})

    def who(self, person: str) -> Claimant:
        """Whose name begins with ``lead`` is one."""
        return claims.claimant(self.session, person, lead=person.startswith("lead"))

    def claim(self, case: Case, person: str = "ann") -> Case:
        """Claimed and read."""
        claims.claim(self.session, case, self.who(person), now=self.now, until=self.now + CLAIM)
        decisions.read(self.session, case, person)
        return case

    def decide(self, case: Case, outcome: str = "approved", person: str = "ann", **more: Any) -> Move:
        given: dict[str, Any] = {"ground": "article 5" if outcome in decisions.GROUNDED else ""}
        given |= {"now": self.now, "undo_us": UNDO, "act_uid": "act-1"}
        return decisions.decide(self.session, case, self.who(person), outcome, **{**given, **more})

    def give_back(self, case: Case, person: str = "ann", how: Move = Move.RELEASE, why: str = "") -> None:
        claims.give_back(self.session, case, person, how, now=self.now, why=why)

    def undo(self, case: Case, person: str = "ann") -> None:
        decisions.undo(self.session, case, self.who(person), now=self.now, until=self.now + CLAIM)

    def finish(self) -> list[int]:
        done = [case.id for case in decisions.effective(self.session, now=self.now)]
        for number in done:
            decisions.finish(self.session, cases.get(self.session, number), now=self.now)
        return done

    def refused(self, what: Any) -> tuple[int, str]:
        with pytest.raises(ControlError) as told:
            what()
        return told.value.status, told.value.reason

    def events(self, case: Case) -> list[str]:
        wanted = select(CaseEvent.event).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)
        return list(self.session.scalars(wanted))


@pytest.fixture
def desk(place: DatabasePlace) -> Iterator[Desk]:
    database = Database(place)
    with Session(database.engine, expire_on_commit=False) as session:
        yield Desk(session)
        session.rollback()
    database.close()
