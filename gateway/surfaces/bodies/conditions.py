"""``message_when`` and ``relay_when``: which documents are messages, and which go by untouched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.surfaces.input import pointer
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import Scalar, SurfaceError

Holds = Callable[[Any], bool]


def compiled(message_when: Mapping[str, tuple[Scalar, ...]], relay_when: Mapping[str, tuple[Scalar, ...]]) -> Holds:
    """A function of a document: true for a message, false for what is relayed; ``frame.unknown`` for the rest."""
    is_message = all_of(message_when, "message_when")
    is_relayed = all_of(relay_when, "relay_when")

    def holds(document: Any) -> bool:
        if is_message(document):
            return True
        if relay_when and is_relayed(document):
            return False
        raise Refused("frame.unknown")

    def unless_relayed(document: Any) -> bool:
        return not is_relayed(document)

    # With relay_when alone everything else is a message: judged, which is the safe side.
    return holds if message_when else unless_relayed


def all_of(when: Mapping[str, tuple[Scalar, ...]], key: str) -> Holds:
    """All pointers must have one of their values, of the same type: ``true`` is not 1, and ``1`` is not ``"1"``."""
    try:
        wanted = [
            (pointer.compiled(place), frozenset((_type(value), value) for value in values))
            for place, values in when.items()
        ]
    except ValueError as error:
        raise SurfaceError(f"{key}: {error}") from None

    def holds(document: Any) -> bool:
        for find, values in wanted:
            value = find(document)
            if isinstance(value, dict | list) or (_type(value), value) not in values:
                return False
        return True

    return holds


def _type(value: Any) -> type:
    return float if type(value) is int else type(value)
