"""Heads: one reading or none. The table holds what two parsers in a row could read differently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.wire.errors import HTTPError
from gateway.http.wire.head import (
    CHUNKED,
    DEFAULT_BOUNDS,
    UNTIL_CLOSE,
    HeadBounds,
    RequestHead,
    _careful_request,
    find_head,
    parse_request,
    parse_response,
)

START = b"POST /a HTTP/1.1\r\n"
HOST = b"Host: h.example\r\n"


def head(text: bytes) -> RequestHead:
    end = find_head(text, DEFAULT_BOUNDS)
    assert end >= 0
    return parse_request(text[:end])


def refused(text: bytes) -> str:
    with pytest.raises(HTTPError) as caught:
        head(text)
    return caught.value.reason


SMUGGLING = [
    (b"GET /a HTTP/1.1\r\n\r\n", "head.missing_host"),
    (START + HOST + b"Host: h.example\r\n\r\n", "head.duplicate_host"),
    (START + HOST + b"host: other.example\r\n\r\n", "head.duplicate_host"),
    (START + b"Host: \r\n\r\n", "head.host"),
    (START + b"Host: a b\r\n\r\n", "head.host"),
    (START + b"Host: a/b\r\n\r\n", "head.host"),
    (START + b"Host: user@h.example\r\n\r\n", "head.host"),
    (START + b"Host: h.example:80:80\r\n\r\n", "head.host"),
    (START + b"Host: h.example, i.example\r\n\r\n", "head.host"),
    (START + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "head.length_and_encoding"),
    (START + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", "head.length_and_encoding"),
    (START + HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "head.repeated_content_length"),
    (START + HOST + b"Content-Length: 5\r\ncontent-length: 6\r\n\r\n", "head.repeated_content_length"),
    (START + HOST + b"Content-Length: 5, 5\r\n\r\n", "head.repeated_content_length"),
    (START + HOST + b"Content-Length: +5\r\n\r\n", "head.content_length"),
    (START + HOST + b"Content-Length: -1\r\n\r\n", "head.content_length"),
    (START + HOST + b"Content-Length: 0x5\r\n\r\n", "head.content_length"),
    (START + HOST + b"Content-Length: 5 5\r\n\r\n", "head.content_length"),
    (START + HOST + b"Content-Length: 1e2\r\n\r\n", "head.content_length"),
    (START + HOST + b"Content-Length: 5_0\r\n\r\n", "head.content_length"),
    (START + HOST + b"Content-Length:\r\n\r\n", "head.content_length"),
    (START + HOST + b"Content-Length: \xd9\xa5\r\n\r\n", "head.content_length"),
    (START + HOST + b"Content-Length: 9999999999999999999\r\n\r\n", "head.content_length"),
    (START + HOST + b"Transfer-Encoding: identity\r\n\r\n", "head.transfer_encoding"),
    (START + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "head.transfer_encoding"),
    (START + HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n", "head.transfer_encoding"),
    (START + HOST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "head.transfer_encoding"),
    (START + HOST + b"Transfer-Encoding: xchunked\r\n\r\n", "head.transfer_encoding"),
    (START + HOST + b'Transfer-Encoding: "chunked"\r\n\r\n', "head.transfer_encoding"),
    (START + HOST + b"Transfer-Encoding: \x0bchunked\r\n\r\n", "head.control_character"),
    (START + HOST + b"Transfer-Encoding : chunked\r\n\r\n", "head.field_name"),
    (START + HOST + b"Transfer-Encoding:\r\n chunked\r\n\r\n", "head.folded_line"),
    (b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "head.transfer_encoding"),
    (START + HOST + b"X: a\r\n b\r\n\r\n", "head.folded_line"),
    (START + HOST + b"X: a\r\n\tb\r\n\r\n", "head.folded_line"),
    (START + b" " + HOST + b"\r\n", "head.folded_line"),
    (START + HOST + b"X: a\rb\r\n\r\n", "head.control_character"),
    (START + HOST + b"X: a\nb: c\r\n\r\n", "head.control_character"),
    (START + HOST + b"X: a\r\r\n\r\n", "head.control_character"),
    (START + HOST + b"X: a\x00b\r\n\r\n", "head.control_character"),
    (START + HOST + b"X: a\x7f\r\n\r\n", "head.control_character"),
    (b"GET /a\nHTTP/1.1\r\n" + HOST + b"\r\n", "head.control_character"),
    (START + HOST + b"X : a\r\n\r\n", "head.field_name"),
    (START + HOST + b"X\t: a\r\n\r\n", "head.field_name"),
    (START + HOST + b": a\r\n\r\n", "head.field_name"),
    (START + HOST + b"X(y): a\r\n\r\n", "head.field_name"),
    (START + HOST + b"X\xc3\xa9: a\r\n\r\n", "head.field_name"),
    (START + HOST + b"X a: b\r\n\r\n", "head.field_name"),
    (START + HOST + b"no colon here\r\n\r\n", "head.field_line"),
    (b"POST  /a HTTP/1.1\r\n" + HOST + b"\r\n", "head.request_line"),
    (b" POST /a HTTP/1.1\r\n" + HOST + b"\r\n", "head.request_line"),
    (b"POST /a b HTTP/1.1\r\n" + HOST + b"\r\n", "head.request_line"),
    (b"POST /a\tHTTP/1.1\r\n" + HOST + b"\r\n", "head.request_line"),
    (b"POST /a\r\n" + HOST + b"\r\n", "head.request_line"),
    (b"POST /a http/1.1\r\n" + HOST + b"\r\n", "head.request_line"),
    (b"POST /a HTTP/1.1 \r\n" + HOST + b"\r\n", "head.request_line"),
    (b"POST /a HTTP/01.1\r\n" + HOST + b"\r\n", "head.request_line"),
    (b"P(ST /a HTTP/1.1\r\n" + HOST + b"\r\n", "head.request_line"),
    (b"PRI * HTTP/2.0\r\n" + HOST + b"\r\n", "head.version"),
    (b"GET /a HTTP/1.2\r\n" + HOST + b"\r\n", "head.version"),
    (b"GET /a HTTP/0.9\r\n" + HOST + b"\r\n", "head.version"),
    (b"CONNECT h.example:443 HTTP/1.1\r\n" + HOST + b"\r\n", "head.method"),
    (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", "head.method"),
    (b"post /a HTTP/1.1\r\n" + HOST + b"\r\n", "head.method"),
    (b"GET a HTTP/1.1\r\n" + HOST + b"\r\n", "head.target"),
    (b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", "head.target"),
    (b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n", "head.target"),
    (b"GET http:///a HTTP/1.1\r\n" + HOST + b"\r\n", "head.target"),
    (b"GET http://u:p@h.example/a HTTP/1.1\r\n" + HOST + b"\r\n", "head.target"),
    (b"GET ftp://h.example/a HTTP/1.1\r\n" + HOST + b"\r\n", "head.target"),
    (b"GET http://other.example/a HTTP/1.1\r\n" + HOST + b"\r\n", "head.authority_mismatch"),
    (b"GET http://h.example:81/a HTTP/1.1\r\n" + HOST + b"\r\n", "head.authority_mismatch"),
    (START + HOST + b"Expect: 200-maybe\r\n\r\n", "head.expectation"),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", "head.target_too_long"),
    (START + HOST + b"A: b\r\n" * 100 + b"\r\n", "head.too_many_fields"),
]


@pytest.mark.parametrize(("text", "reason"), SMUGGLING)
def test_what_can_be_read_in_two_ways_is_refused(text: bytes, reason: str) -> None:
    assert refused(text) == reason


def test_a_plain_head_is_read() -> None:
    request = head(START + HOST + b"X-Thing:  value \r\nCookie: a=1\r\ncookie: b=2\r\nContent-Length: 12\r\n\r\n")
    assert (request.method, request.target, request.minor, request.host) == (b"POST", b"/a", 1, b"h.example")
    assert request.length == 12
    assert request.keep_alive
    assert request.get(b"x-thing") == b"value"
    assert request.get(b"cookie") == b"a=1; b=2"
    assert request.repeated == {b"cookie"}
    assert request.lines == [b"X-Thing: value", b"Cookie: a=1", b"cookie: b=2"]


def test_interned_lines_read_the_same_the_second_time() -> None:
    text = START + b"Host:  interned.example \r\nAccept:text/html\r\nUser-Agent: a\t b\r\n\r\n"
    first, second = head(text), head(text)
    assert first.lines == second.lines == [b"Accept: text/html", b"User-Agent: a\t b"]
    assert first.fields == second.fields
    assert second.host == b"interned.example"


def test_a_bad_line_of_an_interned_name_is_refused_every_time() -> None:
    for _ in range(2):
        assert refused(START + b"Host : h\r\n\r\n") == "head.field_name"
        assert refused(START + b"Host: a b\r\n\r\n") == "head.host"


@pytest.mark.parametrize(
    ("line", "keep"),
    [
        (b"", True),
        (b"Connection: close\r\n", False),
        (b"Connection: Keep-Alive\r\n", True),
        (b"Connection: foo, CLOSE\r\n", False),
        (b"Connection: close\r\nConnection: keep-alive\r\n", False),
    ],
)
def test_keep_alive_of_http_1_1(line: bytes, keep: bool) -> None:
    assert head(START + HOST + line + b"\r\n").keep_alive is keep


@pytest.mark.parametrize(
    ("line", "keep"), [(b"", False), (b"Connection: keep-alive\r\n", True), (b"Connection: close\r\n", False)]
)
def test_keep_alive_of_http_1_0(line: bytes, keep: bool) -> None:
    request = head(b"GET / HTTP/1.0\r\n" + line + b"\r\n")
    assert request.keep_alive is keep
    assert request.host == b""


def test_hop_by_hop_and_nominated_fields_are_not_kept() -> None:
    request = head(
        START + HOST + b"Connection: keep-alive, X-Hop, upgrade\r\nX-Hop: 1\r\nX-End: 2\r\nKeep-Alive: timeout=5\r\n"
        b"TE: trailers\r\nTrailer: X\r\nProxy-Authorization: b\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
    )
    assert request.lines == [b"X-End: 2"]
    assert request.options == {b"x-hop"}
    assert request.upgrade == b"h2c"


@pytest.mark.parametrize(
    ("value", "options"),
    [
        (b"close", set()),
        (b"Keep-Alive, TE, Trailer, Transfer-Encoding", set()),
        (b"upgrade,proxy-connection , HTTP2-Settings,,", set()),
        (b"Content-Type", {b"content-type"}),
        (b"close,\tX-User-Id ,x_user_id", {b"x-user-id", b"x_user_id"}),
        (b"Content-Length, Host, Expect", {b"content-length", b"host", b"expect"}),
        (b"a b", {b"a b"}),
    ],
)
def test_options_of_connection_that_are_no_matter_of_one_hop(value: bytes, options: set[bytes]) -> None:
    assert head(START + HOST + b"Connection: " + value + b"\r\n\r\n").options == options


@given(st.lists(st.from_regex(rb"[!-+.-~]{1,12}", fullmatch=True), max_size=5), st.booleans())
def test_no_field_is_lost_that_connection_does_not_name_nor_kept_that_it_does(names: list[bytes], old: bool) -> None:
    line = b"GET / HTTP/1.0\r\n" if old else START
    request = head(line + HOST + b"Connection: " + b", ".join(names) + b"\r\nX-User-Id: 1\r\nCookie: a=1\r\n\r\n")
    lowered = {name.lower() for name in names}
    for name in (b"x-user-id", b"cookie"):
        assert (name in request.options) is (name in lowered)
        assert any(one.lower().startswith(name) for one in request.lines) is (name not in lowered)


@pytest.mark.parametrize("name", [b"X-HTTP-Method-Override", b"x-http-method", b"X_Method_Override", b"Origin"])
def test_what_a_request_was_let_through_by_is_kept(name: bytes) -> None:
    request = head(START + HOST + b"Connection: " + name + b"\r\n" + name + b": DELETE\r\n\r\n")
    assert request.lines == [name + b": DELETE"]


def test_a_client_cannot_speak_for_us_or_for_a_proxy() -> None:
    request = head(
        START + HOST + b"Tidegate-Message-Id: x\r\ntidegate_message_id: x\r\nX-Forwarded-For: 1.1.1.1\r\n"
        b"X_Forwarded_For: 1.1.1.1\r\nX-Real-IP: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX_Other: 1\r\n\r\n"
    )
    assert request.lines == [b"X_Other: 1"]
    assert request.underscored


def test_method_overrides_are_seen() -> None:
    assert head(START + HOST + b"X-HTTP-Method-Override: PUT\r\n\r\n").overrides
    assert not head(START + HOST + b"X-Other: PUT\r\n\r\n").overrides


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"http://h.example/a?b", b"/a?b"),
        (b"HTTP://H.EXAMPLE:80/a", b"/a"),
        (b"http://h.example", b"/"),
        (b"http://h.example?b", b"/?b"),
    ],
)
def test_absolute_form_is_taken_apart(target: bytes, expected: bytes) -> None:
    assert head(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n").target == expected


def test_asterisk_form_is_for_options_only() -> None:
    assert head(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n").target == b"*"


def test_expect_counts_only_with_a_body_and_http_1_1() -> None:
    line = b"Expect: 100-Continue\r\n"
    assert head(START + HOST + line + b"Content-Length: 1\r\n\r\n").expect
    assert not head(START + HOST + line + b"\r\n").expect
    assert not head(b"POST / HTTP/1.0\r\nContent-Length: 1\r\n" + line + b"\r\n").expect


def test_a_head_may_not_grow_without_end() -> None:
    bounds = HeadBounds(64, 10)
    assert find_head(b"GET / HTTP/1.1\r\n", bounds) == -1
    with pytest.raises(HTTPError, match=r"head\.too_large"):
        find_head(b"GET / HTTP/1.1\r\nX: " + b"a" * 60, bounds)
    with pytest.raises(HTTPError, match=r"head\.too_large"):
        find_head(b"GET / HTTP/1.1\r\nX: " + b"a" * 60 + b"\r\n\r\n", bounds)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (b"GET / HTTP/1.1\nHost: h\n\n", 14),
        (b"GET / HTTP/1.1\r\nHost: h\n\n", 23),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\n", 25),
        (b"GET / HTTP/1.1\r\n\nHost: h", 16),
        (b"\nGET / HTTP/1.1\r\n", 0),
    ],
)
@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_bare_line_feed_is_told_when_it_comes_and_not_waited_on(text: bytes, at: int, before: bytes) -> None:
    start = len(before)
    with pytest.raises(HTTPError, match=r"head\.control_character"):
        find_head(before + text, DEFAULT_BOUNDS, start)
    for cut in range(len(text)):
        held, searched = before + text[:cut], start + max(0, cut - 1)
        if cut <= at:
            assert find_head(held, DEFAULT_BOUNDS, start, searched) == -1
    with pytest.raises(HTTPError, match=r"head\.control_character"):
        find_head(before + text[: at + 1], DEFAULT_BOUNDS, start, start + at)


@given(st.integers(0, 40), st.binary(max_size=40))
def test_a_heads_end_is_found_wherever_it_was_cut(cut: int, tail: bytes) -> None:
    text = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" + tail
    end = text.index(b"\r\n\r\n")
    early = text[:cut]
    if find_head(early, DEFAULT_BOUNDS) < 0:
        assert find_head(text, DEFAULT_BOUNDS, 0, len(early)) == end


@given(st.binary(max_size=300))
def test_any_bytes_are_a_head_or_an_http_error(text: bytes) -> None:
    for parse in (parse_request, parse_response):
        try:
            parse(text)
        except HTTPError as error:
            assert error.status >= 400


TOKEN = st.text("abcXYZ09-_!~", min_size=1, max_size=12).map(str.encode)
VALUE = st.binary(max_size=30).map(
    lambda b: b.translate(None, bytes(c for c in range(32) if c != 9) + b"\x7f").strip(b" \t")
)


@given(st.lists(st.tuples(TOKEN, VALUE), max_size=12), st.sampled_from([b"", b" ", b"\t", b"  "]))
def test_kept_lines_say_what_was_sent(fields: list[tuple[bytes, bytes]], space: bytes) -> None:
    fields = [(b"X" + name, value) for name, value in fields]
    text = START + HOST + b"".join(n + b":" + space + v + space + b"\r\n" for n, v in fields)
    assert parse_request(text.removesuffix(b"\r\n")).lines == [n + b": " + v for n, v in fields]


def test_a_response_is_read() -> None:
    response = parse_response(
        b"HTTP/1.1 201 Created\r\nServer: s\r\nContent-Length: 3\r\nVia: 1.1 x\r\nConnection: close"
    )
    assert (response.status, response.reason, response.length, response.keep_alive) == (201, b"Created", 3, False)
    assert response.lines == [b"Server: s", b"Via: 1.1 x"]
    assert response.headers == [(b"server", b"s"), (b"via", b"1.1 x")]


def test_a_response_without_framing_ends_with_the_connection() -> None:
    response = parse_response(b"HTTP/1.0 200")
    assert response.length == UNTIL_CLOSE
    assert not response.keep_alive
    assert response.body_length(b"GET") == UNTIL_CLOSE
    assert response.body_length(b"HEAD") == 0
    assert parse_response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked").length == CHUNKED
    assert parse_response(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9").body_length(b"GET") == 0


@pytest.mark.parametrize(
    "text",
    [
        b"HTTP/2 200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1  200 OK",
        b"ICY 200 OK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 01",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1, +1",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1,",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b",
        b"HTTP/1.1 200 OK\r\nX : a",
        b"HTTP/1.1 200 O\nK",
    ],
)
def test_a_response_with_two_readings_is_garbage(text: bytes) -> None:
    with pytest.raises(HTTPError):
        parse_response(text)


def test_the_quick_and_the_careful_path_read_alike() -> None:
    """Whatever is remembered: the same text gives the same head or the same refusal, the first time and later."""
    texts = [text for text, _ in SMUGGLING] + [
        START + HOST + extra + b"\r\n"
        for extra in (
            b"",
            b"Connection: keep-alive\r\nX-User-Id: u1\r\nContent-Length: 12\r\n",
            b"Connection: close\r\n",
            b"connection: Keep-Alive, X-User-Id\r\nX-User-Id: u1\r\n",
            b"Tidegate-Message-Id: forged\r\nTIDEGATE-LABEL: x\r\n",
            b"X_Forwarded_For: 9.9.9.9\r\n",
            b"X-Forwarded-For: 9.9.9.9\r\nForwarded: for=9.9.9.9\r\nProxy-Authorization: Basic eA==\r\n",
            b"X-HTTP-Method-Override: GET\r\n",
            b"Content-Length: 007\r\n",
        )
    ]
    for text in texts:
        raw = text[: find_head(text, DEFAULT_BOUNDS)] if len(text) < 16384 else text
        read = []
        for parse in (_careful_request, parse_request, parse_request):
            try:
                told = parse(raw, DEFAULT_BOUNDS)
                read.append({name: getattr(told, name) for name in RequestHead.__slots__})
            except HTTPError as error:
                read.append({"reason": error.reason})
        assert read[0] == read[1] == read[2], text


def test_equal_answers_share_a_head_within_their_bounds() -> None:
    text = b"HTTP/1.1 200 OK\r\nServer: a\r\nDate: today\r\nContent-Length: 2"
    assert parse_response(text) is parse_response(text)
    with pytest.raises(HTTPError) as caught:
        parse_response(text, HeadBounds(fields=2))
    assert caught.value.reason == "head.too_many_fields"
    cookie = text + b"\r\nSet-Cookie: sid=1"
    assert parse_response(cookie) is not parse_response(cookie)


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 5, 5",
        b"Content-Length: 5 ,\t5\r\ncontent-length: 5",
        b"Content-Length: 5\r\nA: b\r\nContent-Length: 5\r\nA: c",
    ],
)
def test_lengths_of_an_answer_that_agree_are_one(lines: bytes) -> None:
    """RFC 9110 section 8.6. Of a request they are refused: who stands behind may read it otherwise."""
    head = parse_response(b"HTTP/1.1 200 OK\r\n" + lines)
    assert (head.length, head.fields[b"content-length"]) == (5, b"5")
    assert not any(line.lower().startswith(b"content-length") for line in head.lines)
    with pytest.raises(HTTPError) as caught:
        parse_request(b"POST / HTTP/1.1\r\nHost: a\r\n" + lines)
    assert caught.value.reason == "head.repeated_content_length"


@pytest.mark.parametrize("target", [b"/a\tb", b"/\t", b"/a?b\tc"])
def test_a_tab_is_no_part_of_a_target(target: bytes) -> None:
    with pytest.raises(HTTPError) as caught:
        parse_request(b"GET " + target + b" HTTP/1.1\r\nHost: a")
    assert caught.value.reason == "head.target"
