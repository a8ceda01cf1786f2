"""What an answer may repeat: values of the request, and nothing where there is none."""

from __future__ import annotations

import gzip

import pytest

from gateway.http.wire.errors import HTTPError
from gateway.judging.echo import Echo

JSON = {b"content-type": b"application/json", b"x-request-id": b"r1", b"x-bad": b"\xff"}


def echo(body: bytes | None, fields: dict[bytes, bytes] = JSON, query: bytes = b"", frame: bool = False) -> Echo:
    return Echo(fields, query, lambda: {"room": "7"}, body, frame)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("json:/id", 7), ("json:/a/1", None), ("json:/a/0/b", [True]), ("json:/none", None), ("json:/ID", None),
        ("header:X-Request-Id", "r1"), ("header:X-None", None), ("header:X-Bad", None),
        ("query:q", "a b"), ("query:none", None), ("path:room", "7"), ("path:none", None), ("form:id", None),
    ],
)  # fmt: skip
def test_of_a_request_with_json(source: str, value: object) -> None:
    assert echo(b'{"id": 7, "a": [{"b": [true]}]}', query=b"q=a+b&q=c")(source) == value


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"id": 1', None, b"[]", b"7"])
def test_a_broken_body_holds_nothing(body: bytes | None) -> None:
    read = echo(body)
    assert (read("json:/id"), read("form:id"), read("header:x-request-id")) == (None, None, "r1")


def test_of_forms() -> None:
    read = echo(b"id=%31&a=b", {b"content-type": b"application/x-www-form-urlencoded"})
    assert (read("form:id"), read("form:a"), read("form:none"), read("json:/id")) == ("1", "b", None, None)
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="id"\r\n\r\n7\r\n'
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nsecret\r\n--x--\r\n'
    )
    read = echo(parts, {b"content-type": b"multipart/form-data; boundary=x"})
    assert (read("form:id"), read("form:f")) == ("7", None)


def test_of_a_body_that_is_coded() -> None:
    fields = {**JSON, b"content-encoding": b"gzip"}
    assert echo(gzip.compress(b'{"id": 7}'), fields)("json:/id") == 7
    assert echo(b"not gzip", fields)("json:/id") is None
    assert echo(gzip.compress(b"0" * (2 << 20)), fields)("json:/id") is None  # beyond what is ever inflated


def test_a_type_that_is_not_read_holds_nothing() -> None:
    assert echo(b'{"id": 7}', {b"content-type": b"image/png"})("json:/id") is None
    assert echo(b'{"id": 7}', {})("json:/id") is None


def test_a_frame_is_json_whatever_its_handshake_says() -> None:
    assert echo(b'["a", 7]', {b"content-type": b"text/plain"}, frame=True)("json:/1") == 7
    assert echo(None, frame=True)("json:/1") is None


def test_of_a_path_that_is_not_utf8_nothing_is_repeated() -> None:
    def parameters() -> dict[str, str]:
        raise HTTPError("path.percent")

    assert Echo({}, b"", parameters)("path:room") is None
