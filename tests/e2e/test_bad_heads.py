"""Heads that are not one plain HTTP/1.1 request: each refused with its reason, none sent on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.control.node.processes import resident
from tests.e2e.lab import Lab, lab
from tests.e2e.node import request
from tests.e2e.wire import once, wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "zebrafinch"  # in every text here, and never in a log
BODY = f'{{"content": "{PRIVATE}"}}'.encode()
PATH = b"/api/articles/1/comments"

SERVER = """
max_target = "1KiB"
max_head = "2KiB"
max_headers = 20
linger_timeout = "200ms"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("heads"), server=SERVER) as made:
        yield made
        await made.sound(PRIVATE, "alice", "rubythroat")


def post(
    *lines: bytes, start: bytes = b"POST %b HTTP/1.1" % PATH, host: bytes = b"Host: a.example",
    length: bytes = b"Content-Length: %d" % len(BODY), body: bytes = BODY,
) -> bytes:  # fmt: skip
    """A judged request; what is given replaces or adds lines."""
    usual = (b"Content-Type: application/json", b"X-User-Id: alice")
    head = [start, *(line for line in (host, *usual, length) if line), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def chunked(body: bytes, *lines: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", *lines, length=b"", body=body)


ONE_CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)

MALFORMED = {
    # the request line
    "lower-case method": (post(start=b"post %b HTTP/1.1" % PATH), 501, "head.method"),
    "mixed-case method": (post(start=b"Post %b HTTP/1.1" % PATH), 501, "head.method"),
    "connect": (b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n", 501, "head.method"),
    "trace": (b"TRACE / HTTP/1.1\r\nHost: a.example\r\n\r\n", 501, "head.method"),
    "a later version": (post(start=b"POST %b HTTP/2.0" % PATH), 505, "head.version"),
    "no version": (post(start=b"POST %b" % PATH), 400, "head.request_line"),
    "two spaces": (post(start=b"POST  %b HTTP/1.1" % PATH), 400, "head.request_line"),
    "tab for a space": (post(start=b"POST\t%b HTTP/1.1" % PATH), 400, "head.request_line"),
    "fragment": (post(start=b"POST %b#top HTTP/1.1" % PATH), 400, "head.target"),
    "not a path": (post(start=b"POST api HTTP/1.1"), 400, "head.target"),
    "http/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "head.version"),
    "no http at all": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", 400, "head.request_line"),
    "a bare line end": (post().replace(b"\r\nHost", b"\nHost"), 400, "head.control_character"),
    # bounds
    "long target": (post(start=b"POST /%b HTTP/1.1" % (b"a" * 1100)), 414, "head.target_too_long"),
    "large head": (post(b"X-Long: " + b"a" * 2100), 431, "head.too_large"),
    "endless head": (b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 4000, 431, "head.too_large"),
    "many fields": (post(*(b"X-%d: 1" % number for number in range(20))), 431, "head.too_many_fields"),
    # fields
    "folded line": (post(b"X-Note: one\r\n two"), 400, "head.folded_line"),
    "space before the colon": (post(b"X-Note : one"), 400, "head.field_name"),
    "space before the length's colon": (post(length=b"Content-Length : %d" % len(BODY)), 400, "head.field_name"),
    "no colon": (post(b"X-Note"), 400, "head.field_line"),
    "name is not a token": (post(b"X(Note): one"), 400, "head.field_name"),
    "empty name": (post(b": one"), 400, "head.field_name"),
    "carriage return in a value": (post(b"X-Note: one\rtwo"), 400, "head.control_character"),
    "line feed in a value": (post(b"X-Note: one\nTransfer-Encoding: chunked"), 400, "head.control_character"),
    "nul in a value": (post(b"X-Note: one\0two"), 400, "head.control_character"),
    "expects something else": (post(b"Expect: the-unexpected"), 417, "head.expectation"),
    # host
    "no host": (post(host=b""), 400, "head.missing_host"),
    "two hosts": (post(b"Host: b.example"), 400, "head.duplicate_host"),
    "two equal hosts": (post(b"Host: a.example"), 400, "head.duplicate_host"),
    "malformed host": (post(host=b"Host: a.example/b"), 400, "head.host"),
    "absolute form of another host": (
        post(start=b"POST http://b.example%b HTTP/1.1" % PATH), 400, "head.authority_mismatch",
    ),
    # framing: what two readers could read in two ways
    "length and chunked": (post(b"Transfer-Encoding: chunked"), 400, "head.length_and_encoding"),
    "length twice": (post(b"Content-Length: 5"), 400, "head.repeated_content_length"),
    "equal lengths": (post(b"Content-Length: %d" % len(BODY)), 400, "head.repeated_content_length"),
    "length list": (post(length=b"Content-Length: 5, 5"), 400, "head.repeated_content_length"),
    "signed length": (post(length=b"Content-Length: +%d" % len(BODY)), 400, "head.content_length"),
    "negative length": (post(length=b"Content-Length: -1"), 400, "head.content_length"),
    "hexadecimal length": (post(length=b"Content-Length: 0x1b"), 400, "head.content_length"),
    "empty length": (post(length=b"Content-Length:"), 400, "head.content_length"),
    "immense length": (post(length=b"Content-Length: 9999999999999999999"), 400, "head.content_length"),
    "coding before chunked": (post(b"Transfer-Encoding: gzip, chunked", length=b""), 400, "head.transfer_encoding"),
    "chunked twice": (chunked(ONE_CHUNK, b"Transfer-Encoding: chunked"), 400, "head.transfer_encoding"),
    "identity": (post(b"Transfer-Encoding: identity", length=b""), 400, "head.transfer_encoding"),
    "chunked with a hidden tab": (post(b"Transfer-Encoding: \x0bchunked", length=b""), 400, "head.control_character"),
    "chunked in http/1.0": (
        post(b"Transfer-Encoding: chunked", start=b"POST %b HTTP/1.0" % PATH, length=b""), 400,
        "head.transfer_encoding",
    ),
    # chunks
    "chunk size with a prefix": (chunked(b"0x5\r\nhello\r\n0\r\n\r\n"), 400, "body.chunk_size"),
    "chunk size with a space": (chunked(b"5 x\r\nhello\r\n0\r\n\r\n"), 400, "body.chunk_size"),
    "negative chunk size": (chunked(b"-5\r\nhello\r\n0\r\n\r\n"), 400, "body.chunk_size"),
    "immense chunk size": (chunked(b"FFFFFFFFFFFFFFFFF\r\nhello"), 400, "body.chunk_size"),
    "bare line end after a size": (chunked(b"5\nhello\r\n0\r\n\r\n"), 400, "body.chunk_size"),
    "chunk longer than its size": (chunked(b"5\r\nhello!\r\n0\r\n\r\n"), 400, "body.chunk_end"),
    "long extension": (chunked(b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n"), 400, "body.chunk_extension"),
    "trailers": (chunked(ONE_CHUNK + b"0\r\nX-User-Id: rubythroat\r\n\r\n"), 400, "body.trailers"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_head_is_refused_and_goes_nowhere(gate: Lab, name: str) -> None:
    data, status, reason = MALFORMED[name]
    before = len(gate.upstream.received)
    async with wire(gate.node) as connection:
        # A second request rides behind: where the first ends is in doubt, so it must not be read as one.
        await connection.send(data + post())
        answer = await connection.answer()
        assert (answer.status, answer.json()["reason"]) == (status, reason)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers.get("connection") == "close"
        assert await connection.rest() == b""
    assert len(gate.upstream.received) == before


WELL_FRAMED = {
    "underscore": (post(b"X_User_Id: rubythroat"), 400, "head.underscore_name"),
    "connection names the type": (post(b"Connection: Content-Type"), 400, "head.connection_option"),
    "connection names the sender": (post(b"Connection: keep-alive, x-user-ID"), 400, "head.connection_option"),
    "connection names the cookie": (post(b"Connection: Cookie", b"Cookie: a=1"), 400, "head.connection_option"),
    "connection names what is not there": (post(b"Connection: Authorization"), 400, "head.connection_option"),
    "connection names the host": (post(b"Connection: Host"), 400, "head.connection_option"),
    "connection names the length": (post(b"Connection: Content-Length"), 400, "head.connection_option"),
    "connection names the address": (post(b"Connection: X-Forwarded-For"), 400, "head.connection_option"),
    "connection names an id of ours": (post(b"Connection: Tidegate-Message-Id"), 400, "head.connection_option"),
    "connection names the coding": (post(b"Connection: Content-Encoding"), 400, "head.connection_option"),
    "a second connection": (
        post(b"Connection: keep-alive", b"Connection: X-User-Id"), 400, "head.connection_option",
    ),
    "a tab in connection": (post(b"Connection: te,\tContent-Type\t"), 400, "head.connection_option"),
    "connection by a word of its own": (post(b"Connection: persist"), 400, "head.connection_option"),
    "connection with a semicolon": (post(b"Connection: te; Content-Type"), 400, "head.connection_option"),
    "connection in quotes": (post(b'Connection: "Content-Type"'), 400, "head.connection_option"),
    "underscored coding": (post(b"Transfer_Encoding: chunked"), 400, "head.underscore_name"),
}  # fmt: skip


@pytest.mark.parametrize("name", WELL_FRAMED)
async def test_a_refused_request_with_a_clear_end_leaves_the_next_one_whole(gate: Lab, name: str) -> None:
    data, status, reason = WELL_FRAMED[name]
    async with wire(gate.node) as connection:
        await connection.send(data + post())
        answers = [await connection.answer() for _ in range(2)]
    assert (answers[0].status, answers[0].json()["reason"], answers[1].status) == (status, reason, 201)


PATHS = {
    "/%61pi/articles/1/comments": "path.needless_encoding",
    "//api/articles/1/comments": "path.empty_segment",
    "/api//articles/1/comments": "path.empty_segment",
    "/api/articles//comments": "path.empty_segment",
    "/api/articles/1//comments": "path.empty_segment",
    "/api/x/../articles/1/comments": "path.dot_segment",
    "/./api/articles/1/comments": "path.dot_segment",
    "/api/x/%2e%2E/articles/1/comments": "path.needless_encoding",
    "/api%2Farticles/1/comments": "path.encoded_slash",
    "/api/articles/1%2fcomments": "path.encoded_slash",
    "/api/articles/1%5Ccomments": "path.encoded_slash",
    "/api/articles/1\\comments": "path.character",
    "/api/articles/1%252Fcomments": "path.lookalike",
    "/api/articles/1;a=b/comments": "path.parameters",
    "/api/articles/1/comments;a=b": "path.parameters",
    "/api/articles/1/comments%00": "path.encoded_slash",
    "/api/articles/%zz/comments": "path.percent",
    "/api/articles/1/comments/": "path.lookalike",
    "/API/Articles/1/Comments": "path.lookalike",
    "/api/articles/%FF/comments": "path.encoding",
    "/api/articles/1/comments.json": "path.lookalike",
    "/api/articles/1/comments.xml": "path.lookalike",
    "/api/articles/1/comments.": "path.lookalike",
    "/api/articles/1/comments%20": "path.lookalike",
    "/api/articles/1/comments+": "path.lookalike",
    "/api/articles/1/comments%09": "path.lookalike",
    "/api/articles/1/comments%C2%A0": "path.lookalike",
    "/api/articles/1/comments%3Fa": "path.lookalike",
    "/index.php/api/articles/1/comments": "path.lookalike",
    "/index.cgi/api/articles/1/comments": "path.lookalike",
    "/app.php/api/articles/1/comments.json": "path.lookalike",
    "/index.php?s=/api/articles/1/comments": "path.lookalike",
    "/?/api/articles/1/comments": "path.lookalike",
    "/index.php/api/articles/1/comments/7": "path.lookalike",
}


@pytest.mark.parametrize("path", PATHS)
async def test_no_other_spelling_of_a_judged_path_is_relayed(gate: Lab, path: str) -> None:
    before = len(gate.upstream.received)
    answer = await once(gate.node, post(start=b"POST %b HTTP/1.1" % path.encode()))
    assert (answer.status, answer.json()["reason"]) == (400, PATHS[path])
    assert len(gate.upstream.received) == before


async def test_what_is_not_judged_may_look_as_it_likes(gate: Lab) -> None:
    answer = await once(gate.node, b"GET /static/%41b//c;v=2/?q=%2e%2e HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert answer.status == 201
    assert gate.upstream.received[-1].line == "GET /static/%41b//c;v=2/?q=%2e%2e HTTP/1.1"


OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")


@pytest.mark.parametrize("name", OVERRIDES)
async def test_a_judged_request_is_of_the_method_it_says(gate: Lab, name: str) -> None:
    answer = await gate.node.say("alice", PRIVATE, **{name: "DELETE"})
    assert answer.status == 201
    assert name.lower() not in gate.upstream.received[-1].headers


@pytest.mark.parametrize("name", OVERRIDES)
@pytest.mark.parametrize("method", ["POST", "post", "PUT, POST", '"POST"'])
async def test_no_request_becomes_a_judged_one_by_override(gate: Lab, name: str, method: str) -> None:
    """The platform could read a GET with an override as the POST that is judged."""
    before = len(gate.upstream.received)
    answer = await gate.node.ask("GET", PATH.decode(), BODY, {"X-User-Id": "alice", name: method})
    assert (answer.status, answer.json()["reason"]) == (400, "head.method_override")
    assert len(gate.upstream.received) == before


async def test_elsewhere_overrides_are_the_platforms_own_matter(gate: Lab) -> None:
    answer = await gate.node.ask("POST", "/api/likes/1", b"{}", {"X-HTTP-Method-Override": "DELETE"})
    assert answer.status == 201
    assert gate.upstream.received[-1].headers["x-http-method-override"] == "DELETE"


ADDRESSES = ("X-Original-URL", "X-Rewrite-URL", "X-Original-URI", "X-Rewrite-URI", "X-Override-URL", "X_Original_Url")


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    "value",
    ["{}", "{}?a=1", "http://a.example{}", "/x, {}", "/index.php{}", "{}.json", "{}%20", "//a.example{}", "{}/7"],
)
async def test_no_request_becomes_a_judged_one_by_another_address(gate: Lab, name: str, value: str) -> None:
    before = len(gate.upstream.received)
    answer = await gate.node.ask("POST", "/api/likes/1", BODY, {name: value.format(PATH.decode())})
    assert (answer.status, answer.json()["reason"]) == (400, "head.target_override")
    assert len(gate.upstream.received) == before


async def test_addresses_that_lead_to_nothing_judged_pass_and_on_judged_routes_none_does(gate: Lab) -> None:
    answer = await gate.node.ask("POST", "/api/likes/1", b"{}", {"X-Original-URL": "/api/likes/1"})
    assert (answer.status, gate.upstream.received[-1].headers["x-original-url"]) == (201, "/api/likes/1")
    answer = await gate.node.say("alice", PRIVATE, **{"X-Original-URL": "/elsewhere", "X-Rewrite-Url": "/elsewhere"})
    assert answer.status == 201
    assert not gate.upstream.received[-1].headers.keys() & {"x-original-url", "x-rewrite-url"}


@pytest.mark.parametrize(
    "query", ["_method=PUT", "a=1&_method=delete", "%5Fmethod=PATCH", "_method[]=PUT", "_Method=GET"]
)
async def test_a_judged_request_names_no_other_method(gate: Lab, query: str) -> None:
    before = len(gate.upstream.received)
    answer = await gate.node.ask("POST", f"{PATH.decode()}?{query}", BODY, {"X-User-Id": "alice"})
    assert answer.status in {400, 403}
    assert answer.json()["reason"] in {"head.method_override", "route.unjudged"}
    assert len(gate.upstream.received) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "PROPFIND", "REPORT", "PURGE"])
@pytest.mark.parametrize("below", ["", "/7", "/7/reply", "?a=1"])
async def test_what_nobody_judges_is_not_written_to_a_judged_address(gate: Lab, method: str, below: str) -> None:
    before = len(gate.upstream.received)
    answer = await once(gate.node, request(method, PATH.decode() + below, BODY, {"X-User-Id": "alice"}))
    assert (answer.status, answer.json()["reason"]) == (403, "route.unjudged")
    assert len(gate.upstream.received) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/articles/1/like"), ("PUT", "/api/articles/1"), ("POST", "/api/articles"), ("POST", "/login"),
        ("GET", "/api/articles/1/comments.json"), ("GET", "/index.php/api/articles/1/comments"),
        ("GET", "/api/articles/1/comments"), ("GET", "/api/articles/1/comments/7"),
        ("POST", "/api/articles/1/comments2"),
    ],
)  # fmt: skip
async def test_parents_siblings_and_reading_are_relayed(gate: Lab, method: str, path: str) -> None:
    answer = await once(gate.node, request(method, path, BODY if method != "GET" else None, {"X-User-Id": "alice"}))
    assert (answer.status, gate.upstream.received[-1].line) == (201, f"{method} {path} HTTP/1.1")


async def test_absolute_form_of_the_own_host_is_judged(gate: Lab) -> None:
    spam = '{"content": "代开发票"}'.encode()
    length = b"Content-Length: %d" % len(spam)
    answer = await once(gate.node, post(start=b"POST http://a.example%b HTTP/1.1" % PATH, length=length, body=spam))
    assert (answer.status, answer.json()["reason"]) == (403, "keyword.match")


async def test_a_head_is_rebuilt_not_passed_on(gate: Lab) -> None:
    answer = await once(
        gate.node,
        post(
            b"Connection: TE, keep-alive", b"Keep-Alive: timeout=5", b"TE: trailers",
            b"Proxy-Authorization: Basic eA==", b"Tidegate-Message-Id: forged", b"Tidegate-Label: forged",
            b"tidegate-verdict: forged", b"X-Forwarded-For: 203.0.113.9", b"Forwarded: for=203.0.113.9",
        ),
    )  # fmt: skip
    assert answer.status == 201
    fields = gate.upstream.received[-1].headers
    gone = ("keep-alive", "te", "proxy-authorization", "tidegate-label", "tidegate-verdict", "forwarded")
    assert not fields.keys() & set(gone)
    assert fields["tidegate-message-id"] == answer.headers["tidegate-message-id"]
    assert fields["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize("option", [b"", b",", b"TE", b"keep-alive, Trailer", b"Proxy-Connection", b"HTTP2-Settings"])
async def test_what_concerns_one_hop_may_be_named(gate: Lab, option: bytes) -> None:
    assert (await once(gate.node, post(b"Connection: " + option))).status == 201


async def test_elsewhere_what_connection_names_ends_here(gate: Lab) -> None:
    """But for what the gate let the request through by: who named that would be another request behind the gate."""
    answer = await once(
        gate.node,
        request(
            "POST", "/api/likes/1", b"{}",
            {
                "Connection": "X-Secret, X-HTTP-Method, Origin, Host", "X-Secret": "1", "X-HTTP-Method": "DELETE",
                "Origin": "https://a.example", "X-Other": "2",
            },
        ),
    )  # fmt: skip
    assert answer.status == 201
    fields = gate.upstream.received[-1].headers
    assert "x-secret" not in fields
    assert (fields["x-http-method"], fields["origin"], fields["x-other"]) == ("DELETE", "https://a.example", "2")
    assert fields["host"]


async def test_an_empty_line_before_a_request_is_forgiven(gate: Lab) -> None:
    assert (await once(gate.node, b"\r\n" + post())).status == 201


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\nHost: a.example\n\n", b"GET / HTTP/1.0\n\n", b"\n"])
async def test_a_head_of_bare_line_feeds_is_answered_and_not_waited_on(gate: Lab, data: bytes) -> None:
    """Its end would never be found: without an answer a client learns nothing before the head's time is over."""
    async with asyncio.timeout(30):
        answer = await once(gate.node, data)
    assert (answer.status, answer.json()["reason"]) == (400, "head.control_character")


async def test_a_head_in_single_bytes_is_the_same_head(gate: Lab) -> None:
    async with wire(gate.node) as connection:
        for byte in post():
            await connection.send(bytes((byte,)))
        assert (await connection.answer()).status == 201


async def test_refusals_are_counted_by_reason(gate: Lab) -> None:
    before = await gate.node.metric("tidegate_refused_requests_total", reason="head.folded_line")
    await once(gate.node, MALFORMED["folded line"][0])
    assert await gate.node.metric("tidegate_refused_requests_total", reason="head.folded_line") == before + 1


async def test_a_shaped_request_helper_is_what_the_others_break(gate: Lab) -> None:
    """The table's requests differ from good ones in one thing only: without it they pass."""
    assert (await once(gate.node, post())).status == 201
    assert (await once(gate.node, chunked(ONE_CHUNK + b"0\r\n\r\n"))).status == 201
    assert (await once(gate.node, request("GET", "/", None))).status == 201


async def test_nothing_of_them_stays_in_memory(gate: Lab) -> None:
    """Thousands of refusals, cut-off and whole: the worker is as large as before, and holds no connection."""
    (worker,) = (await gate.node.pids("worker")).values()
    every = [data for data, _, _ in (*MALFORMED.values(), *WELL_FRAMED.values())]

    async def round_of_all() -> None:
        for data in every:
            async with wire(gate.node) as connection:
                await connection.send(data[: len(data) // 2])
                connection.reset()
            async with wire(gate.node) as connection:
                await connection.send(data)
                await connection.answer()
                connection.reset()

    for _ in range(3):
        await round_of_all()
    before = resident(worker)
    assert before is not None
    await asyncio.gather(*(round_of_all() for _ in range(12)))
    after = resident(worker)
    assert after is not None
    assert after - before < 4 << 20
    async with asyncio.timeout(30):
        while await gate.node.metric("tidegate_connections"):
            await asyncio.sleep(0.05)
