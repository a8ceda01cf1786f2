"""Which other methods a request could be taken for."""

import pytest

from gateway.http.wire.head import parse_request
from gateway.http.wire.override import methods, targets


def named(lines: bytes = b"", target: bytes = b"/a") -> set[bytes]:
    head = parse_request(b"GET %b HTTP/1.1\r\nHost: a.example%b" % (target, lines))
    return set(methods(head, target.partition(b"?")[2]))


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (b"", set()),
        (b"\r\nX-Http-Method-Override: POST", {b"POST"}),
        (b"\r\nx-http-method: post", {b"POST"}),
        (b"\r\nX-Method-Override: POST, PUT", {b"POST", b"PUT"}),
        (b"\r\nX-Method-Override: POST\r\nX-Method-Override: PATCH", {b"POST", b"PATCH"}),
        (b'\r\nX-HTTP-Method: "POST"', {b"POST"}),
        (b"\r\nX_HTTP_Method_Override: POST", {b"POST"}),
        (b"\r\nX-HTTP_Method-Override: POST", {b"POST"}),
        (b"\r\nX-HTTP-Method: GET", set()),
        (b"\r\nX_Note: POST", set()),
    ],
)
def test_headers(lines: bytes, found: set[bytes]) -> None:
    assert named(lines) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"a=1&b=2", set()),
        (b"method=POST", set()),
        (b"q=_method", set()),
        (b"_method=POST", {b"POST"}),
        (b"a=1&_method=put", {b"PUT"}),
        (b"a=1;_method=put", {b"PUT"}),
        (b"%5Fmethod=PUT", {b"PUT"}),
        (b"_Method=%50UT", {b"PUT"}),
        (b"_method[]=PUT", {b"PUT"}),
        (b"_method=POST&_method=PATCH", {b"POST", b"PATCH"}),
    ],
)
def test_queries(query: bytes, found: set[bytes]) -> None:
    assert named(target=b"/a?" + query) == found


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (b"", set()),
        (b"\r\nX-Original-URL: /b?c=1", {b"/b?c=1"}),
        (b"\r\nx-rewrite-url: b", {b"/b"}),
        (b"\r\nX_Original_URL: /b", {b"/b"}),
        (b"\r\nX-Original-URI: /b, /c", {b"/b", b"/c", b"/b, /c"}),
        (b'\r\nX-Rewrite-URI: "/b"', {b"/b"}),
        (b"\r\nX-Original-URL: http://h.example/b", {b"/http://h.example/b", b"/b"}),
        (b"\r\nX-Original-URL: //h.example/b", {b"//h.example/b", b"/b"}),
        (b"\r\nX-Override-URL: /b#c", {b"/b"}),
        (b"\r\nX-Original-URL: ", set()),
        (b"\r\nX-Original-Host: /b", set()),
    ],
)
def test_addresses(lines: bytes, found: set[bytes]) -> None:
    assert set(targets(parse_request(b"POST /a HTTP/1.1\r\nHost: a.example" + lines))) == found
