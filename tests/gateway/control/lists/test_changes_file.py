"""What people changed in lists and the file that says it: one truth after every crash."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from gateway.control.acts.ledger import Ledger
from gateway.control.acts.refusal import ControlError, DatabaseInUse
from gateway.control.features import GOVERNANCE
from gateway.control.lists import changes_file
from gateway.control.lists.changes_file import ChangesFile, written
from gateway.control.lists.rows import Word
from gateway.generation.changes import LineChanges, read, write

A_LINE = {"spam": LineChanges(("new",), ())}


def add(line: str) -> Any:
    return lambda unit: unit.add(Word(list="spam", line=line, effect="added"))


@pytest.fixture
def file(plant: Any) -> Path:
    return plant.folder / "changes.json"


@pytest.fixture
def ledger(plant: Any, file: Path) -> Ledger:
    made = Ledger(
        database=plant.database,
        relay=plant.relay,
        workers=plant.workers,
        reloader=plant.supervisor,
        governance=GOVERNANCE,
        ids=plant.ids,
    )
    made.write_beside(Word, ChangesFile(file))
    return made


async def act(ledger: Ledger, line: str) -> None:
    await ledger.act("admin", "test", "word.add", "list:spam", add(line), settle=False)


async def test_an_act_writes_the_file_with_its_number(ledger: Ledger, file: Path) -> None:
    await act(ledger, "new")
    assert read(file) == A_LINE
    assert orjson.loads(file.read_bytes())["act"] == 1  # noqa: ASYNC240
    await act(ledger, "newer")
    assert read(file) == {"spam": LineChanges(("new", "newer"), ())}


async def test_an_act_that_is_refused_leaves_the_file(ledger: Ledger, file: Path) -> None:
    await act(ledger, "new")
    with pytest.raises(ControlError, match=r"control\.conflict"):
        await act(ledger, "new")
    assert read(file) == A_LINE


async def test_a_commit_that_fails_takes_the_file_back(ledger: Ledger, file: Path) -> None:
    await act(ledger, "new")

    class Later(ChangesFile):
        def write(self, session: Any, act: int) -> None:
            super().write(session, act)
            assert read(file) == {"spam": LineChanges(("new", "newer"), ())}
            raise MemoryError  # anything between the file and the commit

    ledger.write_beside(Word, Later(file))
    with pytest.raises(MemoryError):
        await act(ledger, "newer")
    assert read(file) == A_LINE


async def test_a_full_disk_refuses_the_act(ledger: Ledger, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await act(ledger, "new")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(changes_file, "write", full)
    with pytest.raises(ControlError, match=r"control\.changes_unwritten"):
        await act(ledger, "newer")
    assert ledger.database.now(lambda session: session.scalars(select(Word.line)).all()) == ["new"]
    assert read(file) == A_LINE


async def test_mending_says_whether_lists_were_other_than_they_should_be(ledger: Ledger, file: Path) -> None:
    assert not await ledger.mend()  # a first start: nothing to say, and now it is said
    assert read(file) == {}
    await act(ledger, "new")
    assert not await ledger.mend()
    for spoil in (lambda: write(file, 9, {}), file.unlink, lambda: file.write_bytes(b"{")):
        spoil()
        assert await ledger.mend()
        assert read(file) == A_LINE


async def test_a_reload_brings_a_lost_file_back(api: Any) -> None:
    file = api.plant.folder / "changes.json"
    api.plant.ledger.write_beside(Word, ChangesFile(file))
    await api("POST", "/v1/lists/spam/words", json={"line": "new", "reason": "test"})
    file.unlink()
    await api("POST", "/v1/reload", json={"reason": "test"})
    assert api.status == 200
    assert read(file) == A_LINE


DIES = """
import os, sys
from pathlib import Path
from gateway.control.acts.acts import Intent, perform
from gateway.control.acts.database import Database
from gateway.control.lists.rows import Word
from gateway.control.features import GOVERNANCE
from gateway.control.lists.changes_file import ChangesFile

