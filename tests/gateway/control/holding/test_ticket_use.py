"""A ticket is spent when the platform took what came with it, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.control.holding import tickets
from gateway.control.holding.rows import Ticket
from gateway.control.holding.ticket_use import TicketUse
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import COPIED
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer

FINDING = {"check": "ticket", "reason": "ticket.used", "effect": "pass", "ground": "", "detail": {"ticket": 1}}


class Used:
    """One open ticket, a journal and who follows it."""

    def __init__(self, holding: Any, folder: Path) -> None:
        self.holding = holding
        self.root = folder / "journal"
        self.kept = folder / "tickets.json"
        self.writer: Writer | None = None
        self.use = TicketUse(holding.plant.ledger, self.root, self.kept, clock=lambda: holding.ns)

    def write(self, *records: dict[str, Any]) -> None:
        if self.writer is None:
            self.writer = Writer(
                self.root, "node-0", 0, ids=Ids(0, 0), settings=JournalSettings(), loop=asyncio.get_running_loop()
            )
            self.writer.start()
        for one in records:
            self.writer.append({"time": self.holding.now + 1, **one})
        self.writer.flush()

    def judged(self, name: str, *findings: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "judged", "id": name, "verdict": "pass", "findings": list(findings)}

    def state(self) -> str:
        found: Ticket = self.holding.plant.database.now(lambda session: session.query(Ticket).one())
        return found.state

    async def read(self) -> None:
        while await self.use.step():
            pass


@pytest.fixture
async def used(holding: Any, tmp_path: Path) -> AsyncIterator[Used]:
    holding.park()
    holding.put(state="approved")
    await tickets.issue(holding.plant.ledger, holding.id, holding.request(), ("buy this",), holding.now)
    made = Used(holding, tmp_path)
    yield made
    if made.writer is not None:
        made.writer.close()


async def test_delivered_spends_it(used: Used) -> None:
    used.write(used.judged("m2", FINDING), {"kind": "outcome", "id": "m2", "state": "delivered", "status": 201})
    await used.read()
    assert (used.state(), used.holding.row().state) == ("spent", "delivered")


@pytest.mark.parametrize("state", ["refused", "failed", "unknown"])
async def test_anything_else_leaves_it_open(used: Used, state: str) -> None:
    used.write(used.judged("m2", FINDING), {"kind": "outcome", "id": "m2", "state": state, "reason": "x"})
    await used.read()
    assert (used.state(), used.holding.row().state) == ("open", "ticketed")


async def test_another_message_spends_nothing(used: Used) -> None:
    used.write(used.judged("m2"), {"kind": "outcome", "id": "m2", "state": "delivered", "status": 201})
    await used.read()
    assert used.state() == "open"


async def test_reading_goes_on_behind_a_restart_also_between_message_and_outcome(used: Used, tmp_path: Path) -> None:
    await used.read()
    used.write(used.judged("m2", FINDING))
    await used.read()
    assert used.kept.exists()
    again = Used(used.holding, tmp_path)
    used.write({"kind": "outcome", "id": "m2", "state": "delivered", "status": 201})
    await again.read()
    assert used.state() == "spent"


async def test_what_came_while_nobody_followed_is_found(used: Used) -> None:
    used.write(used.judged("m2", FINDING), {"kind": "outcome", "id": "m2", "state": "delivered", "status": 201})
    used.kept.write_text("damaged")
    await used.read()
    assert used.state() == "spent"


async def test_nothing_is_followed_while_no_ticket_is_open(used: Used) -> None:
    await tickets.void(used.holding.plant.ledger, [used.holding.id], "room.closed", used.holding.now)
    used.write(used.judged("m2", FINDING), {"kind": "outcome", "id": "m2", "state": "delivered", "status": 201})
    assert not await used.use.step()
    assert used.state() == "void"


async def test_a_ticket_of_another_node_is_not_ours_though_it_has_its_number(used: Used) -> None:
    (used.root / "node-0").mkdir(parents=True)
    (used.root / "node-0" / COPIED).touch()
    used.write(used.judged("m2", FINDING), {"kind": "outcome", "id": "m2", "state": "delivered", "status": 201})
    await used.read()
    assert used.state() == "open"
