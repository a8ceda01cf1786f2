"""Appeals by hand, and the messages of a journal that a test writes itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.rows import Model
from gateway.control.appeals import appeals
from gateway.control.appeals.admissibility import AppealedDecision
from gateway.control.appeals.appeal_states import AppealMove
from gateway.control.appeals.appealed_messages import JudgedMessage
from gateway.control.appeals.rows import Appeal
from gateway.control.cases import claims, decisions
from gateway.control.cases.claims import Claimant
from gateway.control.features import GOVERNANCE

S = 1_000_000  # a second in µs
NOW = 1_800_000_000 * S
CODE = "0123456789"

FINDING: dict[str, Any] = {
    "check": "keywords", "reason": "keyword.match", "effect": "reject", "ground": "agreement 3.1", "category": "spam",
    "list": "spam", "field": 0, "spans": [[0, 3]],
}  # fmt: skip
PLAIN = JudgedMessage("m1", NOW - 60 * S, "comments", "r1", "u1", "reject", (FINDING,), ("buy it",), "")
DECISION = AppealedDecision(
    "m1", NOW - 60 * S, "comments", "r1", "u1", "refused", "keywords", "keyword.match", "agreement 3.1", "spam",
    False, ("buy it",), "",
)  # fmt: skip


class Messages:
    """By code; a text's digest is its first letter sixteen times."""

    def __init__(self) -> None:
        self.by_code: dict[str, list[JudgedMessage]] = {CODE: [PLAIN]}
        self.down = False
        self.elsewhere = False

    async def find(self, code: str) -> Sequence[JudgedMessage]:
        if self.down:
            raise OSError
        return self.by_code.get(code, ())

    async def texts(self, message_id: str) -> Sequence[str] | None:
        if self.down:
            raise OSError
        found = [one for several in self.by_code.values() for one in several if one.id == message_id]
        return found[0].texts if found else None

    async def here(self, message_id: str) -> bool:
        return not self.elsewhere

    def print(self, texts: Sequence[str]) -> str:
        return texts[0][:1] * 16


class Hand:
    """``now`` is the time of everything that is done here, in µs since the epoch."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.now = NOW
        self.redressed: list[int] = []

    def file(self, decision: AppealedDecision = DECISION, how: AppealMove = AppealMove.FILE, **more: Any) -> Appeal:
        given: dict[str, Any] = {
            "code": CODE, "statement": "It was a question", "texts": None, "proved": True, "language": "en",
            "due_at": self.now + 3600 * S, "barred": decision.parties,
        }  # fmt: skip
        return appeals.file(self.session, decision, how, now=self.now, **{**given, **more})

    def who(self, person: str) -> Claimant:
        return claims.claimant(self.session, person, lead=person.startswith("lead"))

    def claim(self, row: Appeal, person: str = "ann") -> None:
        case = appeals.case_of(self.session, row)
        assert case is not None
        claims.claim(self.session, case, self.who(person), now=self.now, until=self.now + 600 * S)
        decisions.read(self.session, case, person)

    def decide(self, row: Appeal, outcome: str, person: str = "ann", undo_us: int = 10 * S) -> None:
        ground = "agreement 3.1" if outcome == "rejected" else ""
        appeals.decide(
            self.unit(), row, self.who(person), outcome, ground=ground, answer="Because.", seen=None, now=self.now,
            undo_us=undo_us,
        )  # fmt: skip

    def settle(self) -> None:
        for one in appeals.due(self.session, now=self.now):
            appeals.settle(self.unit(), one.number, self._redress, now=self.now)

    def unit(self) -> Unit:
        return Unit(self.session, GOVERNANCE, "act-1", "ann")

    def _redress(self, _unit: Unit, row: Appeal, _entered: Any, _now: int) -> str:
        self.redressed.append(row.id)
        return "none"


def session() -> Session:
    engine = create_engine("sqlite://")
    Model.metadata.create_all(engine)
    return Session(engine, expire_on_commit=False)


@pytest.fixture
def hand() -> Iterator[Hand]:
    made = session()
    yield Hand(made)
    made.close()


@pytest.fixture
def messages() -> Messages:
    return Messages()
