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
