"""Forms stand for PUT, PATCH and DELETE by a field: such a POST is judged as what it becomes, or refused."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.wire import wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "dotterel"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "X-User-Id": "alice"}
JUDGED = """
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = ["form:content", "json:/content"]
upstream_id = "json:/id"
"""
MORE = f"""
[[routes]]
name = "notes"
match = "POST|PUT /notes/{{room}}"
{JUDGED}
[[routes]]
name = "profiles"
match = "PUT /profiles/{{room}}"
{JUDGED}
[[routes]]
name = "pictures"
match = "POST /profiles/{{room}}"
upstream = "platform"
[[routes]]
name = "deletions"
match = "DELETE /posts/{{id}}"
upstream = "platform"
removal = {{ of = "notes", id = "path:id" }}
[[routes]]
name = "deletions-by-body"
match = "DELETE /entries"
upstream = "platform"
removal = {{ of = "notes", id = "form:id" }}
[[routes]]
name = "edits"
match = "PATCH|PUT /comments/{{room}}"
method_override = "form:_method"
{JUDGED}
[[routes]]
name = "comment-deletions"
match = "DELETE /comments/{{id}}"
upstream = "platform"
removal = {{ of = "edits", id = "path:id" }}
[[routes]]
name = "documents"
match = "PATCH /documents/{{room}}"
method_override = "header:X-HTTP-Method-Override"
{JUDGED}
[[routes]]
name = "document-deletions"
match = "DELETE /documents/{{id}}"
upstream = "platform"
removal = {{ of = "documents", id = "path:id" }}
[[routes]]
name = "search"
match = "GET /profiles/{{room}}"
upstream = "platform"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("named"), more=MORE) as made:
        yield made
        await made.sound(PRIVATE, "alice")


async def refused(gate: Lab, path: str, body: bytes, fields: dict[str, str] = FORM) -> bool:
    """Whether the gate refused it for a method that it names, and the platform never got it whole."""
    before = len(gate.upstream.received)
    answer = await gate.node.ask("POST", path, body, fields)
    if answer.status < 400:
        return False
    assert (answer.status, answer.json()["reason"]) == (400, "head.method_override")
    assert len(gate.upstream.received) == before
    return True


async def test_a_message_is_judged_by_both_methods_or_refused(gate: Lab) -> None:
    body = f"content={PRIVATE}&_method=".encode()
    assert not await refused(gate, "/notes/1", body + b"put")
    assert not await refused(gate, "/notes/1", body + b"POST")
    assert await refused(gate, "/notes/1", body + b"delete")
    assert await refused(gate, "/notes/1", body + b"patch")
    document = f'{{"content": "{PRIVATE}", "_method": "DELETE"}}'.encode()
    assert await refused(gate, "/notes/1", document, FORM | {"Content-Type": "application/json"})


async def test_what_becomes_an_edit_is_recorded_as_one(gate: Lab) -> None:
    answer = await gate.node.ask("POST", "/notes/1", f"content={PRIVATE}&_method=put".encode(), FORM)
    assert gate.judged(answer.headers["tidegate-message-id"])["edit"] is True


async def test_a_relayed_post_that_becomes_judged_is_refused(gate: Lab) -> None:
    assert not await refused(gate, "/profiles/1", f"picture={PRIVATE}".encode())
    assert not await refused(gate, "/profiles/1", b"_method=post")
    assert await refused(gate, "/profiles/1", b"_method=delete")
    assert await refused(gate, "/profiles/1", f"content={PRIVATE}&_method=put".encode())
    assert await refused(gate, "/profiles/1", b"_method=put", FORM | {"Content-Encoding": "deflate"})


async def test_a_long_body_is_looked_through_as_it_goes_by(gate: Lab) -> None:
    assert await refused(gate, "/profiles/1", b"a=" + b"x" * 300_000 + b"&_method=put&b=" + b"x" * 300_000)
    assert not await refused(gate, "/profiles/1", b"a=" + b"x" * 300_000 + b"&method=put")


async def seen(gate: Lab, upstream_id: str) -> None:
    """A deletion of the platform's message ``upstream_id`` is recorded, or will be."""
    async with asyncio.timeout(30):
        while not any(
            record["kind"] == "removal" and record.get("upstream_id") == upstream_id for record in gate.node.records()
        ):
            await asyncio.sleep(0.02)


