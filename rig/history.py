"""A journal with a history: what workers would have written in the last days, through the real log."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest import mock

from gateway.common import boot
from gateway.journal.write import encoding, recovery
from gateway.journal.write.ids import Ids

DAYS: Final = 10
WORKERS: Final = 4
HOUR_US: Final = 3_600_000_000
BATCH: Final = 50


def vocabulary(rng: random.Random) -> list[str]:
    """4,000 words of one to three characters."""
    lengths = (1, 2, 2, 2, 3)
    return ["".join(chr(rng.randrange(0x4E00, 0x57C4)) for _ in range(rng.choice(lengths))) for _ in range(4000)]


class Written(NamedTuple):
    """A message of the journal. ``at``: microseconds since the epoch; ``verdict``: of its record."""

    id: str
    at: int
    room: str
    sender: str
    verdict: str
    text: str


class History:
    """``messages`` of the last days, written into ``root``; one in ``every`` is remembered in ``kept`` (0: none)."""

    def __init__(self, root: Path, messages: int, every: int = 0) -> None:
        self.kept: list[Written] = []
        self._every = every
        self._count = 0
        self.rng = random.Random(1)
        self.words = vocabulary(self.rng)
        self._weights = list(itertools.accumulate(1 / (place + 1) for place in range(len(self.words))))
        self._root = root
        self._messages = messages
        self._now = boot.reading()
        self._at = self._now.time - DAYS * 24 * HOUR_US + HOUR_US

    def write(self) -> None:
        step = (self._now.time - self._at) // self._messages
        with mock.patch.object(boot, "reading", self._reading):
            logs = [self._log(worker) for worker in range(WORKERS)]
            opened = [self._at] * WORKERS
            for number in range(0, self._messages, BATCH):
                worker = number // BATCH % WORKERS
                ids, log = logs[worker]
                if self._at - opened[worker] > HOUR_US:
                    log.leave("age")
                    opened[worker] = self._at
                log.write([one for _ in range(BATCH) for one in self._message(ids, step)])

    def _reading(self) -> boot.ClockReading:
        return self._now._replace(time=self._at, uptime=max(self._now.uptime - self._now.time + self._at, 1))

    def _log(self, worker: int) -> tuple[Ids, Any]:
        ids = Ids(0, worker, lambda: self._at * 1000)
        folder = self._root / "node-0" / str(worker)
        folder.mkdir(parents=True)
        return ids, recovery.begin(folder, ids, always=False)[0]

    def _message(self, ids: Ids, step: int) -> Iterator[bytes]:
        rng = self.rng
        self._at += step
        drawn = rng.random()
        verdict = "reject" if drawn < 0.02 else "hold" if drawn < 0.03 else "pass"
        record: dict[str, Any] = {
            "kind": "judged", "id": ids(), "time": self._at, "route": "comments", "surface": "comment",
            "room": f"video-{int(rng.paretovariate(1)) % 20_000}", "sender": f"u{int(rng.random() ** 3 * 100_000)}",
            "verdict": verdict, "policy": "0" * 64, "lists": {"spam": "1" * 64},
        }  # fmt: skip
        if verdict != "pass":
            reason = "keyword.match" if drawn < 0.015 else "repeats.same"
            record["findings"] = [{"check": "keywords", "reason": reason, "effect": verdict, "ground": "3.3"}]
        text = "".join(rng.choices(self.words, cum_weights=self._weights, k=rng.randrange(3, 14)))
        record["content"] = {"key": "", "plain": [text]}
        self._count += 1
        if self._every and self._count % self._every == 0:
            self.kept.append(Written(record["id"], self._at, record["room"], record["sender"], verdict, text))
        yield encoding.fields(record)
        if verdict != "reject":
            state = "delivered" if verdict == "pass" else "held"
            outcome = {"kind": "outcome", "id": record["id"], "time": self._at + 2000, "state": state, "status": 201}
            outcome |= {"upstream_id": f"p{self._count}"} if state == "delivered" else {}
            yield encoding.fields(outcome)
