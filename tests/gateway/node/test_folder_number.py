"""Whose number a data folder has."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.node.folder_number import OtherNumber, folder_id


def test_a_folder_has_one_number_and_one_id_for_good(tmp_path: Path) -> None:
    file = tmp_path / "node.json"
    found = folder_id(file, 3)
    assert len(found) == 36
    assert folder_id(file, 3) == found
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert folder_id(tmp_path / "other.json", 3) != found


def test_another_number_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "node.json"
    folder_id(file, 3)
    with pytest.raises(OtherNumber, match=r"is node 3's, and server\.node is 4: set server\.node = 3, or start in a"):
        folder_id(file, 4)


@pytest.mark.parametrize("written", [b"", b"{}", b"[]", b'{"node": "x", "id": "y"}', b"\xff"])
def test_what_cannot_be_read_is_nobody_s(tmp_path: Path, written: bytes) -> None:
    """It was somebody's: a new number would be a second one."""
    file = tmp_path / "node.json"
    file.write_bytes(written)
    with pytest.raises(OtherNumber, match="cannot be read"):
        folder_id(file, 3)
    assert file.read_bytes() == written
