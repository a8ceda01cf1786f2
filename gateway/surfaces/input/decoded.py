"""What decoding gives: messages to judge, something to relay as it is, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from filters.model.message import Message
from gateway.surfaces.input.reasons import CHALLENGES, REASONS

Changes = Mapping[int, tuple[str, ...] | None]
"""By the message's index: its texts as they shall go on, or None where the message shall not go on at all. Messages
that are not named go on unchanged."""

Encode = Callable[[bytes, Changes], bytes | None]
"""The body with the changes made and every other value as it was; None when nothing of it is left to relay."""


class Messages(NamedTuple):
    """What was found in one body or frame.

    ``body`` is what to relay: the very bytes that were judged. ``identity`` is true when they differ from what came
    because a Content-Encoding was undone; the head that goes on then has no Content-Encoding. Whoever relays what
    ``encode`` returns also leaves out Content-MD5, Digest, Content-Digest and Repr-Digest (RFC 9530): they describe
    the bytes that came. ``stamped``: the route writes our ids into the body, so what goes on is what ``encode``
    returns, also where nothing is changed. ``method``: what the body or the query names as the request's, in capitals
    (``named_method``); mostly nothing. ``kind``: which of the route's kinds of message it is (``surfaces/kinds``),
    negative where it has but one.
    """

    messages: tuple[Message, ...]
    body: bytes
    encode: Encode
    identity: bool = False
    stamped: bool = False
    method: bytes = b""
    kind: int = -1


class SeveralMessages(NamedTuple):
    """Several messages of one request: elements of an array (``surfaces/each``).

    ``kinds``: as in Messages, of each message. ``places``: which element each is; the others are relayed with them.
    ``elements``: what all of them hold, as parsed. ``listed``: the array is the whole body. The rest as in Messages;
    an element that is left out is cut out of the array.
    """

    messages: tuple[Message, ...]
    kinds: tuple[int, ...]
    places: tuple[int, ...]
    elements: list[Any]
    listed: bool
    body: bytes
    encode: Encode
    identity: bool = False
    stamped: bool = False
    method: bytes = b""


class Untouched(NamedTuple):
    """Relayed as it came: the route's ``relay_when`` says so (law 3). The rest as in Messages."""

    body: bytes
    identity: bool = False
    method: bytes = b""


class Malformed(NamedTuple):
    """Refused: ``reason`` is a key of REASONS. ``challenge`` is the WWW-Authenticate value that a 401 carries."""

    status: int
    reason: str
    challenge: bytes = b""


class Unasked(NamedTuple):
    """A message, and nobody knows yet who sends it: the platform is asked, then what came is decoded anew. ``method``
    as in Messages."""

    method: bytes = b""


UNASKED: Final = Unasked()

Decoded = Messages | SeveralMessages | Untouched | Malformed | Unasked


def malformed(reason: str) -> Malformed:
    """The refusal that REASONS states for ``reason``."""
    row = REASONS[reason]
    return Malformed(row.status, reason, CHALLENGES.get(reason, b""))
