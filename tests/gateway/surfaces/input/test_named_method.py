"""Which method a body or a query names."""

from __future__ import annotations

import pytest

from gateway.surfaces.input.decoded import Malformed, Messages, Untouched
from gateway.surfaces.input.named_method import of_document, of_query, of_values
from gateway.surfaces.input.reasons import Refused
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.input.settings import SurfaceSettings
from gateway.surfaces.surface import Surface

FORM = b"application/x-www-form-urlencoded"
SETTINGS = SurfaceSettings("c", "comment", ("header:X-User-Id",), ("json:/content", "form:content"))
READING = SurfaceSettings(
    "c", "comment", ("header:X-User-Id",), ("json:/content",), message_when={"/t": ("m",)}, relay_when={"/t": ("x",)}
)


def decode(
    body: bytes, media: bytes = b"application/json", query: bytes = b"", settings: SurfaceSettings = SETTINGS
) -> Messages | Untouched | Malformed:
    request = Arrived(b"POST", {b"content-type": media, b"x-user-id": b"a"}, query=query, peer_trusted=True)
    return Surface(settings, lambda: "id", lambda: 0).decode(request, body)


PART = '--B\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'


@pytest.mark.parametrize(
    ("body", "media", "method"),
    [
        (b"content=a", FORM, b""),
        (b"content=a&_method=put", FORM, b"PUT"),
        (b"%5Fm%65thod=%20delete&content=a", FORM, b"DELETE"),
        (b"content=a&_METHOD=put", FORM, b"PUT"),
        (b"content=a&.method=put", FORM, b"PUT"),
        (b"content=a&_method[]=put", FORM, b"PUT"),
        (b"content=a&_method=", FORM, b""),
        (b"content=a&method=put", FORM, b""),
        (
            (PART.format("content", "a") + PART.format("_method", "patch") + "--B--").encode(),
            b"multipart/form-data; boundary=B",
            b"PATCH",
        ),
        (b'{"content": "a", "_method": "PUT"}', b"application/json", b"PUT"),
        (b'{"content": "a", "_m\\u0065thod": "PUT"}', b"application/json", b"PUT"),
        (b'{"content": "a", "_method": 5}', b"application/json", b""),
    ],
)
def test_a_message_tells_which_method_its_body_names(body: bytes, media: bytes, method: bytes) -> None:
    decoded = decode(body, media)
    assert isinstance(decoded, Messages)
    assert decoded.method == method
    assert decoded.messages[0].edit == (method in {b"PUT", b"PATCH"})


@pytest.mark.parametrize(
    ("query", "method"), [(b"a=1", b""), (b"_method=put", b"PUT"), (b"%5fmethod=put", b"PUT"), (b"_method=%ff", b"")]
)
def test_queries(query: bytes, method: bytes) -> None:
    assert of_query(query) == method
    decoded = decode(b"content=a", FORM, query)
    assert isinstance(decoded, Messages)
    assert decoded.messages[0].edit == (method == b"PUT")


def test_what_is_no_message_tells_it_as_well() -> None:
    decoded = decode(b'{"t": "x", "_method": "PUT"}', settings=READING)
    assert decoded == Untouched(b'{"t": "x", "_method": "PUT"}', False, b"PUT")


def test_an_edit_that_leaves_the_text_as_it_was_has_none() -> None:
    """A form stands for PATCH by a POST."""
    assert isinstance(decode(b"_method=patch&tag=a", FORM), Messages)
    assert decode(b"tag=a", FORM) == decode(b"", FORM)


def test_two_methods_are_one_too_many() -> None:
    with pytest.raises(Refused, match=r"form\.twice"):
        of_values(("PUT", "DELETE"))
    assert of_values(("put", "PUT", "")) == b"PUT"
    assert of_document({"_method": "put"}) == b"PUT"
