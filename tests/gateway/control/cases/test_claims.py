"""One person has a case; fifty who ask at once get fifty others."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from gateway.common.folders import DatabasePlace, DatabaseServer
from gateway.control.acts.database import Database
from gateway.control.cases import claims
from gateway.control.cases.case_states import CaseState, Move
from gateway.control.cases.case_states import Desk as Place
from gateway.control.cases.claims import QueueWanted
from gateway.control.cases.rows import Case, OwnSender
from tests.gateway.control.cases.conftest import CLAIM, Desk, S

MANY = 100_000


def test_waiting_to_claimed_by_one_and_nobody_else(desk: Desk) -> None:
    case = desk.claim(desk.open())
    assert (case.state, case.claimed_by, case.claimed_until) == (CaseState.CLAIMED, "ann", desk.now + CLAIM)
    assert desk.refused(lambda: desk.claim(case, "bob")) == (409, "review.claimed")
    desk.now += S
    desk.claim(case)  # for longer
    assert case.claimed_until == desk.now + CLAIM
    assert desk.events(case) == [Move.OPEN, Move.CLAIM, Move.RENEW]


def test_claimed_to_waiting_by_time(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.now += CLAIM - 1
    assert claims.time_out(desk.session, now=desk.now) == []
    desk.now += 1
    assert claims.time_out(desk.session, now=desk.now) == [case.id]
    assert (case.state, case.claimed_by) == (CaseState.WAITING, "")


def test_a_claim_whose_time_is_over_stands_in_nobody_s_way(desk: Desk) -> None:
    case = desk.claim(desk.open())
    desk.now += CLAIM
    assert desk.claim(case, "bob").claimed_by == "bob"
    assert desk.events(case) == [Move.OPEN, Move.CLAIM, Move.TIME_OUT, Move.CLAIM]


def test_claimed_to_waiting_by_release_and_by_hand_over_with_a_note(desk: Desk) -> None:
    case = desk.claim(desk.open())
    assert desk.refused(lambda: desk.give_back(case, "bob")) == (409, "review.claimed")
    desk.give_back(case)
    assert case.state == CaseState.WAITING
    assert desk.refused(lambda: desk.give_back(case)) == (409, "review.not_claimed")
    desk.claim(case)
    desk.give_back(case, how=Move.HAND_OVER, why="the room's owner was asked")
    assert desk.events(case)[-1] == Move.HAND_OVER


def test_claimed_to_waiting_by_log_out_and_by_a_lost_role(desk: Desk) -> None:
    held = [desk.claim(desk.open(f"m{number}"), "ann" if number < 2 else "bob") for number in range(3)]
    assert claims.give_back_all(desk.session, "ann", Move.LOG_OUT, now=desk.now) == 2
    assert [case.state for case in held] == [CaseState.WAITING, CaseState.WAITING, CaseState.CLAIMED]
    desk.claim(held[0])
    assert claims.give_back_of_others(desk.session, lambda name: name == "ann", now=desk.now) == 1
    assert (held[0].state, held[2].state) == (CaseState.CLAIMED, CaseState.WAITING)
    assert desk.events(held[2])[-1] == Move.ROLE_LOST


def test_nobody_has_their_own_messages(desk: Desk) -> None:
    desk.session.add(OwnSender(sender="u1", person="bob"))
    desk.session.flush()
    case = desk.open(sender="u1")
    assert desk.refused(lambda: desk.claim(case, "u1")) == (403, "review.own_message")
    assert desk.refused(lambda: desk.claim(case, "bob")) == (403, "review.own_message")
    for person in ("u1", "bob"):
        assert claims.claim_page(desk.session, desk.who(person), 5, now=desk.now, until=desk.now + CLAIM) == []
    assert desk.claim(case).claimed_by == "ann"


def test_what_waits_for_a_lead_is_for_leads(desk: Desk) -> None:
    case = desk.open()
    case.desk = Place.LEAD
    assert desk.refused(lambda: desk.claim(case)) == (403, "review.lead_only")
    assert desk.claim(case, "lead1").claimed_by == "lead1"


def test_a_page_is_claimed_in_the_order_of_the_queue(desk: Desk) -> None:
    late = desk.open("late", due_at=desk.now + 9 * S)
    soon = desk.open("soon", due_at=desk.now + S)
    other = desk.open("other", due_at=desk.now, route="live")
    second = desk.open("second", due_at=desk.now + 2 * S)
    second.desk = Place.SECOND
    who = desk.who("ann")
    page = claims.claim_page(desk.session, who, 2, now=desk.now, until=desk.now + CLAIM, wanted=QueueWanted("comments"))
    assert page == [soon, second]
    rest = claims.claim_page(desk.session, who, 9, now=desk.now, until=desk.now + CLAIM)
    assert rest == [other, late]


def test_nobody_holds_them_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MOST_CLAIMED", 2)
    three = [desk.open(f"m{number}") for number in range(3)]
    assert len(claims.claim_page(desk.session, desk.who("ann"), 3, now=desk.now, until=desk.now + CLAIM)) == 2
    assert desk.refused(lambda: desk.claim(three[2])) == (409, "review.too_many_claims")


def fill(database: Database, count: int) -> None:
    rows = [
        {
            "kind": "message", "message_id": f"m{number}", "open_as": f"message:m{number}", "route": "comments",
            "room": "r1", "sender": f"u{number % 977}", "category": "spam", "fingerprint": f"{number % 499:016x}",
            "opened_at": number, "due_at": number, "state": CaseState.WAITING, "desk": Place.FIRST, "barred": [],
        }
        for number in range(count)
    ]  # fmt: skip
    database.now(lambda session: session.execute(insert(Case), rows))


def taken_of(database: Database) -> dict[int, str]:
    wanted = select(Case.id, Case.claimed_by).where(Case.state == CaseState.CLAIMED)
    return dict(database.now(lambda session: [tuple(row) for row in session.execute(wanted)]))


async def claimed_by_fifty(databases: list[Database]) -> None:
    """Each wants three, in turns of one, two and one by its number: all get what they were told, and nothing twice."""
    first = databases[0]
    fill(first, 120)
    got: dict[str, list[int]] = {f"p{number}": [] for number in range(50)}

    async def one(number: int, person: str) -> None:
        database = databases[number % len(databases)]
        for count in (1, 2):

            def work(session: Session, count: int = count) -> list[int]:
                who = claims.claimant(session, person, lead=False)
                return [case.id for case in claims.claim_page(session, who, count, now=1, until=10**15)]

            got[person] += await database.run(work)

    await asyncio.gather(*(one(number, person) for number, person in enumerate(got)))
    told = {case: person for person, held in got.items() for case in held}
    assert sum(map(len, got.values())) == len(told) == 120
    assert taken_of(first) == told


async def test_fifty_at_once(place: DatabasePlace) -> None:
    database = Database(place)
    await claimed_by_fifty([database])
    database.close()


async def test_fifty_at_once_on_two_nodes(server_place: DatabaseServer) -> None:
    """Only one control serves a database; a second one that does so all the same takes nothing twice."""
    databases = [Database(server_place), Database(server_place, sole=False)]
    await claimed_by_fifty(databases)
    for database in databases:
        database.close()


def test_two_who_have_both_read_that_it_waits(server_place: DatabaseServer) -> None:
    """Without the lock that acts take: the change of the row itself lets one of them have it."""
    database = Database(server_place)
    fill(database, 1)
    both = threading.Barrier(2)
    won: list[str] = []
    others = [Database(server_place, sole=False) for _ in range(2)]

    def one(other: Database, person: str) -> None:
        with Session(other.engine) as session, session.begin():
            case = session.scalars(select(Case)).one()
            both.wait(10)
            try:
                claims.claim(session, case, claims.claimant(session, person, lead=False), now=1, until=10**15)
            except claims.ControlError as refused:
                assert refused.reason == "review.claimed"
            else:
                won.append(person)

    threads = [threading.Thread(target=one, args=given) for given in zip(others, ("ann", "bob"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(won) == 1
    assert taken_of(database) == {1: won[0]}
    for one_of in (database, *others):
        one_of.close()


def plans(session: Session, statement: Any) -> list[str]:
    """How the database goes about it, a line a step."""
    compiled = statement.compile(session.connection(), compile_kwargs={"literal_binds": True})
    on_file = session.connection().dialect.name == "sqlite"
    rows = session.execute(text(f"EXPLAIN {'QUERY PLAN ' if on_file else ''}{compiled}".replace(":", "\\:")))
    return [str(row[-1]) for row in rows]


def test_a_hundred_thousand_wait_and_nothing_looks_at_all_of_them(place: DatabasePlace) -> None:
    database = Database(place)
    fill(database, MANY)

    def work(session: Session) -> list[list[str]]:
        if isinstance(place, DatabaseServer):  # which does it by itself; nobody does on a file
            session.execute(text("ANALYZE cases"))
        over = select(Case).where(Case.state == CaseState.CLAIMED, Case.claimed_until <= 5).limit(500)
        held = select(Case.id).where(Case.claimed_by == "ann", Case.state == CaseState.CLAIMED).limit(5)
        queues = [claims.queue(Place.FIRST).limit(200), claims.queue(Place.FIRST, QueueWanted("comments")).limit(200)]
        return [plans(session, statement) for statement in (*queues, over, held)]

    for plan in database.now(work):
        told = " / ".join(plan)
        assert "SCAN cases" not in told, told
        assert "Seq Scan" not in told, told
        assert "SORT" not in told.upper().replace("SORT KEY", ""), told
    who = database.now(lambda session: claims.claimant(session, "ann", lead=False))
    page = database.now(lambda session: [c.id for c in claims.claim_page(session, who, 50, now=1, until=10**15)])
    assert page == list(range(1, 51))
    database.close()
