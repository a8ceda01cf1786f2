"""What uploads are called, as judged text: every reading of a name, and masks in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.bodies.multipart import multipart, readings
from gateway.surfaces.input.decoded import Decoded, Malformed, Messages
from gateway.surfaces.input.request import Arrived
from gateway.surfaces.surface import Surface

MakeSurface = Callable[..., Surface]
MakeRequest = Callable[..., Arrived]
PNG = b"\r\nContent-Type: image/png"


def body(*parts: tuple[bytes, bytes]) -> bytes:
    return b"".join(b"--B\r\n" + head + b"\r\n\r\n" + value + b"\r\n" for head, value in parts) + b"--B--\r\n"


def text(name: str, value: str) -> tuple[bytes, bytes]:
    return f'Content-Disposition: form-data; name="{name}"'.encode(), value.encode()


def upload(name: str, called: str, more: bytes = PNG) -> tuple[bytes, bytes]:
    return f'Content-Disposition: form-data; name="{name}"; {called}'.encode() + more, b"\x89PNG"


@pytest.fixture
def decode(make_surface: MakeSurface, make_request: MakeRequest) -> Callable[..., Decoded]:
    def read(raw: bytes, *texts: str, **settings: object) -> Decoded:
        request = make_request([("Content-Type", "multipart/form-data; boundary=B"), ("X-User-Id", "alice")])
        return make_surface(text=texts, **settings).decode(request, raw)

    return read


def texts(decoded: Decoded) -> tuple[str, ...]:
    assert isinstance(decoded, Messages), decoded
    return decoded.messages[0].texts


@pytest.mark.parametrize(
    ("called", "told"),
    [
        ('filename="一只猫.png"', ("一只猫.png",)),
        ("filename*=UTF-8''%E7%8C%AB.png", ("猫.png",)),
        ("filename=\"cat.png\"; filename*=UTF-8''%E7%8C%AB.png", ("cat.png", "猫.png")),
        ("filename=\"cat.png\"; filename*=utf-8'en'cat.png", ("cat.png",)),
        ('filename="a%22b.png"', ("a%22b.png", 'a"b.png')),
        ('filename="100%.png"', ("100%.png",)),
        ('filename=""', ()),
    ],
)
def test_every_reading_of_a_name_is_judged(decode: Callable[..., Decoded], called: str, told: tuple[str, ...]) -> None:
    raw = body(text("msg", "hello"), upload("photo", called))
    assert texts(decode(raw, "form:msg", "filename:photo")) == ("hello", *told)
    assert texts(decode(raw, "form:msg", "filename:*")) == ("hello", *told)
    assert texts(decode(raw, "form:msg", "filename:other")) == ("hello",)
    assert texts(decode(raw, "form:msg")) == ("hello",)


def test_several_uploads_of_one_field_are_all_judged(decode: Callable[..., Decoded]) -> None:
    raw = body(upload("photo", 'filename="a.png"'), text("msg", "m"), upload("photo", 'filename="b.png"'))
    decoded = decode(raw, "filename:photo", "form:msg")
    assert texts(decoded) == ("m", "a.png", "b.png")
    assert isinstance(decoded, Messages)
    assert decoded.messages[0].parts == ("form:photo",)
    assert decoded.encode(raw, {0: ("**", "a.png", "*.png")}) == body(
        upload("photo", 'filename="a.png"'), text("msg", "**"), upload("photo", 'filename="*.png"')
    )


@pytest.mark.parametrize("name", ["photo[]", "Photo", " photo"])
def test_a_name_that_means_the_same_field_to_others_is_refused(decode: Callable[..., Decoded], name: str) -> None:
    raw = body(text("msg", "m"), upload(name, 'filename="a.png"'))
    refused = decode(raw, "form:msg", "filename:photo")
    assert isinstance(refused, Malformed)
    assert refused.reason == "form.alias"
    assert isinstance(decode(raw, "form:msg", "filename:*"), Messages)


@pytest.mark.parametrize(
    ("called", "masked", "written"),
    [
        ('filename="bad.png"', ("***.png",), 'filename="***.png"'),
        ("filename*=UTF-8''%E5%9D%8F.png", ("*.png",), "filename*=UTF-8''%2A.png"),
        (
            "filename=\"bad.png\"; filename*=UTF-8''bad.png",
            ("***.png",),
            "filename=\"***.png\"; filename*=UTF-8''%2A%2A%2A.png",
        ),
        ('filename="b%61d%22.png"', ("b%61d%22.png", '***".png'), 'filename="***%22.png"'),
        ('filename="b%61d.png"', ("*****.png", "bad.png"), 'filename="*****.png"'),
    ],
)
def test_masks_are_written_where_the_name_stands(
    decode: Callable[..., Decoded], called: str, masked: tuple[str, ...], written: str
) -> None:
    raw = body(text("filename", "x"), (b"X-Note: a\r\n" + upload("photo", called)[0], b"1"))
    decoded = decode(raw, "filename:photo", optional_text=True)
    assert isinstance(decoded, Messages)
    assert decoded.encode(raw, {0: masked}) == raw.replace(called.encode(), written.encode())


def test_a_name_that_cannot_be_read_is_refused_where_it_is_judged(decode: Callable[..., Decoded]) -> None:
    raw = body(text("msg", "m"), (b'Content-Disposition: form-data; name="photo"; filename="\xff.png"', b"x"))
    refused = decode(raw, "form:msg", "filename:photo")
    assert isinstance(refused, Malformed)
    assert refused.reason == "body.not_utf8"
    assert isinstance(decode(raw, "form:msg"), Messages)
    nul = body(text("msg", "m"), upload("photo", 'filename="a%00.png"'))
    assert isinstance(decode(nul, "form:msg", "filename:photo"), Malformed)


def test_a_form_without_uploads_is_read_as_ever(decode: Callable[..., Decoded]) -> None:
    raw = body(text("msg", "hello"))
    decoded = decode(raw, "form:msg", "filename:photo")
    assert texts(decoded) == ("hello",)
    assert isinstance(decoded, Messages)
    assert decoded.encode(raw, {0: ("*****",)}) == body(text("msg", "*****"))
    assert isinstance(decode(body(text("x", "y")), "filename:photo"), Malformed)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters='"\\\x7f', min_codepoint=32), min_size=1, max_size=20))
def test_a_name_stands_where_it_is_said_to(name: str) -> None:
    raw = body(text("a", "b"), upload("photo", f'filename="{name}"'))
    if "name=" in name.lower() or "=?" in name or "content-disposition" in name.lower() or "%" in name:
        return
    if "name" in name.lower():
        return
    upload_ = multipart(raw, "B")[1]
    ((told, where),) = readings(upload_)
    assert (told, raw[where.start : where.end]) == (name, name.encode())
