"""The rows of a control database that is a server's: into the file that a backup holds, and out of one.

A backup has the same file wherever the database is, so that it can be verified without a server, and restored to a file
or to a server of whatever version. All of it is read at one point of the acts' order, and written in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Table, delete, insert, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway.backup.backup_manifest import BackupError
from gateway.common.folders import DatabaseServer
from gateway.control.acts import schema, sqlite_file
from gateway.control.acts.database import Database, migrate
from gateway.control.acts.numbering import counted, raise_counters
from gateway.control.acts.refusal import DatabaseInUse, DatabaseUnavailable
from gateway.control.acts.rows import Act, Mark, Model
from gateway.control.features import FEATURES
from gateway.control.nodes.rows import Lease, NodeRow

assert FEATURES  # their rows are in the metadata

BATCH = 1000  # rows of one statement
PRESENT = (NodeRow.__tablename__, Lease.__tablename__)  # who is there: not of those who will be
RESTORED = "restored"  # mark: the restore that filled a server's database, by its time (µs since the epoch)


def exported(server: DatabaseServer, target: Path) -> None:
    """Write everything to a new file. Raises ``BackupError``."""
    file = sqlite_file.engine(target)

    def work(session: Session) -> None:
        source = session.connection()
        if schema.release(source) not in (schema.RELEASE, schema.RELEASE + 1):
            raise BackupError(f"{server} was never served by this version: start the node once, or use the other one")
        with file.begin() as made:
            migrate(made)
            _copied(source, made)

    try:
        with _opened(server, migrated=False, sole=False) as database:
            database.now(work, reading=True)
        with file.connect() as made:
            made.exec_driver_sql("COMMIT")
            made.exec_driver_sql("PRAGMA journal_mode = DELETE")
    finally:
        file.dispose()


def imported(source: Path, server: DatabaseServer, restore: int) -> None:
    """Fill an empty database from a file, whole or not at all. ``restore`` names this restore. Raises
    ``BackupError``."""
    file = sqlite_file.engine(source)
    try:
        with _opened(server) as database, file.connect() as held:

            def work(session: Session) -> None:
                made = session.connection()
                if _filled(made):
                    raise BackupError(f"{server} holds something: name an empty database")
                _empty(made)
                _copied(held, made)
                session.merge(Mark(name=RESTORED, value=restore))
                schema.note(made)

            database.now(work)
    finally:
        file.dispose()


def filled(server: DatabaseServer) -> bool:
    """Whether acts were done there, or people may act. Raises ``BackupError``."""
    with _opened(server, migrated=False) as database:
        return database.now(lambda session: _filled(session.connection()), reading=True)


def emptied(server: DatabaseServer, restore: int) -> None:
    """Take out what a restore that did not end has put there, and nothing else. Raises ``BackupError``."""

    def work(session: Session) -> None:
        if _filled(session.connection()):
            mark = session.get(Mark, RESTORED)
            if mark is not None and mark.value == restore:
                _empty(session.connection())

    with _opened(server, migrated=False) as database:
        database.now(work)


@contextmanager
def _opened(server: DatabaseServer, *, migrated: bool = True, sole: bool = True) -> Iterator[Database]:
    """A server's database for as long as this lasts, its trouble told as ours."""
    database: Database | None = None
    try:
        database = Database(server, migrated=migrated, sole=sole)
        yield database
    except (DatabaseUnavailable, DatabaseInUse) as error:
        raise BackupError(f"{server}: {error}") from None
    except SQLAlchemyError as error:  # not its text: it may quote a row
        raise BackupError(f"{server}: its rows cannot be copied ({type(error).__name__})") from None
    finally:
        if database is not None:
            database.close()


def _filled(connection: Connection) -> bool:
    here = set(inspect(connection).get_table_names())
    return any(
        connection.execute(select(1).select_from(table).limit(1)).first() is not None
        for table in Model.metadata.sorted_tables
        if table.name in here and table.name not in ("marks", "origin", *PRESENT)
    )


def _empty(connection: Connection) -> None:
    connection.execute(update(Act).values(undoes=None, undone_by=None))
    for table in reversed(Model.metadata.sorted_tables):
        connection.execute(delete(table))


def _copied(source: Connection, target: Connection) -> None:
    """The columns that this version knows; a release that is newer may have more."""
    for table in Model.metadata.sorted_tables:
        if table.name not in PRESENT:
            _table(source, target, table)
    raise_counters(target, counted(source))


def _table(source: Connection, target: Connection, table: Table) -> None:
    columns = table.columns
    undone: list[tuple[int, int]] = []
    rows = source.execution_options(yield_per=BATCH).execute(select(*columns).order_by(*table.primary_key.columns))
    for batch in rows.mappings().partitions():
        values = [dict(row) for row in batch]
        if table.name == Act.__tablename__:  # what undoes an act comes after it
            undone += [(row["id"], row["undone_by"]) for row in values if row["undone_by"] is not None]
            values = [row | {"undone_by": None} for row in values]
        target.execute(insert(table), values)
    for number, by in undone:
        target.execute(update(Act).where(Act.id == number).values(undone_by=by))
