"""Two releases work with one database: the older one leaves what is newer as it is, and no further."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from gateway.control.acts import schema
from gateway.control.acts.database import Database, migrate


def number(path: Path, value: int) -> None:
    """As another release would have left it."""
    with create_engine(f"sqlite:///{path}").begin() as connection:
        connection.exec_driver_sql("CREATE TABLE later (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
        connection.exec_driver_sql(f"PRAGMA user_version = {value}")


def test_a_new_one_says_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "control.sqlite3"
    Database(path).close()
    with create_engine(f"sqlite:///{path}").begin() as connection:
        assert connection.exec_driver_sql("PRAGMA user_version").scalar_one() == schema.RELEASE
        assert not schema.of_next_release(connection)
    assert schema.problem(path) == ""


def test_that_of_the_next_release_is_used_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "control.sqlite3"
    Database(path).close()
    number(path, schema.RELEASE + 1)
    assert schema.problem(path) == ""
    database = Database(path)
    assert database.origin
    database.close()
    with create_engine(f"sqlite:///{path}").begin() as connection:
        assert "later" in inspect(connection).get_table_names()
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == "later"


def test_that_of_a_release_beyond_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.sqlite3"
    Database(path).close()
    number(path, schema.RELEASE + 2)
    assert "newer than the next" in schema.problem(path)
    with create_engine(f"sqlite:///{path}").begin() as connection, pytest.raises(Exception, match="later"):
        migrate(connection)


def test_where_there_is_none_there_is_no_problem(tmp_path: Path) -> None:
    assert schema.problem(tmp_path / "control.sqlite3") == ""
    (tmp_path / "bad").write_bytes(b"x" * 5000)
    assert "cannot be read" in schema.problem(tmp_path / "bad")
