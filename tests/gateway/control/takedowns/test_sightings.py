"""Deletions seen under the platform's names become removals of our messages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from gateway.control.takedowns.sightings import PATIENCE_US, Sightings
from gateway.journal.write.ids import CONTROL, Ids
from gateway.journal.write.record import envelope, outcome, removal
from gateway.journal.write.segments import COPIED
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer
from gateway.mirror.upkeep.importing import bring_in, bullet_id


class Desk:
    """Two workers and control, writing; and a control that follows. ``fail`` makes the next append fail."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "journal"
        self.path = folder / "ids.sqlite3"
        self.workers = [self.writer(0), self.writer(1)]
        self.own = self.writer(CONTROL)
        self.ids = [Ids(1, 0), Ids(1, 1)]
        self.routes = ["comments"]
        self.removals: list[dict[str, Any]] = []
        self.fail = False
        self.refused = asyncio.Event()
        self.recorded = asyncio.Event()
        self.sightings = self.follow()

    def writer(self, worker: int) -> Writer:
        loop = asyncio.get_running_loop()
        settings = JournalSettings(low_disk=0, full_disk=0)
        made = Writer(self.root, "node-1", worker, ids=Ids(1, worker), settings=settings, loop=loop)
        made.start()
        return made

    def follow(self) -> Sightings:
        return Sightings(self.root, self.path, lambda: self.routes, self.append)

    async def append(self, record: dict[str, Any]) -> None:
        if self.fail:
            self.refused.set()
            raise OSError
        self.removals.append(record)
        self.recorded.set()
        self.own.append(record)
        self.own.flush()

    def deliver(self, worker: int, theirs: str, room: str = "r1", state: Any = "delivered") -> str:
        one = self.ids[worker]()
        writer = self.workers[worker]
        now = time.time_ns() // 1000
        content = envelope(["text"])
        writer.append(
            {"kind": "judged", "id": one, "time": now, "route": "comments", "room": room, "verdict": "pass"}
            | {"content": content}
        )
        writer.append(outcome(one, state, upstream_id=theirs, route="comments", reason="x"))
        writer.flush()
        return one

    def delete(self, worker: int, theirs: str = "", ours: str = "", room: str = "", age_us: int = 0) -> None:
        seen = removal(ours, "user", "seen", route="comments", room=room, upstream_id=theirs, status=204)
        seen["time"] -= age_us
        self.workers[worker].append(seen)
        self.workers[worker].flush()

    def bring_in(self, theirs: str, room: str) -> str:
        """A bullet from before the gateway; gives our id."""
        source = self.path.with_name("old.ndjson")
        source.write_bytes(orjson.dumps({"id": theirs, "room": room, "text": "old", "at": 1_500_000_000}) + b"\n")
        route: Any = SimpleNamespace(name="comments", playback_unit="s")
        bring_in(source, self.root, route)
        return bullet_id(room, theirs, 1_500_000_000_000_000)

    async def settle(self) -> None:
        while await self.sightings.step():
            pass

    def seen(self) -> list[tuple[str, str, str]]:
        return [(one["id"], one["room"], one.get("upstream_id", "")) for one in self.removals]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.sightings.stop()
    for writer in (*made.workers, made.own):
        writer.close()


async def test_a_deletion_is_named_whoever_delivered_the_message(desk: Desk) -> None:
    first, second = desk.deliver(0, "7"), desk.deliver(1, "8", room="r2")
    desk.delete(0, "8")
    desk.delete(1, "7")
    await desk.settle()
    assert sorted(desk.seen()) == sorted([(second, "r2", "8"), (first, "r1", "7")])
    assert {one["by"] for one in desk.removals} == {"user"}
    assert {one["status"] for one in desk.removals} == {204}
    await desk.settle()  # what control itself recorded is nothing new
    assert len(desk.removals) == 2
    assert await desk.sightings.named("comments", "7") == first
    assert await desk.sightings.named("bullets", "7") == ""


