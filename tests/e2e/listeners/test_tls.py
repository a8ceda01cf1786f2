"""TLS and PROXY headers on the public side of a whole node: names, renewal, and those who abuse what comes first."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
import websockets

from gateway.http.accepting.certificates import PairFiles
from gateway.http.accepting.proxy_protocol import SIGNATURE
from rig.ports import free_port
from tests.certificates import make, trusting
from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer, read_answer, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = "sandpiper"
CLIENT = "192.0.2.7"
SERVER = """
listen = ["127.0.0.1:{{port}}", "127.0.0.1:{named}"]
tls = {{{{ listen = ["127.0.0.1:{secure}", "127.0.0.1:{both}"], certificates = [
  {{{{ certificate = "first.pem", key = "first.key" }}}}, {{{{ certificate = "second.pem", key = "second.key" }}}},
] }}}}
proxy_protocol = {{{{ "127.0.0.1:{named}" = ["127.0.0.2"], "127.0.0.1:{both}" = ["127.0.0.2/32"] }}}}
"""
MORE = """
[[routes]]
name = "raw"
match = "GET /raw"
transport = "websocket"
upstream = "echo"
[upstreams.echo]
servers = ["http://127.0.0.1:{echo}"]
"""


class Gate(NamedTuple):
    """``named``: with a PROXY header from 127.0.0.2; ``secure``: with TLS; ``both``: with the one, then the other."""

    lab: Lab
    folder: Path
    named: int
    secure: int
    both: int
    first: PairFiles
    second: PairFiles


async def echo(connection: Any) -> None:
    async for message in connection:
        await connection.send(message)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gate]:
    folder = tmp_path_factory.mktemp("tls")
    first, second = make(folder, "localhost", stem="first"), make(folder, "*.second.example", stem="second")
    named, secure, both = (free_port() for _ in range(3))
    async with websockets.serve(echo, "127.0.0.1", 0) as platform:
        port = platform.sockets[0].getsockname()[1]
        settings = {
            "listen": SERVER.format(named=named, secure=secure, both=both),
            "server": 'unmatched_upstream = "platform"\nhead_timeout = "1s"\nmax_connections_per_address = 200\n',
            "more": MORE.format(echo=port),
        }
        async with lab(folder, **settings) as made:  # type: ignore[arg-type]
            yield Gate(made, folder, named, secure, both, first, second)
            await made.sound(PRIVATE, "alice", CLIENT)


def comment(text: str, **fields: str) -> bytes:
    more = {"Content-Type": "application/json", "X-User-Id": "alice", **fields}
    return request("POST", "/api/articles/1/comments", json.dumps({"content": text}).encode(), more)


@contextlib.asynccontextmanager
async def connected(
    port: int,
    *,
    ahead: bytes = b"",
    tls: ssl.SSLContext | None = None,
    name: str = "localhost",
    source: str = "127.0.0.1",
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which ``ahead`` is written in clear before all else."""
    loop = asyncio.get_running_loop()
    raw = socket.socket()
    raw.setblocking(False)
    raw.bind((source, 0))
    await loop.sock_connect(raw, ("127.0.0.1", port))
    if ahead:
        await loop.sock_sendall(raw, ahead)
    reader, writer = await asyncio.open_connection(sock=raw, ssl=tls, server_hostname=name if tls is not None else None)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def told(port: int, data: bytes, **how: Any) -> Answer:
    async with connected(port, **how) as (reader, writer):
        writer.write(data)
        return await asyncio.wait_for(read_answer(reader), 30)


async def silence(port: int, data: bytes, source: str = "127.0.0.2") -> None:
    """It is closed without a word, in time."""
    async with connected(port, ahead=data, source=source) as (reader, _):
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 30) == b""


def second(family: int, tail: bytes, command: int = 0x21) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(tail)) + tail


LINE = f"PROXY TCP4 {CLIENT} 198.51.100.1 50000 443\r\n".encode()
BINARY = second(0x11, ip_address(CLIENT).packed + bytes([198, 51, 100, 1]) + struct.pack("!HH", 50000, 443))


