"""Bodies that cannot be judged as they stand: each with its answer, and nothing of them reaches the platform."""

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator

import brotli
import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer, request
from tests.e2e.wire import once, wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "nightheron"
SPAM = "代开发票"
PATH = "/api/articles/1/comments"
JSON = {"Content-Type": "application/json", "X-User-Id": "alice"}

SERVER = """
body_timeout = "500ms"
linger_timeout = "200ms"
max_inflated = "16KiB"
max_json_depth = 8
max_fields = 8
unmatched_upstream = "platform"
"""
ROUTE = """
max_body = "64KiB"
parts = ["json:/images"]
"""
MORE = """
[policies.lenient]
appeal = "off"
rules = [
  { check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" },
  { check = "keywords", action = "reject", on_error = "pass", ground = "agreement 3.1", lists = ["spam"] },
]
[[routes]]
name = "lenient"
match = "POST /api/lenient/{room}"
surface = "comment"
upstream = "platform"
policy = "lenient"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
[[routes]]
name = "edits"
match = "PUT|PATCH /api/articles/{room}/comments/{id}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
[[routes]]
name = "forms"
match = "POST /api/forms/{room}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = ["form:msg", "text:"]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("bodies"), server=SERVER, route=ROUTE, more=MORE) as made:
        yield made
        await made.sound(PRIVATE, SPAM, "alice")


async def put(gate: Lab, body: bytes, path: str = PATH, method: str = "POST", **headers: str) -> Answer:
    """Send a body; a header given as an empty text is left out."""
    fields = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await gate.node.ask(method, path, body, {name: value for name, value in fields.items() if value})


def said(text: str) -> bytes:
    return json.dumps({"content": text}, ensure_ascii=False).encode()


DEEP = b'{"content": "x", "a": ' + b"[" * 9 + b"]" * 9 + b"}"
ABYSS = b'{"content": "x", "a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"

UNREADABLE = {
    "empty": (b"", "body.not_json"),
    "half": (b'{"content": "half', "body.not_json"),
    "two documents": (b'{"content": "x"} {"content": "y"}', "body.not_json"),
    "comma at the end": (b'{"content": "x",}', "body.not_json"),
    "single quotes": (b"{'content': 'x'}", "body.not_json"),
    "comment": (b'{"content": "x" /* y */}', "body.not_json"),
    "not a number": (b'{"content": "x", "a": NaN}', "body.not_json"),
    "control character": (b'{"content": "x\ny"}', "body.not_json"),
    "deep": (DEEP, "body.too_deep"),
    "abyss": (ABYSS, "body.too_deep"),
    "key twice": (b'{"content": "x", "content": "y"}', "body.duplicate_key"),
    "key twice by escape": (b'{"content": "x", "c\\u006fntent": "y"}', "body.duplicate_key"),
    "inner key twice": (b'{"content": "x", "a": {"b": 1, "b": 2}}', "body.duplicate_key"),
    "keys that differ in case": (b'{"content": "x", "Content": "y"}', "body.key_case"),
    "only another case": (b'{"Content": "x"}', "body.key_case"),
    "not utf-8": (b'{"content": "\xff\xfe"}', "body.not_utf8"),
    "overlong": (b'{"content": "\xc0\xaf"}', "body.not_utf8"),
    "surrogate in utf-8": (b'{"content": "\xed\xa0\x80"}', "body.not_utf8"),
    "gbk": ('{"content": "代开发票"}'.encode("gbk"), "body.not_utf8"),
    "byte order mark": (b"\xef\xbb\xbf" + said("x"), "body.bom"),
    "utf-16": ('{"content": "x"}'.encode("utf-16"), "body.not_utf8"),
    "utf-16 without mark": ('{"content": "x"}'.encode("utf-16-le"), "body.not_utf8"),
    "utf-32": ('{"content": "x"}'.encode("utf-32-be"), "body.not_utf8"),
    "nul": (b'{"content": "x\\u0000y"}', "body.nul"),
    "bare nul": (b'{"content": "x\0y"}', "body.not_json"),
    "lone surrogate": (b'{"content": "\\ud800"}', "body.surrogate"),
    "surrogates the wrong way round": (b'{"content": "\\udc00\\ud800"}', "body.surrogate"),
    "large integer": (b'{"content": "x", "a": 18446744073709551616}', "body.number"),
    "infinite": (b'{"content": "x", "a": 1e999}', "body.number"),
    "no text": (b'{"message": "x"}', "text.missing"),
    "an array": (b'["x"]', "text.missing"),
    "a string": (b'"x"', "text.missing"),
    "null": (b'{"content": null}', "text.not_string"),
    "number": (b'{"content": 1}', "text.not_string"),
    "list": (b'{"content": ["x"]}', "text.not_string"),
    "object": (b'{"content": {"a": "x"}}', "text.not_string"),
    "no characters": (b'{"content": ""}', "text.empty"),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_what_cannot_be_read_in_one_way_is_refused(gate: Lab, name: str) -> None:
    body, reason = UNREADABLE[name]
    before = len(gate.upstream.received)
    answer = await put(gate, body)
    assert (answer.status, answer.json()["reason"]) == (400, reason)
    assert len(gate.upstream.received) == before


async def test_it_is_counted_and_not_recorded(gate: Lab) -> None:
    records = len(list(gate.node.records()))
    before = await gate.node.metric("tidegate_refused_requests_total", route="comments", reason="body.nul")
    await put(gate, UNREADABLE["nul"][0])
    assert await gate.node.metric("tidegate_refused_requests_total", route="comments", reason="body.nul") == before + 1
    assert len(list(gate.node.records())) == records


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "type.unsupported"),
        ("text/html", "type.unsupported"),
        ("application/xml", "type.unsupported"),
        ("application/json-patch+json", "type.unsupported"),
        ("multipart/form-data; boundary=x", "type.unsupported"),
        ("application/json; charset=gbk", "charset.unsupported"),
        ("application/json; charset=utf-16", "charset.unsupported"),
        ("application/json; charset=utf-8; charset=gbk", "type.unsupported"),
        ("application/json, text/html", "type.unsupported"),
    ],
)
async def test_wrong_types_are_refused(gate: Lab, header: str, reason: str) -> None:
    answer = await put(gate, said(PRIVATE), Content_Type=header)
    assert (answer.status, answer.json()["reason"]) == (415, reason)


async def test_a_type_given_twice_is_refused(gate: Lab) -> None:
    data = request("POST", PATH, said(PRIVATE), {**JSON, "content-type": "text/plain"})
    answer = await once(gate.node, data)
    assert (answer.status, answer.json()["reason"]) == (415, "type.unsupported")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
async def test_compressed_bodies_are_judged_by_what_they_hold(gate: Lab, coding: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}[coding]
    refused = await put(gate, pack(said(SPAM)), Content_Encoding=coding)
    passed = await put(gate, pack(said(PRIVATE)), Content_Encoding=coding)
    assert (refused.status, refused.json()["reason"]) == (403, "keyword.match")
    assert passed.status == 201
    # What was judged is what is sent: plain.
    received = gate.upstream.received[-1]
    assert received.body == said(PRIVATE)
    assert "content-encoding" not in received.headers


@pytest.mark.parametrize(
    ("body", "coding", "status", "reason"),
    [
        (gzip.compress(said("a" * 20_000)), "gzip", 413, "body.inflates"),
        (zlib.compress(b"\0" * 30_000_000), "deflate", 413, "body.inflates"),
        (brotli.compress(b" " * 30_000_000), "br", 413, "body.inflates"),
        (gzip.compress(said("x"))[:-6], "gzip", 400, "coding.malformed"),
        (gzip.compress(said("x")) + b"more", "gzip", 400, "coding.malformed"),
        (said("x"), "gzip", 400, "coding.malformed"),
        (said("x"), "br", 400, "coding.malformed"),
        (said("x"), "zstd", 415, "coding.unsupported"),
        (gzip.compress(gzip.compress(said("x"))), "gzip, gzip", 415, "coding.unsupported"),
    ],
    ids=["gzip", "deflate bomb", "brotli bomb", "cut", "more behind", "not gzip", "not br", "zstd", "twice"],
)
async def test_codings_are_bounded_and_plain(gate: Lab, body: bytes, coding: str, status: int, reason: str) -> None:
    answer = await put(gate, body, Content_Encoding=coding)
    assert (answer.status, answer.json()["reason"]) == (status, reason)


async def test_a_body_announced_too_large_is_not_waited_for(gate: Lab) -> None:
    head = request("POST", PATH, None, {**JSON, "Content-Length": "65537", "Expect": "100-continue"})
    answer = await once(gate.node, head)
    assert (answer.status, answer.json()["reason"]) == (413, "body.too_large")
    assert answer.headers["connection"] == "close"


async def test_a_chunked_body_is_cut_where_it_grows_too_large(gate: Lab) -> None:
    head = request("POST", PATH, None, {**JSON, "Transfer-Encoding": "chunked"})
    piece = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
    answer = await once(gate.node, head + piece * 5)
    assert (answer.status, answer.json()["reason"]) == (413, "body.too_large")


async def test_64_kib_of_one_character(gate: Lab) -> None:
    body = said("a" * (65536 - len(said(""))))
    answer = await put(gate, body)
    assert len(body) == 65536
    assert (answer.status, answer.json()["reason"]) == (413, "text.too_long")


LENGTHENING = "\ufdfa" * 4000  # the ligature of four words: 18 code points each, under NFKC


async def test_a_text_that_folds_to_more_than_its_bound_costs_what_the_rule_says(gate: Lab) -> None:
    refused = await put(gate, said(LENGTHENING))
    assert (refused.status, refused.json()["reason"]) == (503, "keywords.unavailable")
    assert refused.headers["retry-after"]
    passed = await put(gate, said(LENGTHENING), path="/api/lenient/1")
    assert passed.status == 201
    record = gate.judged(passed.headers["tidegate-message-id"])
    assert record["degraded"] == ["keywords:fold.bound"]
    assert await gate.node.metric("tidegate_degraded_total", cause="keywords:fold.bound") == 2


async def test_a_slow_body_is_given_up(gate: Lab) -> None:
    began = time.monotonic()
    async with wire(gate.node) as connection:
        await connection.send(request("POST", PATH, None, {**JSON, "Content-Length": "1000"}) + b'{"content": "')
        feeding = asyncio.create_task(drip(connection.writer))
        answer = await connection.answer()
        assert (answer.status, answer.json()["reason"]) == (408, "body.timeout")
        assert time.monotonic() - began < 20  # all of it would take fifty seconds
        await connection.rest()
        feeding.cancel()


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte now and then: the time-out is for the whole body, so that no drip keeps it open."""
    while True:
        writer.write(b"a")
        await asyncio.sleep(0.05)


