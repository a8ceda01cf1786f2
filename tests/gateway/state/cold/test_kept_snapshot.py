"""The file of the last snapshot: whole or not there, and never what stops a worker."""

from __future__ import annotations

import stat
from pathlib import Path

from gateway.state.cold.kept_snapshot import keep, kept
from gateway.state.model.snapshot import BlockRow, RoomRow, SnapshotRows

ROWS = SnapshotRows(7, blocks=(BlockRow("sender", "mallory", "spam"),), rooms=(RoomRow("r1", "closed"),))


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    assert kept(path) is None
    keep(path, SnapshotRows(6))
    keep(path, ROWS)
    found = kept(path)
    assert found is not None
    assert found.rows == ROWS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["snapshot.json"]


def test_a_damaged_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    keep(path, ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    assert kept(path) is None
    path.write_bytes(b"")
    assert kept(path) is None


def test_a_folder_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    keep(tmp_path / "gone" / "snapshot.json", ROWS)
    assert kept(tmp_path / "gone" / "snapshot.json") is None
