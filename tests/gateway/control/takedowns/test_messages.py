"""Messages as a person asks for them, from a real journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from gateway.control.takedowns.messages import JournalMessages
from gateway.control.takedowns.neighbours import MessageTold
from gateway.control.takedowns.sightings import Sightings
from gateway.journal.write.ids import CONTROL, Ids
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer
from gateway.mirror.upkeep.importing import bring_in, bullet_id

SENT_AT = 1_500_000_000


class Shelf:
    """A journal with one imported bullet in it, and who reads it. ``routes`` are those that the index follows."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "journal"
        self.routes: tuple[str, ...] = ()
        source = folder / "old.ndjson"
        source.write_bytes(orjson.dumps({"id": "77", "room": "r1", "text": "old one", "at": SENT_AT}) + b"\n")
        route: Any = SimpleNamespace(name="live", playback_unit="s")
        bring_in(source, self.root, route)
        settings = JournalSettings(low_disk=0, full_disk=0)
        loop = asyncio.get_running_loop()
        self.writer = Writer(self.root, "node-0", CONTROL, ids=Ids(0, CONTROL), settings=settings, loop=loop)
        self.writer.start()
        self.sightings = Sightings(self.root, folder / "ids.sqlite3", lambda: self.routes, self.append)
        self.messages = JournalMessages(self.root, self.writer, self.sightings)

    async def append(self, record: dict[str, Any]) -> None:
        raise AssertionError("nothing was deleted here")


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    await made.sightings.stop()
    made.writer.close()


@pytest.mark.parametrize("followed", [True, False])
async def test_a_bullet_from_before_the_gateway_is_a_message(shelf: Shelf, followed: bool) -> None:
    """Whether the index knows it or the journal has to be searched; only what was shown can be taken down."""
    shelf.routes = ("live",) if followed else ()
    while await shelf.sightings.step():
        pass
    ours = bullet_id("r1", "77", SENT_AT * 1_000_000)
    assert await shelf.sightings.named("live", "77") == (ours if followed else "")
    assert await shelf.messages.named("live", "77") == ours
    assert await shelf.messages.named("comments", "77") == ""
    assert await shelf.messages.find(ours) == MessageTold(
        ours, "live", "r1", SENT_AT * 1_000_000, "pass", "delivered", "77", ("old one",)
    )
