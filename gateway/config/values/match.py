"""A method and a path, as an operator writes them: ``POST /api/articles/{room}/comments``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from gateway.http.wire.path import parse_template


def match(value: Any) -> str:
    """A method and a path, as it was written; ``parse_template`` has the grammar."""
    if not isinstance(value, str):
        raise ValueError("is not a match: write a method and a path, such as “POST /api/articles/{room}/comments”")
    parse_template(value)
    return value


def one_address(value: Any) -> str:
    """A match of one address: where something is asked or sent."""
    told = match(value)
    if parse_template(told).below:
        raise ValueError("has “**”: only a route takes what lies below its address; write the whole path")
    return told


AddressText = Annotated[
    str,
    BeforeValidator(one_address),
    WithJsonSchema({"type": "string", "examples": ["POST /api/articles/{room}/comments"]}),
]
MatchText = Annotated[
    str, BeforeValidator(match), WithJsonSchema({"type": "string", "examples": ["POST /api/articles/{room}/comments"]})
]
