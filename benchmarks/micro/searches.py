"""``python -m benchmarks.micro.searches [MESSAGES]``: what indexing a message costs, and how long questions take.

A journal is written through the real log: as many messages as are asked for (1,000,000), of ten days, four workers,
100,000 senders and 20,000 rooms of the usual skew, Chinese texts of 4,000 words as frequent as Zipf has it. It is
indexed, and each question is asked for a page of fifty, once with nothing in the index's memory and then again; the
best of those is told beside the first. Times on a shared machine are upper bounds.
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest import mock

from gateway.common import boot
from gateway.index.indexer import Indexer
from gateway.index.searching import SearchAsked, Searcher
from gateway.index.store.day_files import DayFiles
from gateway.index.store.settings import IndexSettings
from gateway.journal.write import encoding, recovery
from gateway.journal.write.ids import Ids

DAYS: Final = 10
WORKERS: Final = 4
HOUR_US: Final = 3_600_000_000
BATCH: Final = 50
AGAIN: Final = 3


def vocabulary(rng: random.Random) -> list[str]:
    """4,000 words of one to three characters."""
    lengths = (1, 2, 2, 2, 3)
    return ["".join(chr(rng.randrange(0x4E00, 0x57C4)) for _ in range(rng.choice(lengths))) for _ in range(4000)]


class History:
    """``messages`` of the last days, written into ``root``."""

    def __init__(self, root: Path, messages: int) -> None:
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
        yield encoding.fields(record)
        if verdict != "reject":
            state = "delivered" if verdict == "pass" else "held"
            outcome = {"kind": "outcome", "id": record["id"], "time": self._at + 2000, "state": state, "status": 201}
            yield encoding.fields(outcome)


def questions(history: History) -> dict[str, SearchAsked]:
    """What people ask, and what is hard to answer."""
    words, now = history.words, time.time_ns() // 1000
    return {
        "the newest": SearchAsked(),
        "a sender": SearchAsked(sender="u77777"),
        "the busiest sender": SearchAsked(sender="u0"),
        "nobody": SearchAsked(sender="nobody"),
        "a room": SearchAsked(room="video-777"),
        "refused": SearchAsked(verdict="reject"),
        "by a reason": SearchAsked(reason="repeats.same"),
        "held": SearchAsked(state="held"),
        "a day of last week": SearchAsked(since_us=now - 193 * HOUR_US, until_us=now - 169 * HOUR_US),
        "a common word": SearchAsked(text=words[1]),
        "a rare word": SearchAsked(text=words[3990]),
        "one character": SearchAsked(text=words[200][0]),
        "two words that never meet": SearchAsked(text=words[3000] + words[3500]),
        "common pairs, a text that is not there": SearchAsked(text="".join(words[:3]) * 2),
        "a word of a sender": SearchAsked(text=words[5], sender="u77777"),
        "a word in a room": SearchAsked(text=words[50], room="video-1"),
        "refused in a room": SearchAsked(verdict="reject", room="video-3"),
        "what no message came to": SearchAsked(state="void"),
        "passed, and nothing is known": SearchAsked(verdict="pass", state=""),
    }


def main() -> int:
    """Prints a table."""
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with TemporaryDirectory() as place:
        journal, files = Path(place) / "journal", DayFiles(Path(place) / "index")
        history = History(journal, messages)
        history.write()
        indexer = Indexer(journal, files, IndexSettings(), low_disk=0, on_flaw=print)
        used, began, longest = time.process_time(), time.monotonic(), 0.0
        more = True
        while more:
            turned = time.monotonic()
            more = indexer.turn()
            longest = max(longest, time.monotonic() - turned)
        used, took = time.process_time() - used, time.monotonic() - began
        indexer.close()
        size = sum(map(files.size, files.days()))
        kept = sum(path.stat().st_size for path in journal.rglob("*.jsonl"))
        print(f"{messages:,} messages: {used / messages * 1e6:.0f} µs of processor each, {took:.0f} s in all")
        print(f"the longest turn {longest:.2f} s; {size / messages:.0f} bytes each, {size / kept:.2f} of the journal")
        searcher = Searcher(journal, files)
        for name, asked in questions(history).items():
            times = []
            for _ in range(1 + AGAIN):
                began = time.perf_counter()
                page = searcher.search(asked, 50, 60.0)
                times.append(time.perf_counter() - began)
            print(f"{name:40} {times[0] * 1e3:7.1f} ms {min(times[1:]) * 1e3:7.1f} ms {len(page.found):4} found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
