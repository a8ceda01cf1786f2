"""What a room looks like, where a platform makes one room of several spellings.

A platform that keeps its articles by number casts what stands in the path: PHP and MySQL make 1 of ``01``, ``+1``,
``1.0`` and ``1-title``, Rails of ``1-title`` and ``1_0`` even 10; UUIDs and names in lower case are found in any case.
Here each spelling would be a room of its own, with its own limits and none of the other's closures. Which of them a
platform casts only its operator knows, and says so by ``room_format``; then a room is written in one way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import COMPOSED, RoomFormat
from gateway.surfaces.sources import sources
from gateway.surfaces.sources.jwt import Tokens

Spell = Callable[[str], str]

_NUMBER: Final = r"0|[1-9][0-9]{0,18}"
_MOST: Final = 2**63 - 1  # beyond, PHP and databases make one number of all
_number = re.compile(_NUMBER, re.ASCII).fullmatch
# A title begins with a letter behind its dash: "1-2" is a number to some, and "1_2" is twelve to Ruby.
_number_title = re.compile(rf"({_NUMBER})(?:-[^\W\d_].*)?").fullmatch
_uuid = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch  # RFC 9562, section 4
_lower = re.compile(r"[a-z0-9](?:[a-z0-9._\-]*[a-z0-9])?").fullmatch
_suffix = re.compile(
    r"(?<=.)\.(?:json|jsonp|xml|x?html?|txt|js|mjs|csv|ya?ml|atom|rss|php\d?|aspx?|jspx?|do|action|cgi)\Z",
    re.IGNORECASE,
).search
_escape = re.compile("%[0-9A-Fa-f]{2}").search


def first(listed: tuple[str, ...], tokens: Tokens | None) -> sources.Read:
    """The function that reads the first of ``listed`` that is present: sources, and what is composed of several."""
    return sources.first_of([_composed(one, tokens) if "{" in one else _part(one, tokens) for one in listed])


def _part(source: str, tokens: Tokens | None) -> sources.Read:
    """Of a path, it refuses what is still encoded: ``%2531`` would be the room 1 to whoever decodes twice."""
    read = sources.compiled(source, "room", tokens)
    if sources.kind(source) != "path":
        return read

    def decoded(reading: ParsedRequest) -> Any:
        value = read(reading)
        if type(value) is str and "%" in value and _escape(value) is not None:
            raise Refused("room.malformed")
        return value

    return decoded


def _composed(template: str, tokens: Tokens | None) -> sources.Read:
    """All parts of it together; MISSING where one is missing. What stands between two of them is percent-encoded within
    them, so that no two pairs make one room; what stands before the first or behind the last tells itself."""
    pieces = COMPOSED.split(template)
    reads = [_part(one, tokens) for one in pieces[1::2]]
    between = pieces[0::2]
    coded = {ord(one): f"%{ord(one):02X}" for one in {"%", *"".join(between[1:-1])}}

    def read(reading: ParsedRequest) -> Any:
        room = between[0]
        for part, behind in zip(reads, between[1:], strict=True):
            value = part(reading)
            if type(value) is int:
                value = str(value)
            if type(value) is not str or not value:
                return MISSING
            room += value.translate(coded) + behind
        return room

    return read


def speller(room_format: RoomFormat, last: bool) -> Spell | None:
    """The function that gives a room in its one spelling and raises ``Refused("room.malformed")`` for any other;
    None where any will do. ``last``: the room ends the path, where frameworks take a suffix for a format."""
    spell = _SPELLERS.get(room_format)
    if spell is None and last and room_format == "refuse":
        return _without_suffix
    return spell


def _checked(shape: Callable[[str], object]) -> Spell:
    def spell(room: str) -> str:
        if shape(room) is None:
            raise Refused("room.malformed")
        return room

    return spell


def _without_suffix(room: str) -> str:
    """Refuses ``7.json``: Rails, Spring and others would take it for the room 7, which may be closed."""
    if _suffix(room) is not None:
        raise Refused("room.malformed")
    return room


def _whole(room: str) -> str:
    if _number(room) is None or int(room) > _MOST:
        raise Refused("room.malformed")
    return room


def _leading(room: str) -> str:
    matched = _number_title(room)
    if matched is None or _suffix(room) is not None:
        raise Refused("room.malformed")
    return _whole(matched[1])


_SPELLERS: Final[dict[RoomFormat, Spell]] = {
    "number": _whole,
    "number-title": _leading,
    "uuid": _checked(_uuid),
    "lower": _checked(_lower),
}