async def in_two_pieces(gate: Lab, path: str, body: bytes) -> int:
    """The status of a form whose body comes once its head was read."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in FORM.items())
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\n{lines}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    async with wire(gate.node) as connection:
        await connection.send(head.encode())
        assert await connection.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await connection.send(body)
        return (await connection.answer()).status


async def test_a_deletion_by_a_form_is_watched(gate: Lab) -> None:
    assert not await refused(gate, "/posts/77", b"_method=delete")
    await seen(gate, "77")


async def test_where_the_body_of_a_deletion_is_cut_decides_nothing(gate: Lab) -> None:
    """Browsers send the head of a form in one segment and its body in the next."""
    assert await in_two_pieces(gate, "/posts/78", b"_method=delete") < 300
    await seen(gate, "78")
    assert await in_two_pieces(gate, "/entries", b"_method=delete&id=79") < 300
    await seen(gate, "79")


async def test_a_post_that_might_have_been_a_deletion_is_relayed(gate: Lab) -> None:
    assert await in_two_pieces(gate, "/posts/80", b"a=1&method=delete") < 300
    last = gate.upstream.received[-1]
    assert last.line.startswith("POST /posts/80 ")
    assert last.body == b"a=1&method=delete"


async def test_a_body_too_large_to_be_a_deletion_is_looked_through(gate: Lab) -> None:
    assert await refused(gate, "/posts/81", b"a=" + b"x" * 300_000 + b"&_method=delete&b=" + b"x" * 300_000)


# Routes that say by what a POST stands for another method.

MULTIPART = {"Content-Type": "multipart/form-data; boundary=xx", "X-User-Id": "alice"}
JSON = {"Content-Type": "application/json", "X-User-Id": "alice"}


def parts(**fields: str) -> bytes:
    said = "".join(
        f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    return f"{said}--xx--\r\n".encode()


@pytest.mark.parametrize("word", ["patch", "PUT"])
@pytest.mark.parametrize("multipart", [False, True])
async def test_a_form_edits_where_the_route_says_so(gate: Lab, word: str, multipart: bool) -> None:
    text = f"{PRIVATE} delete put patch"
    body = parts(_method=word, content=text) if multipart else f"_method={word}&content={text}".encode()
    answer = await gate.node.ask("POST", "/comments/1", body, MULTIPART if multipart else FORM)
    assert answer.status == 201, answer
    record = gate.judged(answer.headers["tidegate-message-id"])
    assert (record["edit"], record["route"]) == (True, "edits")
    last = gate.upstream.received[-1]
    assert last.line.startswith("POST /comments/1 ")  # as it came: the platform reads the form
    assert last.body == body


async def test_such_an_edit_is_judged(gate: Lab) -> None:
    before = len(gate.upstream.received)
    answer = await gate.node.ask("POST", "/comments/1", "_method=patch&content=代开发票".encode(), FORM)
    assert answer.status == 403
    answer = await gate.node.ask("PATCH", "/comments/1", "content=代开发票".encode(), FORM)
    assert answer.status == 403
    assert len(gate.upstream.received) == before


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/comments/1", b"_method=patch&_method=patch&content=x", FORM),
        ("/comments/1", b"_method=patch&_method=delete&content=x", FORM),
        ("/comments/1", b"[method=patch&content=x", FORM),
        ("/comments/1", b"_method[]=patch&content=x", FORM),
        ("/comments/1", b"_method=patch&.method=delete&content=x", FORM),
        ("/comments/1", b"_method=options&content=x", FORM),
        ("/comments/1", b"_method=get&content=x", FORM),
        ("/comments/1", b"_method=LINK&content=x", FORM),
        ("/comments/1", b"content=x", FORM),
        ("/comments/1", b"_method=post&content=x", FORM),
        ("/comments/1", b"_method=&content=x", FORM),
        ("/comments/1", b'_method="patch"&content=x', FORM),
        ("/comments/1", b'{"_method": "PATCH", "content": "x"}', JSON),
        ("/comments/1", b"", FORM),
        ("/comments/1?_method=patch", b"content=x", FORM),
        ("/comments/1?_method=delete", b"_method=patch&content=x", FORM),
        ("/comments/1?.method=delete", b"_method=patch&content=x", FORM),
        ("/comments/1?%5Fmethod=post", b"_method=patch&content=x", FORM),
        ("/comments/1", b"_method=patch&content=x", FORM | {"X-HTTP-Method-Override": "DELETE"}),
        ("/comments/1", b"_method=patch&content=x", FORM | {"X-Method-Override": "PATCH"}),
        ("/comments/1", b"_method=patch&content=x", FORM | {"X_HTTP_Method_Override": "PATCH"}),
        ("/comments/1", b"content=x", FORM | {"X-HTTP-Method-Override": "PATCH"}),
        ("/comments/1", parts(_method="patch", content="x") + parts(_method="delete"), MULTIPART),
        ("/comments/1", b"_method=delete", FORM | {"content-type": "text/plain"}),
        ("/comments/1/x", b"_method=patch&content=x", FORM),
        ("/Comments/1", b"_method=patch&content=x", FORM),
        ("/documents/1", b"_method=patch&content=x", FORM),
        ("/documents/1", b'{"content": "x"}', JSON),
        ("/documents/1", b'{"content": "x"}', JSON | {"X-HTTP-Method-Override": "PUT"}),
        ("/documents/1", b'{"content": "x"}', JSON | {"X-HTTP-Method-Override": "PATCH, DELETE"}),
        ("/documents/1", b'{"content": "x"}', JSON | {"X-HTTP-Method-Override": "PATCH", "X-HTTP-Method": "PATCH"}),
        ("/documents/1", b'{"content": "x"}', JSON | {"X-HTTP-Method-Override": "PATCH", "X-Original-URL": "/a"}),
        ("/documents/1", b'{"content": "x"}', JSON | {"X-HTTP-Method": "PATCH"}),
        ("/documents/1", b'{"content": "x", "_method": "PUT"}', JSON | {"X-HTTP-Method-Override": "PATCH"}),
        ("/documents/1", b"_method=put&content=x", FORM | {"X-HTTP-Method-Override": "PATCH"}),
        ("/documents/1", b"_method=put", FORM | {"X-HTTP-Method-Override": "DELETE"}),
        ("/documents/1?_method=put", b'{"content": "x"}', JSON | {"X-HTTP-Method-Override": "PATCH"}),
    ],
)
async def test_whatever_else_names_a_method_is_refused(
    gate: Lab, path: str, body: bytes, fields: dict[str, str]
) -> None:
    before = len(gate.upstream.received)
    answer = await gate.node.ask("POST", path, body, fields)
    assert 400 <= answer.status < 500, answer
    assert len(gate.upstream.received) == before


async def test_a_header_edits_where_the_route_says_so(gate: Lab) -> None:
    body = f'{{"content": "{PRIVATE}"}}'.encode()
    answer = await gate.node.ask("POST", "/documents/1", body, JSON | {"X-HTTP-Method-Override": "patch"})
    assert answer.status == 201, answer
    record = gate.judged(answer.headers["tidegate-message-id"])
    assert (record["edit"], record["route"]) == (True, "documents")
    last = gate.upstream.received[-1]
    assert last.line.startswith("POST /documents/1 ")
    assert last.headers["x-http-method-override"] == "patch"
    assert (await gate.node.ask("PATCH", "/documents/1", body, JSON)).status == 201
    spam = '{"content": "代开发票"}'.encode()
    answer = await gate.node.ask("POST", "/documents/1", spam, JSON | {"X-HTTP-Method-Override": "PATCH"})
    assert answer.status == 403


async def test_deletions_by_override_are_watched(gate: Lab) -> None:
    assert not await refused(gate, "/comments/91", b"_method=delete")
    await seen(gate, "91")
    assert not await refused(gate, "/documents/92", b"", FORM | {"X-HTTP-Method-Override": "DELETE"})
    await seen(gate, "92")
    assert gate.upstream.received[-1].headers["x-http-method-override"] == "DELETE"


async def test_no_get_becomes_what_a_post_would_be(gate: Lab) -> None:
    before = len(gate.upstream.received)
    for path, fields in (
        ("/comments/1?_method=post", FORM),
        ("/comments/1?_method=patch&content=x", FORM),
        ("/documents/1", FORM | {"X-HTTP-Method-Override": "POST"}),
    ):
        answer = await gate.node.ask("GET", path, b"", fields)
        assert (answer.status, answer.json()["reason"]) == (400, "head.method_override")
    assert len(gate.upstream.received) == before


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_what_reads_has_no_body_where_what_is_written_is_judged(gate: Lab, method: str) -> None:
    before = len(gate.upstream.received)
    for path in ("/notes/1", "/notes/1/x", "/comments/1", "/Notes/1", "/notes/1.json", "/index.php/notes/1"):
        for fields in (FORM, JSON, FORM | {"X-HTTP-Method-Override": "GET"}):
            answer = await gate.node.ask(method, path, b"content=x", fields)
            assert 400 <= answer.status < 500, (path, answer)
    assert (await gate.node.ask(method, "/notes/1", b"content=x", FORM)).json()["reason"] == "body.unexpected"
    chunked = f"{method} /notes/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
    async with wire(gate.node) as connection:
        await connection.send(chunked.encode())
        assert (await connection.answer()).status == 400
    assert len(gate.upstream.received) == before
    assert (await gate.node.ask(method, "/notes/1", b"", FORM)).status < 400
    assert (await gate.node.ask(method, "/elsewhere", b"content=x", FORM)).status < 400
    if method == "GET":
        assert (await gate.node.ask(method, "/profiles/1", b"content=x", FORM)).status < 400  # named by a route
