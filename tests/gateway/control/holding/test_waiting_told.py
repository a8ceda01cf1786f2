"""Workers hear how many wait: the whole, then what changed."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.holding import held, waiting_told
from gateway.control.holding.rows import Held
from gateway.control.holding.waiting_told import WaitingTold
from tests.gateway.control.holding.conftest import ID


class Workers:
    """Hears what is told."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.here = frozenset({("worker-0", 1)})
        self.deaf = False

    def present(self) -> frozenset[tuple[str, int]]:
        return self.here

    async def tell(self, command: dict[str, Any]) -> bool:
        self.heard.append(command)
        return not self.deaf


@pytest.fixture
async def told(holding: Any) -> tuple[Any, Workers, WaitingTold]:
    workers = Workers()
    return holding, workers, WaitingTold(holding.plant.database, workers)  # type: ignore[arg-type]


async def test_the_whole_first_then_what_changed(told: Any) -> None:
    holding, workers, counts = told
    holding.park()
    await counts.look()
    await counts.look()
    holding.park(holding.id[:-1] + "6", room="r2")
    await counts.look()
    holding.plant.database.now(lambda session: held.move(session, session.get_one(Held, ID), "expire", 5))
    await counts.look()
    assert [(one["version"], one["whole"], one["total"]) for one in workers.heard] == [
        (1, True, 1), (2, False, 2), (3, False, 1),
    ]  # fmt: skip
    assert (workers.heard[0]["senders"], workers.heard[0]["rooms"]) == ({"comments\nalice": 1}, {"r1": 1})
    assert (workers.heard[1]["senders"], workers.heard[1]["rooms"]) == ({"comments\nalice": 2}, {"r2": 1})
    assert (workers.heard[2]["senders"], workers.heard[2]["rooms"]) == ({"comments\nalice": 1}, {"r1": 0})


async def test_a_worker_that_started_anew_or_did_not_hear_is_told_the_whole(told: Any) -> None:
    holding, workers, counts = told
    holding.park()
    await counts.look()
    workers.here = frozenset({("worker-0", 2)})
    workers.deaf = True
    await counts.look()
    workers.deaf = False
    await counts.look()
    await counts.look()
    assert [one["whole"] for one in workers.heard] == [True, True, True]


async def test_the_whole_is_told_now_and_then(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_told, "WHOLE_EVERY", 2)
    _, workers, counts = told
    for _ in range(4):
        await counts.look()
    assert [one["whole"] for one in workers.heard] == [True, True]


async def test_while_nothing_happens_nobody_is_counted(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    holding, _, counts = told
    holding.park()
    await counts.look()
    asked: list[int] = []
    monkeypatch.setattr(waiting_told, "_counted", lambda _session: asked.append(1) or (7, {"senders": {}, "rooms": {}}))
    await counts.look()
    assert not asked and counts.total == 1
    holding.park(holding.id[:-1] + "6", room="r2")
    await counts.look()
    assert asked and counts.total == 7
