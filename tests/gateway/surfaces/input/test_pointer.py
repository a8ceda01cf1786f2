"""JSON Pointer, with the examples of RFC 6901, section 5."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.surfaces.input.pointer import MISSING, compiled, finder, spread, tokens
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


@pytest.mark.parametrize(
    ("pointer", "document", "told"),
    [
        ("/*", ["a", 1], [(("0",), "a"), (("1",), 1)]),
        ("/a/*/b", {"a": [{"b": 1}, {"c": 2}, None]}, [(("a", "0", "b"), 1), (("a", "1", "b"), MISSING),
                                                      (("a", "2", "b"), MISSING)]),
        ("/a/*/b/*", {"a": [{"b": [1, 2]}, {}, {"b": None}, {"b": [3]}]},
         [(("a", "0", "b", "0"), 1), (("a", "0", "b", "1"), 2), (("a", "3", "b", "0"), 3)]),
        ("/a/*", {}, []),
        ("/a/*", {"a": None}, []),
        ("/a/*", {"a": []}, []),
        ("/a/*", {"a": {"0": 1}}, "body.not_array"),
        ("/a/*", {"a": "text"}, "body.not_array"),
        ("/a/*/b", {"a": ["text"]}, "text.not_string"),
        ("/a/*/b", {"a": [[{"b": 1}]]}, "text.not_string"),
        ("/a/*/0", {"a": [[1], []]}, [(("a", "0", "0"), 1), (("a", "1", "0"), MISSING)]),
        ("/a/*/b", {"A": [{"b": 1}]}, "body.key_case"),
        ("/*", [1, 2, 3, 4, 5], "body.too_many"),
    ],
)  # fmt: skip
def test_every_element_of_an_array(pointer: str, document: Any, told: object) -> None:
    find = spread(pointer, 4)
    if isinstance(told, str):
        with pytest.raises(Refused) as refused:
            find(document)
        assert refused.value.reason == told
    else:
        assert find(document) == told


def test_the_first_of_several_places() -> None:
    assert finder("/a/*/b")({"a": [{}, {"b": 2}, {"b": 3}]}) == 2
    assert finder("/a/*/b")({"a": {"b": 2}}) is MISSING
    assert finder("/a/*")({}) is MISSING
    assert finder("/a")({"a": 1}) == 1