async def test_by_our_id_the_room_is_added(desk: Desk) -> None:
    one = desk.deliver(0, "7")
    desk.delete(1, ours=one)
    desk.delete(1, ours=one, room="r1")  # this one says it all
    await desk.settle()
    assert desk.seen() == [(one, "r1", "")]


async def test_an_outcome_may_be_read_after_its_deletion(desk: Desk) -> None:
    desk.delete(0, "7")
    await desk.settle()
    assert desk.removals == []
    one = desk.deliver(1, "7")
    await desk.settle()
    assert desk.seen() == [(one, "r1", "7")]


async def test_patience_ends(desk: Desk) -> None:
    desk.delete(0, "7", age_us=PATIENCE_US + 1)
    await desk.settle()
    assert (desk.removals, desk.sightings.unnamed) == ([], 1)
    desk.deliver(1, "7")
    await desk.settle()
    assert desk.removals == []


async def test_only_what_was_delivered_has_a_name(desk: Desk) -> None:
    desk.deliver(0, "7", state="refused")
    desk.delete(0, "7", age_us=PATIENCE_US + 1)
    await desk.settle()
    assert desk.sightings.unnamed == 1


async def test_names_and_waiting_deletions_survive_a_restart(desk: Desk) -> None:
    one = desk.deliver(0, "7")
    desk.delete(1, "8")
    await desk.settle()
    await desk.sightings.stop()
    desk.sightings = desk.follow()
    desk.delete(1, "7")
    other = desk.deliver(0, "8")
    await desk.settle()
    assert sorted(desk.seen()) == sorted([(one, "r1", "7"), (other, "r1", "8")])


async def test_what_could_not_be_recorded_is_recorded_later(desk: Desk) -> None:
    one = desk.deliver(0, "7")
    desk.delete(1, "7")
    desk.fail = True
    desk.sightings.start()
    async with asyncio.timeout(10):
        await desk.refused.wait()
        desk.fail = False
        await desk.recorded.wait()
    assert desk.seen() == [(one, "r1", "7")]


async def test_nothing_is_followed_where_nothing_is_named(desk: Desk) -> None:
    desk.routes = []
    desk.deliver(0, "7")
    assert not await desk.sightings.step()
    assert desk.sightings._follower is None


async def test_a_pruned_journal_leaves_the_name(desk: Desk) -> None:
    one = desk.deliver(0, "7")
    await desk.settle()
    for path in (desk.root / "node-1" / "0").glob("*.jsonl"):
        path.unlink()
    desk.delete(1, "7", room="r1", age_us=PATIENCE_US + 1)
    await desk.settle()
    assert desk.seen() == [(one, "r1", "7")]


async def test_deletions_of_what_was_imported_are_named_too(desk: Desk) -> None:
    old = desk.bring_in("7", "r9")
    both = desk.deliver(0, "8")
    await desk.settle()
    desk.bring_in("8", "r9")  # what came through the gateway is newer
    desk.delete(0, "7")
    desk.delete(1, "8")
    await desk.settle()
    assert sorted(desk.seen()) == sorted([(old, "r9", "7"), (both, "r1", "8")])
    assert await desk.sightings.named("comments", "7") == old


async def test_a_copy_gives_names_and_its_deletions_are_its_own_nodes(desk: Desk) -> None:
    """What came in on another node is named here; what was seen there is named there."""
    (desk.root / "node-2").mkdir()
    (desk.root / "node-2" / COPIED).touch()
    loop = asyncio.get_running_loop()
    there = Writer(
        desk.root, "node-2", 0, ids=Ids(2, 0), settings=JournalSettings(low_disk=0, full_disk=0), loop=loop
    )  # fmt: skip
    there.start()
    desk.workers.append(there)
    desk.ids.append(Ids(2, 0))
    theirs = desk.deliver(2, "7", room="r2")
    desk.deliver(0, "8")
    desk.delete(0, "7")
    desk.delete(2, "8")
    await desk.settle()
    assert desk.seen() == [(theirs, "r2", "7")]
    assert desk.sightings.unnamed == 0
