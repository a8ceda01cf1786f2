"""Rows of a database that is a server's, into a backup's file and out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gateway.backup.backup_manifest import BackupError
from gateway.backup.checking import unsound
from gateway.backup.database_rows import emptied, exported, filled, imported
from gateway.common.folders import DatabaseServer
from gateway.control.acts.acts import Intent, perform, undo
from gateway.control.acts.database import Database
from gateway.control.acts.numbering import counted
from gateway.control.acts.rows import Model
from gateway.control.blocks.rows import Block
from gateway.control.features import GOVERNANCE


def _all(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    def work(session: Session) -> dict[str, list[tuple[Any, ...]]]:
        return {
            table.name: [tuple(row) for row in session.execute(select(*table.columns).order_by(*table.primary_key))]
            for table in Model.metadata.sorted_tables
        }

    told = database.now(work, reading=True)
    told["marks"] = [row for row in told["marks"] if row[0] not in ("schema", "restored")]
    return told


def _lived(database: Database) -> None:
    """Acts, one that was undone, and numbers that are not there any more."""

    def act(uid: str, work: Any) -> int:
        intent = Intent(uid, "ann", "because", "block.create", "sender:x")
        return database.now(lambda session: perform(session, intent, work, GOVERNANCE)).act

    first = act("one", lambda unit: unit.add(Block(scope="sender", value="a\0b", reason="r", ground="g", created_at=1)))
    act("two", lambda unit: unit.add(Block(scope="sender", value="弹幕", reason="r", ground="g", created_at=2)))
    act("three", lambda unit: undo(unit, first))
    act("four", lambda unit: unit.remove(unit.get(Block, 2)))


def test_out_and_back(tmp_path: Path, server_place: DatabaseServer, postgres: Any) -> None:
    database = Database(server_place)
    _lived(database)
    before = _all(database)
    numbers = database.now(lambda session: counted(session.connection()), reading=True)
    target = tmp_path / "rows.sqlite3"
    exported(server_place, target)  # while control runs
    database.close()
    assert unsound(target) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.sqlite3"]

    empty = DatabaseServer(postgres.create("back"))
    assert not filled(empty)
    imported(target, empty, 7)
    assert filled(empty)
    again = Database(empty)
    assert _all(again) == before
    assert again.now(lambda session: counted(session.connection()), reading=True) == numbers
    assert again.origin == database.origin
    again.close()
    with pytest.raises(BackupError, match="holds something"):
        imported(target, empty, 8)
    emptied(empty, 8)  # another restore's
    assert filled(empty)
    emptied(empty, 7)
    assert not filled(empty)
    imported(target, empty, 9)
    postgres.drop("back")


def test_a_file_goes_to_a_server_whole_or_not_at_all(
    tmp_path: Path, migrated: Path, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "control.sqlite3"
    path.write_bytes(migrated.read_bytes())
    file = Database(path)
    _lived(file)
    before = _all(file)
    numbers = file.now(lambda session: counted(session.connection()))
    file.close()
    empty = DatabaseServer(postgres.create("moved"))
    monkeypatch.setattr("gateway.backup.database_rows.raise_counters", lambda *_: (_ for _ in ()).throw(OSError))
    with pytest.raises(OSError):
        imported(path, empty, 1)
    assert not filled(empty)
    monkeypatch.undo()
    imported(path, empty, 1)
    moved = Database(empty)
    assert _all(moved) == before
    told = moved.now(lambda session: counted(session.connection()), reading=True)
    assert {name: told[name] for name in numbers} == numbers
    moved.close()
    postgres.drop("moved")


def test_a_server_that_is_away_or_was_never_served(tmp_path: Path, postgres: Any) -> None:
    with pytest.raises(BackupError, match="nobody listens there"):
        filled(DatabaseServer("postgresql://tidegate@127.0.0.1:1/x"))
    never = DatabaseServer(postgres.create("never"))
    with pytest.raises(BackupError, match="was never served by this version"):
        exported(never, tmp_path / "rows.sqlite3")
    with pytest.raises(BackupError, match="cannot be copied"):
        served = Database(never)
        served.now(lambda session: session.execute(text("DROP TABLE outbox")))
        served.close()
        exported(never, tmp_path / "other.sqlite3")
    postgres.drop("never")
