"""Acts in a real journal, over restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.control.accounts.rows import Account
from gateway.control.acts import acts
from gateway.control.acts.acts import Intent
from gateway.control.acts.outbox import OutboxRelay
from gateway.control.adapters.journal import JournalOfActs
from gateway.control.features import GOVERNANCE
from gateway.journal.read import reader
from gateway.journal.write.errors import JournalUnavailable
from gateway.journal.write.ids import CONTROL, Ids
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer

ACT = {
    "uid": "0199-1",
    "person": "ann",
    "reason": "because",
    "kind": "account.put",
    "subject": "sender:alice",
    "changes": [{"table": "accounts", "key": "alice", "before": None, "after": {"sender": "alice"}}],
    "undoes_uid": "",
    "token": None,
    "at": 1_700_000_000_000_000,
}


@pytest.fixture
async def opened(tmp_path: Path) -> Any:
    writers: list[Writer] = []

    def open_() -> Writer:
        for earlier in writers:
            earlier.close()
        settings = JournalSettings(fsync="no", low_disk=0, full_disk=0)
        ids = Ids(0, CONTROL)
        writer = Writer(tmp_path, "node-0", CONTROL, ids=ids, settings=settings, loop=asyncio.get_running_loop())
        writer.start()
        writers.append(writer)
        return writer

    yield open_
    for writer in writers:
        writer.close()


def kept(root: Path) -> Iterator[dict[str, Any]]:
    for entry in reader.merged(root, lambda flaw: pytest.fail(str(flaw))):
        if entry.record["kind"] == "act":
            yield entry.record


async def test_an_act_is_written_with_its_own_time_and_found_again(opened: Any, tmp_path: Path) -> None:
    journal = JournalOfActs(opened())
    assert await journal.recorded(["0199-1"], 0) == set()
    await journal.append(ACT)
    await journal.append({**ACT, "uid": "0199-2", "undoes_uid": "0199-1", "token": "sync"})
    assert await journal.recorded(["0199-1", "0199-3"], ACT["at"]) == {"0199-1"}
    again = JournalOfActs(opened())
    assert await again.recorded(["0199-1", "0199-2"], ACT["at"]) == {"0199-1", "0199-2"}
    first, second = kept(tmp_path)
    assert (first["id"], first["person"], first["reason"], first["what"]) == ("0199-1", "ann", "because", "account.put")
    assert first["time"] == ACT["at"]
    assert first["target"] == {"subject": "sender:alice", "changes": ACT["changes"]}
    assert (second["undoes"], second["token"], "token" in first) == ("0199-1", "sync", False)


async def test_a_journal_that_cannot_write_says_so(tmp_path: Path) -> None:
    (tmp_path / "node-0").write_bytes(b"a file where a folder should be")
    settings = JournalSettings(fsync="no", low_disk=0, full_disk=0)
    loop = asyncio.get_running_loop()
    writer = Writer(tmp_path, "node-0", CONTROL, ids=Ids(0, CONTROL), settings=settings, loop=loop)
    writer.start()
    journal = JournalOfActs(writer)
    with pytest.raises(JournalUnavailable):
        await journal.append(ACT)
    assert await journal.recorded(["0199-1"], 0) == set()
    writer.close()


async def test_the_relay_repeats_nothing_after_a_crash(
    opened: Any, plant: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """The process dies after the record is written and before it is acknowledged."""

    def work(unit: Any) -> None:
        unit.add(Account(sender="alice", verified=True, verified_until=0, credit=1))

    intent = Intent("0199-9", "ann", "because", "account.put", "sender:alice")
    plant.database.now(lambda session: acts.perform(session, intent, work, GOVERNANCE))

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("gateway.control.acts.outbox._acknowledge", die)
        with pytest.raises(KeyboardInterrupt):
            await OutboxRelay(plant.database, JournalOfActs(opened()), plant.state, GOVERNANCE, retry=1.0).step()
    await OutboxRelay(plant.database, JournalOfActs(opened()), plant.state, GOVERNANCE, retry=1.0).step()
    assert [record["id"] for record in kept(tmp_path)] == ["0199-9"]
