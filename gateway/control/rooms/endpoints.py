"""Rooms: open, slow, muted or closed."""

from __future__ import annotations

from gateway.control.acts.acts import Unit
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery
from gateway.control.rooms.rows import Room
from gateway.control.rooms.schemas import RoomOut, RoomPut


async def get(call: Call[None, NoQuery]) -> RoomOut:
    """A room that nobody spoke of is open."""
    room = call.path("room")
    row = await call.services.database.read(lambda session: session.get(Room, room))
    if row is None:
        return RoomOut(room=room, status="open")
    return RoomOut(room=room, status=row.status, interval=row.interval_ms / 1000)


async def put(call: Call[RoomPut, NoQuery]) -> Done[RoomOut]:
    room, body = call.path("room"), call.body
    interval_ms = round(body.interval * 1000)

    def work(unit: Unit) -> None:
        row = unit.get(Room, room)
        if body.status == "open":
            if row is not None:
                unit.remove(row)
        elif row is None:
            unit.add(Room(room=room, status=body.status, interval_ms=interval_ms))
        else:
            unit.change(row, status=body.status, interval_ms=interval_ms)

    outcome = await call.act(body.reason, "room.put", f"room:{room}", work)
    return done(outcome, RoomOut(room=room, status=body.status, interval=interval_ms / 1000))
