"""What another control did is in force here, told or not told; what it left is projected from here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import true

from gateway.common.folders import DatabaseServer
from gateway.control.acts.acts import Intent, perform
from gateway.control.blocks.rows import Block
from gateway.control.features import GOVERNANCE
from gateway.control.lists.changes_file import ChangesFile
from gateway.control.lists.rows import Word
from gateway.control.nodes import noticing
from gateway.control.nodes.noticing import Noticing
from gateway.control.people import people
from gateway.control.people.rows import Token
from gateway.generation.changes import read
from rig.postgresql import Postgres
from tests.gateway.control.conftest import Plant


class Pair:
    """Two controls of one database. The second notices; each has small neighbours of its own, and one state."""

    def __init__(self, one: Plant, two: Plant) -> None:
        self.one = one
        self.two = two
        two.state = one.state
        self.noticing = Noticing(two.ledger, lambda uid: uid.startswith("two-"))

    async def block(self, who: str) -> int:
        made = Block(scope="sender", value=who, reason="r", ground="g", created_at=1)
        return (await self.one.ledger.act("ann", "r", "block.create", who, lambda unit: unit.add(made))).act


@pytest.fixture
async def pair(tmp_path: Path, server_place: DatabaseServer) -> AsyncIterator[Pair]:
    plants = [Plant(tmp_path / name, server_place, serving=True) for name in ("one", "two")]
    plants[1].ledger._ids = iter(f"two-{number}" for number in range(99)).__next__
    made = Pair(*plants)
    yield made
    await made.noticing.stop()
    for plant in plants:
        await plant.relay.stop()
        await plant.takedowns.stop()
        plant.database.close()


async def test_a_token_that_is_revoked_elsewhere_opens_nothing(
    pair: Pair, eventually: Callable[..., Any], tmp_path: Path
) -> None:
    token = pair.one.database.now(lambda session: people.first(session, "admin", "u", tmp_path / "first", GOVERNANCE))
    assert token is not None
    await pair.noticing.begin()
    pair.two.people.refresh(pair.two.database.now(people.callers))
    pair.noticing.start()
    machine = Token(name="sync", token_hash=people.hashed("tg_x"), scopes=["blocks:read"], made_by="admin",
                    created_at=1 << 60)  # fmt: skip
    await pair.one.ledger.act("admin", "r", "token.make", "sync", lambda unit: unit.add(machine))
    await eventually(lambda: pair.two.people.known("tg_x") is not None)
    await pair.one.ledger.act(
        "admin", "r", "token.revoke", "sync", lambda unit: unit.remove(unit.session.get_one(Token, "sync"))
    )
    await eventually(lambda: pair.two.people.known("tg_x") is None, 1.0)
    assert pair.two.people.known(token) is not None


async def test_what_nobody_notified_of_is_found(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    await pair.noticing.begin()
    await pair.block("bob")
    assert pair.two.workers._snapshot is None
    assert not await pair.noticing.look()
    snapshot = pair.two.workers._snapshot
    assert snapshot is not None
    assert [row.value for row in snapshot.blocks] == ["bob"]
    # What we did ourselves was seen to.
    pushed: list[int] = []
    real = pair.two.workers.push

    async def push(rows: Any) -> Any:
        pushed.append(rows.version)
        return await real(rows)

    monkeypatch.setattr(pair.two.workers, "push", push)
    made = Block(scope="sender", value="eve", reason="r", ground="g", created_at=1)
    await pair.two.ledger.act("ann", "r", "block.create", "eve", lambda unit: unit.add(made), settle=False)
    assert len(pushed) == 1
    await pair.noticing.look()
    assert len(pushed) == 1


async def test_a_database_that_goes_meanwhile_loses_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    await pair.noticing.begin()
    await pair.block("bob")

    async def fails(tables: Any) -> Any:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(pair.two.ledger, "follow_up", fails)
        with pytest.raises(RuntimeError):
            await pair.noticing.look()
    await pair.noticing.look()
    assert pair.two.workers._snapshot is not None


async def test_lists_are_compiled_here_too(pair: Pair, tmp_path: Path, eventually: Callable[..., Any]) -> None:
    file = tmp_path / "changes.json"
    pair.two.ledger.write_beside(Word, ChangesFile(file))
    await pair.two.ledger.mend()
    await pair.noticing.begin()
    for line in ("one", "two"):
        word = Word(list="spam", line=line, effect="added")
        await pair.one.ledger.act("ann", "r", "word.add", "spam", lambda unit, word=word: unit.add(word))  # type: ignore[misc]
        await pair.noticing.look()
    await eventually(lambda: pair.noticing._compiling is None)
    assert pair.two.supervisor.reloads in (1, 2)
    assert set(read(file)["spam"].added) == {"one", "two"}


async def test_what_its_own_control_left_is_projected_from_here(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control that did it died between commit and projection."""
    pair.two.relay.records = lambda uid: uid.startswith("two-")
    pair.two.relay._projection = pair.one.state
    intent = Intent("one-1", "ann", "r", "block.create", "bob")
    made = Block(scope="sender", value="bob", reason="r", ground="g", created_at=1)
    await pair.one.database.run(lambda session: perform(session, intent, lambda unit: unit.add(made), GOVERNANCE))
    await pair.noticing.begin()
    time = [100.0]
    monkeypatch.setattr(noticing.time, "monotonic", lambda: time[0])
    await pair.noticing.look()
    assert not await pair.two.relay.step()
    assert pair.one.state.rows == {}
    time[0] += noticing.EVERY
    await pair.noticing.look()
    assert await pair.two.relay.step()
    assert pair.one.state.rows[("blocks", "sender", "bob")]["reason"] == "r"
    assert pair.two.journal.records == []  # its own node's journal has it, or the leader's
    pair.two.relay.records = lambda uid: true()
    await pair.two.relay.step()
    assert [record["uid"] for record in pair.two.journal.records] == ["one-1"]


async def test_notifications_come_on_a_connection_of_their_own(
    pair: Pair, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but a notification wakes it here, also after its connection was cut."""
    monkeypatch.setattr(noticing, "EVERY", 3600.0)
    looked = asyncio.Event()
    real = pair.noticing.look

    async def look() -> bool:
        looked.set()
        return await real()

    monkeypatch.setattr(pair.noticing, "look", look)
    await pair.noticing.begin()
    pair.noticing.start()
    await asyncio.wait_for(looked.wait(), 10)

    async def heard(who: str) -> None:
        """Acts are done until one of them is heard of: nobody listens yet, or again, at some of them."""
        number = 0
        while True:
            looked.clear()
            number += 1
            await pair.block(f"{who}-{number}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(looked.wait(), 0.5)
                return

    async with asyncio.timeout(20):
        await heard("before")
        postgres.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'")
        await heard("after")
