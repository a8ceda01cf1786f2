"""Forms stand for PUT, PATCH and DELETE by a field: such a POST is judged as what it becomes, or refused."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab

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


async def test_a_deletion_by_a_form_is_watched(gate: Lab) -> None:
    assert not await refused(gate, "/posts/77", b"_method=delete")
    async with asyncio.timeout(30):
        while not any(
            record["kind"] == "removal" and record.get("upstream_id") == "77" for record in gate.node.records()
        ):
            await asyncio.sleep(0.02)
