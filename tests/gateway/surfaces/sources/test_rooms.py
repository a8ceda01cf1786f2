"""One spelling of a room, where a platform would make one room of several."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.surfaces.input.pointer import MISSING
from gateway.surfaces.input.reading import ParsedRequest
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import RoomFormat
from gateway.surfaces.sources.rooms import first, speller

UUID = "0190b9f6-2c1e-7d34-9a55-0123456789ab"


def spelled(kind: RoomFormat, room: str) -> str:
    spell = speller(kind, last=False)
    assert spell is not None
    try:
        return spell(room)
    except Refused as refused:
        return refused.reason


@pytest.mark.parametrize("room", ["0", "1", "12", "9223372036854775807"])
def test_a_number_has_one_spelling(room: str) -> None:
    assert spelled("number", room) == room
    assert spelled("number-title", room) == room


@pytest.mark.parametrize(
    "room",
    [
        "01", "00", "+1", "-1", " 1", "1 ", "1.0", "1.", ".1", "1e0", "0x1", "1_0", "1,0", "1;a", "1/", "1:", "1'",
        "١", "１", "1\n", "1\x00", "1\u00a0", "12345678901234567890", "9223372036854775808", "a1", "",
    ],
)  # fmt: skip
def test_what_a_platform_casts_to_the_same_number_is_refused(room: str) -> None:
    assert spelled("number", room) == "room.malformed"
    assert spelled("number-title", room) == "room.malformed"


@pytest.mark.parametrize(
    ("room", "told"),
    [
        ("12-a-title", "12"),
        ("12-标题", "12"),
        ("12-a 1.5", "12"),
        ("12-1", "room.malformed"),
        ("12--a", "room.malformed"),
        ("12-_a", "room.malformed"),
        ("12a", "room.malformed"),
        ("012-a", "room.malformed"),
        ("12-", "room.malformed"),
        ("12-a.json", "room.malformed"),
    ],
)
def test_a_number_before_its_title_is_the_room(room: str, told: str) -> None:
    assert spelled("number-title", room) == told
    assert spelled("number", room) == "room.malformed"


@pytest.mark.parametrize(
    "room", [UUID.upper(), UUID.replace("-", ""), f"{{{UUID}}}", f"urn:uuid:{UUID}", UUID[:-1], f"{UUID}0"]
)
def test_a_uuid_is_in_lower_case_with_its_dashes(room: str) -> None:
    assert spelled("uuid", UUID) == UUID
    assert spelled("uuid", room) == "room.malformed"


@pytest.mark.parametrize("room", ["A", "aB", "é", "a ", "a.", "-a", "a/b", "ａ", "a%", "ß", "ı"])
def test_a_name_that_a_collation_would_fold_is_refused(room: str) -> None:
    assert spelled("lower", "my-article_2.b") == "my-article_2.b"
    assert spelled("lower", room) == "room.malformed"


def test_without_a_format_any_spelling_is_a_room() -> None:
    assert speller("keep", last=True) is speller("keep", last=False) is speller("refuse", last=False) is None
    assert speller("refuse", last=True) is not None


@given(st.text(max_size=20), st.sampled_from(get_args(RoomFormat)))
def test_what_is_spelled_once_stays_as_it_is(room: str, kind: RoomFormat) -> None:
    """What the cache of rooms relies on."""
    spell = speller(kind, last=True)
    if spell is None:
        return
    try:
        told = spell(room)
    except Refused:
        return
    assert spell(told) == told


@given(st.from_regex(r"[ +\-0-9._a-z]{1,8}", fullmatch=True))
def test_no_two_rooms_are_one_number_to_a_platform(room: str) -> None:
    """As PHP and MySQL cast (the number that a text begins with) and as Ruby does (which forgives underscores)."""
    for kind in ("number", "number-title"):
        told = spelled(kind, room)  # type: ignore[arg-type]
        if told != "room.malformed":
            php = re.match(r"\s*[+-]?\d+", room)
            ruby = re.match(r"\s*[+-]?\d+(?:_\d+)*", room)
            assert php is not None and ruby is not None
            assert str(int(php[0])) == str(int(ruby[0].replace("_", ""))) == told


def read(rooms: tuple[str, ...], document: object, **parameters: str) -> object:
    reading = ParsedRequest(Arrived(b"POST", {}, parameters=parameters))
    reading.document = document
    return first(rooms, None)(reading)


def test_a_room_composed_of_several() -> None:
    composed = ("{json:/type}:{json:/id}",)
    assert read(composed, {"type": "article", "id": 7}) == "article:7"
    assert read(composed, {"type": "article"}) is MISSING
    assert read(composed, {"type": "article", "id": ""}) is MISSING
    assert read(composed, {"type": "article", "id": [7]}) is MISSING
    assert read(("{path:site}/{json:/id}",), {"id": "a/b"}, site="x") == "x/a%2Fb"


def test_what_stands_before_a_part_or_behind_it_is_not_encoded_in_it() -> None:
    """An id in hexadecimal holds letters of “comment:”: it was refused as though it had come encoded."""
    assert read(("comment:{path:id}",), {}, id="64c0ee") == "comment:64c0ee"
    assert read(("{path:id} of it",), {}, id="foot") == "foot of it"
    assert read(("a:{path:site}-to-{json:/id}",), {"id": "to"}, site="a") == "a:a-to-%74%6F"


@pytest.mark.parametrize("room", ["path:id", "comment:{path:id}", "{json:/site}/{path:id}"])
def test_what_a_path_holds_still_encoded_is_refused(room: str) -> None:
    with pytest.raises(Refused, match=r"room\.malformed"):
        read((room,), {"site": "x"}, id="%31")
    assert read((room,), {"site": "x"}, id="50%") in ("50%", "comment:50%25", "x/50%25")


def test_the_first_place_that_holds_a_room() -> None:
    several = ("json:/thread", "{json:/type}:{json:/id}", "path:room")
    assert read(several, {"thread": "t"}, room="7") == "t"
    assert read(several, {"thread": None, "type": "a", "id": 1}, room="7") == "a:1"
    assert read(several, {"thread": ""}, room="7") == "7"


@given(st.tuples(st.text(min_size=1), st.text(min_size=1)), st.tuples(st.text(min_size=1), st.text(min_size=1)))
def test_no_two_pairs_make_one_room(one: tuple[str, str], other: tuple[str, str]) -> None:
    rooms = [read(("{json:/a}:{json:/b}",), {"a": pair[0], "b": pair[1]}) for pair in (one, other)]
    assert (rooms[0] == rooms[1]) is (one == other)
