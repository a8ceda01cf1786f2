"""The body of a message of which only the record is left, as its route reads one: for an address that publishes.

The texts stand where the route reads them, in the first of JSON, form and plain text that it names, and beside them
what else the record has a place for: the room, the time in the video, the name that a bullet shows, our id, and what
``message_when`` wants. Whatever else the request had is gone. Where that is not enough to say what was said (media, an
element of an array, one of several kinds of message), there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import orjson

from gateway.config.sections.routes import Route
from gateway.parking.parked import ParkedRequest
from gateway.surfaces.input.pointer import EVERY, INDEX, tokens

JSON: Final = "application/json"
READ_FIRST: Final = ("json", "form", "text")
FORM: Final = "application/x-www-form-urlencoded"
PLAIN: Final = "text/plain; charset=utf-8"


class RemadeBody(NamedTuple):
    """``kind``: its Content-Type."""

    body: bytes
    kind: str


def remade(route: Route, parked: ParkedRequest, texts: Sequence[str], release_id: str) -> RemadeBody | None:
    """None where the record is not enough."""
    if route.surface is None or route.messages or route.each or parked.parts:
        return None
    named = [source.partition(":") for source in route.text]
    kind = next((one for one in READ_FIRST if any(source[0] == one for source in named)), "")
    places = [place for one, _, place in named if one == kind]
    spread = kind == "json" and len(places) == 1 and EVERY in tokens(places[0])
    if not kind or (len(places) != len(texts) and not spread):
        return None
    if kind == "text":
        return RemadeBody(texts[0].encode("utf-8", "surrogatepass"), PLAIN)
    beside = dict(_beside(route, parked, release_id, kind))
    if kind == "form":
        fields = beside | dict(zip(places, texts, strict=True))
        return RemadeBody(urlencode(fields).encode(), FORM)
    document: dict[str, Any] = {}
    try:
        for pointer, values in route.message_when.items():
            _put(document, tokens(pointer), values[0])
        for pointer, value in beside.items():
            _put(document, tokens(pointer), value)
        if spread:
            _put_every(document, tokens(places[0]), texts)
        else:
            for pointer, text in zip(places, texts, strict=True):
                _put(document, tokens(pointer), text)
        return RemadeBody(orjson.dumps(document), JSON)
    except (ValueError, TypeError):  # two places that exclude each other; half of a surrogate pair
        return None


def _beside(route: Route, parked: ParkedRequest, release_id: str, kind: str) -> Iterator[tuple[str, Any]]:
    """What else has a place, where that is in a body of this kind."""
    seconds = route.playback_unit == "s"
    playback = parked.playback_ms / 1000 if seconds and parked.playback_ms % 1000 else parked.playback_ms // 1000
    for source, value in (
        (route.room[0] if len(route.room) == 1 else "", parked.room),
        (route.playback, (playback if seconds else parked.playback_ms) if parked.playback_ms >= 0 else None),
        (route.shown_sender, parked.shown_sender or None),
        (route.id_to, release_id),
    ):
        where, _, place = source.partition(":")
        if where == kind and value is not None:
            yield place, value


def _put(document: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Raises ``ValueError`` where it has no place: an element of an array, the document itself, another value."""
    if not path or any(token == EVERY or INDEX.fullmatch(token) for token in path):
        raise ValueError("no place of its own")
    for token in path[:-1]:
        document = document.setdefault(token, {})
        if not isinstance(document, dict):
            raise ValueError("taken")
    if path[-1] in document:
        raise ValueError("taken")
    document[path[-1]] = value


def _put_every(document: dict[str, Any], path: Sequence[str], texts: Sequence[str]) -> None:
    at = path.index(EVERY)
    behind = path[at + 1 :]
    elements: list[Any] = []
    for text in texts:
        element: dict[str, Any] = {}
        if behind:
            _put(element, behind, text)
        elements.append(element if behind else text)
    _put(document, path[:at], elements)
