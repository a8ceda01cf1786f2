"""What is told of what happened, and what is not."""

from __future__ import annotations

from typing import Any, get_args

import orjson
import pytest

from gateway.config.sections.review.callbacks import CallbackEvent
from gateway.control.acts.acts import Unit
from gateway.control.appeals import appeals
from gateway.control.appeals.admissibility import AppealedDecision
from gateway.control.appeals.appeal_states import AppealMove
from gateway.control.callbacks.happenings import UNTOLD
from gateway.control.holding import held, held_states, tickets
from gateway.control.holding.rows import Ticket

WITH_SENDER = """
[[callbacks]]
name = "platform"
url = "http://127.0.0.1:9/hook"
secret = "0123456789abcdef"
sender = true
"""
DECISION = AppealedDecision(
    "m9", 1_799_999_000_000_000, "comments", "r1", "alice", "refused", "keywords", "keyword.match", "agreement 3.1",
    "spam", False, ("buy it",), "",
)  # fmt: skip


def file(board: Any, decision: AppealedDecision = DECISION) -> int:
    def work(session: Any) -> int:
        row = appeals.file(
            session, decision, AppealMove.FILE, code="7K2M9QXF3T", statement="It was a question", texts=None,
            proved=True, language="en", now=board.now, due_at=board.now + 60_000_000, barred=(),
        )  # fmt: skip
        return row.id

    return int(board.plant.database.now(work))


def test_every_event_of_the_configuration_can_happen_and_no_other() -> None:
    states = {f"message.{state}" for state in held_states.STATES if state not in UNTOLD}
    moves = {f"appeal.{move}" for move in AppealMove}
    ended = {f"ticket.{state}" for state in (tickets.SPENT, tickets.LAPSED, tickets.VOID)}
    assert set(get_args(CallbackEvent)) == states | moves | ended


async def test_a_held_message_is_told_without_its_text(board: Any) -> None:
    board.park("m1")
    (made,) = await board.step()
    assert made.body == {
        "id": "call-0001", "event": "message.held", "at": board.now, "sequence": 1,
        "message": {
            "id": "m1", "route": "comments", "room": "r1", "edit": False, "sent_at": board.now - 60_000_000,
            "state": "held", "reason": "keyword.match", "ground": None, "status": None, "masked": False,
            "release": None, "upstream_id": None, "ticket_until": None, "sent_again_as": None,
        },
    }  # fmt: skip
    assert b"buy this" not in made.data
    assert b"alice" not in made.data


async def test_a_refusal_has_its_ground_and_nobody_s_name(board: Any) -> None:
    board.park("m1")
    await board.refuse("m1")
    (made,) = [one for one in await board.step() + await board.step() if one.event == "message.refused"]
    told = made.body["message"]
    assert (told["reason"], told["ground"], made.body["sequence"]) == ("review.refused", "agreement 3.1", 2)
    assert b'"li"' not in made.data


async def test_approved_as_it_was_or_masked(board: Any) -> None:
    for name, outcome in (("m1", "approved"), ("m2", "masked")):
        board.park(name)
        await board.approve(name, outcome)
    await board.until(lambda: len(board.calls) == 4)
    masked = {one.body["message"]["id"]: one.body["message"]["masked"] for one in board.calls if "app" in one.event}
    assert masked == {"m1": False, "m2": True}


@pytest.mark.parametrize(
    ("event", "state"), [("deliver", "delivered"), ("reject", "undeliverable"), ("lose", "unknown")]
)
async def test_what_became_of_a_release(board: Any, event: str, state: str) -> None:
    board.park("m1")
    await board.approve("m1")
    board.move("m1", "release")
    board.release("m1", state, "77" if event == "deliver" else "")
    board.move("m1", event, status=201)
    await board.until(lambda: len(board.calls) == 3)
    told = board.calls[-1].body
    assert (told["event"], told["sequence"]) == (f"message.{state}", 3)  # on its way is nobody's business
    assert told["message"]["release"] == "release-m1"
    assert told["message"]["upstream_id"] == ("77" if event == "deliver" else None)
    assert told["message"]["status"] == 201


async def test_a_ticket_of_a_held_message_is_told_as_the_message(board: Any) -> None:
    board.park("m1")
    await board.approve("m1")
    given = board.now
    await ticket(board, "m1")
    await tickets.spend(board.plant.ledger, 1, "m2", board.now)
    await board.until(lambda: len(board.calls) == 4)
    ticketed, delivered = board.calls[2].body["message"], board.calls[3].body["message"]
    assert (ticketed["state"], ticketed["ticket_until"]) == ("ticketed", given + 7 * 86_400_000_000)
    assert (delivered["state"], delivered["sent_again_as"]) == ("delivered", "m2")


async def test_a_ticket_of_an_appeal_is_told_by_itself(board: Any) -> None:
    def work(unit: Unit) -> None:
        tickets.give(
            unit, message_id="m9", route="comments", room="r1", sender="alice", texts=("buy it",), now=board.now
        )

    await board.act(work)
    await board.step()
    assert board.calls == []
    board.ns += 8 * 86_400 * 10**9
    await tickets.lapse(board.plant.ledger, board.now)
    (made,) = await board.step()
    assert (made.event, made.body["ticket"]["message_id"]) == ("ticket.lapsed", "m9")
    assert made.body["ticket"]["state"] == "lapsed"


async def test_an_appeal_is_told_without_its_code_and_its_words(board: Any) -> None:
    number = file(board)
    (made,) = await board.step()
    assert made.event == "appeal.filed"
    told = made.body["appeal"]
    assert (told["id"], told["message_id"], told["state"], told["against"]) == (number, "m9", "waiting", "refused")
    assert told["answer_by"] == board.now + 60_000_000
    for secret in (b"7K2M9QXF3T", b"question", b"buy it", b"alice"):
        assert secret not in made.data
    board.ns += 61 * 10**9
    board.plant.database.now(lambda session: appeals.overrun(session, now=board.now))
    (late,) = await board.step()
    assert (late.event, late.body["sequence"], late.body["appeal"]["state"]) == ("appeal.overdue", 2, "overdue")


async def test_who_sent_it_only_where_a_receiver_is_to_know_and_never_an_address(board: Any) -> None:
    board.configure(WITH_SENDER)
    board.park("m1")
    board.park("m2", weak=True, sender="192.0.2.7")
    file(board, DECISION._replace(sender="2001:db8::/64", message_id="m8"))
    file(board)
    await board.until(lambda: len(board.calls) == 4)
    senders = [next(one.body[kind] for kind in ("message", "appeal") if kind in one.body) for one in board.calls]
    assert [one["sender"] for one in senders] == ["alice", None, None, "alice"]
    assert not any(b"192.0.2.7" in one.data or b"2001:db8" in one.data for one in board.calls)


async def test_ids_that_are_no_text_of_ours_arrive_as_they_are(board: Any) -> None:
    board.park("m1", room='r\u0000\U0001f600"')
    (made,) = await board.step()
    assert orjson.loads(made.data)["message"]["room"] == 'r\u0000\U0001f600"'


async def ticket(board: Any, message_id: str) -> None:
    """A ticket for a held message, as releasing gives it."""

    def work(unit: Unit) -> None:
        held.move(unit.session, held.of(unit.session, message_id), "ticket", board.now)
        tickets.give(
            unit, message_id=message_id, route="comments", room="r1", sender="alice", texts=("buy this",), now=board.now
        )

    await board.act(work)
    assert board.plant.database.now(lambda session: session.get_one(Ticket, 1)).state == "open"
