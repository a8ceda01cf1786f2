"""The compiler reads what people changed, from another process and without SQLAlchemy."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.control.acts.models import Word
from gateway.generation.changes import line_changes


def test_no_database_means_no_changes(tmp_path: Path) -> None:
    assert line_changes(tmp_path / "none.sqlite3") == {}
    sqlite3.connect(tmp_path / "empty.sqlite3").close()
    assert line_changes(tmp_path / "empty.sqlite3") == {}


def test_a_broken_database_is_not_no_changes(tmp_path: Path) -> None:
    path = tmp_path / "broken.sqlite3"
    path.write_bytes(b"not a database, and long enough to be looked at as one" * 100)
    with pytest.raises(sqlite3.Error):
        line_changes(path)


def test_changes_are_read_while_control_runs(plant: Any) -> None:
    rows = [("spam", "b", "added"), ("spam", "a", "added"), ("abuse", "c", "removed")]
    plant.database.now(lambda session: session.add_all(Word(list=n, line=w, effect=e) for n, w, e in rows))
    assert line_changes(plant.database.path) == {"spam": (("b", "a"), ()), "abuse": ((), ("c",))}


def test_it_is_light() -> None:
    program = "import sys, gateway.generation.changes; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
