"""What an appellant does by a code: seen, filed once, proved, withdrawn; and what is no appeal."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.config.sections.review.appeal_terms import AppealTerms
from gateway.control.accounts import credit_entries
from gateway.control.accounts.rows import Account
from gateway.control.acts.refusal import ControlError
from gateway.control.appeals import appeals
from gateway.control.appeals.admissibility import AppealRefused
from gateway.control.appeals.filing import AppealDesk, AppealGiven
from gateway.control.cases import claims, decisions
from gateway.control.cases.claims import Claimant
from gateway.control.holding.rows import Ticket
from gateway.control.takedowns.rows import Takedown
from gateway.judging.resending import digest
from tests.gateway.control.appeals.conftest import CODE, FINDING, NOW, PLAIN, Messages, S

GIVEN = AppealGiven(CODE, "It was a question")
LIMIT = PLAIN._replace(findings=({**FINDING, "check": "limit", "reason": "limit.sender"},))


class FakeRestoring:
    """Brings back whatever it is asked for, by ``way``; refuses where that is none."""

    def __init__(self) -> None:
        self.way = "publish"
        self.restored: list[tuple[int, Any, tuple[str, ...]]] = []
        self.is_kept = True

    async def kept(self, message_id: str) -> Any:
        return f"kept {message_id}" if self.is_kept else None

    def restore(self, unit: Any, takedown: int, kept: Any, entered: Any) -> Any:
        if not self.way:
            raise ControlError(409, "control.takedown_open", "no")
        self.restored.append((takedown, kept, tuple(entered)))
        return SimpleNamespace(way=self.way)


class Made:
    """``now`` in µs since the epoch."""

    def __init__(self, plant: Any, messages: Messages) -> None:
        self.plant = plant
        self.messages = messages
        self.now = NOW
        self.terms: AppealTerms | None = AppealTerms.model_validate({"undo": "0s"})
        self.told: list[Any] = []
        self.journal_down = False
        self.restoring = FakeRestoring()
        restoring: Any = self.restoring
        self.desk = AppealDesk(
            plant.ledger, messages, lambda: self.terms, self.record, lambda: self.now * 1000, restoring=restoring
        )

    async def record(self, row: Any) -> None:
        if self.journal_down:
            raise OSError
        self.told.append(dict(row))

    def decide(self, outcome: str, person: str = "ann") -> None:
        def work(session: Any) -> None:
            row = appeals.get(session, 1)
            case = appeals.case_of(session, row)
            assert case is not None
            who = Claimant(person, False, frozenset())
            claims.claim(session, case, who, now=self.now, until=self.now + S)
            decisions.read(session, case, person)
            ground = "g" if outcome == "rejected" else ""
            decisions.decide(session, case, who, outcome, ground=ground, now=self.now, undo_us=0, act_uid="a")
            row.answer = "Because."

        self.plant.database.now(work)


@pytest.fixture
def made(plant: Any, messages: Messages) -> Made:
    return Made(plant, messages)


async def refused(made: Made, given: AppealGiven = GIVEN) -> str:
    with pytest.raises(AppealRefused) as error:
        await made.desk.file(given)
    return error.value.reason


async def test_seen_before_it_is_filed(made: Made) -> None:
    told = await made.desk.see(AppealGiven(CODE.lower()))
    assert (told.state, told.reason, told.ground) == ("", "keyword.match", "agreement 3.1")
    assert told.file_until == PLAIN.at + 60 * 86_400 * S
    assert not told.text_needed


async def test_filed_once_whoever_asks_how_often(made: Made) -> None:
    told = await asyncio.gather(*(made.desk.file(GIVEN) for _ in range(5)))
    assert {one.state for one in told} == {"waiting"}
    assert len({one.filed_at for one in told}) == 1
    assert (await made.desk.see(GIVEN)).answer_by == NOW + 15 * 86_400 * S


async def test_an_appeal_needs_a_reason_unless_it_is_only_explained(made: Made) -> None:
    assert await refused(made, AppealGiven(CODE)) == "appeal.statement_missing"
    made.messages.by_code[CODE] = [LIMIT]
    assert (await made.desk.file(AppealGiven(CODE))).state == "explained"
    assert (await made.desk.file(GIVEN)).state == "explained"
    assert (await made.desk.file(GIVEN, insist=True)).state == "waiting"
    assert (await made.desk.file(GIVEN, insist=True)).state == "waiting"


async def test_insisting_at_once(made: Made) -> None:
    made.messages.by_code[CODE] = [LIMIT]
    assert (await made.desk.file(AppealGiven(CODE), insist=True)).state == "waiting"


async def test_decided_and_told_once_it_has_taken_effect(made: Made) -> None:
    await made.desk.file(GIVEN)
    made.decide("rejected")
    assert (await made.desk.see(GIVEN)).answer == ""
    await made.desk.look()
    told = await made.desk.see(GIVEN)
    assert (told.state, told.answer, told.answer_ground) == ("rejected", "Because.", "g")
    with pytest.raises(AppealRefused):
        await made.desk.withdraw(GIVEN)


async def test_upheld_is_one_act_with_what_follows(made: Made) -> None:
    await made.desk.file(GIVEN)
    made.decide("upheld")
    await made.desk.look()
    await made.desk.look()
    assert (await made.desk.see(GIVEN)).redress == "ticket"
    (ticket,) = made.plant.database.now(lambda session: session.scalars(select(Ticket)).all())
    assert (ticket.message_id, ticket.sender, ticket.room, ticket.state) == ("m1", "u1", "r1", "open")
    assert ticket.digest == digest(["buy it"])
    made.plant.relay.start()
    await made.plant.relay.settled(1, 5.0)
    assert [act["kind"] for act in made.plant.journal.records] == ["appeal.settle"]


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"findings": ({**FINDING, "check": "block", "reason": "block.sender"},)}, "upheld"),
        ({"verdict": "pass", "findings": ({**FINDING, "effect": "mask"},)}, "upheld"),
        ({}, "partly"),
        ({}, "rejected"),
    ],
)
async def test_where_a_ticket_makes_no_sense_there_is_none(made: Made, changed: dict[str, Any], outcome: str) -> None:
    made.messages.by_code[CODE] = [PLAIN._replace(**changed)]
    await made.desk.file(GIVEN._replace(text="buy it"))
    made.decide(outcome)
    await made.desk.look()
    assert (await made.desk.see(GIVEN)).redress == ("" if outcome == "rejected" else "none")
    assert made.plant.database.now(lambda session: session.scalars(select(Ticket)).all()) == []


async def test_a_decision_waits_for_a_journal_that_cannot_be_read(made: Made) -> None:
    await made.desk.file(GIVEN)
    made.decide("upheld")
    made.messages.down = True
    await made.desk.look()
    assert (await made.desk.see(GIVEN)).state == "waiting"
    made.messages.down = False
    await made.desk.look()
    assert (await made.desk.see(GIVEN)).redress == "ticket"


async def test_overdue_is_told_to_the_log_once(made: Made) -> None:
    await made.desk.file(GIVEN)
    made.now += 15 * 86_400 * S
    with capture_logs() as logs:
        await made.desk.look()
        await made.desk.look()
    assert [one["event"] for one in logs if one["event"].startswith("appeal.")] == ["appeal.overdue"]
    assert (await made.desk.see(GIVEN)).state == "overdue"


async def test_withdrawn(made: Made) -> None:
    assert (await refused_to_withdraw(made)) == "appeal.decided"
    await made.desk.file(GIVEN)
    assert (await made.desk.withdraw(GIVEN)).state == "withdrawn"
    assert (await refused_to_withdraw(made)) == "appeal.decided"


async def refused_to_withdraw(made: Made) -> str:
    with pytest.raises(AppealRefused) as error:
        await made.desk.withdraw(GIVEN)
    return error.value.reason


@pytest.mark.parametrize("code", ["", "short", "9999999999", "é" * 10])
async def test_a_code_of_nothing(made: Made, code: str) -> None:
    assert await refused(made, AppealGiven(code, "x")) == "appeal.unknown"


async def test_inadmissible_is_counted_by_reason(made: Made) -> None:
    made.messages.by_code[CODE] = [PLAIN._replace(verdict="hold")]
    assert await refused(made) == "appeal.undecided"
    made.messages.by_code[CODE] = [PLAIN._replace(verdict="pass", findings=())]
    assert await refused(made) == "appeal.unknown"
    made.messages.by_code[CODE] = [PLAIN._replace(at=NOW - 61 * 86_400 * S)]
    assert await refused(made) == "appeal.late"
    series = await made.desk.series()
    assert series["tidegate_appeals_refused_total"] == {
        ("appeal.undecided",): 1, ("appeal.unknown",): 1, ("appeal.late",): 1,
    }  # fmt: skip


async def test_without_the_table_there_is_nothing(made: Made) -> None:
    made.terms = None
    assert await refused(made) == "appeal.unknown"
    assert made.desk.undo_us == 0


async def test_two_messages_of_one_code_are_told_apart_by_their_id(made: Made) -> None:
    made.messages.by_code[CODE] = [PLAIN, PLAIN._replace(id="m2")]
    assert await refused(made) == "appeal.ambiguous"
    assert (await made.desk.file(GIVEN._replace(message_id="m2"))).state == "waiting"
    assert (await made.desk.file(GIVEN._replace(message_id="m1"))).state == "waiting"
    assert await refused(made) == "appeal.ambiguous"
    assert await refused(made, GIVEN._replace(message_id="m3")) == "appeal.unknown"


async def test_a_text_that_was_not_kept_is_proved_by_its_print(made: Made) -> None:
    made.messages.by_code[CODE] = [PLAIN._replace(texts=None, print="b" * 16)]
    assert (await made.desk.see(GIVEN)).text_needed
    assert await refused(made) == "appeal.text_needed"
    assert await refused(made, GIVEN._replace(text="another")) == "appeal.text_differs"
    await made.desk.file(GIVEN._replace(text="buy it"))
    row = made.plant.database.now(lambda session: appeals.get(session, 1))
    assert (row.texts, row.proved) == (["buy it"], True)


async def test_without_a_print_the_text_is_taken_and_not_proved(made: Made) -> None:
    made.messages.by_code[CODE] = [PLAIN._replace(texts=None)]
    await made.desk.file(GIVEN._replace(text="anything"))
    row = made.plant.database.now(lambda session: appeals.get(session, 1))
    assert (row.texts, row.proved) == (["anything"], False)


async def test_a_journal_that_cannot_be_read_is_told_as_such(made: Made) -> None:
    made.messages.down = True
    assert await refused(made) == "appeal.unavailable"


async def test_what_was_filed_is_found_when_the_journal_has_it_no_more(made: Made) -> None:
    await made.desk.file(GIVEN)
    made.messages.by_code.clear()
    assert (await made.desk.see(GIVEN)).state == "waiting"


PASSED = PLAIN._replace(verdict="pass", findings=())


def taken_down(made: Made) -> None:
    made.messages.by_code[CODE] = [PASSED]
    row = Takedown(
        message_id="m1", upstream_id="7", route="comments", room="r1", reason="order 7", ground="provisions 10",
        act_uid="a", created_at=NOW,
    )  # fmt: skip
    made.plant.database.now(lambda session: session.add(row))


async def settled(made: Made, outcome: str = "upheld") -> str:
    await made.desk.file(GIVEN)
    made.decide(outcome)
    await made.desk.look()
    await made.desk.look()
    return (await made.desk.see(GIVEN)).redress


@pytest.mark.parametrize(("way", "word"), [("publish", "restored"), ("ticket", "ticket"), ("", "none")])
async def test_what_was_taken_down_is_appealed_and_comes_back_once(made: Made, way: str, word: str) -> None:
    taken_down(made)
    told = await made.desk.see(GIVEN)
    assert (told.reason, told.ground, told.explained) == ("message.taken_down", "provisions 10", False)
    made.restoring.way = way
    assert await settled(made) == word
    assert made.restoring.restored == ([(1, "kept m1", ("buy it",))] if way else [])


async def test_of_a_part_and_of_a_rejected_one_nothing_comes_back(made: Made) -> None:
    taken_down(made)
    assert await settled(made, "partly") == "none"
    assert made.restoring.restored == []


async def test_what_comes_back_already_is_published_and_no_code_is_told_of_it(made: Made) -> None:
    taken_down(made)
    made.plant.database.now(lambda session: setattr(session.get_one(Takedown, 1), "restoration", "x"))
    assert await refused(made) == "appeal.unknown"


async def test_of_a_text_that_nobody_kept_the_ticket_is_for_the_one_that_was_entered(made: Made) -> None:
    made.messages.by_code[CODE] = [PLAIN._replace(texts=None, print="b" * 16)]
    await made.desk.file(GIVEN._replace(text="buy it, please"))
    made.decide("upheld")
    await made.desk.look()
    assert (await made.desk.see(GIVEN)).redress == "ticket"
    ticket = made.plant.database.now(lambda session: session.scalars(select(Ticket)).one())
    assert ticket.digest == digest(("buy it, please",))


async def test_another_nodes_is_settled_there(made: Made) -> None:
    made.messages.elsewhere = True
    await made.desk.file(GIVEN)
    made.decide("upheld")
    with capture_logs() as logs:
        await made.desk.look()
        await made.desk.look()
    assert [one["event"] for one in logs] == ["appeal.elsewhere"]
    assert (await made.desk.see(GIVEN)).state == "waiting"
    made.messages.elsewhere = False
    await made.desk.look()
    assert (await made.desk.see(GIVEN)).redress == "ticket"


async def test_every_move_is_recorded_without_a_name_of_the_appellant(made: Made) -> None:
    made.messages.by_code[CODE] = [LIMIT]
    await made.desk.file(GIVEN)
    await made.desk.file(GIVEN, insist=True)
    made.journal_down = True
    with capture_logs() as logs:
        await made.desk.look()
        await made.desk.look()
    assert [one["event"] for one in logs] == ["appeals.unrecorded"]
    await made.desk.withdraw(GIVEN)
    made.journal_down = False
    await made.desk.look()
    await made.desk.look()
    assert made.told == [
        {"kind": "appeal", "id": "m1", "time": NOW, "state": state, "appeal": 1}
        for state in ("explained", "insisted", "withdrawn")
    ]


async def test_what_the_message_cost_is_given_back_once(made: Made) -> None:
    def lowered(unit: Any) -> None:
        unit.add(Account(sender="u1", verified=True, verified_until=0, credit=70))
        credit_entries.charged(unit, "u1", 30, "m1", NOW)

    await made.plant.ledger.act("li", "r", "account.put", "sender:u1", lowered, settle=False)
    await settled(made)
    assert made.plant.database.now(lambda session: session.get_one(Account, "u1")).credit == 100
    made.plant.database.now(lambda session: setattr(session.get_one(Account, "u1"), "credit", 50))
    await made.desk.look()
    assert made.plant.database.now(lambda session: session.get_one(Account, "u1")).credit == 50
