"""Where our id of a message is written into its body on the way up: ``id_to = "json:/pointer"``.

For platforms that keep what they do not know, so that a deletion, theirs or ours, can name the message by our id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orjson import dumps

from gateway.surfaces.bodies import json_place
from gateway.surfaces.input import pointer
from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.settings import SurfaceError


class IdPlace:
    """``check`` before judging, ``write`` before relaying: a message that could not be named is refused in time."""

    __slots__ = ("_tokens",)

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._tokens = tokens

    def check(self, document: Any) -> None:
        """``Refused`` where the place cannot be written: something on the way to it is no object."""
        for token in self._tokens:
            if not isinstance(document, dict | list):
                raise Refused("id.place")
            inner = pointer.step(document, token)
            if inner is MISSING:
                if isinstance(document, list):
                    raise Refused("id.place")
                return
            document = inner

    def write(self, body: bytes, message_id: str) -> bytes:
        """``body``, which passed ``check``, with the id in place; whatever a client wrote there is replaced."""
        return json_place.written(body, self._tokens, dumps(message_id))


def compiled(id_to: str, texts: Sequence[str]) -> IdPlace | None:
    """The place that ``id_to`` names in a body; None for none, and for ``header:``, which is not the body's matter.

    ``texts``: the sources of judged text, which the id must not overwrite.
    """
    kind, _, name = id_to.partition(":")
    if not id_to or kind == "header":
        return None
    try:
        tokens = pointer.tokens(name) if kind == "json" else ()
    except ValueError:
        tokens = ()
    if not tokens:
        raise SurfaceError(f"id_to = {id_to!r}: write “json:” and a JSON Pointer, or “header:” and a name")
    for text in texts:
        if not text.startswith("json:"):
            raise SurfaceError(f"id_to = {id_to!r}: only JSON can hold it, and {text!r} is read too; use “header:”")
        judged = pointer.tokens(text.removeprefix("json:"))
        if all(one in (other, pointer.EVERY) for one, other in zip(judged, tokens, strict=False)):
            raise SurfaceError(f"id_to = {id_to!r}: stands where {text!r} is judged; choose another key")
    return IdPlace(tokens)
