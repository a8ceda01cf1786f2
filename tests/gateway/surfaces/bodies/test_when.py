"""Conditions: what holds, and what is no condition."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.surfaces.bodies import when
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceError


def reading(document: Any = None, query: bytes = b"", **fields: str) -> ParsedRequest:
    heads = {name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}
    made = ParsedRequest(Arrived(b"POST", heads, query=query, parameters={"room": "7"}))
    made.document = document
    return made


@pytest.mark.parametrize(
    ("condition", "document", "holds"),
    [
        ({"json:/a": "x"}, {"a": "x"}, True),
        ({"json:/a": "x"}, {"a": "X"}, False),
        ({"json:/a": "x"}, {}, False),
        ({"json:/a": 1}, {"a": 1}, True),
        ({"json:/a": 1}, {"a": 1.0}, True),
        ({"json:/a": 1}, {"a": "1"}, False),
        ({"json:/a": 1}, {"a": True}, False),
        ({"json:/a": True}, {"a": 1}, False),
        ({"json:/a": True}, {"a": True}, True),
        ({"json:/a": ["x", 2]}, {"a": 2}, True),
        ({"json:/a": ["x", 2]}, {"a": ["x"]}, False),
        ({"json:/a": {"prefix": "com"}}, {"a": "comment"}, True),
        ({"json:/a": {"prefix": ["x", "com"]}}, {"a": "comment"}, True),
        ({"json:/a": {"prefix": "com"}}, {"a": 5}, False),
        ({"json:/a": {"prefix": "com"}}, {}, False),
        ({"json:/a": {"present": True}}, {"a": False}, True),
        ({"json:/a": {"present": True}}, {"a": None}, False),
        ({"json:/a": {"present": True}}, {}, False),
        ({"json:/a": {"absent": True}}, {}, True),
        ({"json:/a": {"absent": True}}, {"a": None}, False),
        ({"json:/a": {"null": True}}, {"a": None}, True),
        ({"json:/a": {"null": True}}, {}, False),
        ({"json:/a": {"array": True}}, {"a": []}, True),
        ({"json:/a": {"array": True}}, {"a": {"0": "x"}}, False),
        ({"json:/a": {"array": True}}, {}, False),
        ({"json:/1": "x", "json:": {"array": True}}, [0, "x"], True),
        ({"json:/1": "x", "json:": {"array": True}}, {"1": "x"}, False),
        ({"json:/1": "x"}, {"1": "x"}, True),
        ({"json:": {"array": True}}, None, False),
        ({"json:/a": {"sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}, {"a": "x"}, True),
        ({"json:/a": {"sha256": ["0" * 64]}}, {"a": "x"}, False),
        ({"json:/a": "x", "json:/b": "y"}, {"a": "x", "b": "y"}, True),
        ({"json:/a": "x", "json:/b": "y"}, {"a": "x"}, False),
        ({"any": [{"json:/a": "x"}, {"json:/b": "y"}]}, {"b": "y"}, True),
        ({"any": [{"json:/a": "x"}, {"json:/b": "y"}]}, {}, False),
        ({"all": [{"json:/a": "x"}, {"not": {"json:/b": "y"}}]}, {"a": "x"}, True),
        ({"all": [{"json:/a": "x"}, {"not": {"json:/b": "y"}}]}, {"a": "x", "b": "y"}, False),
        ({"json:/a/0/b": "x"}, {"a": [{"b": "x"}]}, True),
        ({"json:/a": "x"}, None, False),
        ({"json:/a": {"absent": True}}, None, True),
    ],
)
def test_of_json(condition: dict[str, Any], document: Any, holds: bool) -> None:
    assert when.compiled(condition)(reading(document)) is holds


def test_of_heads_and_addresses() -> None:
    given = reading(query=b"a=b&c=", x_kind="note")
    for condition, holds in (
        ({"query:a": "b"}, True), ({"query:c": ""}, True), ({"query:d": {"absent": True}}, True),
        ({"header:X-Kind": "note"}, True), ({"path:room": ["7", "8"]}, True), ({"form:a": {"absent": True}}, True),
    ):  # fmt: skip
        assert when.compiled(condition)(given) is holds, condition


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        (reading({"A": "x"}), {"json:/a": "x"}),  # another reader takes the one for the other
        (reading(query=b"a=b&a=c"), {"query:a": "b"}),
        (reading(query=b"a[]=b"), {"query:a": {"absent": True}}),
    ],
)
def test_what_two_readers_take_in_two_ways_is_refused(given: ParsedRequest, condition: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        when.compiled(condition)(given)


def nested(depth: int) -> dict[str, Any]:
    return {"not": nested(depth - 1)} if depth else {"json:/a": 1}


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({}, "holds always"), ([], "write a table"), ({"any": []}, "without tables"),
        ({"any": {"json:/a": 1}}, "without tables"),
        ({"not": {}}, "holds always"), ({"/a": 1}, "write one of"), ({"cookie:a": "b"}, "write one of"),
        ({"json:/a": []}, "lists no value"), ({"json:/a": {}}, "tests nothing"),
        ({"json:/a": {"suffix": "x"}}, "known are"),
        ({"json:/a": {"present": False}}, "put it into not"), ({"query:a": {"null": True}}, "only JSON"),
        ({"query:a": 1}, "write it in quotes"), ({"json:/a": {"prefix": ""}}, "without a text"),
        ({"json:/a": {"sha256": "ABC"}}, "64 small hex digits"), ({"json:/a": [[1]]}, "compares"),
        ({"query:a": {"array": True}}, "only JSON"), ({"json:/a": {"array": False}}, "put it into not"),
        ({"json:": "x"}, "more than an array"), ({"json:": {"present": True}}, "more than an array"),
        (nested(9), "deeper"),
    ],
)  # fmt: skip
def test_what_is_no_condition(condition: Any, said: str) -> None:
    with pytest.raises(SurfaceError, match=said):
        when.compiled(condition)


def test_the_sources_that_it_reads() -> None:
    condition = {"json:/a": 1, "any": [{"query:b": "x"}, {"not": {"form:c": "y"}}], "all": [{"path:d": "z"}]}
    assert list(when.read_by(condition)) == ["json:/a", "query:b", "form:c", "path:d"]
