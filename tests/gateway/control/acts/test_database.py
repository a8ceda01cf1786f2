"""The file, its lock and its schema."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import text

from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseInUse, DatabaseUnavailable
from gateway.control.acts.rows import Model


def test_migrations_make_exactly_the_models(plant: Any) -> None:
    with plant.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, Model.metadata) == []


def test_the_file_is_its_owner_s_and_in_wal_mode(tmp_path: Path) -> None:
    database = Database(tmp_path / "made" / "control.sqlite3")
    try:
        assert stat.S_IMODE(database.place.stat().st_mode) == 0o600
        assert stat.S_IMODE(database.place.parent.stat().st_mode) == 0o700
        assert database.now(lambda session: session.scalar(text("PRAGMA journal_mode"))) == "wal"
        assert database.now(lambda session: session.scalar(text("PRAGMA foreign_keys"))) == 1
    finally:
        database.close()


def test_it_has_an_id_of_its_own_for_good(tmp_path: Path, plant: Any) -> None:
    path = tmp_path / "made" / "control.sqlite3"
    ids = []
    for _ in range(2):
        database = Database(path)
        ids.append(database.origin)
        database.close()
    assert ids[0] == ids[1]
    assert len(ids[0]) == 36
    assert ids[0] != plant.database.origin


def test_only_one_process_owns_it(plant: Any) -> None:
    with pytest.raises(DatabaseInUse):
        Database(plant.database.place)


def test_a_database_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "control.sqlite3"
    database = Database(path)
    database.now(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    database.close()
    with pytest.raises(CommandError):
        Database(path)
    with pytest.raises(CommandError):  # and the lock was given back
        Database(path)


async def test_what_raises_is_rolled_back(plant: Any) -> None:
    def work(session: Any) -> None:
        session.execute(text("INSERT INTO marks VALUES ('x', 1)"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await plant.database.run(work)
    assert plant.database.now(lambda session: session.scalar(text("SELECT count(*) FROM marks WHERE name = 'x'"))) == 0


@pytest.mark.parametrize(
    ("trouble", "mended"), [("query_only = ON", "query_only = OFF"), ("max_page_count = 1", "max_page_count = 1000000")]
)
async def test_a_file_that_takes_nothing_now_is_away_and_comes_back(plant: Any, trouble: str, mended: str) -> None:
    def work(session: Any) -> None:
        session.execute(text("CREATE TABLE larger (filling TEXT)"))
        session.execute(text("INSERT INTO larger VALUES (:filling)"), {"filling": "x" * 100_000})

    def pragma(value: str) -> None:
        connection = plant.database.engine.raw_connection()
        connection.cursor().execute(f"PRAGMA {value}").fetchall()
        connection.close()

    plant.database._thread.submit(pragma, trouble).result()
    with pytest.raises(DatabaseUnavailable) as told:
        await plant.database.run(work)
    assert told.value.status == 503
    assert plant.database.problem
    plant.database._thread.submit(pragma, mended).result()
    await plant.database.run(work)
    assert plant.database.problem == ""


async def test_a_file_that_another_program_has_locked_is_away_and_comes_back(plant: Any) -> None:
    def pragma(session: Any) -> None:
        session.connection().exec_driver_sql("PRAGMA busy_timeout = 20")

    def work(session: Any) -> None:
        session.execute(text("INSERT INTO marks VALUES ('locked', 1)"))

    plant.database.now(pragma)
    other = sqlite3.connect(plant.database.place, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseUnavailable) as told:
        await plant.database.run(work)
    assert told.value.why == "is locked by another program"
    other.execute("ROLLBACK")
    other.close()
    await plant.database.run(work)
    assert plant.database.problem == ""
