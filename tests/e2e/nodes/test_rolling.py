"""Two nodes behind nginx, restarted and upgraded one after the other beneath clients that never stop: nothing fails.

``TIDEGATE_TEST_BEFORE`` names the commit that is upgraded from, one that stood on its own (a release, or what a merge
began with); else it is the newest tag, or where there is none this tree with an older number.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.common import channel
from rig import versions
from rig.ports import free_port
from rig.postgresql import Postgres
from rig.witnesses import Gate, Seen, commenting
from tests.deploy.front import program
from tests.e2e.node import Node
from tests.e2e.nodes.cluster import Cluster, running, soon

pytestmark = [pytest.mark.timeout(900), pytest.mark.whole]

BEFORE = os.environ.get("TIDEGATE_TEST_BEFORE", "") or versions.last_release()
AGAIN = 120.0  # seconds in which a node is well again
PEOPLE = [f"u{number}" for number in range(8)]
BLOCK = {"scope": "sender", "reason": "spam", "ground": "agreement 6.1"}
# As docs/fronts.md says it for several nodes: whoever cannot be connected to is passed over, and asked again at once.
FRONT = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxied; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream tidegate {{
        server 127.0.0.1:{first} max_fails=0;
        server 127.0.0.1:{second} max_fails=0;
        keepalive 64;
        keepalive_timeout 60s;
        keepalive_requests 100000;
    }}
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 100000;
        location / {{
            proxy_pass http://tidegate;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_next_upstream error timeout;
        }}
    }}
}}
"""


@contextlib.asynccontextmanager
async def front(pair: Cluster) -> AsyncIterator[int]:
    """nginx before both; its port."""
    folder, port = pair.folder / "nginx", free_port()
    folder.mkdir()
    first, second = (pair.nodes[number].port for number in (1, 2))
    text = FRONT.format(folder=folder, first=first, second=second, port=port)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        program("nginx"), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")
    )
    try:
        await soon(lambda: _listens(port))
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@contextlib.asynccontextmanager
async def under_load(pair: Cluster, port: int) -> AsyncIterator[Seen]:
    """People who write, on connections that they keep, and somebody who blocks others, on whichever node is well."""
    for person in PEOPLE:
        await pair.done(1, "PUT", f"/v1/accounts/{person}", {"verified": True, "reason": "papers"})
    seen, enough = Seen(), asyncio.Event()
    tasks = [asyncio.create_task(commenting(Gate(port), seen, enough, person, pause=0.01)) for person in PEOPLE]
    tasks.append(asyncio.create_task(_acting(pair, enough)))
    try:

        async def begun() -> bool:
            return seen.answered[201] > 0

        await soon(begun, 60)
        yield seen
    finally:
        enough.set()
        await asyncio.gather(*tasks)


async def _acting(pair: Cluster, enough: asyncio.Event) -> None:
    """Each act is asked of one node and then of the other, until one has done it: at any time one is there."""
    number = 0
    while not enough.is_set():
        number += 1
        async with asyncio.timeout(AGAIN):
            for node in _in_turn(number):
                with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                    answer = await pair.ask(node, "POST", "/v1/blocks", {**BLOCK, "value": f"other-{number}"})
                    if answer.status in (200, 202):
                        break
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)


def _in_turn(number: int) -> list[int]:
    return [1 + (number + turn) % 2 for turn in range(200)]


async def well(pair: Cluster, number: int) -> bool:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        answer = await pair.ask(number, "GET", "/readyz")
        return answer.status == 200 and not answer.json()["checks"]["database"]["detail"]
    return False


async def settled(pair: Cluster, number: int, seen: Seen) -> None:
    """The node is well, and messages go on for a while before the next is touched."""
    await soon(lambda: well(pair, number), AGAIN)
    before = seen.answered[201]

    async def more() -> bool:
        return seen.answered[201] >= before + 100

    await soon(more, AGAIN)


def nothing_failed(seen: Seen) -> None:
    print(f"\n{dict(seen.answered)} answered, slowest {seen.slowest:.2f} s; {len(seen.failed)} failed")
    assert seen.refused == {}
    assert seen.failed == []
    assert set(seen.answered) == {201}


async def agree(pair: Cluster) -> None:
    """What was blocked meanwhile is so on both, and stands in one list of acts."""
    rows = (await pair.ask(1, "GET", "/v1/blocks?reason=look&limit=1000")).json()["blocks"]
    assert rows
    for number in (1, 2):
        held = (await pair.ask(number, "GET", "/v1/blocks?reason=look&limit=1000")).json()["blocks"]
        assert held == rows
    for row in rows[:3] + rows[-3:]:
        await pair.done(1, "PUT", f"/v1/accounts/{row['value']}", {"verified": True, "reason": "papers"})
        for number in (1, 2):
            await soon(lambda number=number, row=row: _refused(pair, number, row["value"]))


async def _refused(pair: Cluster, number: int, sender: str) -> bool:
    return (await pair.nodes[number].say(sender, "hello")).status == 403


async def test_a_rolling_restart(tmp_path: Path, postgres: Postgres) -> None:
    server = 'shutdown_delay = "1s"\ndrain = "20s"'
    async with running(tmp_path, server=server) as pair, front(pair) as port:
        async with under_load(pair, port) as seen:
            for number, node in pair.nodes.items():
                assert await node.stop() == 0
                await node.start()
                await settled(pair, number, seen)
        nothing_failed(seen)
        await agree(pair)


async def upgraded(node: Node, to: Path) -> dict[str, object]:
    """Ask for it, and wait for what becomes of it."""
    path = node.folders.supervisor_socket
    answer = await channel.call(path, {"command": "upgrade", "program": str(to)}, timeout=120)
    assert answer.get("ok"), answer
    async with asyncio.timeout(AGAIN):
        while True:
            with contextlib.suppress(OSError, channel.ChannelError):
                told: dict[str, object] = (await node.status())["upgrade"]
                if told["state"] not in ("trial", "renewing", "returning"):
                    return told
            await asyncio.sleep(0.05)


async def test_a_rolling_upgrade(tmp_path: Path, postgres: Postgres) -> None:
    """In place, one node after the other; while one is of the version before, both take acts."""
    before = versions.of_commit(tmp_path, "0.0.1", BEFORE) if BEFORE else versions.make(tmp_path, "0.0.1")
    now = versions.make(tmp_path, "999.0")
    async with running(tmp_path, program=before) as pair, front(pair) as port:
        told = (await pair.ask(1, "GET", "/v1/nodes")).json()["nodes"]
        assert [one["version"] for one in told] == ["0.0.1", "0.0.1"]
        async with under_load(pair, port) as seen:
            for number, node in pair.nodes.items():
                became = await upgraded(node, now)
                assert (became["state"], became["to"]) == ("done", "999.0"), became
                await settled(pair, number, seen)
        nothing_failed(seen)

        async def renewed() -> bool:
            told = (await pair.ask(1, "GET", "/v1/nodes")).json()["nodes"]
            return [one["version"] for one in told] == ["999.0", "999.0"]

        await soon(renewed, AGAIN)
        await agree(pair)
