"""The method for which a form stands: one field, one spelling, one value."""

from __future__ import annotations

import pytest

from gateway.surfaces.bodies.method_field import in_form
from gateway.surfaces.input.reasons import Refused

FORM = b"application/x-www-form-urlencoded"
PARTS = b"multipart/form-data; boundary=xx"


def parts(*fields: tuple[str, str], more: str = "") -> bytes:
    said = "".join(
        f'--xx\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n' for name, value in fields
    )
    return f"{said}--xx--\r\n".encode()


@pytest.mark.parametrize(
    ("content_type", "body", "method"),
    [
        (FORM, b"_method=patch&content=x", b"PATCH"),
        (FORM, b"content=x&%5Fmethod=P%55T", b"PUT"),
        (PARTS, parts(("content", "x"), ("_method", "delete")), b"DELETE"),
        (FORM, b"content=_method", b""),
        (FORM, b"content=x", b""),
        (FORM, b"", b""),
        (FORM, b"_method=", b""),
        (FORM, b"_method=+put", b""),  # who trims it, and who does not, is known to the platform alone
        (FORM, b"_method=put,delete", b""),
        (FORM, "_method=ſ".encode(), b""),
        (b"application/json", b'{"_method": "PUT"}', b""),
        (b"text/plain", b"_method=put", b""),
    ],
)
def test_what_a_form_names(content_type: bytes, body: bytes, method: bytes) -> None:
    assert in_form(content_type, body) == method


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"_method=put&_method=put"),
        (FORM, b"_method=put&_method="),
        (FORM, b"_METHOD=put"),
        (FORM, b".method=put"),
        (FORM, b"[method=put"),
        (FORM, b"_method[]=put"),
        (FORM, b"_method[a]=put"),
        (FORM, b"_method =put"),
        (FORM, b"_method=put&a=%"),
        (PARTS, parts(("_method", "put"), ("_method", "delete"))),
        (PARTS, parts(("_method", "put"), more='; filename="a"')),
        (b"", b"_method=put"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(content_type: bytes, body: bytes) -> None:
    with pytest.raises(Refused):
        in_form(content_type, body)
