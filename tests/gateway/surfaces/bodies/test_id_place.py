"""Our id, written into a message on its way up: nothing else changes, and what cannot be named is refused in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.bodies import id_place
from gateway.surfaces.formats.bilibili import HEADER
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceError
from gateway.surfaces.surface import Surface

MakeSurface = Callable[..., Surface]
MakeRequest = Callable[..., Arrived]

ALICE = ("X-User-Id", "alice")
JSON = ("Content-Type", "application/json")
KEYS = st.sampled_from(["a", "b", "é", 'q"', "0"])
TREES = st.recursive(
    st.integers(0, 9) | st.text(max_size=2) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def put(tree: Any, tokens: list[str]) -> Any:
    """The oracle: the document that a platform shall read."""
    if not tokens:
        return "id-1"
    if isinstance(tree, list):
        copied = list(tree)
        copied[int(tokens[0])] = put(tree[int(tokens[0])], tokens[1:])
        return copied
    return {**tree, tokens[0]: put(tree.get(tokens[0], {}), tokens[1:])}


@settings(max_examples=300, deadline=None)
@given(TREES, st.lists(KEYS, min_size=1, max_size=3), st.sampled_from([None, 1]))
def test_the_place_and_nothing_else_changes(tree: Any, tokens: list[str], indent: int | None) -> None:
    place = id_place.compiled("json:" + "".join(f"/{token}" for token in tokens), ("json:/never",))
    assert place is not None
    body = json.dumps(tree, indent=indent).encode()
    try:
        place.check(tree)
    except Refused as refused:
        assert refused.reason == "id.place"
        with pytest.raises(LookupError):
            place.write(body, "id-1")
    else:
        assert json.loads(place.write(body, "id-1")) == put(tree, tokens)


def test_spelling_is_kept() -> None:
    place = id_place.compiled("json:/meta/id", ("json:/content",))
    assert place is not None
    assert place.write(b'{ "n": 1.0, "meta" : { } }', "x") == b'{ "n": 1.0, "meta" : {"id":"x" } }'
    assert place.write(b'{"meta":{"id" : [1, "]"] , "n":1e2}}', "x") == b'{"meta":{"id" : "x" , "n":1e2}}'
    assert place.write(b"{}", "x") == b'{"meta":{"id":"x"}}'


@pytest.mark.parametrize("id_to", ["json:", "json:id", "cookie:id", "id"])
def test_a_place_that_is_none(id_to: str) -> None:
    with pytest.raises(SurfaceError, match="id_to"):
        id_place.compiled(id_to, ("json:/content",))


@pytest.mark.parametrize("text", ["json:/a", "json:/a/b", "json:/a/b/c", "form:msg", "body:text"])
def test_the_id_never_overwrites_what_is_judged(text: str) -> None:
    with pytest.raises(SurfaceError, match="id_to"):
        id_place.compiled("json:/a/b", (text,))


def test_headers_are_the_carriers_matter() -> None:
    assert id_place.compiled("header:X-Ref", ("form:msg",)) is None
    assert id_place.compiled("", ("form:msg",)) is None


def test_a_request(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface(id_to="json:/ref")
    decoded = surface.decode(make_request([JSON, ALICE]), b'{"content": "hello", "ref": "mine"}')
    assert decoded.stamped
    assert decoded.encode(decoded.body, {}) == b'{"content": "hello", "ref": "id-1"}'
    assert decoded.encode(decoded.body, {0: ("***",)}) == b'{"content": "***", "ref": "id-1"}'
    assert decoded.encode(decoded.body, {0: None}) is None
    nested = make_surface(id_to="json:/meta/ref")
    assert nested.decode(make_request([JSON, ALICE]), b'{"content": "x", "meta": 1}').reason == "id.place"
    assert nested.decode(make_request([JSON, ALICE]), b'{"content": "x", "Meta": {}}').reason == "body.key_case"
    plain = make_surface().decode(make_request([JSON, ALICE]), b'{"content": "x"}')
    assert not plain.stamped


def test_frames_are_stamped_one_by_one(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface(surface="danmaku", format="bilibili", id_to="json:/ref")
    numbers = iter(range(9))
    surface._new_id = lambda: f"id-{next(numbers)}"
    socket = surface.attach(make_request([ALICE], method=b"GET"))
    bodies = [b'{"content":"a"}', b"\x00", b'{"content":"b"}', b'{"content":"c"}']
    frame = b"".join(
        HEADER.pack(16 + len(body), 16, 1, 2 if body == b"\x00" else 4, 1) + body for body in bodies
    )  # fmt: skip
    decoded = socket.decode(frame, True)
    assert [message.id for message in decoded.messages] == ["id-0", "id-1", "id-2"]
    sent = decoded.encode(frame, {1: ("*",), 2: None})
    assert [bytes(p.data) for p in surface._format.split(sent)] == [
        b'{"ref":"id-0","content":"a"}', b"\x00", b'{"ref":"id-1","content":"*"}',
    ]  # fmt: skip
    assert socket.decode(HEADER.pack(18, 16, 1, 4, 1) + b"[]", True).reason == "id.place"
