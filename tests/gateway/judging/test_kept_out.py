"""Blocks and closed rooms as the snapshot has them count where the policy enforces them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from filters.model.rule import Rule
from gateway.judging.kept_out import blocked, closed
from gateway.state.model.snapshot import BlockRow, RangeRow, RoomRow, Snapshot, SnapshotRows

SNAPSHOT = Snapshot(
    SnapshotRows(
        1,
        ranges=(RangeRow("192.0.2.0/24", "farm"),),
        blocks=(
            BlockRow("sender", "mallory", "spam"), BlockRow("sender", "over", "spam", 1),
            BlockRow("sender", "slowed", "spam", 0, limited=True), BlockRow("room", "r9", "order"),
        ),
        rooms=(RoomRow("shut", "closed"), RoomRow("quiet", "muted"), RoomRow("slow", "slow", 5000)),
    )
)  # fmt: skip


def route(**changed: Any) -> Any:
    told: dict[str, Any] = {"action": "reject", "on_error": "reject", "options": None, "ground": "6.1"} | changed
    return SimpleNamespace(policy=SimpleNamespace(rules=[Rule(check, **told) for check in ("block", "room")]))


@pytest.mark.parametrize(
    ("sender", "room", "ip", "reason"),
    [
        ("mallory", "r", "", "block.sender"),
        ("alice", "r9", "", "block.room"),
        ("alice", "r", "192.0.2.7", "block.ip"),
        ("over", "r", "", None),
        ("slowed", "r", "", None),
        ("", "r", "198.51.100.1", None),
    ],
)
def test_blocks(sender: str, room: str, ip: str, reason: str | None) -> None:
    found = blocked(route(), sender, room, ip, SNAPSHOT)
    assert (found.finding.reason if found is not None else None) == reason
    assert found is None or found.rule.ground == "6.1"


@pytest.mark.parametrize(
    ("room", "reason"), [("shut", "room.closed"), ("quiet", "room.muted"), ("slow", None), ("r", None)]
)
def test_rooms(room: str, reason: str | None) -> None:
    found = closed(route(), room, SNAPSHOT)
    assert (found.finding.reason if found is not None else None) == reason


@pytest.mark.parametrize("changed", [{"mode": "shadow"}, {"action": "label"}])
def test_where_the_policy_does_not_enforce_it_nothing_is_found(changed: dict[str, str]) -> None:
    assert blocked(route(**changed), "mallory", "r9", "", SNAPSHOT) is None
    assert closed(route(**changed), "shut", SNAPSHOT) is None
