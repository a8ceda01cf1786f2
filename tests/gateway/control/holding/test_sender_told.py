"""What its sender is told of a held message: a word for every state."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.calls.feature import Commanded
from gateway.control.holding import held_states
from gateway.control.holding.sender_told import WORDS, SenderTold

TOLD = {"held", "approved", "refused", "expired", "withdrawn", "void", "resend"}


@pytest.mark.parametrize("state", held_states.STATES)
async def test_every_state_has_a_word(holding: Any, state: str) -> None:
    holding.park()
    holding.put(state=state)
    made = SenderTold(holding.plant.database)
    assert isinstance(made, Commanded)
    answer: Any = made.commands()["review.status"]({"id": holding.id})
    assert await answer == {"state": WORDS[state]}
    assert WORDS[state] in TOLD


async def test_of_what_nobody_took_over_nothing_is_said(holding: Any) -> None:
    answer: Any = SenderTold(holding.plant.database).commands()["review.status"]({"id": "x"})
    assert await answer == {"state": ""}
