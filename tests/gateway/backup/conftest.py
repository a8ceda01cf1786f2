"""A node's data folder as it lies on disk: a generation in force, a control database with acts, a journal of several
segments, a word list. Nothing runs."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.backup import node as nodes
from gateway.backup.node import NodePlaces
from gateway.common.folders import Folders
from gateway.control.acts import acts
from gateway.control.acts.acts import Intent, Unit
from gateway.control.acts.database import Database
from gateway.control.acts.rows import Outbox
from gateway.control.adapters.journal import recorded
from gateway.control.blocks.rows import Block
from gateway.control.features import GOVERNANCE
from gateway.journal.write.ids import CONTROL, Ids
from gateway.journal.write.record import envelope
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer

CONFIG = """
[server]
node = NODE
[state]
password = "env:STATE_PASSWORD"
[upstreams.platform]
servers = ["http://127.0.0.1:9"]
[lists.spam]
path = "lists/spam.txt"
[policies.comment]
appeal = "off"
rules = [{ check = "keywords", lists = ["spam"], action = "reject", on_error = "reject", ground = "agreement 1" }]
[[routes]]
name = "comments"
match = "POST /rooms/{room}/comments"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.1/32"]
text = "json:/content"
"""


class Site:
    """``folder/etc`` has the configuration, ``folder/data`` is the data folder."""

    def __init__(self, folder: Path, migrated: Path, number: int = 0) -> None:
        self.etc, self.data = folder / "etc", folder / "data"
        (self.etc / "lists").mkdir(parents=True)
        (self.etc / "lists" / "spam.txt").write_text("buy now\n", encoding="utf-8")
        self.config = self.etc / "tidegate.toml"
        self.config.write_text(CONFIG.replace("NODE", str(number)), encoding="utf-8")
        self.number = number
        self.folders = Folders(self.data)
        self.folders.make()
        generation = self.folders.generation(1)
        generation.mkdir(parents=True)
        shutil.copyfile(self.config, generation / "tidegate.toml")
        (generation / "manifest.json").write_bytes(orjson.dumps({"base": str(self.etc)}))
        self.folders.make_current(1)
        self.database = self.folders.control / "control.sqlite3"
        shutil.copyfile(migrated, self.database)
        self.journal = self.data / "journal"
        self.ids = Ids(number, CONTROL)

    @property
    def places(self) -> NodePlaces:
        """As a backup finds it."""
        return nodes.in_force(self.folders)

    def writer(self, worker: int, loop: asyncio.AbstractEventLoop) -> Writer:
        settings = JournalSettings(segment_size=4096, low_disk=0, full_disk=0)
        ids = Ids(self.number, worker)
        made = Writer(self.journal, f"node-{self.number}", worker, ids=ids, settings=settings, loop=loop)
        made.start()
        return made

    def talked(self, messages: int) -> None:
        """So many messages were judged, twelve in each life of the worker."""

        async def live(numbers: range) -> None:
            writer, ids = self.writer(0, asyncio.get_running_loop()), Ids(self.number, 0)
            for number in numbers:
                writer.append({
                    "kind": "judged", "id": ids(), "time": 1_700_000_000_000_000 + number, "verdict": "reject",
                    "content": envelope(["x" * 200]),
                })  # fmt: skip
                await asyncio.sleep(0)
            writer.close()

        for first in range(0, messages, 12):
            asyncio.run(live(range(first, first + 12)))

    def blocked(self, *senders: str, journalled: bool = True) -> list[str]:
        """These were blocked, each by an act, which the journal holds; the acts' ids there."""
        database = Database(self.database)
        lines: list[dict[str, Any]] = []
        uids = []
        for sender in senders:
            uids.append(self.ids())
            intent = Intent(uids[-1], "ann", "because", "block.create", f"sender:{sender}")
            database.now(lambda session, intent=intent, sender=sender: acts.perform(  # type: ignore[misc]
                session, intent, lambda unit: _block(unit, sender), GOVERNANCE))  # fmt: skip

        def told(session: Any) -> None:
            for row in session.query(acts.Act).filter(acts.Act.uid.in_(uids)).order_by(acts.Act.id):
                lines.append(recorded(row.as_row() | {"undoes_uid": ""}))
                session.get_one(Outbox, row.id).acknowledged_journal = True

        if journalled:
            database.now(told)
        database.close()
        self.record(lines)
        return uids

    def record(self, lines: list[dict[str, Any]]) -> None:
        """Control wrote these."""

        async def write() -> None:
            writer = self.writer(CONTROL, asyncio.get_running_loop())
            for line in lines:
                writer.append(line)
                await asyncio.sleep(0)
            writer.close()

        asyncio.run(write())

    def standing(self) -> list[str]:
        """Who is blocked."""
        database = Database(self.database)
        try:
            return [row.value for row in database.now(lambda session: session.query(Block).order_by(Block.id).all())]
        finally:
            database.close()

    def wiped(self) -> Path:
        """The data folder is gone; what it was, beside."""
        aside = self.data.with_name("lost")
        shutil.rmtree(aside, ignore_errors=True)
        self.data.rename(aside)
        return aside

    @property
    def target(self) -> NodePlaces:
        """As a restore finds it: the configuration alone."""
        return nodes.of(self.folders, self.config)


def _block(unit: Unit, sender: str) -> Block:
    return unit.add(Block(scope="sender", value=sender, reason="r", ground="g", created_at=1))


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def make_site(tmp_path: Path, migrated: Path) -> Iterator[Callable[..., Site]]:
    def make(name: str = "site", number: int = 0) -> Site:
        return Site(tmp_path / name, migrated, number)

    yield make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    made = make_site()
    made.talked(60)
    made.blocked("bob", "carol")
    return made
