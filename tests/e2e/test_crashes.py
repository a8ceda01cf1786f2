"""kill -9 under load: whatever the platform received or a client was answered is in the journal (law 5)."""

import asyncio
import contextlib
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.common import channel
from tests.e2e.lab import lab
from tests.e2e.node import Node, kill, read_answer, request
from tests.e2e.upstream import Received, created

# Those of twenty are for `make faults`.
KILLS = (5, pytest.param(20, marks=pytest.mark.whole))
Eventually = Callable[..., Awaitable[Any]]


class Chatter:
    """One client that writes without pause and comes back whenever its connection breaks."""

    def __init__(self, node: Node, name: str, path: str = "/api/articles/1/comments", pause: float = 0.0) -> None:
        self.node = node
        self.name = name
        self.path = path
        self.pause = pause  # seconds between two messages
        self.answered: dict[str, int] = {}
        self.broken = 0
        self.sent = 0

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                reader, writer = await self.node.connect()
                try:
                    while not stop.is_set():
                        self.sent += 1
                        body = f'{{"content": "{self.name} says {self.sent}"}}'.encode()
                        fields = {"Content-Type": "application/json", "X-User-Id": "alice"}
                        writer.write(request("POST", self.path, body, fields))
                        answer = await read_answer(reader)
                        if identifier := answer.headers.get("tidegate-message-id"):
                            self.answered[identifier] = answer.status
                        if self.pause:
                            await asyncio.sleep(self.pause)
                finally:
                    writer.close()
                    with contextlib.suppress(ConnectionError):
                        await writer.wait_closed()
            self.broken += 1


