"""What stands for a credential: alike for what is read alike, and nothing that could be tried."""

from __future__ import annotations

import pytest

from gateway.senders.credentials import NONE, SIZE, NamedCredentials, parts
from gateway.surfaces.input.reasons import Refused

BOTH = ("cookie:session", "header:Authorization")
NO: frozenset[bytes] = frozenset()


def credentials(*sources: str, salt: bytes = b"salt", most: int = 8192) -> NamedCredentials:
    return NamedCredentials(sources, salt, most)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b"session=abc", b'a=1; session="abc"; b=2', True),
        (b"session=abc", b"session=%61bc", True),
        (b"session=abc", b"session=ABC", False),
        (b"session=abc", b"session=abcd", False),
    ],
)
def test_cookies(one: bytes, other: bytes, same: bool) -> None:
    of = credentials("cookie:session")
    assert (of.key({b"cookie": one}, NO) == of.key({b"cookie": other}, NO)) is same


def test_a_scheme_ignores_case_and_blanks() -> None:
    of = credentials("header:Authorization")
    key = of.key({b"authorization": b"Bearer abc"}, NO)
    assert len(key) == SIZE
    assert key == of.key({b"authorization": b"bearer   abc"}, NO)
    assert key != of.key({b"authorization": b"Bearer ABC"}, NO)
    assert key != credentials("header:Authorization", salt=b"other").key({b"authorization": b"Bearer abc"}, NO)
    assert key != credentials("header:X-Token").key({b"x-token": b"Bearer abc"}, NO)


def test_several_make_one_key_of_their_parts() -> None:
    of = credentials(*BOTH)
    cookie, header = {b"cookie": b"session=a"}, {b"authorization": b"Bearer b"}
    key = of.key(cookie | header, NO)
    assert parts(key) == [*parts(of.key(cookie, NO)), *parts(of.key(header, NO))]
    assert NONE in (of.key(cookie, NO)[SIZE:], of.key(header, NO)[:SIZE])
    assert of.key({b"cookie": b"other=1"}, NO) == b""
    assert of.lines(cookie | header, NO) == [b"Authorization: Bearer b", b"Cookie: session=a"]
    assert set(of.digests(cookie | header, NO)) == set(parts(key))


def test_bounds_and_characters() -> None:
    of = credentials(*BOTH, most=64)
    for sent in (
        {b"cookie": b"session=" + b"a" * 65},
        {b"cookie": b"session=" + b"a" * 40, b"authorization": b"b" * 40},
    ):
        with pytest.raises(Refused, match=r"sender\.malformed"):
            of.key(sent, NO)
    with pytest.raises(Refused, match=r"sender\.malformed"):
        credentials("cookie:session", most=64).key({b"cookie": b"session=" + b"a" * 65}, NO)
    for bad in ({b"cookie": b"session=\xc3\xa9"}, {b"authorization": b"Bearer \xff"}, {b"cookie": b"session=a\\b"}):
        with pytest.raises(Refused, match=r"sender\.malformed"):
            of.lines(bad, NO)


def test_what_is_twice() -> None:
    of = credentials(*BOTH)
    for sent, repeated in (
        ({b"cookie": b"session=a, session=b"}, {b"cookie"}),
        ({b"cookie": b"session=a; session=b"}, set()),
        ({b"authorization": b"Bearer a, Bearer b"}, {b"authorization"}),
    ):
        with pytest.raises(Refused, match=r"sender\.twice"):
            of.key(sent, repeated)
        found = of.digests(sent, repeated)  # a log-out ends all that it may mean
        single = credentials("cookie:session") if b"cookie" in sent else credentials("header:Authorization")
        name = b"cookie" if b"cookie" in sent else b"authorization"
        for value in (b"session=a", b"session=b") if name == b"cookie" else (b"Bearer a", b"Bearer b"):
            assert single.key({name: value}, NO) in found
