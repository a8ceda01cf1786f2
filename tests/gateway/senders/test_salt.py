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
    assert sorted(one.name for one in tmp_path.iterdir()) == ["salt", "salt.known"]


def test_a_damaged_one_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "salt"
    for damaged in (b"", b"zz", b"ab" * 31, b"\xff" * 64):
        path.write_bytes(damaged)
        with pytest.raises(salt.SaltUnreadable, match="backup"):
            salt.kept(path)
        assert path.read_bytes() == damaged


def test_one_that_is_lost_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "salt"
    salt.kept(path)
    path.unlink()
    with pytest.raises(salt.SaltUnreadable, match="gone"):
        salt.kept(path)
    assert not path.exists()
    (tmp_path / "salt.known").unlink()
    assert len(salt.kept(path)) == salt.SIZE  # a person said so


def test_anothers_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "salt", tmp_path / "other"
    made = salt.kept(path)
    path.write_text(salt.kept(other).hex(), encoding="ascii")
    with pytest.raises(salt.SaltUnreadable, match="not the one"):
        salt.kept(path)
    path.write_text(made.hex(), encoding="ascii")
    for damaged in (b"", b"\xff", b"0" * 16):
        (tmp_path / "salt.known").write_bytes(damaged)
        with pytest.raises(salt.SaltUnreadable, match="not the one"):
            salt.kept(path)


def test_a_salt_of_an_earlier_version_is_known_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "salt"
    path.write_text("ab" * salt.SIZE, encoding="ascii")
    assert salt.kept(path) == b"\xab" * salt.SIZE
    assert (tmp_path / "salt.known").read_text(encoding="ascii").strip() == salt.fingerprint(b"\xab" * salt.SIZE)


def test_an_operators_own() -> None:
    assert salt.of_setting("one of ours") == salt.of_setting("one of ours") != salt.of_setting("another")
