"""Open, slow, muted and closed rooms."""

import pytest

from filters.checks import room
from filters.model.verdict import Facts, RoomFact
from tests.filters.checks.finding import found


@pytest.mark.parametrize(
    ("status", "wait", "reasons"),
    [("open", 0.0, []), ("slow", 0.0, []), ("slow", 2.5, ["room.slow"]), ("muted", 0.0, ["room.muted"]),
     ("closed", 0.0, ["room.closed"])],
)  # fmt: skip
def test_rooms(status: str, wait: float, reasons: list[str]) -> None:
    assert found("room", room.Options(), Facts(room=RoomFact(status, wait))) == reasons
