"""JSON Pointer (RFC 6901), compiled to a function once per route."""

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

Find = Callable[[Any], Any]


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
