"""Heads are rebuilt: what goes on, what stays behind, what is added."""

import re

import pytest

from gateway.http.wire.forwarding import (
    TRACE_FIELDS,
    forwarding_lines,
    ids,
    informational_head,
    mistraced,
    request_head,
    request_id,
    response_head,
    trace_id,
)
from gateway.http.wire.head import CHUNKED, RequestHead, parse_request, parse_response
from gateway.http.wire.peers import Peer

STRANGER = Peer("1.2.3.4", False, b"tidegate")
PROXY = Peer("10.0.0.1", True, b"tidegate")


def request(lines: bytes, start: bytes = b"POST /a HTTP/1.1") -> RequestHead:
    return parse_request((start + b"\r\nHost: h.example\r\n" + lines).removesuffix(b"\r\n"))


FORGED = (
    b"X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: x\r\nX-Real-IP: 9.9.9.9\r\n"
    b"Forwarded: for=9.9.9.9\r\nVia: 1.0 front\r\n"
)


def test_a_strangers_word_on_where_it_comes_from_is_not_passed_on() -> None:
    assert forwarding_lines(request(FORGED), STRANGER, b"tidegate") == (
        b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: http\r\nVia: 1.0 front, 1.1 tidegate\r\n"
        b"X-Forwarded-Host: h.example\r\n"
    )


def test_a_trusted_proxys_word_is_kept_and_extended() -> None:
    assert forwarding_lines(request(FORGED), PROXY, b"tidegate") == (
        b"X-Forwarded-For: 9.9.9.9, 10.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: x\r\n"
        b"Via: 1.0 front, 1.1 tidegate\r\nX-Real-IP: 9.9.9.9\r\nForwarded: for=9.9.9.9\r\n"
    )
    assert forwarding_lines(request(b"X: 1\r\n"), PROXY, b"tidegate").startswith(b"X-Forwarded-For: 10.0.0.1\r\n")


def test_end_to_end_fields_keep_order_and_spelling() -> None:
    head = request(b"b-Two: 2\r\nConnection: x-hop\r\nX-Hop: 1\r\nA-One: 1\r\nContent-Length: 9\r\n")
    assert request_head(head, b"/n?q", 5, b"F: f\r\nE: e\r\n") == (
        b"POST /n?q HTTP/1.1\r\nHost: h.example\r\nb-Two: 2\r\nA-One: 1\r\nContent-Length: 5\r\nF: f\r\nE: e\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("start", "lines", "length", "framing"),
    [
        (b"GET / HTTP/1.1", b"", 0, b""),
        (b"POST / HTTP/1.1", b"", 0, b"Content-Length: 0\r\n"),
        (b"GET / HTTP/1.1", b"Content-Length: 0\r\n", 0, b"Content-Length: 0\r\n"),
        (b"GET / HTTP/1.1", b"Content-Length: 3\r\n", 3, b"Content-Length: 3\r\n"),
        (b"POST / HTTP/1.1", b"Transfer-Encoding: chunked\r\n", CHUNKED, b"Transfer-Encoding: chunked\r\n"),
    ],
)
def test_framing_says_what_is_sent(start: bytes, lines: bytes, length: int, framing: bytes) -> None:
    head = request(lines, start)
    assert request_head(head, b"/", length, b"").partition(b"h.example\r\n")[2] == framing + b"\r\n"


def test_dropped_and_overriding_fields() -> None:
    head = request(b"Content-Encoding: gzip\r\nX-HTTP-Method-Override: PUT\r\nA: 1\r\n")
    assert b"Override" in request_head(head, b"/", 0, b"")
    judged = request_head(head, b"/", 0, b"", drop=(b"content-encoding",), judged=True)
    assert judged == b"POST / HTTP/1.1\r\nHost: h.example\r\nA: 1\r\nContent-Length: 0\r\n\r\n"


def test_ids_are_made_where_absent() -> None:
    made = ids(request(b"A: 1\r\n"), True, True)
    assert re.fullmatch(rb"X-Request-Id: [0-9a-f]{32}\r\ntraceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\n", made)
    assert ids(request(b"X-Request-Id: a\r\ntraceparent: %b\r\n" % PARENT), True, True) == b""
    assert ids(request(b"A: 1\r\n"), False, False) == b""


PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "parent",
    [PARENT, PARENT[:-2] + b"00", b"cc" + PARENT[2:], b"cc" + PARENT[2:] + b"-what.the-future-will-be-like"],
)
def test_a_trace_that_came_goes_on(parent: bytes) -> None:
    head = request(b"traceparent: %b\r\n" % parent)
    assert (mistraced(head), ids(head, False, True)) == (False, b"")
    assert trace_id(head, b"") == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "parent",
    [
        b"", b"b", b"ff" + PARENT[2:], PARENT + b"-more", PARENT + b".", PARENT.upper(), PARENT[:-1],
        PARENT + b", " + PARENT,
        PARENT.replace(b"0af7651916cd43dd8448eb211c80319c", b"0" * 32), PARENT.replace(b"b7ad6b7169203331", b"0" * 16),
        b"cc" + PARENT[2:] + b"x",
    ],
)  # fmt: skip
def test_what_is_no_trace_is_replaced(parent: bytes) -> None:
    """https://www.w3.org/TR/trace-context/ section 4.3: it and its tracestate are thrown away, a new trace begins."""
    head = request(b"traceparent: %b\r\ntracestate: a=1\r\n" % parent)
    made = ids(head, False, True)
    assert (mistraced(head), trace_id(head, b"")) == (True, "")
    assert trace_id(head, made) == made[16:48].decode()
    sent = request_head(head, b"/", 0, made, TRACE_FIELDS)
    assert (sent.count(b"traceparent"), b"tracestate" in sent) == (1, False)


