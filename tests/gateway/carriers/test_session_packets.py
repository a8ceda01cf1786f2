"""Several messages in one frame of a judged socket: each has its own verdict, the frame goes up with what is left."""

from __future__ import annotations

import struct

import orjson
import pytest

from gateway.websocket.frames import masked_frame
from gateway.websocket.opcodes import BINARY

HEADER = struct.Struct(">IHHII")


def packet(body, operation=4):
    return HEADER.pack(HEADER.size + len(body), HEADER.size, 0, operation, 1) + body


async def test_of_a_batch_only_the_refused_packets_are_removed(bench):
    client = bench.open(bench.route(format="bilibili"))
    packets = [packet(orjson.dumps({"type": "message", "content": text})) for text in ("a", "spam", "you idiot")]
    heartbeat = packet(b"", 2)
    client.send(masked_frame(BINARY, packets[0] + packets[1] + heartbeat + packets[2]))
    assert len(bench.state.waiting) == 3
    bench.judge(2)
    assert client.reached() == b""
    bench.judge()
    (sent,) = client._up.feed(client.reached())
    masked = packet(orjson.dumps({"type": "message", "content": "you *****"}))
    assert (sent.opcode, sent.payload) == (BINARY, packets[0] + heartbeat + masked)
    assert bench.outcomes() == {"id-1": "delivered", "id-3": "delivered"}
    notices = client.got()
    told = [orjson.loads(payload[HEADER.size :]) for opcode, payload in notices if opcode == BINARY]
    assert [(one["verdict"], one["message_id"]) for one in told] == [("reject", "id-2"), ("mask", "id-3")]
    assert all(HEADER.unpack_from(payload)[3] == 5 for _, payload in notices)


async def test_a_batch_that_is_refused_whole_is_dropped(bench):
    client = bench.open(bench.route(format="bilibili"))
    client.send(masked_frame(BINARY, packet(b'{"type":"message","content":"spam"}') * 2))
    bench.judge()
    assert client.reached() == b""


@pytest.mark.parametrize("recorded", [True, False])
async def test_what_stands_beside_the_one_dropped_message_goes_up(bench, recorded):
    client = bench.open(bench.route(format="bilibili"))
    heartbeat = packet(b"", 2)
    text = "spam" if recorded else "fine"
    client.send(masked_frame(BINARY, heartbeat + packet(orjson.dumps({"type": "message", "content": text}))))
    bench.journal.broken = not recorded
    bench.judge()
    (sent,) = client._up.feed(client.reached())
    assert (sent.opcode, sent.payload) == (BINARY, heartbeat)
    assert bench.outcomes() == {}


async def test_too_many_packets_close_the_socket(bench, close_of):
    client = bench.open(bench.route(format="bilibili", max_packets=3))
    client.send(masked_frame(BINARY, packet(b"", 2) * 4))
    notice, close = client.got()
    assert orjson.loads(notice[1][HEADER.size :])["reason"] == "frame.too_many"
    assert close == close_of(1008, "socket.too_many_packets")
