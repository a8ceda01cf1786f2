"""A database that is put back publishes nothing a second time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.control.accounts.rows import Account
from gateway.control.holding import held
from gateway.control.releasing.publishing import Published
from gateway.control.releasing.reconciling import Reconciling
from gateway.journal.write.ids import CONTROL, Ids
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer

ID = "01a20094-b11c-7000-8001-0054a58fe235"
LOST = Published("lost", None, "upstream.timeout")
NO = Published("refused", 403, "release.refused")


@pytest.fixture
async def waiting(bench: Any) -> Any:
    await bench.act(lambda unit: unit.add(Account(sender="alice", verified=True, verified_until=0, credit=100)))
    bench.park(ID)
    return bench


async def put_back(bench: Any, root: Path) -> None:
    """What the journal has been told stands on disk; the database is as it was when the message was parked."""
    writer = Writer(
        root, "node-0", CONTROL, ids=Ids(0, CONTROL), settings=JournalSettings(), loop=asyncio.get_running_loop()
    )
    writer.start()
    for row in bench.journal:
        writer.append(row)
    writer.close()
    sealed = bench.seal.seal(ID, b"as it was in the backup")

    def work(session: Any) -> None:
        session.query(held.Release).delete()
        row = session.get_one(held.Held, ID)
        row.state, row.changed_at, row.due_at, row.release, row.sealed = "held", row.at, 0, "", sealed

    bench.plant.database.now(work)
    await Reconciling(bench.plant.database, root / "node-0" / str(CONTROL)).begin()


@pytest.mark.parametrize(
    ("says", "honours", "state", "kept"),
    [(None, True, "delivered", False), (LOST, False, "unknown", True), (NO, True, "ticketed", False)],
)
async def test_what_went_on_is_not_decided_again(
    waiting: Any, tmp_path: Path, says: Published | None, honours: bool, state: str, kept: bool
) -> None:
    waiting.platform.honours = honours
    if says is not None:
        waiting.platform.says = [says]
    await waiting.approve(ID)
    waiting.ns += 10**9
    await waiting.settle()
    await put_back(waiting, tmp_path / "journal")
    assert (waiting.state(ID), waiting.row(ID).sealed is not None) == (state, kept)
    asked = len(waiting.platform.asked)
    await waiting.settle()
    assert len(waiting.platform.asked) == asked


async def test_what_was_approved_and_did_not_go_waits_again(waiting: Any, tmp_path: Path) -> None:
    await waiting.approve(ID, undo=1000)
    waiting.ns += 10**9
    await waiting.telling.step()
    await put_back(waiting, tmp_path / "journal")
    assert waiting.state(ID) == "held"


async def test_of_one_that_is_unknown_a_person_can_say_what_became(waiting: Any, tmp_path: Path) -> None:
    waiting.platform.honours = False
    waiting.platform.says = [LOST]
    await waiting.approve(ID)
    waiting.ns += 10**9
    await waiting.settle()
    await put_back(waiting, tmp_path / "journal")
    await waiting.act(lambda unit: held.settle(unit, ID, "deliver", waiting.ns // 1000))
    assert waiting.state(ID) == "delivered"
