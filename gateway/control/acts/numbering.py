"""The numbers that rows are given: one is never given twice, whatever was removed, put back or brought from elsewhere.

SQLite counts on from the highest that there ever was (AUTOINCREMENT), also where a row comes with a number of its own;
a sequence of PostgreSQL's has to be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, Table, text

from gateway.control.acts.rows import Model


def numbered() -> Iterator[Table]:
    """Tables whose rows are numbered."""
    for table in Model.metadata.sorted_tables:
        if table.autoincrement_column is not None:
            yield table


def counted(connection: Connection) -> dict[str, int]:
    """The last number that was given, by table."""
    if connection.dialect.name == "sqlite":
        return {row[0]: int(row[1]) for row in connection.execute(text("SELECT name, seq FROM sqlite_sequence"))}
    return {table.name: _last(connection, table) for table in numbered()}


def raise_counters(connection: Connection, at_least: Mapping[str, int] | None = None) -> None:
    """Give no number up to ``at_least``, by table, nor one up to the highest that is there."""
    for table in numbered():
        least = (at_least or {}).get(table.name, 0)
        if connection.dialect.name != "sqlite":
            highest = max(least, connection.execute(text(f"SELECT max(id) FROM {table.name}")).scalar() or 0)  # noqa: S608
            if highest > _last(connection, table):
                connection.execute(text(f"SELECT setval({_sequence(table)}, :last)"), {"last": highest})
        elif least > counted(connection).get(table.name, 0):
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
            connection.execute(
                text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"),
                {"name": table.name, "last": least},
            )


def _sequence(table: Table) -> str:
    return f"pg_get_serial_sequence('{table.name}', 'id')"


def _last(connection: Connection, table: Table) -> int:
    name = connection.execute(text(f"SELECT {_sequence(table)}")).scalar_one()
    row = connection.execute(text(f"SELECT last_value, is_called FROM {name}")).one()  # noqa: S608 - as the server quotes it
    return int(row[0]) if row[1] else int(row[0]) - 1
