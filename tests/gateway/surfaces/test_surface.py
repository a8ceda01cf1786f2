"""Requests and frames as a whole: what is decoded, what is put back, what is remembered."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces import SURFACES, compiled
from gateway.surfaces.input.decoded import Malformed, Messages, Untouched
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceError, SurfaceSettings
from gateway.surfaces.surface import MAX_TYPES

MakeRequest = Callable[..., Any]
MakeSurface = Callable[..., Any]

ALICE = ("X-User-Id", "alice")
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def test_a_compressed_body_goes_on_plain(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    body = b'{"content": "hello"}'
    surface = make_surface()
    for coding, packed in (("gzip", gzip.compress(body)), ("br", brotli.compress(body))):
        decoded = surface.decode(make_request([JSON, ALICE, ("Content-Encoding", coding)]), packed)
        assert (decoded.messages[0].texts, decoded.body, decoded.identity) == (("hello",), body, True)
    plain = surface.decode(make_request([JSON, ALICE]), body)
    assert (plain.body, plain.identity) == (body, False)
    small = make_surface(max_inflated=10)
    refused = small.decode(make_request([JSON, ALICE, ("Content-Encoding", "gzip")]), gzip.compress(body))
    assert (refused.status, refused.reason) == (413, "body.inflates")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([ALICE], "type.unsupported"),
        ([ALICE, ("Content-Type", "text/plain")], "type.unsupported"),
        ([ALICE, JSON, JSON], "type.unsupported"),
        ([ALICE, JSON, FORM], "type.unsupported"),
        ([ALICE, JSON, ("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")], "coding.unsupported"),
        ([ALICE, JSON, ("Content-Encoding", "zstd")], "coding.unsupported"),
    ],
)
def test_heads_that_leave_doubt(
    make_surface: MakeSurface, make_request: MakeRequest, headers: list[tuple[str, str]], reason: str
) -> None:
    surface = make_surface()
    for _ in range(2):  # the second time the media type may be remembered
        decoded = surface.decode(make_request(headers), b'{"content": "x"}')
        assert isinstance(decoded, Malformed)
        assert (decoded.status, decoded.reason) == (415, reason)


@pytest.mark.parametrize(
    ("body", "method", "texts"),
    [
        (b'{"content": "x"}', b"PUT", ("x",)),
        (b'{"content": "x"}', b"PATCH", ("x",)),
        (b'{"pinned": true}', b"PATCH", ("",)),
        (b'{"content": null}', b"PATCH", ("",)),
        (b'{"pinned": true}', b"PUT", "text.missing"),
        (b'{"Content": "x"}', b"PATCH", "body.key_case"),
        (b'{"content": 5}', b"PATCH", "text.not_string"),
    ],
)
def test_edits(
    make_surface: MakeSurface, make_request: MakeRequest, body: bytes, method: bytes, texts: tuple[str, ...] | str
) -> None:
    merge = ("Content-Type", "application/merge-patch+json")
    decoded = make_surface().decode(make_request([merge, ALICE], method=method), body)
    if isinstance(texts, str):
        assert decoded.reason == texts
    else:
        assert (decoded.messages[0].texts, decoded.messages[0].edit) == (texts, True)


@pytest.mark.parametrize(
    ("edit", "method", "told"),
    [
        (True, b"POST", True),
        (True, b"PUT", True),
        (False, b"PUT", False),  # Matrix sends new messages with PUT
        (False, b"PATCH", False),
        (None, b"POST", False),
        (None, b"PUT", True),
        (None, b"PATCH", True),
    ],
)
@pytest.mark.parametrize("more", [{}, {"device": ("header:X-Device",)}])
def test_a_route_says_what_edits(
    make_surface: MakeSurface, make_request: MakeRequest, edit: bool | None, method: bytes, told: bool, more: Any
) -> None:
    request = make_request([JSON, ALICE], method=method)
    assert make_surface(edit=edit, **more).decode(request, b'{"content": "x"}').messages[0].edit is told


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a" * 65_536, "text.too_long"),
        ("a" * 4097, "text.too_long"),
        ("你" * 4096, None),
        ("", "text.empty"),
    ],
)
def test_length(make_surface: MakeSurface, make_request: MakeRequest, content: str, reason: str | None) -> None:
    decoded = make_surface().decode(make_request([JSON, ALICE]), json.dumps({"content": content}).encode())
    assert (decoded.reason if isinstance(decoded, Malformed) else None) == reason


def test_several_texts_share_the_bound(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface(text=("json:/title", "json:/content"), max_text=5)
    request = make_request([JSON, ALICE])
    assert surface.decode(request, b'{"content": "abc", "title": "de"}').messages[0].texts == ("de", "abc")
    assert surface.decode(request, b'{"content": "abc"}').messages[0].texts == ("", "abc")
    assert surface.decode(request, b'{"content": "abc", "title": "def"}').reason == "text.too_long"
    assert surface.decode(request, b'{"content": "", "title": ""}').reason == "text.empty"
    assert surface.decode(request, b"{}").reason == "text.missing"
    assert surface.decode(request, b'{"content": "abc", "title": null}').messages[0].texts == ("", "abc")
    assert surface.decode(request, b'{"content": "abc", "Title": "x"}').reason == "body.key_case"


def test_parts(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface(parts=("json:/images", "json:/media/url"))
    request = make_request([JSON, ALICE])
    for body, parts in (
        (b'{"content": "x"}', ()),
        (b'{"content": "x", "images": [], "media": {"url": ""}}', ()),
        (b'{"content": "x", "images": null}', ()),
        (b'{"content": "x", "images": ["a.png"]}', ("/images",)),
        (b'{"content": "", "images": ["a.png"], "media": {"url": "v"}}', ("/images", "/media/url")),
        (b'{"images": {"a": 1}}', ("/images",)),
    ):
        assert surface.decode(request, body).messages[0].parts == parts
    assert surface.decode(request, b'{"content": "x", "Images": ["a.png"]}').reason == "body.key_case"


@pytest.mark.parametrize("changes", [{}, {0: ("hi *",)}, {0: None}])
def test_changes(make_surface: MakeSurface, make_request: MakeRequest, changes: dict[int, Any]) -> None:
    body = b'{"n":1.0, "content":"hi x"}'
    decoded = make_surface().decode(make_request([JSON, ALICE]), body)
    expected = {0: b'{"n":1.0, "content":"hi *"}', 1: body, 2: None}[
        1 if not changes else 2 if changes[0] is None else 0
    ]
    assert decoded.encode(decoded.body, changes) == expected


SURFACE = compiled(
    SurfaceSettings(
        "c", "comment", ("header:X-User-Id",), ("json:/title", "json:/a/0", "form:title", "form:msg", "body:text")
    ),
    lambda: "id",
    lambda: 0,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)


@settings(max_examples=100, deadline=None)
@given(TEXT, TEXT, st.sampled_from(["json", "form", "multipart", "text"]), st.data())
def test_what_is_put_back_is_read_again(title: str, text: str, kind: str, data: st.DataObject) -> None:
    from urllib.parse import urlencode

    if kind == "json":
        header = b"application/json"
        body = json.dumps(
            {"title": title, "a": [text, title], "n": 1.5}, ensure_ascii=data.draw(st.booleans())
        ).encode()
    elif kind == "form":
        header = b"application/x-www-form-urlencoded"
        body = urlencode([("x", title), ("title", title), ("msg", text)]).encode()
    elif kind == "multipart":
        header = b"multipart/form-data; boundary=BoundaryOfTheForm"
        part = '--BoundaryOfTheForm\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        body = (part.format("msg", text) + part.format("title", title) + "--BoundaryOfTheForm--\r\n").encode()
    else:
        header, body, title = b"text/plain", text.encode(), ""
        if text.startswith("\ufeff"):
            return
    request = Arrived(b"POST", {b"content-type": header, b"x-user-id": b"a"}, peer_trusted=True)
    first = SURFACE.decode(request, body)
    assert isinstance(first, Messages)
    texts = first.messages[0].texts
    assert texts == ((text,) if kind == "text" else (title, text))
    masked = tuple("*" * len(one) for one in texts)
    after = first.encode(first.body, {0: masked})
    assert after is not None
    second = SURFACE.decode(request, after)
    assert isinstance(second, Messages)
    assert second.messages[0].texts == masked
    assert second.encode(after, {0: texts}) is not None
    third = SURFACE.decode(request, second.encode(after, {0: texts}) or b"")
    assert isinstance(third, Messages)
    assert third.messages[0].texts == texts


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["application/json", "text/plain", "application/x-www-form-urlencoded"]))
def test_any_bytes_have_an_answer(body: bytes, header: str) -> None:
    request = Arrived(b"POST", {b"content-type": header.encode(), b"x-user-id": b"a"}, peer_trusted=True)
    assert isinstance(SURFACE.decode(request, body), Messages | Malformed)


def test_form_fields_that_facts_come_from_may_not_repeat(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface(sender=("form:uid",), text=("form:msg",), parts=("form:photo",))
    request = make_request([FORM])
    assert surface.decode(request, b"uid=alice&msg=x&photo=1").messages[0].parts == ("form:photo",)
    assert surface.decode(request, b"uid=alice&uid=bob&msg=x").reason == "form.twice"
    assert surface.decode(make_request([FORM], query=b"uid=bob"), b"uid=alice&msg=x").reason == "form.twice"
    assert surface.decode(request, b"uid=alice&msg=%00").reason == "body.nul"


def test_uploads_count_as_parts(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="msg"\r\n\r\n%s\r\n'
        b'--B\r\nContent-Disposition: form-data; name="%s"; filename="a.png"\r\n\r\nPNG\r\n--B--\r\n'
    )
    surface = make_surface(text=("form:msg",))
    request = make_request([("Content-Type", "multipart/form-data; boundary=B"), ALICE])
    assert surface.decode(request, body % (b"hi", b"photo")).messages[0].parts == ("form:photo",)
    assert surface.decode(request, body % (b"", b"photo")).messages[0].texts == ("",)
    upload = body[body.index(b"--B\r\nContent", 3) :] % b"msg"
    assert surface.decode(request, upload).reason == "text.not_string"


def test_conditions_on_requests(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface(message_when={"/type": ("c",)}, relay_when={"/type": ("like",)})
    request = make_request([JSON, ALICE])
    assert isinstance(surface.decode(request, b'{"type": "c", "content": "x"}'), Messages)
    assert surface.decode(request, b'{"type": "like"}') == Untouched(b'{"type": "like"}')
    assert surface.decode(request, b'{"type": "x", "content": "x"}').reason == "frame.unknown"


def test_few_media_types_are_remembered(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface()
    for number in range(MAX_TYPES + 50):
        header = ("Content-Type", f"application/json; x={number}")
        assert isinstance(surface.decode(make_request([header, ALICE]), b'{"content": "x"}'), Messages)
    assert len(surface._types) == MAX_TYPES


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"data": {"id": 17}}', "17"),
        (b'{"data": {"id": "a-1"}}', "a-1"),
        (b'{"data": {}}', ""),
        (b'{"data": {"ID": 1}}', ""),
        (b'{"data": {"id": true}}', ""),
        (b'{"data": {"id": "a\\nb"}}', ""),
        (b"<html>", ""),
        (b"", ""),
    ],
)
def test_the_platforms_own_id(make_surface: MakeSurface, body: bytes, found: str) -> None:
    assert make_surface(upstream_id="json:/data/id").upstream_id(body) == found
    assert make_surface().upstream_id(body) == ""


SENSELESS = [
    {"surface": "radio"},
    {"text": ()},
    {"text": ("json:/a", "json:/a")},
    {"text": ("json:a",)},
    {"text": ("query:msg",)},
    {"text": ("form:",)},
    {"text": ("/content",)},
    {"parts": ("/images",)},
    {"parts": ("json:images",)},
    {"text": ("form:msg",), "relay_when": {"/type": ("x",)}},
    {"upstream_id": "header:X"},
    {"upstream_id": "json:id"},
    {"format": "xml"},
    {"playback": ("json:/t",)},
    {"surface": "danmaku", "room": ()},
    {"surface": "group", "room": ()},
    {"surface": "group", "playback": ("json:/t",)},
    {"surface": "profile", "playback": ("json:/t",)},
]
NEVER_REFUSES: frozenset[str] = frozenset()
"""Surfaces that refuse no setting which others take."""


def test_each_surface_has_settings_that_it_refuses() -> None:
    own = {str(row.get("surface", "comment")) for row in SENSELESS if row.keys() & {"surface", "playback", "room"}}
    assert own - {"radio"} == set(SURFACES) - NEVER_REFUSES


@pytest.mark.parametrize("changed", SENSELESS)
def test_settings_that_make_no_sense(make_surface: MakeSurface, changed: dict[str, Any]) -> None:
    with pytest.raises(SurfaceError):
        make_surface(**changed)


@pytest.mark.parametrize("name", sorted(SURFACES))
def test_every_surface_is_compiled_by_its_name(make_surface: MakeSurface, make_request: MakeRequest, name: str) -> None:
    decoded = make_surface(surface=name).decode(make_request([JSON, ALICE]), b'{"content": "x"}')
    assert decoded.messages[0].surface == name


# Frames


@pytest.fixture
def live(make_surface: MakeSurface) -> Any:
    return make_surface(
        surface="danmaku",
        sender=("header:X-User-Id",),
        playback=("json:/t",),
        message_when={"/type": ("danmaku",)},
        relay_when={"/type": ("ping", "join")},
    )


def test_json_frames(live: Any, make_request: MakeRequest) -> None:
    socket = live.attach(make_request([ALICE], method=b"GET"))
    decoded = socket.decode(b'{"type": "danmaku", "content": "666", "t": 1.5}', False)
    message = decoded.messages[0]
    assert (message.texts, message.sender, message.playback_ms, message.edit) == (("666",), "alice", 1500, False)
    assert decoded.encode(decoded.body, {0: ("***",)}) == b'{"type": "danmaku", "content": "***", "t": 1.5}'
    assert decoded.encode(decoded.body, {0: None}) is None
    assert socket.decode(b'{"type": "ping"}', False) == Untouched(b'{"type": "ping"}')
    for frame, binary, reason in (
        (b'{"type": "ping"}', True, "frame.type"),
        (b'{"type": "gift"}', False, "frame.unknown"),
        (b"hello", False, "body.not_json"),
        (b'{"type": "danmaku", "content": "x", "t": -1}', False, "fact.malformed"),
        (b'{"type": "danmaku", "content": "x", "content": "y"}', False, "body.duplicate_key"),
    ):
        assert socket.decode(frame, binary).reason == reason


def test_who_only_watches_need_not_say_who_they_are(live: Any, make_request: MakeRequest) -> None:
    socket = live.attach(make_request([], method=b"GET"))
    assert isinstance(socket.decode(b'{"type": "ping"}', False), Untouched)
    assert socket.decode(b'{"type": "danmaku", "content": "x"}', False).reason == "sender.missing"


def test_plain_text_frames(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface(surface="group", format="text", text=("body:text",))
    socket = surface.attach(make_request([ALICE], method=b"GET"))
    decoded = socket.decode("大家好".encode(), False)
    assert decoded.messages[0].texts == ("大家好",)
    assert decoded.encode(decoded.body, {0: ("**好",)}) == "**好".encode()
    assert socket.decode(b"", False).reason == "text.empty"
    assert socket.decode(b"\xff", False).reason == "body.not_utf8"


def test_a_format_without_its_text_source(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    with pytest.raises(SurfaceError, match="text"):
        make_surface(format="text").attach(make_request([]))