async def test_a_body_cut_off_is_told_where_anybody_listens(gate: Lab) -> None:
    before = len(gate.upstream.received)
    async with wire(gate.node) as connection:
        await connection.send(request("POST", PATH, None, {**JSON, "Content-Length": "100"}) + said("x"))
        connection.writer.write_eof()
        answer = await connection.answer()
    assert (answer.status, answer.json()["reason"]) == (400, "body.cut_off")
    assert len(gate.upstream.received) == before


async def test_continue_is_told_before_the_body_is_sent(gate: Lab) -> None:
    body = said(PRIVATE)
    fields = {**JSON, "Content-Length": str(len(body)), "Expect": "100-continue"}
    async with wire(gate.node) as connection:
        await connection.send(request("POST", PATH, None, fields))
        assert await connection.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await connection.send(body)
        assert (await connection.answer()).status == 201
    assert "expect" not in gate.upstream.received[-1].headers


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_edits_are_judged_like_new_messages(gate: Lab, method: str) -> None:
    path = f"{PATH}/7"
    refused = await put(gate, said(SPAM), path, method)
    passed = await put(gate, said(PRIVATE), path, method)
    broken = await put(gate, b'{"content": "x", "content": "y"}', path, method)
    assert (refused.status, refused.json()["reason"]) == (403, "keyword.match")
    assert (broken.status, broken.json()["reason"]) == (400, "body.duplicate_key")
    assert passed.status == 201
    assert gate.judged(passed.headers["tidegate-message-id"])["edit"] is True


