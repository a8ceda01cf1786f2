"""Names as other readers take them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.input.field_names import LONGEST, MOST_PAIRS, Names, odd, paths


@pytest.mark.parametrize("name", ['a"b', "a'b", "a;b", "a\\b", "a\tb", "=?utf-8?q?a?=", "a\x85b", "a&b", "a=b"])
def test_odd(name: str) -> None:
    assert odd(name)
    assert not odd("comment[body].text-1")


WRAPS = st.sampled_from(
    ["{}[]", "[{}]", "{}]", " {}", "{} ", "{}.", "{}[0]", "{}[x]", "{}\t", "!{}", "?{}", "{}\u200b"]
)


@settings(max_examples=200, deadline=None)
@given(st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True), st.lists(WRAPS, min_size=1, max_size=3))
def test_no_wrapping_hides_a_name(name: str, wraps: list[str]) -> None:
    alias = name
    for wrap in wraps:
        alias = wrap.format(alias)
    assert Names([name]).means(alias)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=20))
def test_any_name_is_compared_and_means_itself(name: str) -> None:
    assert Names([name]).means(name)
    assert paths(name)


def test_a_name_of_many_steps_is_one_name() -> None:
    """Each of its beginnings is not looked at: that would take minutes."""
    assert not Names(["content", "user[id]"]).means("a[b]." * 100_000)
    assert Names(["content", "user[id]"]).means("user[id]" + "[b]." * 100_000)


def test_a_long_name_that_is_not_plain_is_odd() -> None:
    """What readers make of it takes a while, and a body holds many."""
    assert not odd("a" * 5000)
    assert not odd("a." * (LONGEST // 2))
    assert odd("a." * (LONGEST // 2) + "a")


@pytest.mark.parametrize(
    "raw",
    [
        b"content=BAD",
        b"a=1&content=BAD",
        b"a=1;content=BAD",
        b"a=1&[content]=BAD",
        b"%63ontent=BAD",
        b"%2563ontent=BAD",
        b"a%26content=BAD",
        b"a=1%26content%3DBAD",
        b"a=1%3Bcontent=BAD",
        b"content",
        b'{"a":"&content=BAD"}',
        b"+content+=BAD",
        "Ｃontent=BAD".encode(),
        b"a\xff=1&content\x00a=BAD",
        b"content[]=BAD",
        b"content.a=BAD",
    ],
)
def test_a_name_is_found_in_whatever_could_be_a_form(raw: bytes) -> None:
    assert Names(["content"]).among(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"a=content", b"discontent=1", b"a=1&contents=2", b'{"content": "a=b"}', b"\xff\xfe=1"]
)
def test_other_names_are_not(raw: bytes) -> None:
    assert not Names(["content"]).among(raw)


def test_of_very_many_names_that_could_be_one_nothing_is_worked_out() -> None:
    def raw(count: int) -> bytes:
        return b"&".join(b"discontent%d=1" % number for number in range(count))

    assert not Names(["content"]).among(raw(MOST_PAIRS))
    assert Names(["content"]).among(raw(MOST_PAIRS + 1))
    assert not Names(["comment"]).among(raw(20_000))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["content", "comment[body]", "user.name", "user name", "é"]), st.text(max_size=20))
def test_a_name_in_a_form_is_among_its_names(name: str, other: str) -> None:
    """The quick look leaves out no name that the careful one takes for one of these."""
    if Names([name]).means(other) and not set(other) & set("&;=%\x00"):
        assert Names([name]).among(b"a=1&" + other.encode() + b"=1")
