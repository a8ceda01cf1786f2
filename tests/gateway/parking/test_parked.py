"""What is parked of a message is everything that came with it, and comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.checks import keywords
from filters.model.message import Message, Vouched
from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding, Hit, Verdict
from gateway.parking.parked import BadParking, Original, ParkedRequest, decode, parked

RULE = Rule("keywords", "hold", "reject", keywords.Options(("ads",)), ground="agreement 3")
HIT = Hit("ads", "d", 7, "spam", 1, 0, ((0, 2),))
HELD = Verdict(
    "hold", "p0", (Decided(RULE, Finding("keywords", "keyword.match", HIT), "hold"),),
    labels=("advertising",), texts=("**c", "tag"),
)  # fmt: skip
MESSAGE = Message(
    "id-1", "comment", "comments", "42", "alice", ("abc", "tag"), 5, "dev", "::1", "reg", "here", Vouched(True, 9, 50),
    ("/image",), True, 700, "Al", False,
)  # fmt: skip
ORIGINAL = Original("PUT", "/comments/42?x=%20", (("cookie", "a=b"), ("x-name", "\xe9")), b'{"text":"abc"}\xff\x00')


def test_everything_that_came_comes_back() -> None:
    kept = parked(MESSAGE, HELD, ORIGINAL._replace(socket=True, binary=True, place=2), b"\x00\xff")
    assert decode(kept.encode()) == kept
    assert kept.reason == "keyword.match"
    assert kept.ground == "agreement 3"
    assert kept.findings[0]["word"] == 7
    assert kept.masked_texts == ("**c", "tag")
    assert kept.held_as == MESSAGE


@given(st.text(), st.binary(), st.lists(st.tuples(st.text(), st.binary())))
def test_whatever_a_request_holds(text: str, body: bytes, headers: list[tuple[str, bytes]]) -> None:
    told = tuple((name, value.decode("latin-1")) for name, value in headers)
    kept = parked(MESSAGE._replace(texts=(text,)), HELD, ORIGINAL._replace(headers=told, body=body))
    assert decode(kept.encode()) == kept


def test_what_another_version_wrote() -> None:
    least = parked(MESSAGE, HELD, ORIGINAL).encode()
    size = int.from_bytes(least[:4], "big")
    later = b'{"new":1,' + least[5 : 4 + size]
    assert decode(len(later).to_bytes(4, "big") + later + least[4 + size :]) == decode(least)
    earlier = least[4 : 4 + size].replace(b'"place":0', b'"x":0').replace(b'"weak":false', b'"y":0')
    assert decode(len(earlier).to_bytes(4, "big") + earlier + ORIGINAL.body) == decode(least)


@pytest.mark.parametrize(
    "broken", [b"", bytes(4), b"\0\0\0\x09{}", b"\0\0\0\x02{}", b"\0\0\0\x02[]", b"\0\0\0\x011 rest"]
)
def test_bytes_that_are_no_parked_request(broken: bytes) -> None:
    with pytest.raises(BadParking):
        decode(broken)


def test_no_part_of_it_is_told_by_a_failure() -> None:
    kept: ParkedRequest = parked(MESSAGE, HELD, ORIGINAL)
    with pytest.raises(BadParking) as failed:
        decode(kept.encode()[:40])
    assert "alice" not in str(failed.value)
