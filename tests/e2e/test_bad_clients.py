"""Clients that are slow, gone, many at once, or on a page of another origin."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.certificates import make, trusting
from tests.e2e.lab import PLAIN, SECURE, Lab, lab
from tests.e2e.node import request
from tests.e2e.upstream import Received, created
from tests.e2e.wire import Wire, once, wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "wryneck"
PATH = "/api/articles/1/comments"
FIELDS = {"Content-Type": "application/json", "X-User-Id": "alice"}
PAGE = "https://www.platform.example"

SERVER = """
head_timeout = "500ms"
idle_timeout = "700ms"
stall_timeout = "700ms"
linger_timeout = "200ms"
max_connections_per_address = 40
max_buffered = "16KiB"
"""
ROUTE = """
[routes.cors]
origins = ["https://www.platform.example"]
headers = ["Content-Type", "X-User-Id"]
methods = ["POST"]
credentials = true
"""
MORE = """
[[routes]]
name = "shaped"
match = "POST /api/shaped/{room}"
surface = "comment"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
[routes.refusal]
status = 200
body = { code = 12001, msg = "{title}", id = "{id}" }
headers = { Cache-Control = "no-store" }
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=[PLAIN, SECURE], ids=["plain", "tls"])
async def gate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    folder = tmp_path_factory.mktemp("clients")
    tls = trusting(make(folder, "localhost")) if request.param is SECURE else None
    async with lab(folder, server=SERVER, route=ROUTE, more=MORE, listen=request.param, tls=tls) as made:
        yield made
        await made.sound(PRIVATE, "alice", "stranger")


def comment(text: str, sender: str = "alice", **headers: str) -> bytes:
    return request("POST", PATH, json.dumps({"content": text}).encode(), {**FIELDS, "X-User-Id": sender, **headers})


# Slow ones


async def test_a_head_in_drips_is_given_up(gate: Lab) -> None:
    """Slowloris: each byte comes in time, the head does not."""
    began = time.monotonic()
    async with wire(gate.node) as connection:
        for byte in comment(PRIVATE) * 4:
            connection.writer.write(bytes((byte,)))
            await asyncio.sleep(0.02)
            if connection.reader.at_eof() or connection.reader._buffer:  # type: ignore[attr-defined]
                break
        answer = await connection.answer()
    assert (answer.status, answer.json()["reason"]) == (408, "head.timeout")
    assert time.monotonic() - began < 10


async def test_a_connection_without_a_request_is_closed_in_silence(gate: Lab) -> None:
    async with wire(gate.node) as connection:
        assert await connection.rest() == b""


async def test_a_kept_connection_is_closed_when_it_rests_too_long(gate: Lab) -> None:
    async with wire(gate.node) as connection:
        await connection.send(comment(PRIVATE))
        assert (await connection.answer()).status == 201
        assert await connection.rest() == b""


async def test_one_address_has_only_so_many_connections(gate: Lab) -> None:
    async with asyncio.timeout(20):  # those of other tests are still being closed
        while await gate.node.metric("tidegate_connections"):
            await asyncio.sleep(0.05)
    async with contextlib.AsyncExitStack() as stack:

        async def ask() -> int:
            connection = await stack.enter_async_context(wire(gate.node))
            fields = {"Content-Type": "application/json", "X-User-Id": "alice"}
            await connection.send(request("POST", "/api/articles/1/comments", b"{", fields))  # nothing for the platform
            return (await connection.answer()).status

        told = await asyncio.gather(*(ask() for _ in range(60)), return_exceptions=True)
        # Those over the bound are told so, or closed where many come at once and before a handshake of TLS.
        assert 30 <= told.count(400) <= 40, Counter(map(repr, told))
        assert {one for one in told if isinstance(one, int)} <= {400, 503}
    async with asyncio.timeout(30):
        while (await once(gate.node, comment(PRIVATE))).status != 201:
            await asyncio.sleep(0.05)


