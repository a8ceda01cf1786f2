"""Rooms, as control knows them."""

from __future__ import annotations

from gateway.control.acts.governance import Table
from gateway.control.calls.endpoint import Endpoint
from gateway.control.calls.feature import Feature
from gateway.control.rooms import endpoints
from gateway.control.rooms.rows import Room
from gateway.control.rooms.snapshot import rooms

ROOMS = Feature(
    endpoints=(
        Endpoint("GET", "/v1/rooms/{room}", endpoints.get, "Read a room's status"),
        Endpoint("PUT", "/v1/rooms/{room}", endpoints.put, "Open, slow down, mute or close a room"),
    ),
    tables=(Table(Room, place=("room",), snapshot=rooms),),
)
