"""JSON Pointer, with the examples of RFC 6901, section 5."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.surfaces.input.pointer import MISSING, compiled, tokens
from gateway.surfaces.input.reasons import Refused

DOCUMENT: dict[str, Any] = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", DOCUMENT),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/foo/2", MISSING),
        ("/foo/01", MISSING),
        ("/foo/-", MISSING),
        ("/foo/-1", MISSING),
        ("/foo/٠", MISSING),
        ("/foo/bar", MISSING),
        ("/none/at/all", MISSING),
        ("/foo/0/0", MISSING),
    ],
)
def test_examples(pointer: str, value: object) -> None:
    assert compiled(pointer)(DOCUMENT) == value


def test_a_tilde_before_a_one() -> None:
    assert tokens("/~01") == ("~1",)


@pytest.mark.parametrize("pointer", ["a", "/~", "/~2", "/a~"])
def test_what_is_no_pointer(pointer: str) -> None:
    with pytest.raises(ValueError, match="not a JSON Pointer"):
        compiled(pointer)


@pytest.mark.parametrize("pointer", ["/Foo", "/A/b"])
def test_a_key_that_differs_only_in_case_is_refused_where_the_key_is_absent(pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        compiled(pointer)({"foo": 1, "a": {"b": 1}})
    assert refused.value.reason == "body.key_case"


@pytest.mark.parametrize("document", [None, 1, "foo", True, ["foo"]])
def test_nothing_inside_a_scalar(document: object) -> None:
    assert compiled("/foo")(document) is MISSING