async def test_a_client_that_does_not_read_holds_no_memory_and_no_connection(gate: Lab) -> None:
    """The platform's answer waits for its reader within a bound, and then the reader is given up."""
    written = 0

    async def endless(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n")
        while True:
            writer.write(b"a" * 65536)
            await writer.drain()
            written += 65536

    gate.upstream.behave = endless
    async with wire(gate.node) as connection:
        connection.reader._transport.pause_reading()  # type: ignore[attr-defined]
        await connection.send(request("GET", "/large"))
        before = -1
        async with asyncio.timeout(30):
            while before != written or not written:
                before = written
                await asyncio.sleep(0.2)
        # Kernel buffers and the node's own, on both sides; far from the whole.
        assert written < 40_000_000
        gate.upstream.behave = created
        async with asyncio.timeout(30):
            while await gate.node.metric("tidegate_upstream_connections") > 1:
                await asyncio.sleep(0.05)


# Gone ones


async def test_a_client_gone_in_the_middle_of_a_body_leaves_nothing(gate: Lab) -> None:
    before = len(gate.upstream.received), len(list(gate.node.records()))
    async with wire(gate.node) as connection:
        await connection.send(comment(PRIVATE)[:-5])
        connection.reset()
    assert (await once(gate.node, comment(PRIVATE))).status == 201
    assert len(gate.upstream.received) == before[0] + 1
    assert len(list(gate.node.records())) - before[1] in (1, 2)  # the second message's, its outcome perhaps later


@contextlib.contextmanager
def paused(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def latest(gate: Lab, room: str) -> dict[str, object]:
    """The judged record of the only message of a room."""
    async with asyncio.timeout(30):
        while True:
            for record in gate.node.records():
                if record["kind"] == "judged" and record["room"] == room:
                    return record
            await asyncio.sleep(0.02)


def taken(connection: Wire) -> bool:
    """Whether the node has read what was sent: nothing of it is left in the kernel (proc(5), ``/proc/net/tcp``)."""
    ours, theirs = (f":{connection.writer.get_extra_info(name)[1]:04X}" for name in ("sockname", "peername"))
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if local.endswith(theirs) and remote.endswith(ours):
            return queues.endswith(":00000000")
    return False


async def test_a_client_gone_while_its_message_is_judged_is_on_record(gate: Lab) -> None:
    """Judged, and then failed: nothing is published for somebody who hung up before the verdict."""
    (state,) = (await gate.node.pids("state")).values()
    before = len(gate.upstream.received)
    body = json.dumps({"content": PRIVATE}).encode()
    with paused(state):
        async with wire(gate.node) as connection:
            await connection.send(request("POST", "/api/articles/hung-up/comments", body, FIELDS))
            async with asyncio.timeout(20):
                while not taken(connection):
                    await asyncio.sleep(0.01)
            connection.reset()
        async with asyncio.timeout(20):
            while await gate.node.metric("tidegate_connections"):
                await asyncio.sleep(0.02)
    record = await latest(gate, "hung-up")
    outcome = await gate.outcome(str(record["id"]))
    assert (record["verdict"], outcome["state"], outcome["reason"]) == ("pass", "failed", "client.gone")
    assert len(gate.upstream.received) == before


async def test_a_client_gone_while_the_platform_answers_has_published(gate: Lab) -> None:
    answering, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.set()
        await go_on.wait()
        await created(request, reader, writer)

    gate.upstream.behave = slow
    async with wire(gate.node) as connection:
        await connection.send(comment(PRIVATE))
        await asyncio.wait_for(answering.wait(), 30)
        connection.reset()
    await asyncio.sleep(0.05)
    go_on.set()
    gate.upstream.behave = created
    outcome = await gate.outcome(gate.upstream.received[-1].message_id)
    assert (outcome["state"], outcome["status"]) == ("delivered", 201)


async def test_a_half_closed_client_gets_its_answer(gate: Lab) -> None:
    async with wire(gate.node) as connection:
        await connection.send(comment(PRIVATE))
        if not connection.writer.can_write_eof():
            return  # there is no half of a TLS connection to close
        connection.writer.write_eof()
        assert (await connection.answer()).status == 201
        assert await connection.rest() == b""


# Many at once


async def test_pipelined_requests_are_answered_in_order(gate: Lab) -> None:
    """Refused ones between: an answer at hand waits for those before it (law 11)."""
    delays = iter([0.1, 0.0, 0.05, 0.0])

    async def uneven(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(next(delays, 0))
        body = json.loads(request.body)["content"].encode()
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    gate.upstream.behave = uneven
    asked = [
        comment(f"{PRIVATE} 0"),
        comment("x", sender="stranger"),
        comment(f"{PRIVATE} 1"),
        request("POST", PATH, b"{", FIELDS),
        comment("代开发票"),
        request("OPTIONS", PATH, None, {"Origin": PAGE, "Access-Control-Request-Method": "POST"}),
        comment(f"{PRIVATE} 2", **{"X-Odd": "1"}),
        request("POST", PATH, b"", {**FIELDS, "X_Odd": "1"}),
        comment(f"{PRIVATE} 3"),
    ]
    async with wire(gate.node) as connection:
        await connection.send(b"".join(asked))
        answers = [await connection.answer() for _ in asked]
    gate.upstream.behave = created
    assert [answer.status for answer in answers] == [201, 403, 201, 400, 403, 204, 201, 400, 201]
    assert [answers[at].body.decode() for at in (0, 2, 6, 8)] == [f"{PRIVATE} {number}" for number in range(4)]
    assert [json.loads(one.body)["content"][-1] for one in gate.upstream.received[-4:]] == ["0", "1", "2", "3"]


async def test_a_hundred_pipelined_requests_are_all_answered(gate: Lab) -> None:
    async with wire(gate.node) as connection:
        sending = asyncio.create_task(connection.send(comment(PRIVATE) * 100))
        assert [(await connection.answer()).status for _ in range(100)] == [201] * 100
        await sending


# Pages of other origins


async def test_a_preflight_is_answered_by_the_gate(gate: Lab) -> None:
    fields = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-user-id"}
    before = len(gate.upstream.received)
    answer = await gate.node.ask("OPTIONS", PATH, None, fields)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "X-User-Id" in answer.headers["access-control-allow-headers"]
    assert len(gate.upstream.received) == before


async def test_a_preflight_of_a_foreign_page_is_refused(gate: Lab) -> None:
    fields = {"Origin": "https://www.platform.example.evil", "Access-Control-Request-Method": "POST"}
    answer = await gate.node.ask("OPTIONS", PATH, None, fields)
    assert (answer.status, answer.json()["reason"]) == (403, "cors.origin")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (comment("x", sender="stranger", Origin=PAGE), 403),
        (comment("代开发票", Origin=PAGE), 403),
        (request("POST", PATH, b"{", {**FIELDS, "Origin": PAGE}), 400),
        (request("POST", PATH, b"x" * 70_000, {**FIELDS, "Origin": PAGE}), 413),
        (request("POST", PATH, b"{}", {**FIELDS, "Origin": PAGE, "X_Odd": "1"}), 400),
    ],
    ids=["unknown", "word", "broken", "large", "underscore"],
)
async def test_refusals_can_be_read_by_the_platforms_pages(gate: Lab, data: bytes, status: int) -> None:
    answer = await once(gate.node, data)
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "Tidegate-Message-Id" in answer.headers["access-control-expose-headers"]
    assert set(answer.headers["vary"].split(", ")) == {"Accept-Language", "Origin"}


async def test_refusals_cannot_be_read_by_foreign_pages(gate: Lab) -> None:
    answer = await once(gate.node, comment("代开发票", Origin="https://evil.example"))
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


# Clients that know nothing of RFC 9457


async def test_refusals_in_the_platforms_own_shape(gate: Lab) -> None:
    answer = await gate.node.say("alice", "代开发票", "/api/shaped/1")
    told = answer.json()
    assert (answer.status, told["code"], told["id"]) == (200, 12001, answer.headers["tidegate-message-id"])
    assert told["msg"] == "The text breaks the rules"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert gate.judged(told["id"])["verdict"] == "reject"


async def test_malformed_ones_as_well(gate: Lab) -> None:
    answer = await gate.node.ask("POST", "/api/shaped/1", b"{", FIELDS)
    assert (answer.status, answer.json()["code"]) == (200, 12001)


async def test_failures_keep_their_status(gate: Lab) -> None:
    """A balancer and a monitor act on it."""

    async def hang_up(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    gate.upstream.behave = hang_up
    answer = await gate.node.say("alice", PRIVATE, "/api/shaped/1")
    gate.upstream.behave = created
    assert (answer.status, answer.json()["code"]) == (502, 12001)
