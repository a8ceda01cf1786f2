"""The file of what people changed in lists: whole or refused, and without it nothing is quietly lost."""

from __future__ import annotations

import stat
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.generation import changes
from gateway.generation.changes import ChangesLost, LineChanges, gathered, line_changes, read, write

LISTS = {"spam": LineChanges(("b", "a 代开"), ()), "abuse": LineChanges((), ("c",))}
lines = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=4).map(tuple)


def test_changes_keep_their_order() -> None:
    rows = [("spam", "b", "added"), ("abuse", "c", "removed"), ("spam", "a 代开", "added")]
    assert gathered(rows) == LISTS


@given(st.dictionaries(st.text(st.characters(codec="ascii"), max_size=5), st.builds(LineChanges, lines, lines)))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, lists: dict[str, LineChanges]) -> None:
    path = tmp_path_factory.getbasetemp() / "changes.json"
    write(path, 7, lists)
    assert read(path) == lists


def test_it_is_for_its_owner_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "changes.json"
    write(path, 1, {})
    write(path, 2, LISTS)
    assert read(path) == LISTS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["changes.json"]


def test_where_there_was_never_a_control_there_are_no_changes(tmp_path: Path) -> None:
    assert line_changes(tmp_path / "changes.json", tmp_path / "control.sqlite3") == {}


def test_a_missing_file_beside_a_database_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "control.sqlite3").touch()
    with pytest.raises(ChangesLost, match=r"changes\.json is missing.*start the gateway again"):
        line_changes(tmp_path / "changes.json", tmp_path / "control.sqlite3")


def test_the_file_counts_where_the_database_is_elsewhere(tmp_path: Path) -> None:
    write(tmp_path / "changes.json", 1, LISTS)
    assert line_changes(tmp_path / "changes.json", tmp_path / "moved.sqlite3") == LISTS


def test_every_damaged_byte_is_seen_and_none_is_quoted(tmp_path: Path) -> None:
    path = tmp_path / "changes.json"
    write(path, 3, {"spam": LineChanges(("sanderling",), ())})
    whole = path.read_bytes().rstrip(b"\n")
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    damaged += [b"[]", b"null", b'{"act":1}', orjson.dumps({"act": 1, "lists": {}, "checksum": "x"})]
    damaged.append(orjson.dumps({"act": 1, "lists": [1], "checksum": changes._checksum({"act": 1, "lists": [1]})}))
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(ChangesLost, match="is damaged") as refused:
            line_changes(path, tmp_path / "none")
        assert "sanderling" not in str(refused.value)


def test_a_file_that_may_not_be_read_is_not_no_changes(tmp_path: Path) -> None:
    (tmp_path / "changes.json").mkdir()
    with pytest.raises(ChangesLost, match="cannot be read"):
        line_changes(tmp_path / "changes.json", tmp_path / "none")
