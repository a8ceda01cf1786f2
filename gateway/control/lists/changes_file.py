"""What people changed in word lists, as the file that the compiler reads (``gateway.generation.changes``).

The file is written in the transaction of the act, just before its commit, so that nobody is told of a change which the
next compilation would not see:

    rows, act ──► file written aside, synced, renamed ──► commit
                        │ a crash here: the file has one act more than the database, and nobody was told of it
                        ▼
                  control's start compares the two: the database is right, the file is written anew, lists recompiled

``python -m gateway.control.lists.changes_file --config C --data-dir D`` does the same before control runs: the
supervisor compiles a generation first of all, and a data folder of an earlier version has a database and no file.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import structlog
from sqlalchemy import func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway import config as configuration
from gateway.common.folders import DatabasePlace, Folders, keep_id
from gateway.config import ConfigError
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseInUse, DatabaseUnavailable
from gateway.control.acts.rows import Act, Origin
from gateway.control.lists.rows import Word
from gateway.control.nodes.registering import ThisNode, obstacle, this_node
from gateway.control.nodes.rows import NodeRow
from gateway.generation.changes import LineChanges, gathered, read, write
from gateway.logs import logs
from gateway.node.folder_number import OtherNumber

log = structlog.get_logger()

LOCKED_WITHIN = 10.0  # seconds that a control process of a supervisor that was killed may take to end


class ChangesFile:
    """The file at ``path``, kept as the table of words is. Used in the database's thread only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, session: Session, act: int) -> None:
        """Say what the table says within this transaction. Raises ``OSError``."""
        write(self._path, act, _held(session))

    def mend(self, session: Session) -> bool:
        """Write it anew where it does not say what the database says; True where lists were other than they should be,
        so that what was compiled from it may be wrong."""
        held = _held(session)
        try:
            said: dict[str, LineChanges] | None = read(self._path)
        except (OSError, ValueError):
            said = None
        if said == held:
            return False
        write(self._path, session.scalar(select(func.max(Act.id))) or 0, held)
        return bool(said or held)


def _held(session: Session) -> dict[str, LineChanges]:
    rows = session.execute(select(Word.list, Word.line, Word.effect).order_by(Word.id)).all()
    return gathered((row.list, row.line, row.effect) for row in rows)


def written(path: Path, database: DatabasePlace, id_file: Path | None = None, node: ThisNode | None = None) -> None:
    """Bring the file up to date while no control process runs; without a database there is nothing to say.

    The database is not migrated: whether this version runs at all is not certain yet. Raises ``DatabaseInUse`` where a
    control process runs, which keeps the file itself. ``id_file`` remembers the id of one that is a server's, and
    whether its nodes leave a place for ``node``; while that is away the file says what it said.
    """
    if isinstance(database, Path) and not database.exists():
        return

    def work(session: Session) -> tuple[str, str]:
        inspected = inspect(session.connection())
        if inspected.has_table(Word.__tablename__):
            ChangesFile(path).mend(session)
        else:
            write(path, 0, {})
        found = session.scalar(select(Origin.id)) if inspected.has_table(Origin.__tablename__) else None
        asked = node is not None and inspected.has_table(NodeRow.__tablename__)
        return found or "", obstacle(session, node) if asked and node is not None else ""

    until = time.monotonic() + LOCKED_WITHIN
    while True:
        try:
            opened = Database(database, migrated=False, sole=isinstance(database, Path))
            break
        except DatabaseUnavailable as error:
            log.warning("lists.changes_unasked", database=str(database), problem=error.why)
            return
        except DatabaseInUse:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
    try:
        found = opened.now(work, reading=True)
        if id_file is not None and not isinstance(database, Path):
            keep_id(id_file, database, *found)
    finally:
        opened.close()


def main() -> int:
    """Exit code 0, or 1 where the file could not be brought up to date."""
    parser = argparse.ArgumentParser(prog="python -m gateway.control.lists.changes_file")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    options = parser.parse_args()
    logs.own_up("control")
    folders = Folders(options.data_dir)
    try:
        config = configuration.load(options.config)
    except ConfigError:
        return 0  # the compiler says all that is wrong with it
    database = folders.database(config)
    try:
        written(folders.list_changes, database, folders.database_id, this_node(config, folders))
    except OtherNumber:
        return 1  # the supervisor says it
    except DatabaseInUse as error:
        log.error("lists.changes_locked", exc_info=error)
        return 1
    except (SQLAlchemyError, OSError) as error:  # neither text: it may quote a row
        log.error(
            "lists.changes_failed", database=str(database), file=str(folders.list_changes), kind=type(error).__name__
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
