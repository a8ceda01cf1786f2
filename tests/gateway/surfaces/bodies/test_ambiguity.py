"""What is read standing where it is not read: refused, whether the right place holds a value or not."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.bodies.ambiguity import Ambiguity
from gateway.surfaces.input.decoded import Decoded, Malformed, Messages
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceSettings
from gateway.surfaces.surface import Surface

MakeSurface = Callable[..., Surface]
MakeRequest = Callable[..., Arrived]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MIXED = ("json:/content", "form:content", "form:msg", "text:")


def reason(decoded: Decoded) -> str:
    return decoded.reason if isinstance(decoded, Malformed) else ""


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        (b"content=bad", True), (b"CONTENT=bad", True), (b"a=1&content[]=bad", True), (b"a=1;content=bad", True),
        (b"%63ontent=bad", True), (b"%2563ontent=bad", True), (b"[content]=bad", True), (b"content%00=bad", True),
        (b"content", True), (b"content.x=bad", True), (b"meta[body]=bad", True), (b"meta.body=bad", True),
        (b"meta=bad", True), (b"title=bad", True), (b"content+=bad", True), (b"%zz&content=bad", True),
        (b"page=1", False), (b"body=1", False), (b"a=%7E", False), (b"x=content", False), (b"uid=7", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("body", [b'{"title":"hello"}', b'{"title":"hello","content":"x"}'])
def test_the_query_is_looked_at_for_every_name(
    make_surface: MakeSurface, make_request: MakeRequest, query: bytes, refused: bool, body: bytes
) -> None:
    surface = make_surface(
        text=("json:/content", "json:/title", "json:/meta/body"), sender=("json:/uid", "query:uid", "header:X-User-Id")
    )
    request = make_request([("Content-Type", JSON), ("X-User-Id", "alice")], query=query)
    assert reason(surface.decode(request, body)) == ("form.twice" if refused else "")


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (JSON, b'{"content":"hello"}', ""),
        (JSON, b'{"content":"a & b = c"}', ""),
        (JSON, b'{"a":"&content=bad&b=","content":"hello"}', "body.ambiguous"),
        (JSON, b'{"a":"&%63ontent=bad&b=","content":"hello"}', "body.ambiguous"),
        (JSON, b'{"a":"&[msg]=bad&b=","content":"hello"}', "body.ambiguous"),
        (JSON, b'{"a":";msg=bad;","content":"hello"}', "body.ambiguous"),
        (JSON, b'{"content":"hello","msg":"bad"}', "text.elsewhere"),
        (JSON, b'{"content":"hello","MSG":"bad"}', "text.elsewhere"),
        (JSON, b'{"content":"hello","msg[]":"bad"}', "text.elsewhere"),
        (FORM, b"content=hello", ""),
        (FORM, b'{"content":"BAD","a":"&content=hello&b="}', "form.name"),
        (FORM, b'[{"content":"BAD"},"&content=hello&b="]', "form.name"),
        (FORM, b' {"a":1,"content":"BAD","b":"=&content=hello"}', "form.name"),
        ("text/plain", b"hello", ""),
        ("text/plain", b"{hello}", ""),
        ("text/plain", b'{"other":1}', ""),
        ("text/plain", b'{"content":"\\u0062ad"}', "body.ambiguous"),
        ("text/plain", b' \n{"Content":"bad"}', "body.ambiguous"),
        ("text/plain", b"content=%62ad", "body.ambiguous"),
        ("text/plain", b"a=1&msg[]=bad", "body.ambiguous"),
        ("text/plain", b"a=1&b=content", ""),
    ],
)
def test_bodies_that_are_two_kinds_at_once(
    make_surface: MakeSurface, make_request: MakeRequest, kind: str, body: bytes, expected: str
) -> None:
    request = make_request([("Content-Type", kind), ("X-User-Id", "alice")])
    assert reason(make_surface(text=MIXED).decode(request, body)) == expected


def test_with_one_kind_of_source_a_body_may_look_as_it_likes(
    make_surface: MakeSurface, make_request: MakeRequest
) -> None:
    request = make_request([("Content-Type", JSON), ("X-User-Id", "alice")])
    assert isinstance(make_surface().decode(request, b'{"content":"see ?a=1&content=2"}'), Messages)


def test_a_form_that_holds_the_text_of_json(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface(text=("json:/content", "form:msg"))
    request = make_request([("Content-Type", FORM), ("X-User-Id", "alice")])
    assert reason(surface.decode(request, b"msg=hello&content=bad")) == "text.elsewhere"
    assert reason(surface.decode(request, b"msg=hello&other=1")) == ""


PLACES = SurfaceSettings("c", "comment", ("header:X-User-Id",), ("json:/content", "form:msg", "text:"))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4), st.binary(max_size=40))
def test_anything_is_looked_at_and_nothing_else_is_raised(document: dict[str, str], raw: bytes) -> None:
    ambiguity = Ambiguity(PLACES)
    body = orjson.dumps(document)
    for call in (
        lambda: ambiguity.check_query(raw),
        lambda: ambiguity.check("json", document, body),
        lambda: ambiguity.check("text", "", raw),
    ):
        try:
            call()
        except Refused as refused:
            assert refused.reason in {"form.twice", "text.elsewhere", "body.ambiguous"}
