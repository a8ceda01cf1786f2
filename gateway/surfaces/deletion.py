"""A request that deletes messages: which ones, where, and whether the platform's answer means that they are gone.

Nothing is judged here and nothing refused: a deletion that cannot be read goes by, and is counted as unnamed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from orjson import JSONDecodeError, loads

from gateway.surfaces.bodies import conditions
from gateway.surfaces.bodies.content import media_type, undone
from gateway.surfaces.input.forms import Wanted, urlencoded
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import Request
from gateway.surfaces.input.settings import RoomFormat, Scalar, SurfaceError
from gateway.surfaces.input.strict_json import parse
from gateway.surfaces.sources import rooms, sources
from gateway.surfaces.sources.facts import MAX_NAME

MAX_IDS = 1000  # messages that one request may delete; more are not told apart
IN_BODY = ("json", "form")


class Named(NamedTuple):
    """``ids``: of the messages, as the request says them; empty where it could not be read. ``room``: or empty."""

    ids: tuple[str, ...] = ()
    room: str = ""


class DeletionReader:
    """One route's. ``reads_body``: the id stands in it, so that the body must be at hand. ``room_format``: that of the
    messages' route."""

    __slots__ = ("_id", "_max_inflated", "_room", "_spell", "_wanted", "gone", "reads_body")

    def __init__(
        self,
        id: str,
        room: tuple[str, ...],
        gone_when: Mapping[str, tuple[Scalar, ...]],
        max_inflated: int = 1 << 20,
        room_format: RoomFormat = "keep",
    ) -> None:
        kind, _, name = id.partition(":")
        if kind == "jwt":
            raise SurfaceError(f"removal.id = {id!r}: a token says who deletes, not what; write path:, query: or json:")
        self.reads_body = kind in IN_BODY
        self.gone = gone(gone_when)
        self._id = sources.compiled(id, "removal.id")
        self._room = rooms.first(room, None) if room else None
        self._wanted = Wanted([name] if kind == "form" else [])
        self._max_inflated = max_inflated
        self._spell = rooms.speller(room_format, last=False)

    def read(self, request: Request, body: bytes = b"") -> Named:
        """What ``request`` deletes."""
        try:
            reading = ParsedRequest(request)
            if self.reads_body:
                self._load(reading, body)
            value = self._id(reading)
            found = value if isinstance(value, list) else [value]
            ids = [_name(one) for one in found]
            if not all(ids) or len(ids) > MAX_IDS:
                return Named()
            room = self._spelled(_name(self._room(reading))) if self._room is not None else ""
        except Refused:
            return Named()
        return Named(tuple(dict.fromkeys(ids)), room)

    def _spelled(self, room: str) -> str:
        """As the messages' route spells it; empty where it has no such spelling: the id alone tells the message."""
        try:
            return room if self._spell is None or not room else self._spell(room)
        except Refused:
            return ""

    def _load(self, reading: ParsedRequest, body: bytes) -> None:
        media = media_type(reading.fields.get(b"content-type", b""))
        coding = reading.fields.get(b"content-encoding")
        if coding is not None:
            body = undone(body, coding, self._max_inflated)
        if media.kind == "json":
            reading.document = parse(body)
        elif media.kind == "form":
            reading.form = self._wanted.select(urlencoded(body))


def gone(when: Mapping[str, tuple[Scalar, ...]]) -> Callable[[int, bytes], bool]:
    """A function of status and body of the platform's answer to a deletion: are the messages gone?

    2xx, and where ``when`` names JSON values, those as well: many platforms answer every request with 200.
    """
    holds = conditions.all_of(when, "gone_when") if when else None

    def is_gone(status: int, body: bytes) -> bool:
        if not 200 <= status < 300:
            return False
        if holds is None:
            return True
        try:
            return holds(loads(body))
        except (JSONDecodeError, Refused):
            return False

    return is_gone


def _name(value: Any) -> str:
    if type(value) is int:
        return str(value)
    if value is MISSING or type(value) is not str or len(value) > MAX_NAME or not value.isprintable():
        return ""
    return value.strip()
