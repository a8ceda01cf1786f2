"""A platform that refuses, hangs, breaks off or answers garbage: what the client hears, what the journal says, and
what the sender gets back."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator
from typing import Literal

import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer, request
from tests.e2e.upstream import Behave, Received, created
from tests.e2e.wire import wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "phalarope"
PATH = "/api/articles/1/comments"
FIELDS = {"Content-Type": "application/json", "X-User-Id": "alice"}

# Two of one text in a minute, and three messages an hour: what is not given back is missed at once.
RULES = """
  { check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" },
  { check = "limit",    action = "reject", on_error = "pass",   ground = "agreement 4.2", limits = ["sender 3/1h"] },
  { check = "repeats",  action = "reject", on_error = "pass",   ground = "agreement 4.3", limit = "1/1h" },
  { check = "keywords", action = "reject", on_error = "reject", ground = "agreement 3.1", lists = ["spam"] },
"""
MORE = """
[policies.plain]
appeal = "off"
rules = [{{ check = "identity", action = "reject", on_error = "reject", ground = "agreement 2.1" }}]
[upstreams.several]
servers = ["http://127.0.0.1:{dead}", "http://127.0.0.1:{good}", "http://127.0.0.1:{deaf}"]
connect_timeout = "300ms"
answer_timeout = "1s"
[upstreams.dead]
servers = ["http://127.0.0.1:{dead}"]
connect_timeout = "300ms"
[upstreams.deaf]
servers = ["http://127.0.0.1:{deaf}"]
connect_timeout = "300ms"
[upstreams.narrow]
servers = ["http://127.0.0.1:{good}"]
answer_timeout = "30s"
max_connections = 1
max_waiting = 1
wait_timeout = "300ms"
"""
ROUTE = """
[[routes]]
name = "{name}"
match = "POST /api/{name}/{{room}}"
surface = "comment"
upstream = "{name}"
policy = "plain"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""


@pytest.fixture(scope="module")
def deaf() -> socket.socket:
    """A server that never accepts: its queue is full, so that nobody's handshake ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    return listener


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory, deaf: socket.socket) -> AsyncIterator[Lab]:
    good = free_port()
    more = MORE.format(dead=free_port(), good=good, deaf=deaf.getsockname()[1])
    more += "".join(ROUTE.format(name=name) for name in ("several", "dead", "deaf", "narrow"))
    server = 'unmatched_upstream = "platform"'
    fill = [socket.socket() for _ in range(4)]
    for one in fill:
        one.setblocking(False)
        one.connect_ex(deaf.getsockname())
    async with lab(
        tmp_path_factory.mktemp("upstream"), server=server, rules=RULES, more=more, upstream_port=good, answer="3s"
    ) as made:
        await made.invite(60)
        yield made
        await made.sound(PRIVATE, "alice")
    for one in (*fill, deaf):
        one.close()


def raw(data: bytes, *, then: Literal["close", "keep", "hang"] = "close") -> Behave:
    """A platform that says these bytes."""

    async def behave(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        if then == "close":
            writer.close()
        elif then == "hang":
            await asyncio.sleep(30)

    return behave


@contextlib.asynccontextmanager
async def behaving(gate: Lab, behave: Behave) -> AsyncIterator[None]:
    gate.upstream.behave = behave
    try:
        yield
    finally:
        gate.upstream.behave = created


BROKEN: dict[str, tuple[Behave, int, str, str]] = {
    # what the platform does; the client's status and reason; the outcome's state
    "closes at once": (raw(b""), 502, "upstream.closed", "unknown"),
    "closes within the head": (raw(b"HTTP/1.1 201 Cre"), 502, "upstream.closed", "unknown"),
    "hangs": (raw(b"", then="hang"), 504, "upstream.timeout", "unknown"),
    "hangs within the head": (raw(b"HTTP/1.1 201 Created\r\nX", then="hang"), 504, "upstream.timeout", "unknown"),
    "speaks something else": (raw(b"220 mail.example ESMTP\r\n\r\n"), 502, "upstream.garbage", "unknown"),
    "malformed status": (raw(b"HTTP/1.1 2xx Fine\r\n\r\n"), 502, "upstream.garbage", "unknown"),
    "http/2": (raw(b"HTTP/2 201\r\n\r\n"), 502, "upstream.garbage", "unknown"),
    "two lengths": (
        raw(b"HTTP/1.1 201 Created\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 502, "upstream.garbage",
        "unknown",
    ),
    "length and chunked": (
        raw(b"HTTP/1.1 201 Created\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 502,
        "upstream.garbage", "unknown",
    ),
    "folded line": (raw(b"HTTP/1.1 201 Created\r\nX-A: 1\r\n 2\r\n\r\n"), 502, "upstream.garbage", "unknown"),
    "endless head": (raw(b"HTTP/1.1 201 Created\r\nX-A: " + b"a" * 70_000), 502, "upstream.garbage", "unknown"),
    "an upgrade nobody asked for": (
        raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), 502, "upstream.garbage",
        "unknown",
    ),
    "endless interim answers": (raw(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40), 502, "upstream.garbage", "unknown"),
    "500": (raw(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"), 500, "", "refused"),
    "503": (raw(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 9\r\n\r\n"), 503, "", "refused"),
    "400": (raw(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"), 400, "", "refused"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_platform(gate: Lab, name: str) -> None:
    behave, status, reason, state = BROKEN[name]
    sender = next(gate.people)
    began = time.monotonic()
    async with behaving(gate, behave):
        answer = await gate.node.say(sender, f"{PRIVATE} {name}")
    assert time.monotonic() - began < 20  # who hangs does so for half a minute
    assert answer.status == status
    if reason:
        assert answer.json()["reason"] == reason
        assert answer.json()["message_id"] == answer.headers["tidegate-message-id"]
    else:
        assert answer.headers.get("content-type") != "application/problem+json", answer  # a refusal of the gate's own
    outcome = await gate.outcome(answer.headers["tidegate-message-id"])
    assert outcome["state"] == state
    assert outcome.get("status") == (status if state == "refused" else None)
    # Never sent twice: a comment is not idempotent.
    assert sum(one.message_id == answer.headers["tidegate-message-id"] for one in gate.upstream.received) == 1
    await settled(gate)


async def test_what_the_platform_refused_may_be_said_again(gate: Lab) -> None:
    """The repeat mark and the sender's limit come back."""
    sender = next(gate.people)
    async with behaving(gate, raw(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", then="keep")):
        assert [(await gate.node.say(sender, PRIVATE)).status for _ in range(5)] == [500] * 5
    assert (await gate.node.say(sender, PRIVATE)).status == 201
    repeated = await gate.node.say(sender, PRIVATE)
    assert (repeated.status, repeated.json()["reason"]) == (429, "repeat.sender")


async def test_what_never_reached_the_platform_may_be_said_again(gate: Lab) -> None:
    text = gate.config.read_text(encoding="utf-8")
    live = f'servers = ["http://127.0.0.1:{gate.upstream.port}"]\nconnect_timeout'
    assert live in text
    sender = next(gate.people)
    gate.config.write_text(text.replace(live, f'servers = ["http://127.0.0.1:{free_port()}"]\nconnect_timeout', 1))
    assert (await gate.node.manage("POST", "/v1/reload", {"reason": "test"})).status == 200
    answers = [await gate.node.say(sender, PRIVATE) for _ in range(5)]
    assert [(answer.status, answer.json()["reason"]) for answer in answers] == [(502, "upstream.refused")] * 5
    outcome = await gate.outcome(answers[0].headers["tidegate-message-id"])
    assert (outcome["state"], outcome["reason"]) == ("failed", "upstream.refused")
    gate.config.write_text(text)
    assert (await gate.node.manage("POST", "/v1/reload", {"reason": "test"})).status == 200
    assert (await gate.node.say(sender, PRIVATE)).status == 201


async def test_an_answer_that_breaks_off_is_cut_and_was_a_delivery(gate: Lab) -> None:
    """Who reads half an answer must see that it is half; the platform has the message all the same."""
    broken = {
        "length": b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf",
        "chunked": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "bad chunk": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    }
    for name, data in broken.items():
        body = json.dumps({"content": f"{PRIVATE} {name}"}).encode()
        async with behaving(gate, raw(data)), wire(gate.node) as connection:
            await connection.send(request("POST", PATH, body, {**FIELDS, "X-User-Id": next(gate.people)}))
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await connection.answer()
        outcome = await gate.outcome(gate.upstream.received[-1].message_id)
        assert (outcome["state"], outcome["status"]) == ("delivered", 201)


async def test_an_answer_without_length_ends_with_the_connection(gate: Lab) -> None:
    async with behaving(gate, raw(b"HTTP/1.1 201 Created\r\nConnection: close\r\n\r\nall of it")):
        answer = await gate.node.say(next(gate.people), PRIVATE)
    assert (answer.status, answer.body) == (201, b"all of it")


async def test_bytes_behind_an_answer_are_nobodys(gate: Lab) -> None:
    """A second answer that rides behind the first must not become the next client's."""
    smuggled = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"
    async with behaving(gate, raw(smuggled, then="keep")):
        first = await gate.node.say(next(gate.people), PRIVATE)
    second = await gate.node.say(next(gate.people), PRIVATE)
    assert (first.body, second.body) == (b"ok", b'{"id":1}')


async def test_interim_answers_come_before_the_answer(gate: Lab) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    done = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
    data = b"HTTP/1.1 100 Continue\r\n\r\n" + early + done
    async with behaving(gate, raw(data, then="keep")), wire(gate.node) as connection:
        body = json.dumps({"content": PRIVATE}).encode()
        await connection.send(request("POST", PATH, body, {**FIELDS, "X-User-Id": next(gate.people)}))
        assert await connection.reader.readuntil(b"\r\n\r\n") == early  # nobody had asked for the 100
        assert (await connection.answer()).status == 201


async def test_a_kept_connection_that_the_platform_closes_costs_no_message(gate: Lab) -> None:
    """The platform closes after each answer without saying so; the next message takes a fresh connection."""

    async def closing(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await created(request, reader, writer)
        writer.close()

    async with behaving(gate, closing):
        for number in range(5):
            assert (await gate.node.say(next(gate.people), f"{PRIVATE} {number}")).status == 201
            await settled(gate)


async def settled(gate: Lab) -> None:
    """Until the gate has seen the platform's closes: what is sent before, it may lose."""
    async with asyncio.timeout(20):
        while await gate.node.metric("tidegate_upstream_connections"):
            await asyncio.sleep(0.01)


# Several servers


async def many(gate: Lab, path: str, number: int) -> list[Answer]:
    return await asyncio.gather(*(gate.node.say("alice", f"{PRIVATE} {n}", path) for n in range(number)))


async def test_dead_and_deaf_servers_lose_no_message(gate: Lab) -> None:
    began = time.monotonic()
    answers = [await gate.node.say("alice", f"{PRIVATE} {n}", "/api/several/1") for n in range(12)]
    answers += await many(gate, "/api/several/1", 30)
    assert {answer.status for answer in answers} == {201}
    ids = [answer.headers["tidegate-message-id"] for answer in answers]
    received = [one.message_id for one in gate.upstream.received]
    assert all(received.count(identifier) == 1 for identifier in ids)
    # Not every message waits for the deaf one: it rests after some failures.
    assert time.monotonic() - began < 8


async def test_the_only_server_is_dead(gate: Lab) -> None:
    before = await gate.node.metric("tidegate_upstream_failures_total", upstream="dead", reason="upstream.refused")
    answer = await gate.node.say("alice", PRIVATE, "/api/dead/1")
    assert (answer.status, answer.json()["reason"]) == (502, "upstream.refused")
    outcome = await gate.outcome(answer.headers["tidegate-message-id"])
    assert (outcome["state"], outcome["reason"]) == ("failed", "upstream.refused")
    after = await gate.node.metric("tidegate_upstream_failures_total", upstream="dead", reason="upstream.refused")
    assert after == before + 1


async def test_the_only_server_is_deaf(gate: Lab) -> None:
    began = time.monotonic()
    answer = await gate.node.say("alice", PRIVATE, "/api/deaf/1")
    assert (answer.status, answer.json()["reason"]) == (504, "upstream.connect_timeout")
    assert time.monotonic() - began < 20  # the kernel would try for two minutes
    outcome = await gate.outcome(answer.headers["tidegate-message-id"])
    assert (outcome["state"], outcome["reason"]) == ("failed", "upstream.connect_timeout")


async def test_a_full_upstream_says_so_and_loses_nothing(gate: Lab) -> None:
    """One connection, one in the queue: the others are told to come back, and none of them was sent."""
    go_on = asyncio.Event()

    async def slow(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await created(request, reader, writer)

    before = len(gate.upstream.received)
    async with behaving(gate, slow):
        asking = [asyncio.create_task(gate.node.say("alice", f"{PRIVATE} {n}", "/api/narrow/1")) for n in range(6)]
        waiting = set(asking)
        async with asyncio.timeout(20):
            while len(waiting) > 1:
                _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        refused = [task.result() for task in asking if task not in waiting]
        go_on.set()
        passed = [await task for task in waiting]
    assert [(answer.status, answer.json()["reason"]) for answer in refused] == [(503, "upstream.busy")] * 5
    assert [answer.status for answer in passed] == [201]
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert len(gate.upstream.received) == before + 1
    outcome = await gate.outcome(refused[0].headers["tidegate-message-id"])
    assert (outcome["state"], outcome["reason"]) == ("failed", "upstream.busy")