class Thinking:
    """A platform that takes a moment for each message, and holds back every answer while it is told to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.held = 0

    async def __call__(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.005)
        self.held += 1
        await self.open.wait()
        self.held -= 1
        await created(request, reader, writer)


@pytest.mark.slow
@pytest.mark.timeout(600)  # each death waits for a process to start, seconds on a busy machine
@pytest.mark.parametrize("kills", KILLS)
async def test_kills_lose_nothing(tmp_path: Path, eventually: Eventually, kills: int) -> None:
    async with lab(tmp_path, workers=2) as made:
        node, upstream = made.node, made.upstream
        upstream.behave = thinking = Thinking()
        stop = asyncio.Event()
        chatters = [Chatter(node, f"chatter-{number}") for number in range(8)]
        running = [asyncio.create_task(chatter.run(stop)) for chatter in chatters]
        draw = random.Random(7)
        for death in range(kills):
            before = len(upstream.received)
            # Some traffic flows between two deaths, so that each one finds messages at every stage of their way.
            await eventually(lambda before=before: len(upstream.received) > before + draw.randint(30, 120), 30)
            pids = await node.pids("worker-")
            victim = draw.choice(sorted(pids))
            if death == 0:
                # This one certainly finds messages at the platform; the others may, wherever their victim is by then.
                thinking.open.clear()
                await eventually(lambda: thinking.held == len(chatters), 30)
                carrying = [name for name in sorted(pids) if await carries(node, int(name.removeprefix("worker-")))]
                victim = draw.choice(carrying)
            kill(pids[victim])
            thinking.open.set()
            await eventually_running(node, victim, pids[victim])
        stop.set()
        await asyncio.gather(*running)
        assert (await node.status())["children"]["control"]["restarts"] == 0
        restarts = [child["restarts"] for name, child in (await node.status())["children"].items() if "worker" in name]
        assert sum(restarts) == kills
        received = [one.message_id for one in upstream.received]
        answered = {identifier: status for chatter in chatters for identifier, status in chatter.answered.items()}

    records = list(node.records())
    judged = {record["id"] for record in records if record["kind"] == "judged"}
    outcomes = {record["id"]: record["state"] for record in records if record["kind"] == "outcome"}
    assert len(received) == len(set(received)), "nothing is sent twice"
    assert set(received) <= judged
    assert set(answered) <= judged
    assert {identifier for identifier, status in answered.items() if status == 201} <= set(received)
    passed = {record["id"] for record in records if record["kind"] == "judged" and record["verdict"] == "pass"}
    assert passed <= outcomes.keys(), "every message that went on has an outcome, if only unknown"
    assert "unknown" in outcomes.values()
    assert len(received) > 40 * kills


async def eventually_running(node: Node, name: str, dead: int) -> None:
    """Until the child runs under another process id and answers."""
    async with asyncio.timeout(90):
        while True:
            pids = await node.pids(name)
            number = name.removeprefix("worker-")
            socket = node.folders.worker_socket(int(number)) if number.isdigit() else node.folders.projector_socket
            if pids.get(name, dead) != dead:
                # The dead one's socket is still there: only an answer says that its journal was recovered.
                with contextlib.suppress(OSError, channel.ChannelError):
                    await channel.call(socket, {"command": "status"}, timeout=5)
                    return
            await asyncio.sleep(0.02)


async def test_a_death_drops_no_other_workers_connection(tmp_path: Path) -> None:
    async with lab(tmp_path, workers=2) as made:
        node = made.node
        connections: list[Any] = []
        # Whichever worker is awake accepts: on a busy machine that is one of them for a while.
        for _ in range(40):
            connections += await asyncio.gather(*(node.connect() for _ in range(8)))
            if all([await carries(node, number) for number in (0, 1)]):
                break

        async def say(number: int) -> bool:
            reader, writer = connections[number]
            fields = {"Content-Type": "application/json", "X-User-Id": "bob"}
            writer.write(request("POST", "/api/articles/1/comments", b'{"content": "still here"}', fields))
            try:
                return (await asyncio.wait_for(read_answer(reader), 10)).status == 201
            except (ConnectionError, asyncio.IncompleteReadError):
                return False

        count = len(connections)
        assert all([await say(number) for number in range(count)])
        pids = await node.pids("worker-")
        kill(pids["worker-0"])
        alive = [await say(number) for number in range(count)]
        await eventually_running(node, "worker-0", pids["worker-0"])
        again = [await say(number) for number in range(count)]
        # Both workers had some of the connections; the survivor's all live on.
        assert alive == again
        assert 0 < sum(alive) < count
        for _, writer in connections:
            writer.close()


async def carries(node: Node, worker: int) -> bool:
    """Whether the worker has a client."""
    told = await channel.call(node.folders.worker_socket(worker), {"command": "counters"}, timeout=5)
    return bool(told["metrics"]["tidegate_connections"]["series"][0][1])


DANMAKU = """
[mirror]
max_lag = "20s"
[[routes]]
name = "bullets"
match = "POST /api/videos/{room}/danmaku"
surface = "danmaku"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
page = "/videos/{room}"
"""


@pytest.mark.slow
@pytest.mark.timeout(600)  # each death waits for a process to start, seconds on a busy machine
@pytest.mark.parametrize("kills", KILLS)
async def test_workers_and_projector_killed_leave_every_bullet_in_the_mirror(
    tmp_path: Path, eventually: Eventually, kills: int
) -> None:
    async with lab(tmp_path, workers=2, more=DANMAKU) as made:
        node, upstream = made.node, made.upstream
        stop = asyncio.Event()
        chatters = [
            Chatter(node, f"bullets-{number}", f"/api/videos/{number % 3}/danmaku", pause=0.016) for number in range(8)
        ]
        running = [asyncio.create_task(chatter.run(stop)) for chatter in chatters]
        draw = random.Random(11)
        for turn in range(kills):
            before = len(upstream.received)
            await eventually(lambda before=before: len(upstream.received) > before + draw.randint(20, 80), 30)
            victim = "projector" if turn % 2 else draw.choice(["worker-0", "worker-1"])
            pids = await node.pids(victim)
            kill(pids[victim])
            await eventually_running(node, victim, pids[victim])
        stop.set()
        await asyncio.gather(*running)
        received = {one.message_id for one in upstream.received if one.message_id}  # the rest: probes of the page
        verified = await verify_mirror(node)
        assert verified.startswith("0 "), verified
        shown = set()
        for room in range(3):
            index = (await node.ask("GET", f"/mirror/{room}/index.json")).json()
            for number in range(1, index["pages"] + 1):
                page = (await node.ask("GET", f"/mirror/{room}/{number}.json")).json()
                shown |= {bullet["id"] for bullet in page["bullets"]}
    records = list(node.records())
    judged = {record["id"] for record in records if record["kind"] == "judged"}
    unknown = {record["id"] for record in records if record["kind"] == "outcome" and record["state"] == "unknown"}
    assert received <= judged
    # What nobody can say arrived is not shown as published; all else that the platform has is in the static version.
    assert received - unknown <= shown
    assert len(received) > 20 * kills


async def verify_mirror(node: Node) -> str:
    """Run ``tidegate mirror verify``; its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "mirror", "verify", "--data-dir", str(node.folders.root),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return f"{process.returncode} {output.decode()}"