# TLS


async def test_a_comment_is_judged_behind_tls(gate: Gate) -> None:
    tls = trusting(gate.first)
    passed = await told(gate.secure, comment(PRIVATE), tls=tls)
    assert passed.status == 201
    seen = gate.lab.upstream.received[-1].headers
    assert (seen["x-forwarded-proto"], seen["x-forwarded-for"]) == ("https", "127.0.0.1")
    refused = await told(gate.secure, comment("代开发票"), tls=tls)
    assert (refused.status, refused.json()["reason"]) == (403, "keyword.match")
    plain = await gate.lab.node.say("alice", PRIVATE)
    assert plain.status == 201
    assert gate.lab.upstream.received[-1].headers["x-forwarded-proto"] == "http"


async def test_each_name_has_its_certificate(gate: Gate) -> None:
    answer = await told(gate.secure, comment(PRIVATE), tls=trusting(gate.second), name="www.second.example")
    assert answer.status == 201
    with pytest.raises(ssl.SSLCertVerificationError):
        await told(gate.secure, comment(PRIVATE), tls=trusting(gate.second), name="localhost")


async def test_a_secure_websocket(gate: Gate) -> None:
    tls = trusting(gate.first)
    async with websockets.connect(f"wss://localhost:{gate.secure}/raw", host="127.0.0.1", ssl=tls) as alice:
        for text in ("one", "x" * 100_000, "three"):
            await alice.send(text)
            assert await alice.recv() == text
    assert alice.close_code == 1000


async def test_http_on_the_port_of_tls_and_the_other_way_round(gate: Gate) -> None:
    await silence(gate.secure, comment(PRIVATE), source="127.0.0.1")
    with pytest.raises(ssl.SSLError):
        await told(gate.lab.node.port, comment(PRIVATE), tls=trusting(gate.first))


async def test_a_large_refused_upload_gets_its_answer(gate: Gate) -> None:
    """What it goes on sending is read and thrown away meanwhile: a reset would destroy the answer."""
    fields = {"Content-Type": "application/json", "X-User-Id": "alice"}
    answer = await told(
        gate.secure, request("POST", "/api/articles/1/comments", b"x" * 3_000_000, fields), tls=trusting(gate.first)
    )
    assert (answer.status, answer.json()["reason"]) == (413, "body.too_large")


async def test_handshakes_that_stop_hold_nobody_up(gate: Gate) -> None:
    """They count as connections of their address, and end with ``head_timeout``."""
    loop = asyncio.get_running_loop()
    stopped: list[socket.socket] = []
    try:
        for number in range(1000):
            one = socket.socket()
            one.setblocking(False)
            one.bind((f"127.0.0.{3 + number % 4}", 0))
            await loop.sock_connect(one, ("127.0.0.1", gate.secure))
            with contextlib.suppress(ConnectionError):
                await loop.sock_sendall(one, b"\x16\x03\x01\x02\x00"[: number % 6])
            stopped.append(one)
        assert (await told(gate.secure, comment(PRIVATE), tls=trusting(gate.first))).status == 201
        busy = await gate.lab.node.metric("tidegate_refused_requests_total", reason="server.busy")
        assert busy >= 1000 - 4 * 200
        async with asyncio.timeout(30):
            for one in stopped:
                with contextlib.suppress(ConnectionError):
                    while await loop.sock_recv(one, 4096):
                        pass
    finally:
        for one in stopped:
            one.close()


