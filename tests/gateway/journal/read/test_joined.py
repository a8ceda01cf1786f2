"""A message and what became of it as one row."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.journal.read.joined import Joined

FINDING = {"reason": "keyword.match", "effect": "reject"}
JUDGED: dict[str, Any] = {
    "kind": "judged",
    "id": "m",
    "time": 7,
    "route": "r",
    "room": "1",
    "sender": "s",
    "verdict": "pass",
}
OUTCOME = {"kind": "outcome", "id": "m", "time": 8, "state": "delivered", "status": 201}
REMOVAL = {"kind": "removal", "id": "m", "time": 9, "state": "seen", "by": "user"}


def rows(*records: dict[str, Any], most: int = 10) -> list[dict[str, Any]]:
    joined = Joined(most)
    for record in records:
        joined.take(record)
    return list(joined.newest_first())


@pytest.mark.parametrize("order", [(JUDGED, OUTCOME, REMOVAL), (OUTCOME, JUDGED, REMOVAL)])
def test_what_became_of_a_message_stands_in_its_row(order: tuple[dict[str, Any], ...]) -> None:
    (row,) = rows(*order)
    assert (row["kind"], row["time"], row["sender"], row["what"]) == ("message", 7, "s", "pass")
    assert row["became"] == "delivered 201; removal seen by user"


def test_an_outcome_whose_message_was_not_asked_for_is_a_row_of_its_own() -> None:
    (row,) = rows({"kind": "outcome", "id": "m", "time": 8, "state": "failed", "reason": "upstream.timeout"})
    assert (row["kind"], row["became"], row["what"]) == ("outcome", "failed (upstream.timeout)", "")


def test_why_is_what_was_found_or_what_a_person_said() -> None:
    act = {"kind": "act", "id": "a", "time": 9, "what": "block.create", "reason": "flood", "person": "li"}
    newest, older = rows(JUDGED | {"findings": [FINDING], "verdict": "reject"}, act)
    assert (newest["what"], newest["why"]) == ("block.create", "flood")
    assert (older["what"], older["why"]) == ("reject", "keyword.match (reject)")


def test_the_newest_are_kept_and_the_others_counted() -> None:
    joined = Joined(2)
    for number in range(5):
        joined.take(JUDGED | {"id": f"m{number}"})
        joined.take({"kind": "opened", "time": number})
    assert joined.left == 8
    assert [row["kind"] for row in joined.newest_first()] == ["opened", "message"]
