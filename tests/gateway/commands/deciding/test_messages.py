"""``tidegate messages``: what it says; that it reaches a node, tests/e2e/operators/test_search.py tries."""

from __future__ import annotations

from typing import Any

from gateway.commands.deciding.messages import COLUMNS, remarks

TOLD: dict[str, Any] = {"problem": "", "behind": 0, "complete": True, "cursor": None}


def test_what_rows_do_not_say_is_said() -> None:
    assert remarks(TOLD) == []
    told = remarks({"problem": "disk", "behind": 7, "complete": False, "cursor": "abc"})
    assert [any(word in line for line in told) for word in ("disk", "7 bytes", "time was over", "--cursor abc")] == [
        True
    ] * 4


def test_a_row() -> None:
    row = {"at": 0, "texts": None, "reasons": ["keyword.match", "credit.low"], "state": "held"}
    cells = {column.heading: column.cell(row) for column in COLUMNS}
    assert (cells["text"], cells["why"], cells["became"]) == ("", "keyword.match, credit.low", "held")
    assert COLUMNS[-1].cell({"texts": ["a", "\x1b[31mb"]}) == "a / �[31mb"
