"""What its sender is told of a held message: a word for every state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.control.calls.feature import Commanded
from gateway.control.holding import held_states
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
    assert await answer == {"state": WORDS[state]}
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
    assert await ask({"id": "plain"}) == {"state": ""}, "nobody was told to ask of it"
    assert await ask({"id": "unknown"}) == {"state": ""}
