"""Hand-over over a socket: what is open, what changed since the last note, and the note itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from gateway.config.values.opening_hours import OpeningHours
from gateway.control.access.roles import Role
from gateway.control.appeals.rows import Appeal
from gateway.control.callbacks.rows import DEAD, Callback
from gateway.control.holding.rows import Held
from gateway.control.incidents.rows import Incident
from gateway.control.review.desk_settings import DeskSettings
from gateway.control.shifts import shift_report
from gateway.control.shifts.rows import ShiftNote
from gateway.control.takedowns.rows import Deletion, Takedown
from tests.gateway.control.review.conftest import Room, S


@pytest.fixture
def room(api: Any) -> Room:
    return Room(api)


async def handover(room: Room, who: str = "lea", **query: Any) -> Any:
    headers = {"Authorization": f"Bearer {room.tokens[who]}"}
    async with room.api.session.get(room.api.url + "/v1/handover", params=query, headers=headers) as answer:
        room.status = answer.status
        return await answer.json()


async def write(room: Room, note: str, who: str = "lea") -> Any:
    headers = {"Authorization": f"Bearer {room.tokens[who]}"}
    async with room.api.session.post(room.api.url + "/v1/handover", json={"note": note}, headers=headers) as answer:
        room.status = answer.status
        return await answer.json()


def held(message: str, state: str, at: int) -> Held:
    return Held(
        message_id=message, route="comments", surface="comment", room="r1", sender="u1", weak=False, edit=False,
        reason="keyword.match", fingerprint="f" * 16, at=at, expires_at=at, state=state, changed_at=at, size=0,
    )  # fmt: skip


async def test_everything_that_is_open_is_told_and_no_sender(room: Room) -> None:
    now = room.desk.now
    escalated = room.open("m1")
    await room.claim("ann", escalated)
    await room.do("ann", escalated, "escalate", note="names a minor")
    late = room.open("m2", due_at=now - 3600 * S)
    room.open("m3")

    def more(session: Session) -> None:
        session.add_all([held("h1", "unknown", now), held("h2", "undeliverable", now), held("h3", "delivered", now)])
        for number, state in enumerate(("overdue", "rejected"), 1):
            session.add(
                Appeal(
                    message_id=f"a{number}", code=f"c{number}", route="comments", room="r1", sender="u1", at=now,
                    standing="refused", check="keywords", reason="keyword.match", ground="g", category="fraud",
                    state=state, filed_at=now, due_at=now, language="en", statement="s",
                )
            )  # fmt: skip
        for number, state in enumerate((DEAD, "sent", DEAD), 1):
            at = now if number < 3 else now - 20 * 3600 * S
            session.add(
                Callback(
                    uid=f"c{number}", receiver="platform", event="decided", subject="message:m1", sequence=1, body={},
                    at=at, since=at, state=state, changed_at=at, due_at=0, problem="timeout",
                )
            )  # fmt: skip
        for number, state in enumerate(("unconfirmed", "confirmed"), 1):
            session.add(
                Takedown(
                    id=number, message_id=f"t{number}", upstream_id="p", route="comments", room="r1", reason="r",
                    ground="g", act_uid="a", created_at=now,
                )
            )  # fmt: skip
            session.flush()
            session.add(Deletion(takedown_id=number, state=state, due_at=0, confirm_by=0))
        for ends_at in (now + 3600 * S, now - S):
            session.add(
                Incident(
                    scope="rooms", places=["r7"], hold=True, freeze=False, pace_ms=0, level=-1, ground="g",
                    reason="a raid", opened_by="lea", act_uid="a", begun_at=now - 60 * S, ends_at=ends_at,
                )
            )  # fmt: skip

    room.plant.database.now(more)
    told = await handover(room)
    assert told["counts"] == {
        "escalated": 1, "overdue": 1, "appeals": 1, "incidents": 1, "words": 0, "unknown": 1, "undeliverable": 1,
        "callbacks": 1, "takedowns": 1, "disagreed": 0,
    }  # fmt: skip
    assert [(one["id"], one["note"]) for one in told["escalated"]] == [(escalated, "names a minor")]
    assert [one["id"] for one in told["overdue"]] == [late]
    assert [one["message_id"] for one in told["releases"]] == ["h1", "h2"]
    assert [one["state"] for one in told["appeals"]] == ["overdue"]
    assert [one["problem"] for one in told["callbacks"]] == ["timeout"]
    assert [one["message_id"] for one in told["takedowns"]] == ["t1"]
    assert [(one["places"], one["ends_at"]) for one in told["incidents"]] == [(["r7"], now + 3600 * S)]
    assert "u1" not in json.dumps(told)


async def test_overdue_counts_opening_hours_alone(room: Room) -> None:
    room.open("m1", due_at=room.desk.now - 3600 * S)
    closed = OpeningHours(("sun 03:00-03:01",), "+00:00")  # 2023-11-14 was a Tuesday
    room.desk.settings = DeskSettings(service=1800.0, hours=closed)
    assert (await handover(room))["counts"]["overdue"] == 0
    room.desk.settings = DeskSettings(service=1800.0)
    assert (await handover(room))["counts"]["overdue"] == 1


async def test_words_since_the_last_note_with_what_was_taken_back(room: Room) -> None:
    api = room.api
    for line in ("cheap gold", "free coins"):
        await api("POST", "/v1/lists/spam/words", json={"line": line, "reason": "a campaign"})
    await api("DELETE", "/v1/lists/spam/words", params={"line": "buy", "reason": "hits too much"})
    act = (await api("DELETE", "/v1/lists/spam/words", params={"line": "free coins", "reason": "a slip"}))["act"]
    await api("POST", f"/v1/acts/{act}:undo", json={"reason": "was right"})
    told = (await handover(room, since=0))["words"]
    assert [(one["line"], one["effect"], one["undone"]) for one in told] == [
        ("free coins", "taken-back", True), ("buy", "left-out", False),
        ("free coins", "added", False), ("cheap gold", "added", False),
    ]  # fmt: skip
    assert {one["list"] for one in told} == {"spam"}
    assert (await handover(room, since=1 << 52))["words"] == []


async def test_a_note_is_an_act_and_where_the_next_hand_over_begins(room: Room) -> None:
    first = await handover(room)
    assert first["since"] == room.desk.now - shift_report.WITHOUT_NOTE
    done = await write(room, "room 7 is restless\nask its owner")
    room.desk.now += S
    told = await handover(room)
    assert told["since"] == room.desk.now - S
    assert [(one["person"], one["note"]) for one in told["notes"]] == [("lea", "room 7 is restless\nask its owner")]
    await room.plant.recorded()
    record = next(one for one in room.plant.journal.records if one["kind"] == "handover.note")
    assert (record["person"], record["reason"]) == ("lea", "room 7 is restless ask its owner")
    await room.api("POST", f"/v1/acts/{done['act']}:undo", json={"reason": "wrong shift"})
    assert (await handover(room))["notes"] == []


async def test_who_may_read_and_who_may_write(room: Room) -> None:
    room.add("aud", Role.AUDITOR)
    for who, reads, writes in (("aud", 200, 403), ("ann", 403, 403), ("vic", 403, 403), ("lea", 200, 200)):
        await handover(room, who)
        assert room.status == reads, who
        await write(room, "n", who)
        assert room.status == writes or (writes == 200 and room.status == 202), who
    for note in ("", "   ", "x" * 2001, "a\x1b[31mb"):
        await write(room, note)
        assert room.status == 400


def test_old_notes_go_and_the_last_stays(plant: Any) -> None:
    def work(session: Session) -> tuple[int, int]:
        for at in (1, 2, 3):
            session.add(ShiftNote(at=at, person="lea", note="n"))
        session.flush()
        return shift_report.prune(session, 100), session.query(ShiftNote).count()

    assert plant.database.now(work) == (2, 1)
    assert plant.database.now(lambda session: shift_report.since_of(session, 9)) == 3
