"""The index of the platform's names: bounded, kept over restarts, never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.control.takedowns.upstream_ids import UpstreamIds, key


def ours(number: int) -> str:
    return f"01a20094-b11c-7000-8001-{number:012x}"


def test_names_and_positions_are_kept_together(tmp_path: Path) -> None:
    index = UpstreamIds(tmp_path / "ids.sqlite3")
    index.commit([("comments", "7", ours(1)), ("bullets", "7", ours(2))], {"positions": {"n/0": "a:1"}})
    index.close()
    index = UpstreamIds(tmp_path / "ids.sqlite3")
    assert (index.get("comments", "7"), index.get("bullets", "7")) == (ours(1), ours(2))
    assert index.get("comments", "8") == ""
    assert index.kept("positions", None) == {"n/0": "a:1"}
    assert index.kept("other", 5) == 5
    for wrong in ("no id", "", "00ff"):
        with pytest.raises(ValueError, match=r"hexadecimal|16 bytes"):
            index.commit([("comments", "9", ours(3)), ("comments", "10", wrong)], {"positions": {}})
    assert index.get("comments", "9") == ""
    assert index.kept("positions", None) == {"n/0": "a:1"}
    index.close()


def test_the_newest_of_a_name_counts(tmp_path: Path) -> None:
    index = UpstreamIds(tmp_path / "ids.sqlite3", most=4)
    for number in range(1, 6):
        index.commit([("comments", "7", ours(number))], {})
        assert index.get("comments", "7") == ours(number)
    index.close()


def test_the_oldest_are_forgotten_and_the_bound_holds(tmp_path: Path) -> None:
    index = UpstreamIds(tmp_path / "ids.sqlite3", most=100)
    for number in range(1000):
        index.commit([("comments", str(number), ours(number))], {})
        if number % 37 == 36:  # the count is read anew at each start
            index.close()
            index = UpstreamIds(tmp_path / "ids.sqlite3", most=100)
    known = [number for number in range(1000) if index.get("comments", str(number))]
    assert known[-1] == 999
    assert 50 <= len(known) <= 100
    assert known == list(range(known[0], 1000))
    index.close()


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "ids.sqlite3"
    path.write_bytes(b"no database" * 100)
    index = UpstreamIds.opened(path)
    index.commit([("comments", "7", ours(1))], {})
    assert index.get("comments", "7") == ours(1)
    index.close()
    assert path.stat().st_mode & 0o077 == 0


def test_keys_are_signed_and_apart() -> None:
    found = {key(route, name) for route in ("a", "b", "ab") for name in ("", "1", "\ud800", "é")}
    assert len(found) == 12
    assert all(-(2**63) <= one < 2**63 for one in found)
