"""Removals as records, and how a query finds them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.journal.read.selection import REMEMBERED, Selection
from gateway.journal.write.record import Unattributed, outcome, removal


def test_a_takedown_names_its_act_and_reason() -> None:
    record = removal("m", "takedown", "requested", room="r1", reason="order 7", ground="rule 3", act="a")
    assert {name: record[name] for name in record if name != "time"} == {
        "kind": "removal",
        "id": "m",
        "by": "takedown",
        "state": "requested",
        "room": "r1",
        "reason": "order 7",
        "ground": "rule 3",
        "act": "a",
    }
    assert record["time"] > 1_700_000_000_000_000
    with pytest.raises(Unattributed):
        removal("m", "takedown", "requested", reason="order 7")
    with pytest.raises(Unattributed):
        removal("m", "takedown", "requested", reason=" ", act="a")


def test_what_names_no_message_is_no_removal() -> None:
    assert removal("", "user", "seen", route="comments", upstream_id="7")["id"] == ""
    for named in ({}, {"route": "comments"}, {"upstream_id": "7"}):
        with pytest.raises(ValueError, match="names its message"):
            removal("", "user", "seen", **named)
    with pytest.raises(ValueError, match="no removal is"):
        removal("m", "nobody", "seen")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no removal is"):
        removal("m", "user", "gone")  # type: ignore[arg-type]


def test_an_upstreams_id_stands_with_its_route() -> None:
    assert outcome("m", "delivered", upstream_id="7", route="comments")["route"] == "comments"
    assert "route" not in outcome("m", "delivered", route="comments")


def judged(name: str, sender: str) -> dict[str, Any]:
    return {"kind": "judged", "id": name, "time": 1, "sender": sender}


def test_a_removal_is_chosen_with_its_message() -> None:
    selection = Selection(sender="bob")
    asked = [
        judged("m", "bob"),
        judged("n", "eve"),
        outcome("m", "delivered"),
        outcome("n", "delivered"),
        removal("m", "user", "seen"),
        removal("n", "user", "seen"),
        removal("m", "user", "seen"),
    ]
    assert [selection.takes(record) for record in asked] == [True, False, True, False, True, False, True]


def test_what_is_remembered_is_bounded() -> None:
    selection = Selection(sender="bob")
    for number in range(REMEMBERED + 1):
        selection.takes(judged(str(number), "bob"))
        selection.takes(outcome(str(number), "delivered"))
    assert not selection.takes(removal("0", "user", "seen"))
    assert selection.takes(removal("1", "user", "seen"))
