"""A draft over a real journal: what it would hit newly, and what no longer."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.control.lists.back_test import compared
from gateway.journal.write.ids import Ids
from gateway.journal.write.record import envelope
from gateway.journal.write.settings import JournalSettings
from gateway.journal.write.writer import Writer
from gateway.words.compile import compile_lists
from gateway.words.specs import ListSpec


class Record:
    """A list in force (``gold``, ``coins``), and a journal. ``say`` writes a message; its id."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "journal"
        (folder / "spam.txt").write_text("gold\ncoins\n", encoding="utf-8")
        self.spec = ListSpec("spam", str(folder / "spam.txt"))
        self.artifact = compile_lists([self.spec], folder / "out").path(folder / "out", "spam")
        settings, loop = JournalSettings(low_disk=0, full_disk=0), asyncio.get_running_loop()
        self.ids = Ids(1, 0)
        self.writer = Writer(self.root, "node-1", 0, ids=self.ids, settings=settings, loop=loop)
        self.writer.start()

    def say(self, text: str, ago: float = 0, content: Any = None) -> str:
        one = self.ids()
        at = time.time_ns() // 1000 - round(ago * 1e6)
        record = {"kind": "judged", "id": one, "time": at, "route": "comments", "room": "r1", "sender": "bob"}
        self.writer.append(record | {"verdict": "pass", "content": content or envelope([text])})
        self.writer.flush()
        return one

    def asked(self, *, add: tuple[str, ...] = (), leave_out: tuple[str, ...] = (), most: int = 100) -> dict[str, Any]:
        spec = self.spec._replace(added=add, removed=leave_out)._asdict()
        since = time.time_ns() // 1000 - 3600 * 1_000_000
        return {"root": str(self.root), "artifact": str(self.artifact), "spec": spec, "since_us": since, "most": most}


@pytest.fixture
async def record(tmp_path: Path) -> Any:
    made = Record(tmp_path)
    yield made
    made.writer.close()


async def test_newly_hit_and_no_longer(record: Record) -> None:
    record.say("buy gold here")
    both = record.say("coins or pearls")
    pearls = [record.say("pearls here"), record.say("more pearls")]
    record.say("nothing of it")
    record.say("pearls, long ago", ago=7200)
    record.say("", content={"key": "k", "cipher": "x"})  # its text is destroyed
    told = compared(record.asked(add=("pearls",), leave_out=("coins",)))
    assert (told["looked_at"], told["complete"]) == (5, True)
    assert [row[0] for row in told["newly"]["messages"]] == pearls[::-1]  # the newest first
    assert told["newly"]["messages"][0][5] == ["pearls"]
    assert told["no_longer"] == {"count": 0, "messages": []}
    told = compared(record.asked(leave_out=("coins",)))
    assert [(row[0], row[5]) for row in told["no_longer"]["messages"]] == [(both, ["coins"])]
    assert told["newly"]["count"] == 0


async def test_the_newest_are_looked_at_and_that_is_told(record: Record) -> None:
    record.say("pearls one", ago=20)
    last = record.say("pearls two")
    told = compared(record.asked(add=("pearls",), most=1))
    assert (told["looked_at"], told["complete"]) == (1, False)
    assert [row[0] for row in told["newly"]["messages"]] == [last]


async def test_what_is_no_list_is_told(record: Record) -> None:
    assert compared(record.asked(add=("gold | severity 77",)))["problems"]


async def test_as_a_process_no_text_and_no_sender_is_told(record: Record) -> None:
    record.say("a secret of pearls")
    asked = orjson.dumps(record.asked(add=("pearls",)))
    argv = [sys.executable, "-m", "gateway.control.lists.back_test"]
    done = await asyncio.to_thread(subprocess.run, argv, input=asked, stdout=subprocess.PIPE, check=True)
    assert orjson.loads(done.stdout)["newly"]["count"] == 1
    assert b"secret" not in done.stdout
    assert b"bob" not in done.stdout
