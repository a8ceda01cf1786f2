"""The index follows the journal, forgets with it, and is made anew where it must be."""

from __future__ import annotations

import random
import sqlite3

import pytest

from gateway.index import indexer as module
from gateway.index.indexer import NoRoom
from gateway.index.searching import SearchAsked, Searcher
from gateway.index.store.day_files import DayFiles
from gateway.index.store.settings import IndexSettings
from tests.gateway.index.conftest import DAY, Indexers, Recorded, settle

TODAY = ("node-0", "2026-11-30")


def names(searcher: Searcher, **asked: object) -> list[str]:
    found = searcher.search(SearchAsked(**asked), 200, 60)  # type: ignore[arg-type]
    assert found.complete
    return [one.record["id"] for one in found.found]


def state(searcher: Searcher, name: str) -> str:
    return searcher.search(SearchAsked(ids=(name,)), 1, 60).found[0].state


def test_it_follows(journal: Recorded, indexers: Indexers, searcher: Searcher) -> None:
    indexer = indexers()
    assert not indexer.turn()
    first = journal.judged()
    settle(indexer)
    assert names(searcher) == [first]
    assert state(searcher, first) == ""
    journal.outcome(first)
    second = journal.judged(worker=1)
    settle(indexer)
    assert names(searcher) == [second, first]
    assert state(searcher, first) == "delivered"
    assert (indexer.progress.behind, indexer.progress.days, indexer.progress.since) == (0, 1, "2026-11-30")