database, file = Database(Path(sys.argv[1])), ChangesFile(Path(sys.argv[2]))

def work(session):
    intent = Intent("act-9", "admin", "test", "word.add", "list:spam")
    word = Word(list="spam", line="never told", effect="added")
    done = perform(session, intent, lambda unit: unit.add(word), GOVERNANCE)
    file.write(session, done.act)
    os._exit(9)

database.now(work)
"""


def test_killed_between_file_and_commit(tmp_path: Path, migrated: Path) -> None:
    """The file has a line that nobody was told of; the next start takes it back, before anything is compiled."""
    database, file = tmp_path / "control.sqlite3", tmp_path / "changes.json"
    database.write_bytes(migrated.read_bytes())
    died = subprocess.run([sys.executable, "-c", DIES, str(database), str(file)], check=False, timeout=60)
    assert died.returncode == 9
    assert read(file) == {"spam": LineChanges(("never told",), ())}
    written(file, database)
    assert read(file) == {}


def old(path: Path) -> None:
    """A database as an earlier version left it: of the first schema, with a word and no file."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE words (id INTEGER PRIMARY KEY, list TEXT, line TEXT, effect TEXT)")
        database.execute("CREATE TABLE acts (id INTEGER PRIMARY KEY)")
        database.execute("INSERT INTO words (list, line, effect) VALUES ('spam', 'new', 'added')")
    database.close()


def test_a_database_of_an_earlier_version_is_read_and_not_migrated(tmp_path: Path) -> None:
    database, file = tmp_path / "control.sqlite3", tmp_path / "changes.json"
    old(database)
    written(file, database)
    assert read(file) == A_LINE
    with sqlite3.connect(database) as opened:
        assert opened.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone() == (0,)
    opened.close()


def test_no_database_and_an_empty_one(tmp_path: Path) -> None:
    database, file = tmp_path / "control.sqlite3", tmp_path / "changes.json"
    written(file, database)
    assert not file.exists()
    database.touch()
    written(file, database)
    assert read(file) == {}


def test_a_control_that_runs_keeps_its_file_itself(plant: Any, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes_file, "LOCKED_WITHIN", 0.0)
    place = plant.database.place
    if not isinstance(place, Path):  # a server's is read beside control
        written(file, place)
        assert read(file) == {}
        return
    with pytest.raises(DatabaseInUse):
        written(file, place)


CONFIG = """
[upstreams.platform]
servers = ["http://127.0.0.1:9"]
[control]
database = "kept/control.sqlite3"
"""


def said(folder: Path, config: str = CONFIG) -> subprocess.CompletedProcess[bytes]:
    (folder / "tidegate.toml").write_text(config, encoding="utf-8")
    (folder / "data" / "control").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "gateway.control.lists.changes_file", "--config", str(folder / "tidegate.toml")]
    return subprocess.run([*command, "--data-dir", str(folder / "data")], capture_output=True, check=False, timeout=60)


def test_the_command_writes_the_file_of_the_configured_database(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    old(tmp_path / "kept" / "control.sqlite3")
    assert said(tmp_path).returncode == 0
    assert read(tmp_path / "data" / "control" / "list-changes.json") == A_LINE


def test_the_command_says_what_it_cannot_read(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "control.sqlite3").write_bytes(b"not a database, and long enough to be looked at" * 100)
    told = said(tmp_path)
    assert told.returncode == 1
    line = json.loads(told.stderr)
    assert (line["event"], line["kind"]) == ("lists.changes_failed", "DatabaseError")
    assert line["database"] == str(tmp_path / "kept" / "control.sqlite3")
    assert said(tmp_path, "[server").returncode == 0  # the compiler says what is wrong with a configuration


def test_the_compiler_reads_no_database() -> None:
    program = (
        "import sys, gateway.generation.generation; sys.exit(bool({'sqlalchemy', 'sqlite3'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, env=dict(os.environ)).returncode == 0
