"""``server.unmatched = "read"``: what no route names may be read and not written, in whatever disguise."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMED = '[[routes]]\nname = "likes"\nmatch = "POST /likes/{id}"\nupstream = "platform"\n'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("reading"), server='unmatched = "read"', more=NAMED) as made:
        await made.invite(3)
        yield made
        await made.sound()


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("HEAD", "/a?b=/c"), ("OPTIONS", "/old/comments")])
async def test_what_only_reads_goes_on(gate: Lab, method: str, path: str) -> None:
    before = len(gate.upstream.received)
    assert (await gate.node.ask(method, path)).status == 201
    assert gate.upstream.received[before].line == f"{method} {path} HTTP/1.1"


async def test_what_a_route_names_goes_on_or_is_judged(gate: Lab) -> None:
    assert (await gate.node.ask("POST", "/likes/7", b"{}")).status == 201
    assert (await gate.node.say(next(gate.people), "hello")).status == 201
    assert (await gate.node.say(next(gate.people), "代开发票")).status == 403


@pytest.mark.parametrize(
    ("method", "path", "body", "fields", "status", "reason"),
    [
        ("POST", "/", b"{}", {}, 403, "route.unjudged"),
        ("POST", "/comment", b'{"content": "x"}', {"Content-Type": "application/json"}, 403, "route.unjudged"),
        ("PUT", "/likes/7/8", b"{}", {}, 403, "route.unjudged"),
        ("DELETE", "/anything", None, {}, 403, "route.unjudged"),
        ("PROPFIND", "/anything", None, {}, 403, "route.unjudged"),
        ("GET", "/comment", b'{"content": "x"}', {"Content-Type": "application/json"}, 400, "body.unexpected"),
        ("OPTIONS", "/comment", b"x", {}, 400, "body.unexpected"),
        ("GET", "/comment?_method=POST&content=x", None, {}, 400, "head.method_override"),
        ("GET", "/comment", None, {"X-HTTP-Method-Override": "PUT"}, 400, "head.method_override"),
    ],
)  # fmt: skip
async def test_what_writes_does_not(
    gate: Lab, method: str, path: str, body: bytes | None, fields: dict[str, str], status: int, reason: str
) -> None:
    before = len(gate.upstream.received)
    answer = await gate.node.ask(method, path, body, fields)
    assert (answer.status, answer.json()["reason"]) == (status, reason)
    assert len(gate.upstream.received) == before
