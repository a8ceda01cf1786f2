"""``python -m benchmarks.micro.searches [MESSAGES]``: what indexing a message costs, and how long questions take.

A journal is written through the real log: as many messages as are asked for (1,000,000), of ten days, four workers,
100,000 senders and 20,000 rooms of the usual skew, Chinese texts of 4,000 words as frequent as Zipf has it. It is
indexed, and each question is asked for a page of fifty, once with nothing in the index's memory and then again; the
best of those is told beside the first. Times on a shared machine are upper bounds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from gateway.index.indexer import Indexer
from gateway.index.searching import SearchAsked, Searcher
from gateway.index.store.day_files import DayFiles
from gateway.index.store.settings import IndexSettings
from rig.history import HOUR_US, History

AGAIN: Final = 3


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
