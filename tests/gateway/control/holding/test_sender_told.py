"""What its sender is told of a held message: a word for every state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.control.calls.feature import Commanded
from gateway.control.cases.rows import Case
from gateway.control.holding import held, held_states, tickets
from gateway.control.holding.sender_told import WORDS, SenderTold
from gateway.journal.read import lookup
from gateway.journal.read.lookup import MessageHistory

TOLD = {"held", "approved", "refused", "expired", "withdrawn", "void", "resend"}


@pytest.mark.parametrize("state", held_states.STATES)
async def test_every_state_has_a_word(holding: Any, state: str) -> None:
    holding.park()
    holding.put(state=state)
    made = SenderTold(holding.plant.database, Path("/nowhere"))
    assert isinstance(made, Commanded)
    answer: Any = made.commands()["review.status"]({"id": holding.id})
    assert await answer == {"state": WORDS[state], "route": "comments", "ground": ""}
    assert WORDS[state] in TOLD


async def test_of_what_nobody_took_over_nothing_is_said(holding: Any) -> None:
    answer: Any = SenderTold(holding.plant.database, Path("/nowhere")).commands()["review.status"]({"id": "x"})
    assert await answer == {"state": ""}


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (None, "delayed"),
        ({"state": "delivered", "status": 201}, "passed"),
        ({"state": "unknown", "reason": "worker.lost"}, "passed"),
        ({"state": "refused", "reason": "delay.refused"}, "refused"),
        ({"state": "refused", "reason": "upstream.status", "status": 422}, "failed"),
        ({"state": "failed", "reason": "worker.lost"}, "failed"),
        ({"state": "held"}, "held"),
    ],
)
async def test_of_what_is_delayed_the_journal_tells(
    holding: Any, monkeypatch: pytest.MonkeyPatch, outcome: dict[str, Any] | None, word: str
) -> None:
    told = {"delayed": {"kind": "judged", "verdict": "pass", "delay": 5.0}, "plain": {"kind": "judged"}}

    def find(root: Path, message_id: str) -> MessageHistory | None:
        assert root == Path("/nowhere")
        return MessageHistory(told[message_id], outcome) if message_id in told else None

    monkeypatch.setattr(lookup, "find", find)
    ask: Any = SenderTold(holding.plant.database, Path("/nowhere")).commands()["review.status"]
    assert await ask({"id": "delayed"}) == {"state": word}
    withdraw: Any = SenderTold(holding.plant.database, Path("/nowhere")).commands()["review.withdraw"]
    assert await withdraw({"id": "delayed"}) == {"state": word}  # it is not taken back
    assert await ask({"id": "plain"}) == {"state": ""}, "nobody was told to ask of it"
    assert await ask({"id": "unknown"}) == {"state": ""}


async def test_on_which_ground_it_was_refused(holding: Any) -> None:
    holding.park()
    await holding.act(lambda unit: held.refuse(unit, holding.id, "review.refused", "agreement 2", holding.now))
    answer: Any = SenderTold(holding.plant.database, Path("/nowhere")).commands()["review.status"]({"id": holding.id})
    assert await answer == {"state": "refused", "route": "comments", "ground": "agreement 2"}


async def test_where_it_may_be_sent_again_after_all_that_is_told(holding: Any) -> None:
    holding.park()
    await holding.act(lambda unit: held.refuse(unit, holding.id, "review.refused", "agreement 2", holding.now))
    given = await holding.act(
        lambda unit: tickets.give(
            unit, message_id=holding.id, route="comments", room="r1", sender="alice", texts=("a",), now=holding.now
        )
    )
    made = SenderTold(holding.plant.database, Path("/nowhere"))
    status: Any = made.commands()["review.status"]
    assert (await status({"id": holding.id}))["state"] == "resend"
    await tickets.spend(holding.plant.ledger, given.id, "m2", holding.now)
    assert (await status({"id": holding.id}))["state"] == "approved"


@pytest.mark.parametrize("state", held_states.STATES)
async def test_its_sender_withdraws_it_where_that_is_possible(holding: Any, state: str) -> None:
    holding.park()
    holding.put(state=state)
    withdraw: Any = SenderTold(holding.plant.database, Path("/nowhere"), lambda: holding.ns).commands()[
        "review.withdraw"
    ]
    told = await withdraw({"id": holding.id})
    row = holding.row()
    if state in ("held", "approved"):
        assert (told["state"], row.state, row.sealed) == ("withdrawn", "withdrawn", None)
        assert holding.plant.database.now(lambda session: session.get_one(Case, row.case_id)).state == "void"
        (event,) = [one for one in holding.trace() if one.event == "withdrawn"]
        assert (event.person, event.journalled) == ("", False)
        assert (await withdraw({"id": holding.id}))["state"] == "withdrawn"  # twice means the same
    else:
        assert (told["state"], row.state) == (WORDS[state], state)
    assert await withdraw({"id": "x"}) == {"state": ""}
