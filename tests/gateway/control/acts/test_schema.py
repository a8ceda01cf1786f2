"""Two releases work with one database: the older one leaves what is newer as it is, and no further."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, select, text

from gateway.control.access.roles import Role
from gateway.control.acts import schema
from gateway.control.acts.acts import Intent, perform
from gateway.control.acts.database import MIGRATIONS, Database, migrate
from gateway.control.acts.rows import Act
from gateway.control.features import GOVERNANCE
from gateway.control.people import people


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


def test_people_of_a_release_before_roles_are_admins_until_somebody_says_otherwise(tmp_path: Path) -> None:
    """Migrated from the schema of that release, and read by the models of this one."""
    path = tmp_path / "control.sqlite3"
    with create_engine(f"sqlite:///{path}").begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        connection.exec_driver_sql(f"INSERT INTO people VALUES ('li', '{people.hashed('tg_li')}', 7)")
        columns = "uid, person, reason, at, kind, subject, changes"
        connection.exec_driver_sql(f"INSERT INTO acts ({columns}) VALUES ('u', 'li', 'r', 1, 'k', 's', '[]')")
    database = Database(path)
    try:
        (caller,) = database.now(people.callers)
        assert (caller.person, caller.roles) == ("li", {Role.ADMIN})
        assert people.People([caller]).known("tg_li") == caller
        assert database.now(people.ungiven) == 1
        assert database.now(lambda session: session.scalars(select(Act.token)).all()) == [None]
        intent = Intent("u2", "tidegate", "r", "person.roles", "person:li")
        give = lambda unit: people.give(unit, "li", [Role.ADMIN])  # noqa: E731
        database.now(lambda session: perform(session, intent, give, GOVERNANCE))
        assert database.now(people.ungiven) == 0
    finally:
        database.close()


def test_where_an_older_program_removed_the_last_admin_there_is_one_again(tmp_path: Path) -> None:
    """It knows no roles, so it may leave people of whom none may give any; the next start of this one helps."""
    database = Database(tmp_path / "control.sqlite3")
    try:
        insert = "INSERT INTO people VALUES ('li', 'x', 7, '[\"viewer\"]', 1)"
        database.now(lambda session: session.execute(text(insert)))
        keep = tmp_path / "first-token"
        token = database.now(lambda session: people.first(session, "admin", "u", keep, GOVERNANCE))
        assert token is not None
        found = {caller.person: caller.roles for caller in database.now(people.callers)}
        assert found == {"li": {Role.VIEWER}, "admin": {Role.ADMIN}}
        assert database.now(lambda session: people.first(session, "admin", "u", keep, GOVERNANCE)) is None
    finally:
        database.close()