async def test_a_certificate_is_renewed_while_sockets_stand_and_requests_come(gate: Gate) -> None:
    before = trusting(gate.first)
    both = trusting(gate.first)
    done = asyncio.Event()
    answered: list[int] = []

    async def ask() -> None:
        while not done.is_set():
            answered.append((await told(gate.secure, comment(PRIVATE), tls=both)).status)

    async with websockets.connect(f"wss://localhost:{gate.secure}/raw", host="127.0.0.1", ssl=before) as alice:
        spare = gate.folder / "spare"
        spare.mkdir()
        renewed = make(spare, "localhost", stem="first")
        both.load_verify_locations(renewed.certificate)
        asking = [asyncio.create_task(ask()) for _ in range(3)]
        # The key first, as renewing tools do: between the two files there is no pair.
        renewed.key.replace(gate.first.key)
        async with asyncio.timeout(30):
            while "tls.kept" not in gate.lab.node.told(everything=True):
                await asyncio.sleep(0.1)
        renewed.certificate.replace(gate.first.certificate)
        after = trusting(gate.first)
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(ssl.SSLCertVerificationError):
                    assert (await told(gate.secure, comment(PRIVATE), tls=after)).status == 201
                    break
                await asyncio.sleep(0.1)
        done.set()
        await asyncio.gather(*asking)
        assert set(answered) == {201}
        await alice.send("still here")
        assert await alice.recv() == "still here"


# PROXY headers


@pytest.mark.parametrize("header", [LINE, BINARY], ids=["version 1", "version 2"])
async def test_the_client_that_a_balancer_names(gate: Gate, header: bytes) -> None:
    for port, tls in ((gate.named, None), (gate.both, trusting(gate.first))):
        answer = await told(port, comment(PRIVATE), ahead=header, tls=tls, source="127.0.0.2")
        # Its word on who sends is not taken: the client is no trusted one.
        assert (answer.status, answer.json()["reason"]) == (403, "sender.untrusted")
        relayed = await told(port, request("GET", "/page"), ahead=header, tls=tls, source="127.0.0.2")
        assert relayed.status == 201
        seen = gate.lab.upstream.received[-1].headers
        assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == (CLIENT, "https" if tls else "http")


async def test_a_balancer_that_speaks_for_itself(gate: Gate) -> None:
    for header in (b"PROXY UNKNOWN\r\n", second(0x00, b"", command=0x20)):
        assert (await told(gate.named, comment(PRIVATE), ahead=header, source="127.0.0.2")).status == 201
        assert gate.lab.upstream.received[-1].headers["x-forwarded-for"] == "127.0.0.2"


async def test_a_header_in_pieces(gate: Gate) -> None:
    async with connected(gate.named, source="127.0.0.2") as (reader, writer):
        for byte in LINE + request("GET", "/page"):
            writer.write(bytes((byte,)))
            await writer.drain()
        assert (await asyncio.wait_for(read_answer(reader), 30)).status == 201
    assert gate.lab.upstream.received[-1].headers["x-forwarded-for"] == CLIENT


@pytest.mark.parametrize(
    "data",
    [
        comment(PRIVATE),  # none at all
        LINE[:-1] + b" \n",
        b"PROXY TCP4 " + b"1" * 200,
        BINARY[:13] + b"\x99" + BINARY[14:-4] + b"\0",  # shorter than it says
        second(0x11, bytes(5000)),
        b"\x16\x03\x01\x02\x00\x01",
    ],
)
async def test_what_is_no_header_is_closed(gate: Gate, data: bytes) -> None:
    for port in (gate.named, gate.both):
        await silence(port, data)


async def test_one_cut_short_is_waited_for_no_longer_than_a_head(gate: Gate) -> None:
    began = time.monotonic()
    await asyncio.gather(*(silence(port, part) for port in (gate.named, gate.both) for part in (LINE[:9], BINARY[:20])))
    assert time.monotonic() - began < 20


async def test_two_headers_are_one_and_no_request(gate: Gate) -> None:
    answer = await told(gate.named, LINE + request("GET", "/page"), ahead=LINE, source="127.0.0.2")
    assert answer.status == 400


async def test_nobody_else_may_name_a_client(gate: Gate) -> None:
    before = len(gate.lab.upstream.received)
    for port in (gate.named, gate.both):
        await silence(port, LINE + comment(PRIVATE), source="127.0.0.1")
    answer = await told(gate.lab.node.port, LINE + comment(PRIVATE))
    assert answer.status == 400
    assert len(gate.lab.upstream.received) == before
    assert await gate.lab.node.metric("tidegate_refused_requests_total", reason="proxy.stranger") == 2
