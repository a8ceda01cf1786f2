"""Rooms in the snapshot: all that are not open, and where they are too many it says so."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.features import GOVERNANCE
from gateway.control.rooms import snapshot
from gateway.control.rooms.rows import Room
from gateway.state.model.snapshot import RoomRow


def add(plant: Any, *rooms: Room) -> None:
    plant.database.now(lambda session: session.add_all(rooms))


def test_every_room_that_is_not_open(plant: Any) -> None:
    assert plant.database.now(GOVERNANCE.snapshot).rooms_whole
    add(plant, Room(room="b", status="slow", interval_ms=3000), Room(room="a", status="muted", interval_ms=0))
    made = plant.database.now(GOVERNANCE.snapshot)
    assert made.rooms == (RoomRow("a", "muted"), RoomRow("b", "slow", 3000))
    assert made.rooms_whole


def test_closed_ones_come_before_slow_ones(plant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MAX_ROOMS", 2)
    add(
        plant,
        Room(room="a", status="slow", interval_ms=1),
        Room(room="b", status="closed", interval_ms=0),
        Room(room="c", status="muted", interval_ms=0),
    )
    made = plant.database.now(GOVERNANCE.snapshot)
    assert ([row.room for row in made.rooms], made.rooms_whole) == (["b", "c"], False)


async def test_workers_are_told_of_a_room(api: Any) -> None:
    told = await api("PUT", "/v1/rooms/r1", json={"status": "closed", "reason": "over"})
    assert told["workers"] == {}
    assert [row["room"] for row in api.plant.state.snapshot["rooms"]] == ["r1"]