def test_every_life_goes_on_where_the_last_one_was(
    journal: Recorded, indexers: Indexers, searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECORDS", 7)
    rng = random.Random(5)
    made: list[str] = []
    for _ in range(20):
        made += [journal.judged(worker=rng.randrange(3)) for _ in range(rng.randrange(12))]
        if rng.random() < 0.3:
            journal.turn(worker=rng.randrange(3))
        if rng.random() < 0.2:
            journal.at += DAY // 3
        indexer = indexers()  # the one before it is killed: nothing is closed
        for _ in range(rng.randrange(4)):
            indexer.turn()
    settle(indexers())
    assert names(searcher) == made[::-1][:200]
    assert len(set(names(searcher))) == len(made)


def test_what_was_there_before_is_indexed_the_newest_day_first(
    journal: Recorded, indexers: Indexers, searcher: Searcher, files: DayFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECORDS", 5)
    journal.at -= 3 * DAY
    made = []
    for _ in range(4):
        made += [journal.judged() for _ in range(10)]
        journal.at += DAY
        journal.turn()
    journal.judged()
    indexer = indexers()
    indexer.turn()
    assert [day[1] for day in files.days()] == ["2026-12-01", "2026-11-30"]
    assert indexer.progress.behind > 0
    assert indexer.progress.since == "2026-12-01"
    settle(indexer)
    assert indexer.progress.behind == 0
    assert indexer.progress.since == "2026-11-27"
    assert names(searcher)[1:] == made[::-1]


def test_what_becomes_of_a_message_days_later(journal: Recorded, indexers: Indexers, searcher: Searcher) -> None:
    old, older = journal.judged(), journal.judged(worker=1)
    journal.outcome(old)
    for worker in (0, 1):
        journal.turn(worker=worker)
    journal.at += 2 * DAY
    indexer = indexers()
    settle(indexer)
    journal.removal(old)
    journal.outcome(older, "unknown", reason="worker.lost", worker=1)
    settle(indexer)
    assert (state(searcher, old), state(searcher, older)) == ("removed", "unknown")
    assert names(searcher, reason="worker.lost") == [older]
    # What is made anew knows it as well.
    assert indexer.throw_away(["2026-11-30"]) == 1
    settle(indexer)
    assert (state(searcher, old), state(searcher, older)) == ("removed", "unknown")


def test_another_node_s_record_may_come_first(journal: Recorded, indexers: Indexers, searcher: Searcher) -> None:
    """Node 1's copy lags behind: the removal by node 0 is read before the message."""
    indexer = indexers()
    at = journal.at
    name = str(journal.writer(1, 0)[1]())
    journal.removal(name)
    settle(indexer)
    record = {
        "kind": "judged", "id": name, "time": at, "route": "c", "surface": "comment", "room": "r", "sender": "u",
        "verdict": "pass", "policy": "p", "lists": {},
    }  # fmt: skip
    journal.write(record, node=1)
    settle(indexer)
    assert state(searcher, name) == "removed"


def test_a_day_goes_with_its_first_segment(
    journal: Recorded, indexers: Indexers, searcher: Searcher, files: DayFiles
) -> None:
    first = journal.judged()
    journal.turn()
    journal.judged()
    journal.at += DAY
    journal.turn()
    kept = journal.judged()
    indexer = indexers()
    settle(indexer)
    segments = sorted((journal.root / "node-0" / "0").glob("*.jsonl"))
    segments[0].unlink()
    settle(indexer)
    assert files.days() == [("node-0", "2026-12-01")]
    assert files.marked() == {TODAY: "gone"}
    assert names(searcher) == [kept]
    assert first not in names(searcher)
    settle(indexers())  # nor does another life make it again
    assert files.days() == [("node-0", "2026-12-01")]
    segments[1].unlink()
    settle(indexer)
    assert files.marked() == {}


def test_a_broken_file_is_made_anew(
    journal: Recorded, indexers: Indexers, searcher: Searcher, files: DayFiles, caplog: pytest.LogCaptureFixture
) -> None:
    made = [journal.judged(str(number)) for number in range(500)]
    indexer = indexers()
    settle(indexer)
    indexer.close()
    path = files.path(TODAY)
    held = bytearray(path.read_bytes())
    held[4096 : len(held)] = bytes(len(held) - 4096)  # the first page is whole, what it points to is not
    path.write_bytes(held)
    assert not searcher.search(SearchAsked(room="r1"), 10, 5).complete
    assert set(searcher.suspects) == {TODAY}
    again = indexers()
    suspicion = searcher.suspects.pop(TODAY)
    again.suspect(TODAY, suspicion)
    settle(again)
    again.suspect(TODAY, suspicion)  # heard of late: it is another file by now
    assert names(searcher) == made[::-1][:200]
    assert again.rebuilds == 1


def test_one_that_is_no_file_of_ours_is_made_anew(
    journal: Recorded, indexers: Indexers, searcher: Searcher, files: DayFiles
) -> None:
    name = journal.judged()
    files.make()
    files.path(TODAY).parent.mkdir()
    files.path(TODAY).write_bytes(b"x" * 10_000)
    indexer = indexers()
    settle(indexer)
    assert names(searcher) == [name]
    assert indexer.rebuilds == 1


def test_the_oldest_days_go_where_there_is_too_much(
    journal: Recorded, indexers: Indexers, searcher: Searcher, files: DayFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BOUND_EVERY", 0.0)
    for _ in range(5):
        for number in range(50):
            journal.judged(f"text {number}")
        journal.at += DAY
        journal.turn()
    last = journal.judged()
    indexer = indexers(IndexSettings(max_size=700_000))
    settle(indexer)
    assert 1 <= len(files.days()) < 6
    assert sum(map(files.size, files.days())) <= 700_000
    assert names(searcher)[0] == last
    before = files.days()
    settle(indexer)  # nothing older is tried again
    assert files.days() == before
    settle(indexers(IndexSettings()))  # until the bound is another
    assert len(files.days()) == 6


def test_the_journal_has_the_disk_first(journal: Recorded, indexers: Indexers, files: DayFiles) -> None:
    journal.judged()
    with pytest.raises(NoRoom):
        indexers(low_disk=1 << 60).turn()
    assert files.days() == []


def test_what_sqlite_cannot_do_now_is_done_later(
    journal: Recorded, indexers: Indexers, searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = journal.judged()
    indexer = indexers()

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(module.DayFile, "commit", full)
        with pytest.raises(sqlite3.OperationalError):
            indexer.turn()
    settle(indexer)
    assert names(searcher) == [name]
    assert indexer.rebuilds == 0
