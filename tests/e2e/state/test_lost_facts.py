"""Keys that go, one by one or all at once: nobody whom the snapshot knows gets through, nobody at all for long, and
every pass that state did not vouch for says so. What was lost comes back by itself."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rig.ports import free_port
from tests.e2e.lab import Lab, lab, write_config
from tests.e2e.node import Answer, Node, kill
from tests.e2e.state.server import LENIENT, Server
from tests.e2e.upstream import serve

# Some wait for an audit that is due every ten seconds.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PRIVATE = "guillemot"
MENDED_WITHIN = 30.0  # seconds: what the gateway promises
NEWEST = 5000
SENDERS = ("older", "newest")
ROOMS = """
[policies.rooms]
appeal = "off"
rules = [
  { check = "room", action = "reject", on_error = "pass", ground = "agreement 2.3" },
]
[[routes]]
name = "rooms"
match = "POST /api/rooms/{room}"
surface = "comment"
upstream = "platform"
policy = "rooms"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""


def crowded(database: Path) -> None:
    """``older`` is blocked, then 4,999 others, then ``newest``: one more than a snapshot holds."""
    values = ["older", *(f"x{number}" for number in range(NEWEST - 1)), "newest"]
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(
            "INSERT INTO blocks (scope, value, reason, ground, expires_at, limited, created_at) "
            "VALUES ('sender', ?, 'spam', 'agreement 6.1', 0, 0, 1)",
            [(value,) for value in values],
        )
        connection.execute("INSERT INTO marks (name, value) VALUES ('snapshot', ?)", (time.time_ns() // 1_000_000,))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    made = Server(tmp_path_factory.mktemp("s"))
    made.start()
    yield made
    made.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory, server: Server) -> AsyncIterator[Lab]:
    """A node with more blocks than its snapshot holds."""
    folder = tmp_path_factory.mktemp("lost")
    ports = free_port(), free_port()
    async with serve() as upstream:
        state = f'url = "unix://{server.socket}"\ndeadline = "5s"'
        config = write_config(
            folder, ports, upstream.port, state=state, more=LENIENT.replace("10/1h", "9999/1s") + ROOMS
        )
        node = Node(folder / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
        await node.start()
        await node.stop()
        crowded(node.folders.control / "control.sqlite3")
        await server.ask("FLUSHALL")
        await node.start()
        try:
            made = Lab(node, upstream, config)
            await made.introduce("alice", *SENDERS)
            await refused_again(made)
            yield made
            await made.sound(PRIVATE, *SENDERS, restarted=["worker-0"])
        finally:
            await node.stop()


async def strict(gate: Lab, sender: str) -> Answer:
    return await gate.node.say(sender, PRIVATE)


async def lenient(gate: Lab, sender: str) -> Answer:
    return await gate.node.say(sender, PRIVATE, "/api/lenient/1")


async def refused_again(gate: Lab) -> None:
    """Until both are refused everywhere by what state says, in time."""
    async with asyncio.timeout(MENDED_WITHIN):
        while True:
            answers = [await say(gate, sender) for sender in SENDERS for say in (strict, lenient)]
            if all(answer.status == 403 for answer in answers) and not any(degraded(gate, answers)):
                return
            await asyncio.sleep(0.2)


def degraded(gate: Lab, answers: list[Answer], *, after: int = 0) -> list[list[str]]:
    """Of each answer to a message that came later than ``after`` (µs): what its record says was not at hand."""
    verdicts = gate.verdicts()
    records = [verdicts[answer.headers["tidegate-message-id"]] for answer in answers]
    return [record.get("degraded", []) for record in records if record["time"] > after]


class Chat:
    """The two blocked ones and alice write all the time, on both routes; ``passed``: what went through of the two."""

    def __init__(self, gate: Lab) -> None:
        self._gate = gate
        self._stop = asyncio.Event()
        self.answers: dict[str, list[Answer]] = {"alice": [], "older": [], "newest": []}

    @property
    def passed(self) -> dict[str, list[Answer]]:
        return {name: [one for one in self.answers[name] if one.status == 201] for name in SENDERS}

    async def _say(self, sender: str) -> None:
        while not self._stop.is_set():
            for say in (strict, lenient):
                self.answers[sender].append(await say(self._gate, sender))

    async def __aenter__(self) -> "Chat":
        self._tasks = [asyncio.create_task(self._say(sender)) for sender in self.answers]
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._stop.set()
        await asyncio.gather(*self._tasks)


async def lose(server: Server, *senders: str) -> None:
    """The keys of their blocks go, and nothing else."""
    for sender in senders:
        keys = await server.ask("KEYS", f"tg:*:b:s:{{{sender}}}")
        assert keys
        await server.ask("DEL", *keys)  # type: ignore[misc]


async def mended(gate: Lab) -> float:
    return await gate.node.metric("tidegate_state_mended_total", table="blocks")


async def test_one_key_of_the_newest(gate: Lab, server: Server) -> None:
    before = await mended(gate)
    async with Chat(gate) as chat:
        await lose(server, "newest")
        async with asyncio.timeout(MENDED_WITHIN):
            while await mended(gate) == before:
                await asyncio.sleep(0.05)
    assert chat.passed["newest"] == []
    assert {answer.json()["reason"] for answer in chat.answers["newest"]} == {"block.sender"}
    assert {tuple(one) for one in degraded(gate, chat.answers["newest"]) if one} == {("blocks:snapshot",)}
    assert {answer.status for answer in chat.answers["alice"]} == {201}
    assert await mended(gate) == before + 1
    await refused_again(gate)
    async with asyncio.timeout(MENDED_WITHIN):
        while not [one for one in gate.node.records() if one["kind"] == "act" and one["what"] == "state.mend"]:
            await asyncio.sleep(0.1)
    assert "state.facts_lost" in gate.node.told(everything=True)


async def test_one_key_that_no_snapshot_holds(gate: Lab, server: Server) -> None:
    before = await mended(gate)
    await lose(server, "older")
    began = time.monotonic()
    async with asyncio.timeout(MENDED_WITHIN):
        while (await strict(gate, "older")).status != 403:
            await asyncio.sleep(0.1)
    assert time.monotonic() - began < MENDED_WITHIN
    assert await mended(gate) == before + 1


async def test_flushed(gate: Lab, server: Server) -> None:
    async with Chat(gate) as chat:
        for _ in range(3):
            await server.ask("FLUSHALL")
            await asyncio.sleep(1.5)
    assert chat.passed["newest"] == []
    # Only where the route says that a failure passes, and never without saying so.
    assert all("block:state.epoch" in one for one in degraded(gate, chat.passed["older"]))
    told = {(answer.status, answer.json().get("reason", "")) for answer in chat.answers["alice"]}
    assert told <= {(201, ""), (503, "identity.unavailable"), (503, "block.unavailable")}
    await refused_again(gate)


async def test_everything_evicted(gate: Lab, server: Server) -> None:
    async with Chat(gate) as chat:
        await server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        await server.ask("CONFIG", "SET", "maxmemory", "1")
        async with asyncio.timeout(30):
            while await server.ask("DBSIZE"):
                await asyncio.sleep(0.05)
        # While keys go one by one in any order, a block may go before what tells that keys went: one lost key is
        # found by the audit. From here on nothing is left, and everything must say so.
        evicted = time.time_ns() // 1000
        await asyncio.sleep(1.0)
        async with asyncio.timeout(30):
            while "allkeys-random" not in (await gate.node.manage("GET", "/readyz")).body.decode():
                await asyncio.sleep(0.1)
        assert (await gate.node.manage("GET", "/readyz")).status == 503
        await server.ask("CONFIG", "SET", "maxmemory", "0")
        await server.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert chat.passed["newest"] == []
    later = degraded(gate, chat.passed["older"], after=evicted)
    assert later
    assert all(later)
    await refused_again(gate)
    async with asyncio.timeout(30):
        while (await gate.node.manage("GET", "/readyz")).status != 200:
            await asyncio.sleep(0.1)


async def test_a_closed_room_stays_closed(gate: Lab, server: Server) -> None:
    async def say(room: str) -> Answer:
        return await gate.node.say("alice", PRIVATE, f"/api/rooms/{room}")

    assert (await gate.node.manage("PUT", "/v1/rooms/over", {"status": "closed", "reason": "test"})).status == 200
    assert (await say("over")).json()["reason"] == "room.closed"
    keys = await server.ask("KEYS", "tg:*:r:{over}")
    await server.ask("DEL", *keys)  # type: ignore[misc]
    refused = await say("over")
    assert refused.json()["reason"] == "room.closed"
    assert degraded(gate, [refused]) == [["room:snapshot"]]
    await server.ask("FLUSHALL")
    assert (await say("over")).json()["reason"] == "room.closed"
    assert (await say("open")).status == 201
    await refused_again(gate)


async def test_a_worker_that_starts_knows_before_it_serves(gate: Lab, server: Server) -> None:
    """Control is stopped and state is silent: nobody is left who could tell it."""
    frozen = {"scope": "room", "value": "hot", "ground": "order 9", "reason": "test"}
    assert (await gate.node.manage("POST", "/v1/switches", frozen)).status == 200
    pids = await gate.node.pids("")
    with stopped(pids["control"]), stopped(server.pid):
        kill(pids["worker-0"])
        seen = []
        async with asyncio.timeout(30):
            while len(seen) < 5:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    seen.append(await gate.node.say("alice", PRIVATE, "/api/rooms/hot"))
                    seen.append(await lenient(gate, "newest"))
        assert {answer.json()["reason"] for answer in seen} == {"switch.frozen", "block.sender"}
    await refused_again(gate)


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_a_late_answer_is_bridged_by_who_was_verified_and_by_nothing_else(tmp_path: Path) -> None:
    more = LENIENT + ROOMS
    async with lab(tmp_path, state="breaker = { misses = 1000 }", more=more) as made:
        await made.introduce("mallory")
        body = {"scope": "sender", "value": "mallory", "ground": "agreement 6.1", "reason": "test"}
        assert (await made.node.manage("POST", "/v1/blocks", body)).status == 200
        async with asyncio.timeout(30):
            while (await strict(made, "mallory")).status != 403 or (await strict(made, "alice")).status != 201:
                await asyncio.sleep(0.05)
        (state,) = (await made.node.pids("state")).values()
        with stopped(state):
            alice, bob, mallory = [await strict(made, name) for name in ("alice", "bob", "mallory")]
        assert (alice.status, bob.status, mallory.status) == (201, 503, 403)
        assert "verified:recent" in degraded(made, [alice])[0]
        assert bob.json()["reason"] == "identity.unavailable"  # never seen: nothing bridges
        assert mallory.json()["reason"] == "block.sender"
