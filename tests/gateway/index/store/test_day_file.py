"""A file of the index: all or nothing, nothing twice, and what became of messages in any order."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.index.store.day_file import DayFile, IndexDamaged, RecordPlace, digest, remove
from gateway.index.store.entries import IndexedMessage, IndexEvent
from gateway.journal.write.ids import Ids

PLACE = RecordPlace("node-0/0", "000001-000001.jsonl", 100)
IDS = Ids(0, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "node-0" / "2026-11-30.sqlite3"


@pytest.fixture
def file(path: Path) -> Iterator[DayFile]:
    made = DayFile(path)
    yield made
    made.close()


def message(name: str, **more: Any) -> IndexedMessage:
    return IndexedMessage(name, 1000, "comments", "r1", "u1", "pass", "", (), ("hello",))._replace(**more)


def event(name: str, state: str, at: int = 2000, kind: str = "outcome", reason: str = "") -> IndexEvent:
    return IndexEvent(name, at, kind, state, reason)


def asked(path: Path, statement: str) -> list[Any]:
    database = sqlite3.connect(path)
    try:
        return database.execute(statement).fetchall()
    finally:
        database.close()


def states(path: Path) -> list[int]:
    return [row[0] for row in asked(path, "SELECT state FROM messages ORDER BY n")]


def tags(path: Path) -> set[str]:
    return {row[0] for row in asked(path, "SELECT name FROM tags JOIN names ON names.id = tag")}


def test_it_is_for_its_owner_only(file: DayFile, path: Path) -> None:
    file.begin()
    file.put(message(IDS()), PLACE)
    file.commit({})
    assert {one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_no_sender_room_or_text_stands_in_it(path: Path) -> None:
    file = DayFile(path)
    file.begin()
    file.put(message(IDS(), sender="alice-in-chains", room="secret-room", texts=("plainly said",)), PLACE)
    file.commit({})
    file.finish()
    file.close()
    held = b"".join(one.read_bytes() for one in path.parent.iterdir())
    for told in (b"alice-in-chains", b"secret-room", b"plainly said"):
        assert told not in held


def test_what_was_not_committed_is_not_there(path: Path) -> None:
    name = IDS()
    file = DayFile(path)
    file.begin()
    file.put(message(name), PLACE)
    file.close()
    file = DayFile(path)
    assert (file.rows, file.read, file.oldest) == (0, {}, None)
    for _ in range(2):  # the second time it is there
        file.begin()
        file.put(message(name), PLACE)
        file.commit({("node-0/0", PLACE.segment): 200})
    file.close()
    file = DayFile(path)
    assert (file.rows, file.read) == (1, {("node-0/0", PLACE.segment): 200})
    assert (file.oldest, file.newest) == (1000, 1000)
    file.begin()
    file.put(message(name), PLACE)
    file.commit({})
    assert file.rows == 1
    file.close()


@pytest.mark.parametrize("apart", [False, True])
def test_what_becomes_of_a_message(file: DayFile, path: Path, apart: bool) -> None:
    """In one transaction with it, and in one of its own."""
    passed, held, gone, refused = (IDS() for _ in range(4))

    def next_() -> None:
        if apart:
            file.commit({})
            file.begin()

    file.begin()
    for name in (passed, held, gone, refused):
        file.put(message(name), PLACE)
    next_()
    assert file.become(event(passed, "delivered"), PLACE)
    assert file.become(event(held, "held"), PLACE)
    assert file.become(event(gone, "delivered"), PLACE)
    assert file.become(event(refused, "refused", reason="upstream.refused"), PLACE)
    next_()
    assert file.become(event(held, "approved", 3000, "review"), PLACE)
    assert file.become(event(held, "delivered", 5000, "review"), PLACE)
    assert file.become(event(held, "releasing", 4000, "review"), PLACE)  # of another folder, and read later
    assert file.become(event(gone, "requested", 3000, "removal"), PLACE)
    assert file.become(event(gone, "requested", 3000, "removal"), PLACE)  # told again after a crash
    next_()
    assert file.become(event(gone, "unknown", 6000), PLACE)  # whatever comes, it stays removed
    assert not file.become(event(IDS(), "held"), PLACE)
    file.commit({})
    assert states(path) == [1, 1, 15, 3]
    assert tags(path) == {"state:removed", "state:refused", "reason:upstream.refused"}
    assert asked(path, "SELECT n, kind, state FROM events ORDER BY n, time") == [
        (2, "outcome", "held"), (2, "review", "approved"), (2, "review", "releasing"), (2, "review", "delivered"),
        (3, "removal", "requested"), (3, "outcome", "unknown"), (4, "outcome", "refused"),
    ]  # fmt: skip


def test_events_of_other_files_are_kept(file: DayFile, path: Path) -> None:
    name = Ids(0, 0, lambda: 5_000_000_000)()  # the fifth second of 1970
    file.begin()
    file.keep(event(name, "requested", 9_000_000, "removal", "order"), PLACE)
    file.keep(event(name, "requested", 9_000_000, "removal", "order"), PLACE)
    file.keep(event("what the platform calls it", "seen"), PLACE)
    file.commit({})
    told = list(file.late(0, 10_000_000))
    assert told == [(event(name, "requested", 9_000_000, "removal", "order"), PLACE)]
    assert list(file.late(6_000_000, 10_000_000)) == []
    again = DayFile(path)
    assert again.has_late
    assert list(again.late(0, 10_000_000)) == told
    again.close()


def test_texts_are_left_out_where_that_is_wished(tmp_path: Path) -> None:
    for texts, count in ((True, 1), (False, 0)):
        file = DayFile(tmp_path / f"{texts}.sqlite3", texts=texts)
        file.begin()
        file.put(message(IDS()), PLACE)
        file.put(message(IDS(), texts=None), PLACE)
        file.commit({})
        file.close()
        found = asked(tmp_path / f"{texts}.sqlite3", "SELECT rowid FROM grams WHERE grams MATCH 'he'")
        assert len(found) == count


def test_damage_is_told_apart(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(IndexDamaged):
        DayFile(path)
    remove(path)
    DayFile(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(IndexDamaged, match="format 99"):
        DayFile(path)
    remove(path)
    assert list(path.parent.iterdir()) == []


def test_digests_differ_by_file_and_kind() -> None:
    made = {digest(key, kind, "u1") for key in (b"a", b"b") for kind in ("room", "sender")}
    assert len(made) == 4
