"""Made once, never replaced."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.senders import salt


def test_it_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "salt"
    made = salt.kept(path)
    assert len(made) == salt.SIZE
    assert salt.kept(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["salt"]


def test_a_damaged_one_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "salt"
    for damaged in (b"", b"zz", b"ab" * 31, b"\xff" * 64):
        path.write_bytes(damaged)
        with pytest.raises(salt.SaltUnreadable, match="backup"):
            salt.kept(path)
        assert path.read_bytes() == damaged


def test_an_operators_own() -> None:
    assert salt.of_setting("one of ours") == salt.of_setting("one of ours") != salt.of_setting("another")
