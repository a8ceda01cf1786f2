"""Copies of a text in a real journal, and the adapter that reads it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.control.acts.refusal import ControlError
from gateway.control.takedowns import copysearch
from gateway.control.takedowns import messages as adapter
from gateway.control.takedowns.messages import JournalMessages
from gateway.control.takedowns.sightings import Sightings
from gateway.journal.write.ids import CONTROL, Ids
from gateway.journal.write.record import envelope, outcome, removal
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer


class Desk:
    """One worker that writes, and control's side of the journal."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "journal"
        self.worker = self.writer(0)
        self.own = self.writer(CONTROL)
        self.ids = Ids(1, 0)
        self.sightings = Sightings(self.root, folder / "ids.sqlite3", lambda: ["comments"], self.append)
        self.messages = JournalMessages(self.root, self.own, self.sightings)

    async def append(self, record: dict[str, Any]) -> None:
        await self.messages.append(record)

    def writer(self, worker: int) -> Writer:
        settings = JournalSettings(low_disk=0, full_disk=0)
        loop = asyncio.get_running_loop()
        made = Writer(self.root, "node-1", worker, ids=Ids(1, worker), settings=settings, loop=loop)
        made.start()
        return made

    def say(self, *texts: str, sender: str = "bob", ago: float = 0, content: Any = None, theirs: str = "") -> str:
        one = self.ids()
        record = {
            "kind": "judged",
            "id": one,
            "time": time.time_ns() // 1000 - round(ago * 1e6),
            "route": "comments",
            "room": "r1",
            "sender": sender,
            "verdict": "pass",
            "content": content or envelope(list(texts)),
        }
        self.worker.append(record)
        if theirs:
            self.worker.append(outcome(one, "delivered", upstream_id=theirs, route="comments"))
        self.worker.flush()
        return one

    def asked(self, text: str, but: str = "", seconds: float = 3600) -> dict[str, Any]:
        return {
            "root": str(self.root),
            "fingerprint": self.messages.fingerprint((text,)),
            "since_us": time.time_ns() // 1000 - round(seconds * 1e6),
            "but": but,
        }


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    yield made
    await made.sightings.stop()
    made.worker.close()
    made.own.close()


async def test_copies_are_found_through_evasions(desk: Desk) -> None:
    first = desk.say("Buy followers now", ago=50)
    second = desk.say("BUY  followers now!", sender="eve", ago=40)
    third = desk.say("ｂｕｙ fol\u200blowers now", sender="eve", ago=30)
    for other in ("buy followers", "something else", "😀"):
        desk.say(other)
    desk.say("buy followers", "now")
    desk.say("buy followers now", ago=7200)
    desk.say(content={"key": "k7", "cipher": "…"})
    told = copysearch.search(desk.asked("buy followers now", but=first))
    assert [copy[0] for copy in told["copies"]] == [third, second]
    assert (told["senders"], told["more"], told["complete"]) == (1, 0, True)
    assert not any("followers" in str(copy) or "eve" in copy for copy in told["copies"])


async def test_the_list_and_the_time_are_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copysearch, "LISTED", 2)
    for _ in range(5):
        desk.say("again")
    told = copysearch.search(desk.asked("again"))
    assert (len(told["copies"]), told["more"]) == (2, 3)
    assert not copysearch.search(desk.asked("again"), within=0)["complete"]


async def test_as_a_process(desk: Desk) -> None:
    one = desk.say("again")
    asked = orjson.dumps(desk.asked("again"))
    command = [sys.executable, "-m", "gateway.control.takedowns.copysearch"]
    told = await asyncio.to_thread(subprocess.run, command, input=asked, capture_output=True, check=True)
    assert [copy[0] for copy in orjson.loads(told.stdout)["copies"]] == [one]
    found = await desk.messages.copies(desk.messages.fingerprint(("again",)), 0, "")
    assert (found.copies[0].id, found.copies[0].room, found.senders) == (one, "r1", 1)


async def test_a_search_that_fails_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ControlError) as caught:
        await desk.messages.copies("no fingerprint", 0, "")
    assert caught.value.reason == "control.search_failed"
    monkeypatch.setattr(adapter, "SEARCH_WITHIN", 0.001)
    with pytest.raises(ControlError):
        await desk.messages.copies("00" * 8, 0, "")


async def test_a_message_by_both_ids(desk: Desk) -> None:
    one = desk.say("hello", theirs="77")
    told = await desk.messages.find(one)
    assert told is not None
    assert (told.route, told.room, told.verdict, told.state, told.upstream_id) == (
        "comments", "r1", "pass", "delivered", "77",
    )  # fmt: skip
    assert told.texts == ("hello",)
    assert await desk.messages.named("comments", "77") == one  # not in the index: from the journal itself
    assert await desk.messages.named("bullets", "77") == ""
    await desk.sightings.step()
    assert await desk.sightings.named("comments", "77") == one
    assert await desk.messages.find(Ids(1, 0)()) is None
    sealed = desk.say(content={"key": "k7", "cipher": "…"})
    told = await desk.messages.find(sealed)
    assert told is not None
    assert (told.texts, told.state) == (None, "")


async def test_records_are_written_when_append_returns(desk: Desk) -> None:
    await desk.messages.append(removal("m", "user", "seen", room="r1"))
    (path,) = (desk.root / "node-1" / str(CONTROL)).glob("*.jsonl")
    assert b'"kind":"removal"' in path.read_bytes()
