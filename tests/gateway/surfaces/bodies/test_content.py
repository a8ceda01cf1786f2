"""Media types and codings."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.surfaces.bodies.content import MediaType, media_type, undone
from gateway.surfaces.input.reasons import Refused

CODINGS = {b"gzip": gzip.compress, b"deflate": zlib.compress, b"br": brotli.compress}


@pytest.mark.parametrize(
    ("header", "media"),
    [
        (b"application/json", MediaType("json")),
        (b"Application/JSON; charset=UTF-8", MediaType("json")),
        (b'application/json;charset="utf-8"', MediaType("json")),
        (b"application/vnd.api+json", MediaType("json")),
        (b"application/merge-patch+json", MediaType("json")),
        (b"application/x-www-form-urlencoded", MediaType("form")),
        (b'multipart/form-data; boundary="a b"', MediaType("multipart", "a b")),
        (b"text/plain ; charset=us-ascii", MediaType("text", ascii=True)),
        (b"application/json; charset=US-ASCII", MediaType("json", ascii=True)),
        (b"multipart/form-data; boundary=----WebKitFormBoundaryX7", MediaType("multipart", "----WebKitFormBoundaryX7")),
        (b'application/ld+json; profile="https://a.example/b;c"', MediaType("json")),
        (b"application/json; odata=verbose", MediaType("json")),
    ],
)
def test_read(header: bytes, media: MediaType) -> None:
    assert media_type(header) == media


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"", "type.unsupported"),
        (b"json", "type.unsupported"),
        (b"text/html", "type.unsupported"),
        (b"image/svg+json", "type.unsupported"),
        (b"application/json-patch+json", "type.unsupported"),
        (b"application/json, text/plain", "type.unsupported"),
        (b"application/json; charset", "type.unsupported"),
        (b"application/json; charset=utf-8; charset=gbk", "type.unsupported"),
        (b"application/json\xff", "type.unsupported"),
        (b"multipart/form-data", "type.unsupported"),
        # A boundary or a charset that others find where this does not look, or do not find where it does.
        (b"multipart/form-data; boundary=edge; boundary*=utf-8''other", "type.unsupported"),
        (b"multipart/form-data; boundary*0=other; boundary=edge", "type.unsupported"),
        (b"multipart/form-data; xboundary=other; boundary=edge", "type.unsupported"),
        (b"multipart/form-data; boundary=edge; -boundary-y=other", "type.unsupported"),
        (b'multipart/form-data; x="boundary=other; "; boundary=edge', "type.unsupported"),
        (b'multipart/form-data; boundary=edge; x="; Boundary=other"', "type.unsupported"),
        (b'multipart/form-data; boundary="xboundary=other"', "type.unsupported"),
        (b'multipart/form-data; x-boundary-y=other; boundary="undar"', "type.unsupported"),
        (b"application/x-www-form-urlencoded; charset*=utf-8''utf-7", "type.unsupported"),
        (b'application/json; x="; charset=utf-16; "', "type.unsupported"),
        (b"application/json; xcharset=utf-16", "type.unsupported"),
        (b"multipart/form-data; boundary=edge; charset*=utf-7", "type.unsupported"),
        (b"application/x-www-form-urlencoded+json", "type.unsupported"),
        (b"application/json; charset=utf-16", "charset.unsupported"),
        (b"application/x-www-form-urlencoded; charset=us-ascii", "charset.unsupported"),
        (b"multipart/form-data; boundary=edge; charset=us-ascii", "charset.unsupported"),
        (b"text/plain; charset=gb18030", "charset.unsupported"),
    ],
)
def test_refused(header: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        media_type(header)
    assert refused.value.reason == reason


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=500), st.sampled_from(sorted(CODINGS)))
def test_codings_are_undone(plain: bytes, coding: bytes) -> None:
    packed = CODINGS[coding](plain)
    assert undone(packed, coding, 500) == plain
    assert undone(packed, coding.upper(), len(plain)) == plain
    if plain:
        with pytest.raises(Refused, match=r"body\.inflates"):
            undone(packed, coding, len(plain) - 1)


@pytest.mark.parametrize("coding", sorted(CODINGS))
def test_a_bomb_is_stopped_at_the_bound(coding: bytes) -> None:
    bomb = CODINGS[coding](b"a" * 20_000_000)
    with pytest.raises(Refused, match=r"body\.inflates"):
        undone(bomb, coding, 65_536)


@pytest.mark.parametrize("coding", sorted(CODINGS))
def test_broken_streams(coding: bytes) -> None:
    packed = CODINGS[coding](b"hello world" * 20)
    for broken in (b"", packed[:-3], packed + b"x", packed + packed, b"plain text"):
        with pytest.raises(Refused, match=r"coding\.malformed"):
            undone(broken, coding, 10_000)


@pytest.mark.parametrize("coding", [b"zstd", b"gzip, br", b"", b"compress"])
def test_unknown_codings(coding: bytes) -> None:
    with pytest.raises(Refused, match=r"coding\.unsupported"):
        undone(b"x", coding, 100)


def test_identity() -> None:
    assert undone(b"x", b"identity", 0) == b"x"
