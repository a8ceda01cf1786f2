"""Which messages a request deletes, and whether the answer says that they are gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.surfaces.deletion import MAX_IDS, DeletionReader, Named, gone
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceError

MakeRequest = Callable[..., Arrived]
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def test_from_the_path(make_request: MakeRequest) -> None:
    reader = DeletionReader("path:id", ("path:room",), {})
    assert not reader.reads_body
    request = make_request(method=b"DELETE", parameters={"room": "r1", "id": "77"})
    assert reader.read(request) == Named(("77",), "r1")
    assert DeletionReader("path:id", (), {}).read(request) == Named(("77",))


@pytest.mark.parametrize(("spelled", "room"), [("12", "12"), ("12-a-title", "12"), ("012", ""), ("12.json", "")])
def test_the_room_is_spelled_as_the_messages_have_it(make_request: MakeRequest, spelled: str, room: str) -> None:
    """Where it has no such spelling, the id alone tells the message."""
    reader = DeletionReader("path:id", ("path:room",), {}, room_format="number-title")
    request = make_request(method=b"DELETE", parameters={"room": spelled, "id": "77"})
    assert reader.read(request) == Named(("77",), room)


@pytest.mark.parametrize(
    ("source", "header", "body", "ids"),
    [
        ("json:/id", JSON, b'{"id": 77}', ("77",)),
        ("json:/ids", JSON, b'{"ids": ["a", "b", "a", 3]}', ("a", "b", "3")),
        ("json:/ids", JSON, b'{"ids": ["a", null]}', ()),
        ("json:/ids", JSON, b'{"ids": []}', ()),
        ("json:/id", JSON, b'{"id": true}', ()),
        ("json:/id", JSON, b'{"id": 1, "id": 2}', ()),
        ("json:/id", JSON, b'{"ID": 1}', ()),
        ("json:/id", JSON, b"nonsense", ()),
        ("json:/id", FORM, b"id=77", ()),
        ("form:id", FORM, b"id=77&x=1", ("77",)),
        ("form:id", FORM, b"id=77&id=78", ()),
        ("form:id", FORM, b"id=a%00b", ()),
        ("query:id", JSON, b"", ("5",)),
    ],
)
def test_from_elsewhere(
    make_request: MakeRequest, source: str, header: tuple[str, str], body: bytes, ids: tuple[str, ...]
) -> None:
    reader = DeletionReader(source, (), {})
    assert reader.reads_body == (source[0] in "jf")
    assert reader.read(make_request([header], query=b"id=5" if source[0] == "q" else b""), body).ids == ids


def test_a_list_is_bounded(make_request: MakeRequest) -> None:
    reader = DeletionReader("json:/ids", (), {})
    body = b'{"ids": [%b]}' % b",".join(b"%d" % number for number in range(MAX_IDS + 1))
    assert reader.read(make_request([JSON]), body) == Named()
    assert len(reader.read(make_request([JSON]), body.replace(b",1000", b"")).ids) == MAX_IDS


@given(st.binary(max_size=60), st.sampled_from(["application/json", "application/x-www-form-urlencoded", "x", ""]))
def test_any_bytes_go_by(body: bytes, media: str) -> None:
    fields = {b"content-type": media.encode()} | ({b"content-encoding": b"gzip"} if body[:1] == b"z" else {})
    request = Arrived(b"POST", fields)
    for source in ("json:/id", "form:id"):
        assert isinstance(DeletionReader(source, ("path:room",), {}).read(request, body), Named)


def test_a_token_names_no_message() -> None:
    with pytest.raises(SurfaceError, match=r"removal\.id"):
        DeletionReader("jwt:sub", (), {})


@pytest.mark.parametrize(
    ("when", "status", "body", "expected"),
    [
        ({}, 200, b"", True),
        ({}, 204, b"", True),
        ({}, 299, b"{", True),
        ({}, 199, b"", False),
        ({}, 302, b"", False),
        ({}, 404, b"", False),
        ({"/code": (0,)}, 200, b'{"code": 0}', True),
        ({"/code": (0,)}, 200, b'{"code": -1}', False),
        ({"/code": (0,)}, 200, b'{"code": "0"}', False),
        ({"/code": (0,)}, 200, b'{"Code": 0}', False),
        ({"/code": (0,)}, 200, b'{"code": 0', False),
        ({"/code": (0,)}, 500, b'{"code": 0}', False),
        ({"/code": (0,)}, 200, b"", False),
    ],
)
def test_what_an_answer_means(when: dict[str, Any], status: int, body: bytes, expected: bool) -> None:
    assert gone(when)(status, body) is expected