async def test_a_patch_that_leaves_the_text_alone_passes(gate: Lab) -> None:
    answer = await put(gate, b'{"title": "x"}', f"{PATH}/7", "PATCH")
    assert answer.status == 201


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
PART = b"--x\r\nContent-Disposition: form-data; %b"


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        ("msg=代开发票".encode(), FORM, 403, "keyword.match"),
        (b"msg=%E4%BB%A3%E5%BC%80%E5%8F%91%E7%A5%A8", FORM, 403, "keyword.match"),
        (b"msg=x&msg=y", FORM, 400, "form.twice"),
        (b"msg=x&Msg=y", FORM, 400, "form.alias"),
        (b"msg=x&msg[]=y", FORM, 400, "form.alias"),
        (b"msg=x&[msg]=y", FORM, 400, "form.alias"),
        (b"msg=x&msg]=y", FORM, 400, "form.alias"),
        (b"msg=x&[msg=y", FORM, 400, "form.alias"),
        (b"msg=x&msg+=y", FORM, 400, "form.alias"),
        (b"msg=x&%256dsg=y", FORM, 400, "form.alias"),
        (b"msg=x&%22msg%22=y", FORM, 400, "form.name"),
        (b"msg=x&a%3b+msg=y", FORM, 400, "form.name"),
        (b"msg=x&content=y", FORM, 201, ""),
        (b"msg=x&meta[msg]=y", FORM, 201, ""),
        (b'{"msg":"BAD","a":"&msg=hello&b="}', FORM, 400, "form.name"),
        (b"msg=%FF", FORM, 400, "body.not_utf8"),
        (b"msg=%zz", FORM, 400, "form.malformed"),
        (b"a=1&" * 9 + b"msg=x", FORM, 413, "form.too_many"),
        (b"other=x", FORM, 400, "text.missing"),
        (b"msg=", FORM, 400, "text.empty"),
        *(
            (PART % name + b"\r\n\r\nBAD\r\n" + PART % b'name="msg"' + b"\r\n\r\nx\r\n--x--", MULTIPART, 400, reason)
            for name, reason in (
                (b'name="msg "', "form.alias"),
                (b'name="msg\t"', "form.alias"),
                (b'name="[msg]"', "form.alias"),
                (b'name="=?utf-8?Q?msg?="', "form.name"),
                (b'name="x\'; name=msg"', "form.name"),
                (b'name="msg"', "form.twice"),
                (b"name=msg", "form.malformed"),
                (b'name="a"; name="msg"', "form.malformed"),
                (b"name*=utf-8''msg", "form.malformed"),
                (b'name="a"; filename="b; name=msg"', "form.malformed"),
                (b'name="m\\sg"', "form.malformed"),
            )
        ),
        (PART % b'name="msg"; filename="a.txt"' + b"\r\n\r\nBAD\r\n--x--", MULTIPART, 400, "text.not_string"),
        (b"msg=BAD", "text/plain", 400, "body.ambiguous"),
        (b"--x\r\nno part", "multipart/form-data; boundary=x", 400, "form.malformed"),
        ("代开发票".encode(), "text/plain", 403, "keyword.match"),
        (b"\xff", "text/plain", 400, "body.not_utf8"),
        (b"x\0y", "text/plain", 400, "body.nul"),
        (b"", "text/plain", 400, "text.empty"),
    ],
)
async def test_forms_and_plain_text(gate: Lab, body: bytes, kind: str, status: int, reason: str) -> None:
    answer = await put(gate, body, "/api/forms/1", Content_Type=kind)
    assert (answer.status, answer.json().get("reason", "")) == (status, reason)


