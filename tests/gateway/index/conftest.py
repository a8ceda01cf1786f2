"""A journal of any time and of several nodes, written through the real log, and an index of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.common import boot
from gateway.common.boot import ClockReading
from gateway.index.indexer import Indexer
from gateway.index.searching import Searcher
from gateway.index.store.day_files import DayFiles
from gateway.index.store.settings import IndexSettings
from gateway.journal.write import encoding, recovery
from gateway.journal.write.ids import Ids
from gateway.journal.write.log import Log

DAY = 86_400_000_000
NOON = 1_796_040_000_000_000  # µs: 2026-11-30, 12:00 UTC


class Recorded:
    """``at``: the time that everything written bears, in µs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.at = NOON
        self.logs: dict[tuple[int, int], tuple[Log, Ids]] = {}

    def reading(self) -> ClockReading:
        return ClockReading(self.at, "boot", self.at - NOON + 400 * DAY)

    def writer(self, node: int, worker: int) -> tuple[Log, Ids]:
        if (node, worker) not in self.logs:
            folder = self.root / f"node-{node}" / str(worker)
            folder.mkdir(parents=True, exist_ok=True)
            ids = Ids(node, worker, lambda: self.at * 1000)
            self.logs[node, worker] = recovery.begin(folder, ids, always=False)[0], ids
        return self.logs[node, worker]

    def write(self, *records: dict[str, Any], node: int = 0, worker: int = 0) -> None:
        self.writer(node, worker)[0].write([encoding.fields(one) for one in records])

    def turn(self, node: int = 0, worker: int = 0) -> None:
        """The next record opens another segment."""
        self.writer(node, worker)[0].leave("age")

    def judged(
        self, text: str | None = "hello", *, node: int = 0, worker: int = 0, step: int = 1000, **more: Any
    ) -> str:
        """Write a message; its id."""
        self.at += step
        name = str(self.writer(node, worker)[1]())
        record = {
            "kind": "judged", "id": name, "time": self.at, "route": "comments", "surface": "comment", "room": "r1",
            "sender": "u1", "verdict": "pass", "policy": "p", "lists": {}, **more,
        }  # fmt: skip
        if text is not None:
            record["content"] = {"key": "", "plain": [text]}
        self.write(record, node=node, worker=worker)
        return name

    def refused(
        self, text: str | None = "spam", reason: str = "keyword.match", verdict: str = "reject", **more: Any
    ) -> str:
        finding = {"check": "keywords", "reason": reason, "effect": verdict, "ground": "3.3"}
        return self.judged(text, verdict=verdict, findings=[finding], **more)

    def outcome(self, name: str, state: str = "delivered", *, node: int = 0, worker: int = 0, **more: Any) -> None:
        self.at += 1000
        self.write({"kind": "outcome", "id": name, "time": self.at, "state": state, **more}, node=node, worker=worker)

    def review(self, name: str, state: str, **more: Any) -> None:
        self.at += 1000
        self.write({"kind": "review", "id": name, "time": self.at, "state": state, **more}, worker=255)

    def removal(self, name: str, state: str = "requested", **more: Any) -> None:
        self.at += 1000
        told = {"kind": "removal", "id": name, "time": self.at, "by": "takedown", "state": state}
        self.write(told, worker=more.pop("worker", 255), **more)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    made = Recorded(tmp_path / "journal")
    made.root.mkdir()
    monkeypatch.setattr(boot, "reading", made.reading)
    return made


@pytest.fixture
def files(tmp_path: Path) -> DayFiles:
    return DayFiles(tmp_path / "index")


Indexers = Callable[..., Indexer]


@pytest.fixture
def indexers(journal: Recorded, files: DayFiles) -> Iterator[Indexers]:
    """Makes an indexer, as each life of the process has one."""
    made: list[Indexer] = []

    def make(settings: IndexSettings | None = None, low_disk: int = 0) -> Indexer:
        settings = settings or IndexSettings()
        made.append(Indexer(journal.root, files, settings, low_disk=low_disk, on_flaw=lambda flaw: None))
        return made[-1]

    yield make
    for one in made:
        one.close()


def settle(indexer: Indexer) -> None:
    while indexer.turn():
        pass


@pytest.fixture
def searcher(journal: Recorded, files: DayFiles) -> Iterator[Searcher]:
    made = Searcher(journal.root, files)
    yield made
    made.close()