def test_who_is_not_traced_has_no_trace() -> None:
    head = request(b"A: 1\r\n")
    assert (mistraced(head), trace_id(head, b""), trace_id(head, ids(head, True, False))) == (False, "", "")


RESPONSES = [
    # upstream's head, method, client's minor, keep → lines after the status line, chunked, keep
    (b"HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 3", b"GET", 1, True, b"A: 1\r\nContent-Length: 3\r\n", False, True),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3", b"HEAD", 1, True, b"Content-Length: 3\r\n", False, True),
    (b"HTTP/1.1 200 OK", b"HEAD", 1, True, b"", False, True),
    (b"HTTP/1.1 200 OK", b"GET", 1, True, b"Transfer-Encoding: chunked\r\n", True, True),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"GET", 1, False,
     b"Transfer-Encoding: chunked\r\nConnection: close\r\n", True, False),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"GET", 0, True, b"Connection: close\r\n", False, False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 3", b"GET", 0, True,
     b"Content-Length: 3\r\nConnection: keep-alive\r\n", False, True),
    (b"HTTP/1.1 204 No Content", b"POST", 1, True, b"", False, True),
    (b"HTTP/1.1 204 No Content\r\nContent-Length: 0", b"POST", 1, True, b"", False, True),
    (b"HTTP/1.1 304 Not Modified\r\nETag: x", b"GET", 1, True, b"ETag: x\r\n", False, True),
    (b"HTTP/1.1 200 OK\r\nTidegate-Verdict: pass\r\nKeep-Alive: 5\r\nContent-Length: 0", b"GET", 1, True,
     b"Content-Length: 0\r\n", False, True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "method", "minor", "keep", "lines", "chunked", "kept"), RESPONSES)
def test_answers_are_framed_for_the_client(
    text: bytes, method: bytes, minor: int, keep: bool, lines: bytes, chunked: bool, kept: bool
) -> None:
    head = parse_response(text)
    built = response_head(head, method=method, minor=minor, keep_alive=keep)
    assert built == (text.partition(b"\r\n")[0] + b"\r\n" + lines + b"\r\n", chunked, kept)


def test_an_unusual_reason_is_kept_and_extra_lines_are_added() -> None:
    head = parse_response(b"HTTP/1.0 299 Odd thing\r\nContent-Length: 0")
    built, _, _ = response_head(head, method=b"GET", minor=1, keep_alive=True, extra=b"Tidegate-Message-Id: m\r\n")
    assert built == b"HTTP/1.1 299 Odd thing\r\nContent-Length: 0\r\nTidegate-Message-Id: m\r\n\r\n"
    assert response_head(parse_response(b"HTTP/1.1 200 Fine"), method=b"HEAD", minor=1, keep_alive=True)[0] == (
        b"HTTP/1.1 200 Fine\r\n\r\n"
    )


def test_an_informational_answer() -> None:
    head = parse_response(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload")
    assert informational_head(head) == b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"


@pytest.mark.parametrize(
    ("own", "logged"),
    [(b"abc-1:2", "abc-1:2"), (b"x" * 64, "x" * 64), (b"x" * 65, ""), (b"my phone is 555", ""), (b"\xe4\xbd\xa0", "")],
)
def test_only_what_is_plainly_an_id_is_logged_as_one(own: bytes, logged: str) -> None:
    """Law 7: whoever sends it could write anything into the access log."""
    head = request(b"X-Request-Id: " + own + b"\r\n")
    assert ids(head, True, False) == b""
    assert request_id(head, b"") == logged


def test_an_id_of_ours_is_logged_too() -> None:
    head = request(b"")
    added = ids(head, True, True)
    assert f"X-Request-Id: {request_id(head, added)}\r\n".encode() in added
    assert request_id(head, ids(head, False, True)) == ""


def test_a_426_says_which_protocols_it_means() -> None:
    """RFC 9110 section 15.5.22. Of other answers the field is a matter of the hop before."""
    for keep_alive in (True, False):
        head = parse_response(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0")
        lines, _, _ = response_head(head, method=b"GET", minor=1, keep_alive=keep_alive)
        assert b"\r\nUpgrade: websocket\r\n" in lines
        assert b"\r\nConnection: Upgrade\r\n" in lines
        assert (b"Connection: close" in lines) is not keep_alive
    head = parse_response(b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nContent-Length: 0")
    assert b"pgrade" not in response_head(head, method=b"GET", minor=1, keep_alive=True)[0]