@pytest.mark.parametrize("query", ["content=y", "Content[]=y", "a=1&%63ontent=y", "content.x", "a=1;content=y"])
@pytest.mark.parametrize("body", [said("hello"), b'{"content": "x", "title": "y"}'])
async def test_a_text_that_the_query_holds_as_well_is_refused(gate: Lab, query: str, body: bytes) -> None:
    """Rails and PHP put both into one table, and servlets look into the query first."""
    before = len(gate.upstream.received)
    answer = await put(gate, body, f"{PATH}?{query}")
    assert (answer.status, answer.json()["reason"]) == (400, "form.twice")
    assert len(gate.upstream.received) == before


async def test_a_patch_without_text_has_none_in_the_query(gate: Lab) -> None:
    answer = await put(gate, b'{"title": "x"}', f"{PATH}/7?content=y", "PATCH")
    assert (answer.status, answer.json()["reason"]) == (400, "form.twice")


async def test_a_form_field_that_the_query_repeats_is_refused(gate: Lab) -> None:
    answer = await put(gate, b"msg=x", "/api/forms/1?msg=y", Content_Type=FORM)
    assert (answer.status, answer.json()["reason"]) == (400, "form.twice")


async def test_unjudged_bodies_pass_as_they_are(gate: Lab) -> None:
    """Law 8: not one byte of what nobody judges is changed."""
    body = b"\xff\xfe\0" + gzip.compress(b"a" * 100)
    answer = await put(gate, body, "/upload", Content_Type="application/x-odd", Content_Encoding="gzip")
    assert answer.status == 201
    received = gate.upstream.received[-1]
    assert (received.body, received.headers["content-encoding"]) == (body, "gzip")
