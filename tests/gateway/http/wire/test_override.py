"""Which other methods a request could be taken for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.wire import override
from gateway.http.wire.errors import HTTPError
from gateway.http.wire.head import parse_request
from gateway.http.wire.override import Screen, methods, targets


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
        (b"\r\nX.HTTP.Method.Override: POST", {b"POST"}),
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
        (b"\r\nX.Original~URL: /b", {b"/b"}),
        (b"\r\nPATH_INFO: /b", {b"/b"}),
        (b"\r\nSCRIPT_NAME: /a", {b"/"}),
        (b"\r\nX-Script-Name: /A/", {b"/"}),
        (b"\r\nX-Script-Name: /b", set()),
        (b"\r\nX-Script-Name: ", set()),
    ],
)
def test_addresses(lines: bytes, found: set[bytes]) -> None:
    assert set(targets(parse_request(b"POST /a HTTP/1.1\r\nHost: a.example" + lines))) == found


NAMING = [
    b"_method=PUT",
    b"a=1&_method=put",
    b"a=1&%5fm%65thod=%50ut&b=2",
    b"a=1;_METHOD=put",
    b"_method[]=put",
    b".method=put",
    b"a=1&%5Bmethod=put",
    b'--B\r\nContent-Disposition: form-data; name="_method"\r\nContent-Type: text/plain\r\n\r\nput\r\n--B--',
    b'{"a": 1, "_method": "put"}',
    b'{"\\u005fm\\u0065thod" : "PUT"}',
]


@pytest.mark.parametrize("body", NAMING)
def test_bodies(body: bytes) -> None:
    assert override.named(body, (b"PUT", b"DELETE")) == {b"PUT"}


@pytest.mark.parametrize(
    "body", [b"", b"a=1&method=put", b"put this.method there", b'{"a": "method", "b": "PUT"}', b"_method=post&a=input"]
)
def test_bodies_that_name_none(body: bytes) -> None:
    assert not override.named(body, (b"PUT", b"DELETE"))


@given(st.sampled_from(NAMING), st.binary(max_size=600), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_a_body_is_stopped_however_it_is_cut(body: bytes, before: bytes, sizes: list[int]) -> None:
    """Before its last byte has gone by, so that it is never whole to whoever reads it."""
    screen = Screen((b"PUT",))
    whole = before + b"&" + body + b"&"
    at = turn = 0
    with pytest.raises(HTTPError, match="method_override"):
        while at < len(whole):
            size = sizes[turn % len(sizes)]
            screen.look(whole[at : at + size])
            at, turn = at + size, turn + 1


def test_who_names_too_many_methods_is_refused() -> None:
    with pytest.raises(HTTPError, match="method_override"):
        named(b"\r\nX-HTTP-Method: " + b",".join(b"M%d" % number for number in range(100)))
    assert override.named(b"_method=" * 100, (b"PUT",)) == {b"PUT"}


def test_a_body_that_names_none_goes_by() -> None:
    screen = Screen((b"PUT",))
    for _ in range(100):
        screen.look(b"_method=post&a=1&" + b"b" * 200)
