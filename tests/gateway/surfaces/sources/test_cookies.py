"""One cookie, strictly."""

from __future__ import annotations

import pytest

from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.sources.cookies import cookie


@pytest.mark.parametrize(
    ("header", "value"),
    [
        (b"user=alice", "alice"),
        (b"a=1; user=alice; b=2", "alice"),
        (b"a=1;user=alice", "alice"),
        (b"user=", ""),
        (b"user=a=b", "a=b"),
        (b"user", ""),
        (b"superuser=x", MISSING),
        (b"", MISSING),
        (b"x=user=alice", MISSING),
        (b'x="a"; user=alice; theme=a,b c; y={"a":1,"user":"bob"}', "alice"),
        (b"=1; user=alice", "alice"),
    ],
)
def test_read(header: bytes, value: object) -> None:
    assert cookie(header, "user") == value


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"user=alice; user=alice", "fact.twice"),
        # PHP and Rack keep these blanks.
        (b"user= alice", "fact.malformed"),
        (b"user=alice ; a=1", "fact.malformed"),
        (b"user=\talice", "fact.malformed"),
        (b"user=alice; User=bob", "fact.twice"),
        (b"user=alice; user[]=bob", "fact.twice"),
        # Cookies that parse by commas, blanks, quotes or without a name, for some.
        (b"user=alice; x=a user=bob", "fact.twice"),
        (b"user=alice; x=a, user=bob", "fact.twice"),
        (b"user=alice; x=a,user=bob", "fact.twice"),
        (b"user=alice; x=a\tUSER=bob", "fact.twice"),
        (b"user=alice; x user=bob", "fact.twice"),
        (b"x=1,user=alice", "fact.twice"),
        (b"=user=bob; user=alice", "fact.twice"),
        (b"user=alice; = user[]=bob", "fact.twice"),
        (b'x="a; user=alice; y=b"', "fact.malformed"),
        (b'x="a\\"; user=alice; y="', "fact.malformed"),
        (b'user=alice; x="', "fact.malformed"),
        (b"user=alice&bob", "fact.malformed"),
        (b"user=alice; x=" + b",a" * 600, "fact.malformed"),
        (b'user="alice"', "fact.malformed"),
        (b"user=%61lice", "fact.malformed"),
        (b"user=a b", "fact.malformed"),
        (b"user=a,b", "fact.malformed"),
        (b"user=a\\b", "fact.malformed"),
        ("user=张三".encode(), "fact.malformed"),
        (b"a=1;" * 101 + b"user=x", "fact.malformed"),
    ],
)
def test_refused(header: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        cookie(header, "user")
    assert refused.value.reason == reason
