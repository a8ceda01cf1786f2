"""A judged route that is bound to a host, and requests that name another one: none is relayed unjudged."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.node import request
from tests.e2e.wire import once

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "wagtail"
BODY = f'{{"content": "{PRIVATE}"}}'.encode()
SERVER = 'unmatched_upstream = "platform"\nunmatched_hosts = { "files.example" = "other" }'
BOUND = """
[upstreams.other]
servers = ["http://127.0.0.1:1"]
[[routes]]
name = "posts"
match = "POST forum.example/posts/{room}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
upstream_id = "json:/id"
[[routes]]
name = "deletions"
match = "DELETE forum.example/posts/{room}/{id}"
upstream = "platform"
removal = { of = "posts", id = "path:id" }
[[routes]]
name = "wiki"
match = "GET wiki.example/pages"
upstream = "other"
[[routes]]
name = "shop"
match = "GET shop.example/carts"
upstream = "platform"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("hosts"), server=SERVER, more=BOUND) as made:
        yield made
        await made.sound(PRIVATE, "alice")


def ask(method: str, target: str, host: str, **more: str) -> bytes:
    """A request to that host; with no host, one of HTTP/1.0."""
    fields = {"Content-Type": "application/json", "X-User-Id": "alice", **more}
    sent = request(method, target, None if method == "GET" else BODY, fields)
    line = next(line for line in sent.split(b"\r\n") if line.lower().startswith(b"host:"))
    if host:
        return sent.replace(line, b"Host: " + host.encode(), 1)
    return sent.replace(line + b"\r\n", b"", 1).replace(b"HTTP/1.1", b"HTTP/1.0", 1)


async def test_under_its_own_host_it_is_judged(gate: Lab) -> None:
    for host in ("forum.example", "FORUM.example:8080", "forum.example."):
        answer = await once(gate.node, ask("POST", "/posts/7", host))
        assert (answer.status, gate.judged(answer.headers["tidegate-message-id"])["route"]) == (201, "posts")
    answer = await once(gate.node, ask("POST", "http://forum.example/posts/7", "forum.example"))
    assert "tidegate-message-id" in answer.headers


@pytest.mark.parametrize("host", ["x", "127.0.0.1", "forum.example.evil", "forum%2eexample", "[::1]:80", ""])
@pytest.mark.parametrize(("method", "target"), [("POST", "/posts/7"), ("DELETE", "/posts/7/9")])
async def test_under_a_strange_host_it_goes_nowhere(gate: Lab, method: str, target: str, host: str) -> None:
    before = len(gate.upstream.received)
    answer = await once(gate.node, ask(method, target, host))
    assert (answer.status, answer.json()["reason"]) == (421, "route.host")
    assert len(gate.upstream.received) == before


async def test_no_method_override_leads_around_it(gate: Lab) -> None:
    before = len(gate.upstream.received)
    answer = await once(gate.node, ask("GET", "/posts/7", "x", **{"X-HTTP-Method-Override": "POST"}))
    assert answer.status in {400, 421}
    assert len(gate.upstream.received) == before


async def test_a_watched_deletion_loses_no_field_on_the_way(gate: Lab) -> None:
    before = len(gate.upstream.received)
    answer = await once(gate.node, ask("DELETE", "/posts/7/9", "forum.example", Connection="Authorization"))
    assert (answer.status, answer.json()["reason"]) == (400, "head.connection_option")
    assert len(gate.upstream.received) == before


async def test_a_host_that_a_route_names_and_an_unjudged_path_are_relayed(gate: Lab) -> None:
    for method, target, host in (("POST", "/posts/7", "shop.example"), ("GET", "/posts/7", "x"), ("POST", "/a", "x")):
        answer = await once(gate.node, ask(method, target, host))
        assert answer.status == 201
        assert gate.upstream.received[-1].headers["host"] == host


@pytest.mark.parametrize("host", ["forum.example", "x", "127.0.0.1", ""])
@pytest.mark.parametrize("target", ["/posts/7", "/posts/7/9/likes"])
async def test_what_nobody_judges_there_is_not_written_under_any_name(gate: Lab, host: str, target: str) -> None:
    before = len(gate.upstream.received)
    answer = await once(gate.node, ask("PUT", target, host))
    assert (answer.status, answer.json()["reason"]) == (403, "route.unjudged")
    assert len(gate.upstream.received) == before


async def test_what_no_route_matches_goes_where_its_host_goes(gate: Lab) -> None:
    """The other upstream does not listen: what reaches it is 502."""
    for host, status in (("wiki.example", 502), ("WIKI.example:80", 502), ("files.example", 502), ("x", 201)):
        assert (await once(gate.node, ask("POST", "/a", host))).status == status


async def test_it_is_counted(gate: Lab) -> None:
    before = await gate.node.metric("tidegate_refused_requests_total", reason="route.host")
    await once(gate.node, ask("POST", "/posts/7", "x"))
    assert await gate.node.metric("tidegate_refused_requests_total", reason="route.host") == before + 1
