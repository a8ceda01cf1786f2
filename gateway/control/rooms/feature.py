"""Rooms, as control knows them."""

from __future__ import annotations

from gateway.control.access.roles import EVERYBODY, MODERATE, Permission
from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature
from gateway.control.rooms import endpoints
from gateway.control.rooms.rows import Room
from gateway.control.rooms.snapshot import rooms

READ, WRITE = Permission(EVERYBODY, "rooms:read"), Permission(MODERATE, "rooms:write")

ROOMS = Feature(
    endpoints=(
        Endpoint("GET", "/v1/rooms/{room}", endpoints.get, "Read a room's status", READ),
        Endpoint("PUT", "/v1/rooms/{room}", endpoints.put, "Open, slow down, mute or close a room", WRITE),
    ),
    tables=(Table(Room, MODERATE, place=("room",), snapshot=rooms),),
)
