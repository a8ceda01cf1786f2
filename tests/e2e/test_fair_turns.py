"""One address does its worst over real sockets, and another one is answered all the same."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.journal.read.reader import merged
from tests.e2e.lab import Lab, lab
from tests.e2e.node import request
from tests.e2e.upstream import Received, created

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The section of the upstream goes on behind this key.
SMALL = '20s"\nmax_connections = 8\nwait_timeout = "300ms'
FLOOD = b"GET /articles/1 HTTP/1.1\r\nHost: h\r\n\r\n"
OFTEN = 1000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("turns"), answer=SMALL) as made:
        yield made
        await made.sound()


async def connect(lab: Lab, ip: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", lab.node.port, local_addr=(ip, 0), limit=1 << 24)


async def answered(reader: asyncio.StreamReader) -> int:
    """The status of one answer with a Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return int(head[9:12])


def comment(text: str) -> bytes:
    fields = {"Content-Type": "application/json", "X-User-Id": "alice"}
    return request("POST", "/api/articles/1/comments", json.dumps({"content": text}).encode(), fields)


async def test_a_flood_of_pipelined_requests_is_answered_in_order_and_stops_nobody(gate: Lab) -> None:
    flooded = [await connect(gate, "127.0.0.1") for _ in range(3)]
    reader, writer = await connect(gate, "127.0.0.2")
    writer.write(comment("before"))
    assert await answered(reader) == 201
    for _, flooding in flooded:
        flooding.write(FLOOD * OFTEN)
    assert await answered(flooded[0][0]) == 201
    writer.write(comment("beside"))
    assert await answered(reader) == 201
    sofar = sum(one._buffer.count(b"HTTP/1.1 201") for one, _ in flooded)  # type: ignore[attr-defined]
    assert sofar < 3 * OFTEN
    for one, flooding in flooded:
        for _ in range(OFTEN - (one is flooded[0][0])):
            assert await answered(one) == 201
        flooding.close()
    writer.close()


async def test_slow_readers_of_one_address_leave_connections_to_others(gate: Lab) -> None:
    async def large(received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if received.line.startswith("GET"):
            size = 32 << 20
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size >> 20):
                writer.write(b"x" * (1 << 20))
                await writer.drain()
        else:
            await created(received, reader, writer)

    gate.upstream.behave = large
    slow = [await connect(gate, "127.0.0.1") for _ in range(20)]
    for one, writer in slow:
        one._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
    async with asyncio.timeout(20):
        while sum(one.line.startswith("GET /large") for one in gate.upstream.received) < 6:
            await asyncio.sleep(0.02)
    reader, writer = await connect(gate, "127.0.0.2")
    for number in range(10):
        writer.write(comment(f"beside slow readers {number}"))
        assert await answered(reader) == 201
    assert sum(one.line.startswith("GET /large") for one in gate.upstream.received) == 6
    for _, each in slow:
        each.transport.abort()
    writer.close()
    gate.upstream.behave = created


async def test_a_body_of_tiny_chunks_is_refused(gate: Lab) -> None:
    reader, writer = await connect(gate, "127.0.0.1")
    head = b"POST /api/articles/1/comments HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head + b"1\r\nx\r\n" * 50_000)
    assert await answered(reader) == 429
    writer.close()


async def test_an_overload_is_refused_before_anything_is_recorded(tmp_path: Path) -> None:
    async with lab(tmp_path, workers=1, server='max_queueing = "1us"') as made:  # every queue stands
        statuses: Counter[int] = Counter()
        told: list[bytes] = []

        async def client(number: int, ends: float) -> None:
            reader, writer = await connect(made, f"127.0.0.{number + 10}")
            while asyncio.get_running_loop().time() < ends and not told:
                writer.write(comment(f"{number} {sum(statuses.values())}"))
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                body = await reader.readexactly(int(length.partition(b":")[2]))
                statuses[int(head[9:12])] += 1
                if head[9:12] == b"503":
                    told.append(head + body)
                    # It is not read for a second, and what it sends meanwhile is no loss.
                    writer.write(comment(f"{number} later"))
                    statuses[await asyncio.wait_for(answered(reader), 30)] += 1
            writer.close()

        ends = asyncio.get_running_loop().time() + 30
        await asyncio.gather(*(client(number, ends) for number in range(150)))
        assert told, statuses
        assert b"\r\nRetry-After: 1\r\n" in told[0]
        assert b'"reason":"server.overloaded"' in told[0]
        await made.node.stop()
        journal = made.node.folders.root / "journal"
        records = [entry.record for entry in merged(journal, lambda flaw: None) if entry.record["kind"] == "judged"]
        assert len(records) == sum(statuses.values()) - statuses[503]
