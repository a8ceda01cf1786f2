"""Pages of cases, none of which looks at all of them."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.common.folders import DatabasePlace, DatabaseServer
from gateway.control.acts.database import Database
from gateway.control.cases import case_pages, cases
from gateway.control.cases.case_pages import Alike, CasesWanted, Place
from gateway.control.cases.case_states import CaseState
from gateway.control.cases.case_states import Desk as At
from gateway.control.cases.cases import ListWord
from tests.gateway.control.cases.conftest import Desk
from tests.gateway.control.cases.test_claims import MANY, fill, plans


def test_pages_hold_each_case_once_in_order(desk: Desk) -> None:
    opened = [desk.open(f"m{number}", due_at=desk.now + number // 2) for number in range(7)]
    opened[3].desk = At.LEAD
    opened[5].desk = At.SECOND
    found: list[int] = []
    after: Place | None = None
    while rows := case_pages.page(desk.session, CasesWanted(), after, 2):
        found += [case.id for case in rows]
        after = Place(rows[-1].due_at, rows[-1].id)
        desk.open(f"early{len(found)}", due_at=desk.now - 1)  # behind the page that was told
    assert found == [case.id for case in opened]
    assert case_pages.page(desk.session, CasesWanted(desk="lead"), None, 9) == [opened[3]]
    assert case_pages.page(desk.session, CasesWanted(message_id="m2"), None, 9) == [opened[2]]
    assert case_pages.page(desk.session, CasesWanted(sender="nobody"), None, 9) == []


def test_what_somebody_holds_and_what_was_taken_from_them(desk: Desk) -> None:
    held, taken = desk.claim(desk.open("m1")), desk.claim(desk.open("m2"))
    cases.void(desk.session, "m2", "withdrawn", now=desk.now)
    assert case_pages.held_by(desk.session, "ann") == [taken, held]
    assert case_pages.held_by(desk.session, "bob") == []


def test_alike_has_a_bound_and_tells_what_is_beyond(desk: Desk) -> None:
    first = desk.claim(desk.open("m0", fingerprint="a" * 16))
    for number in range(1, 5):
        desk.open(f"m{number}", fingerprint="a" * 16)
    told = case_pages.alike(desk.session, first, "campaign", desk.who("ann"), ())
    assert (len(told.found), told.more) == (5, 0)
    two = case_pages.alike(desk.session, first, "campaign", desk.who("ann"), (), most=2)
    assert (len(two.found), two.more) == (2, 3)
    none = case_pages.alike(desk.session, desk.open("odd"), "campaign", desk.who("ann"), ())
    assert none.found == []  # a text that folds to nothing is like no other


def test_of_some_categories_no_one_person_decides(desk: Desk) -> None:
    first = desk.claim(desk.open("m0", category="fraud"))
    told = case_pages.alike(desk.session, first, "sender", desk.who("ann"), ("fraud",))
    assert (told.found, told.desk) == ([], 1)


def test_a_hundred_thousand_by_page(place: DatabasePlace) -> None:
    database = Database(place)
    fill(database, MANY)
    done = CasesWanted(CaseState.DONE)
    statements = [
        case_pages.line(CasesWanted(), At.FIRST, None).limit(50),
        case_pages.line(CasesWanted(), At.FIRST, Place(70_000, 70_000)).limit(50),
        case_pages.line(CasesWanted(route="comments"), At.FIRST, Place(70_000, 70_000)).limit(50),
        case_pages.line(CasesWanted(message_id="m70000"), At.FIRST, None).limit(50),
        case_pages.line(done, At.FIRST, Place(70_000, 70_000), backwards=True).limit(50),
    ]

    def work(session: Session) -> list[list[str]]:
        if isinstance(place, DatabaseServer):
            session.execute(text("ANALYZE cases"))
        return [plans(session, statement) for statement in statements]

    for plan in database.now(work):
        told = " / ".join(plan)
        assert "SCAN cases" not in told, told
        assert "Seq Scan" not in told, told
    page = database.now(lambda session: case_pages.page(session, CasesWanted(), Place(70_000, 70_001), 50))
    assert [case.id for case in page] == list(range(70_002, 70_052))
    database.close()


def test_what_waits_with_something_in_common(desk: Desk) -> None:
    hits = frozenset((ListWord("spam", 7),))
    one = desk.open("m1", room="r1", category="fraud", ground="article 5", hits=hits)
    two = desk.open("m2", room="r2", category="fraud", ground="agreement 3", hits=frozenset((ListWord("spam", 8),)))
    other = desk.open("m3", room="r2", category="spam", route="bullets")
    lead = desk.who("lead")
    for wanted, found in (
        (Alike(category="fraud"), [one, two]),
        (Alike(category="fraud", room="r2"), [two]),
        (Alike(ground="article 5"), [one]),
        (Alike(list="spam"), [one, two]),
        (Alike(list="spam", word=8), [two]),
        (Alike(route="bullets"), [other]),
        (Alike(list="abuse"), []),
    ):
        assert case_pages.matching(desk.session, wanted, lead, ()).found == found, wanted
    desk.claim(one, "ann")
    told = case_pages.matching(desk.session, Alike(category="fraud"), lead, ())
    assert (told.found, told.claimed) == ([two], 1)
    assert case_pages.matching(desk.session, Alike(category="fraud"), lead, ("fraud",)).found == []
