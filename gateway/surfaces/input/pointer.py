"""JSON Pointer (RFC 6901), compiled to a function once per route; ``*`` for every element of an array."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from gateway.surfaces.input.reasons import Refused

SYNTAX = re.compile(r"(?:/(?:[^~/]|~[01])*)*")  # section 3
INDEX = re.compile(r"0|[1-9][0-9]{0,8}")  # section 4: no leading zeros


class _Missing:
    """The type of MISSING: a value of its own, because null is a value of JSON."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
EVERY: Final = "*"
"""The token that stands for each element of an array, where a place may be one of several."""

Find = Callable[[Any], Any]
Spread = Callable[[Any], list[tuple[tuple[str, ...], Any]]]
"""From a document to every place that a pointer with ``*`` means, as its tokens, and what stands there, in order."""


def tokens(pointer: str) -> tuple[str, ...]:
    """The reference tokens of a pointer, unescaped; ``ValueError`` when it is not one."""
    if SYNTAX.fullmatch(pointer) is None:
        raise ValueError(f"{pointer!r} is not a JSON Pointer: write “/key” (~1 for a slash, ~0 for a tilde)")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def compiled(pointer: str) -> Find:
    """A function from a parsed document to the value that ``pointer`` names in it, or MISSING.

    It raises ``Refused("body.key_case")`` where the key is absent and another differs from it only in case: some
    readers (Go's encoding/json among them) would take that one.
    """
    path = tokens(pointer)
    if len(path) == 1:
        return _member(path[0])
    return _walk(path)


def _member(key: str) -> Find:
    def find(document: Any) -> Any:
        if type(document) is dict and (value := document.get(key, MISSING)) is not MISSING:
            return value
        return step(document, key)

    return find


def _walk(path: tuple[str, ...]) -> Find:
    def find(document: Any) -> Any:
        for token in path:
            document = step(document, token)
            if document is MISSING:
                return MISSING
        return document

    return find


def spread(pointer: str, most: int) -> Spread:
    """The places of a pointer with ``*``; at most ``most`` of them.

    An array that is absent or null has none. ``Refused`` for anything else in its place (``body.not_array``): many
    platforms take an object, or a single value, for an array of one. An element that lacks the rest of the place is
    MISSING, or refused where it is a value that cannot hold it (``text.not_string``).
    """
    path = tokens(pointer)

    def find(document: Any) -> list[tuple[tuple[str, ...], Any]]:
        found: list[tuple[tuple[str, ...], Any]] = []
        _spread(document, path, (), found, most)
        return found

    return find


def finder(pointer: str) -> Find:
    """As ``compiled``; of a pointer with ``*`` the first thing that stands at one of its places."""
    path = tokens(pointer)
    if EVERY not in path:
        return compiled(pointer)
    places = spread(pointer, 1 << 30)

    def find(document: Any) -> Any:
        try:
            found = places(document)
        except Refused as refused:
            if refused.reason == "body.not_array":
                return MISSING
            raise
        return next((value for _, value in found if value is not MISSING), MISSING)

    return find


def _spread(
    value: Any, path: tuple[str, ...], taken: tuple[str, ...], found: list[tuple[tuple[str, ...], Any]], most: int
) -> None:
    within = EVERY in path[: len(taken)]
    for at in range(len(taken), len(path)):
        token = path[at]
        if token == EVERY:
            if value is MISSING or value is None:
                return
            if type(value) is not list:
                raise Refused("body.not_array")
            for place, element in enumerate(value):
                _spread(element, path, (*taken, str(place)), found, most)
            return
        indexed = type(value) is list and INDEX.fullmatch(token) is not None
        if within and not (indexed or isinstance(value, dict) or value is MISSING or value is None):
            raise Refused("text.not_string")
        value = step(value, token)
        taken = (*taken, token)
    if len(found) >= most:
        raise Refused("body.too_many")
    found.append((taken, value))


def step(value: Any, token: str) -> Any:
    """One reference token further into ``value``, or MISSING."""
    if isinstance(value, dict):
        inner = value.get(token, MISSING)
        if inner is MISSING:
            folded = token.casefold()
            for key in value:
                if key.casefold() == folded:
                    raise Refused("body.key_case")
        return inner
    if isinstance(value, list) and INDEX.fullmatch(token) and int(token) < len(value):
        return value[int(token)]
    return MISSING
