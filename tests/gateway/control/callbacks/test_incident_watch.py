"""What workers count that somebody on call should hear of."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.callbacks.incident_watch import IncidentWatch, incidents
from gateway.control.workers.totals import Series
from tests.gateway.control.callbacks.conftest import ON_CALL


def test_what_is_counted() -> None:
    series: dict[str, Series] = {
        "tidegate_degraded_total": {
            ("review:disk",): 2, ("review:queue",): 1, ("review:all",): 4, ("account:down",): 9
        },
        "tidegate_messages_total": {
            ("news", "reject", "review.full"): 5, ("news", "reject", "review.waiting"): 7, ("news", "hold", "x"): 8
        },
    }  # fmt: skip
    assert incidents(series) == {"spool": 3, "full": 9}
    assert incidents({}) == {"spool": 0, "full": 0}


class Watched:
    def __init__(self, board: Any) -> None:
        self.board = board
        self.causes: Series = {}
        self.watch = IncidentWatch(
            board.sender, lambda: {"tidegate_degraded_total": self.causes},
            lambda: board.config.desk.on_call is not None,
        )  # fmt: skip

    async def look(self, disk: int) -> list[tuple[str, int]]:
        """What somebody is called for after so many could not be parked in all."""
        self.causes = {("review:disk",): disk}
        await self.watch.look()
        return [(made.body["topic"], made.body["count"]) for made in await self.board.step()]


@pytest.fixture
async def watched(board: Any) -> Watched:
    board.configure(ON_CALL)
    await board.step()
    return Watched(board)


async def test_what_rises_is_told_and_what_was_there_before_is_not(watched: Watched) -> None:
    assert await watched.look(7) == []
    assert await watched.look(7) == []
    assert await watched.look(10) == [("spool", 3)]
    assert await watched.look(10) == []
    assert await watched.look(12) == []  # within the interval
    watched.board.ns += 600 * 10**9
    assert await watched.look(13) == [("spool", 3)]


async def test_without_anybody_on_call_nothing_is_counted(watched: Watched) -> None:
    await watched.look(7)
    watched.board.configure("")
    await watched.look(9)
    watched.board.configure(ON_CALL)
    assert await watched.look(11) == []
    assert await watched.look(12) == [("spool", 1)]
