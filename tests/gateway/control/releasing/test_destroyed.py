"""Nothing of a parked request is on disk after its decision: not in the database, its free pages, or the log beside
it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.control.accounts.rows import Account
from gateway.control.holding import held
from gateway.control.releasing.publishing import Published

ID = "01a20094-b11c-7000-8001-0054a58fe235"
BIG = b'{"content": "buy this", "more": "' + b"x" * 200_000 + b'"}'
NO = Published("refused", 403, "release.refused")


@pytest.fixture
async def waiting(bench: Any) -> Any:
    if not isinstance(bench.plant.place, Path):
        pytest.skip("a server keeps its own files")
    await bench.act(lambda unit: unit.add(Account(sender="alice", verified=True, verified_until=0, credit=100)))
    bench.park(ID, body=BIG)
    for other in range(3):  # what else stands in the same file
        bench.park(ID[:-1] + f"{other + 6}", body=BIG)
    return bench


def sealed_on_disk(bench: Any, sealed: bytes) -> list[str]:
    """Files that hold any part of what was sealed."""
    parts = [sealed[at : at + 64] for at in range(0, len(sealed) - 64, 3000)]
    found = []
    for path in bench.plant.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if any(part in content for part in parts):
                found.append(path.name)
    return found


@pytest.mark.parametrize("end", ["delivered", "refused", "withdrawn", "ticketed", "approved masked"])
async def test_after_its_decision_nothing_is_found(waiting: Any, end: str) -> None:
    sealed = waiting.row(ID).sealed
    assert sealed_on_disk(waiting, sealed)
    now = waiting.ns // 1000
    if end == "delivered":
        await waiting.approve(ID)
    elif end == "approved masked":
        await waiting.approve(ID, ["a text that a person changed to this"])
    elif end == "ticketed":
        waiting.platform.says = [NO]
        await waiting.approve(ID)
    elif end == "refused":
        await waiting.act(lambda unit: held.refuse(unit, ID, "review.refused", "g", now))
    else:
        await waiting.act(lambda unit: held.withdraw(unit.session, ID, now))
    await waiting.settle()
    assert waiting.row(ID).sealed is None
    assert sealed_on_disk(waiting, sealed) == []
    for path in waiting.plant.folder.rglob("*"):
        assert not path.is_file() or b"that a person changed to this" not in path.read_bytes()
    other = waiting.row(ID[:-1] + "6").sealed
    assert sealed_on_disk(waiting, other)  # it waits still
