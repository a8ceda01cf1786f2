"""Several texts of one body: those that are absent or null, and fields with brackets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.surfaces.input.decoded import Malformed, Messages
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.surface import Surface

MakeSurface = Callable[..., Surface]
MakeRequest = Callable[..., Arrived]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"title":"t","content":"c"}', ("t", "c")),
        (b'{"content":"c"}', ("", "c")),
        (b'{"title":null,"content":"c"}', ("", "c")),
        (b'{"title":"t","content":null}', ("t", "")),
        (b'{"title":null,"content":null}', "text.missing"),
        (b'{"title":null}', "text.missing"),
        (b'{"title":1,"content":"c"}', "text.not_string"),
        (b'{"title":"","content":null}', "text.empty"),
    ],
)
def test_null_in_one_of_several_texts_is_absence(
    make_surface: MakeSurface, make_request: MakeRequest, body: bytes, told: object
) -> None:
    request = make_request([("Content-Type", "application/json"), ("X-User-Id", "alice")])
    decoded = make_surface(text=("json:/title", "json:/content")).decode(request, body)
    assert (decoded.messages[0].texts if isinstance(decoded, Messages) else decoded.reason) == told  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["comment[body]", "comment[body][text]", "post.text"])
def test_fields_with_brackets_are_judged_and_masked(
    make_surface: MakeSurface, make_request: MakeRequest, name: str
) -> None:
    surface = make_surface(text=(f"form:{name}",))
    request = make_request([("Content-Type", "application/x-www-form-urlencoded"), ("X-User-Id", "alice")])
    written = name.replace("[", "%5B").replace("]", "%5D").encode()
    decoded = surface.decode(request, b"utf8=1&" + written + b"=hello&comment%5Btitle%5D=x")
    assert isinstance(decoded, Messages)
    assert decoded.messages[0].texts == ("hello",)
    assert decoded.encode(decoded.body, {0: ("***",)}) == b"utf8=1&" + written + b"=%2A%2A%2A&comment%5Btitle%5D=x"
    twice = surface.decode(request, written + b"=hello&" + written + b"=bad")
    assert isinstance(twice, Malformed)


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("application/json", b'{"content": "caf\\u00e9"}', "café"),
        ("application/json", '{"content": "café"}'.encode(), None),
        ("text/plain", b"hello", "hello"),
        ("text/plain", "café".encode(), None),
    ],
)
def test_what_says_that_it_is_ascii_is(
    make_surface: MakeSurface, make_request: MakeRequest, kind: str, body: bytes, text: str | None
) -> None:
    surface = make_surface(text=("json:/content", "text:"))
    request = make_request([("Content-Type", f"{kind}; charset=us-ascii"), ("X-User-Id", "alice")])
    decoded = surface.decode(request, body)
    if text is None:
        assert isinstance(decoded, Malformed)
        assert decoded.reason == "charset.unsupported"
    else:
        assert isinstance(decoded, Messages)
        assert decoded.messages[0].texts in ((text, ""), (text,))
        masked = decoded.encode(body, {0: tuple("x" * len(one) for one in decoded.messages[0].texts)})
        assert masked is not None and b"xx" in masked


def test_a_masked_text_of_an_ascii_document_is_written_in_escapes(
    make_surface: MakeSurface, make_request: MakeRequest
) -> None:
    request = make_request([("Content-Type", "application/json; charset=us-ascii"), ("X-User-Id", "alice")])
    decoded = make_surface().decode(request, b'{"content": "caf\\u00e9 \\ud83d\\ude00 bad"}')
    assert isinstance(decoded, Messages)
    assert decoded.messages[0].texts == ("café 😀 bad",)
    assert decoded.encode(decoded.body, {0: ("café 😀 ***",)}) == b'{"content": "caf\\u00e9 \\ud83d\\ude00 ***"}'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"title":"t","blocks":[{"text":"a"},{"text":"b"}]}', ("t", "a", "b")),
        (b'{"blocks":[{"text":"a"},{},{"text":null},null]}', ("", "a", "", "", "")),
        (b'{"title":"t"}', ("t",)),
        (b'{"title":"t","blocks":[]}', ("t",)),
        (b'{"blocks":[]}', "text.missing"),
        (b'{"blocks":[{"text":""}]}', "text.empty"),
        (b'{"blocks":{"0":{"text":"a"}}}', "body.not_array"),
        (b'{"blocks":[{"text":["a"]}]}', "text.not_string"),
        (b'{"blocks":["a"]}', "text.not_string"),
        (b'{"blocks":[{"Text":"a"}]}', "body.key_case"),
        (b'{"title":"t","blocks":[' + b",".join([b"{}"] * 5) + b"]}", "body.too_many"),
    ],
)
def test_every_element_of_an_array_is_a_text(
    make_surface: MakeSurface, make_request: MakeRequest, body: bytes, told: object
) -> None:
    request = make_request([("Content-Type", "application/json"), ("X-User-Id", "alice")])
    surface = make_surface(text=("json:/title", "json:/blocks/*/text"), max_elements=4)
    decoded = surface.decode(request, body)
    assert (decoded.messages[0].texts if isinstance(decoded, Messages) else decoded.reason) == told  # type: ignore[union-attr]
    if isinstance(decoded, Messages):
        assert decoded.encode(body, {0: decoded.messages[0].texts}) == body
        masked = decoded.encode(body, {0: ("m",) * len(decoded.messages[0].texts)})
        assert masked == body.replace(b'"t"', b'"m"').replace(b'"a"', b'"m"').replace(b'"b"', b'"m"')


def test_a_query_that_holds_an_element_is_refused(make_surface: MakeSurface, make_request: MakeRequest) -> None:
    surface = make_surface(text=("json:/blocks/*/text",))
    for query, sound in ((b"blocks[0][text]=x", False), (b"blocks%5B%5D.text=x", False), (b"block=x", True)):
        request = make_request([("Content-Type", "application/json"), ("X-User-Id", "alice")], query=query)
        assert isinstance(surface.decode(request, b'{"blocks":[{"text":"a"}]}'), Messages) is sound
