"""Rooms over the API."""

from __future__ import annotations

from typing import Any


async def test_rooms(api: Any) -> None:
    assert await api("GET", "/v1/rooms/r1") == {"room": "r1", "status": "open", "interval": 0}
    await api("PUT", "/v1/rooms/r1", json={"status": "slow", "interval": 2.5, "reason": "busy"})
    assert api.plant.state.rows["rooms", "r1"]["interval_ms"] == 2500
    await api("PUT", "/v1/rooms/r1", json={"status": "closed", "reason": "over"})
    assert await api("GET", "/v1/rooms/r1") == {"room": "r1", "status": "closed", "interval": 0}
    await api("PUT", "/v1/rooms/r1", json={"status": "open", "reason": "again"})
    assert ("rooms", "r1") not in api.plant.state.rows
    for body in ({"status": "slow"}, {"status": "muted", "interval": 3}, {"status": "loud"}):
        await api("PUT", "/v1/rooms/r1", json={**body, "reason": "r"})
        assert api.status == 400
