"""What clients of a plain proxy rely on, over real sockets: targets, hosts, upgrades, uploads, pipelines, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.websocket.frames import close_payload, frame, masked_frame
from gateway.websocket.handshake import accept
from gateway.websocket.opcodes import CLOSE, TEXT
from rig.ports import free_port
from tests.e2e.lab import Lab, lab, write_config
from tests.e2e.node import Node, request
from tests.e2e.upstream import Received, created
from tests.e2e.wire import wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMMENTS = "/api/articles/1/comments"
FIELDS = {"Content-Type": "application/json", "X-User-Id": "alice"}
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
MORE = """
[[routes]]
name = "polled"
match = "GET /socket.io/"
transport = "websocket"
upstream = "platform"
[[routes]]
name = "strict"
match = "GET /strict"
transport = "websocket"
upstream = "platform"
websocket = { plain = "refuse" }
[[routes]]
name = "chat"
match = "GET /chat/{room}"
transport = "websocket"
surface = "group"
upstream = "platform"
policy = "comment"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("proxying"), more=MORE, server='max_relayed_body = "1MiB"') as made:
        await made.invite(40)
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def fresh(gate: Lab) -> AsyncIterator[None]:
    gate.upstream.behave = created
    gate.upstream.received.clear()
    yield
    await gate.sound()


def answering(data: bytes) -> object:
    async def behave(received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return behave


async def switching(received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A socket that says hello where a handshake came, a poll's answer otherwise."""
    key = received.headers.get("sec-websocket-key")
    if key is None:
        await created(received, reader, writer)
        return
    lines = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept(key.encode()).decode()}"
    writer.write(f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n\r\n".encode() + frame(TEXT, b"hello"))
    await writer.drain()
    if received.line.split()[1].endswith("drop"):
        await reader.readexactly(1)
        writer.transport.abort()
    else:
        await reader.read()


@pytest.mark.parametrize(
    "target", ["/%7Euser/a%2fb/%41", "/a/../b", "/a//b/./c", "/a;x=1/b?c=%7e&d", "/a?", "/%e4%bd%a0", "/\u4f60"]
)
async def test_what_is_relayed_goes_to_the_very_target(gate: Lab, target: str) -> None:
    async with wire(gate.node) as client:
        await client.send(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert (await client.answer()).status == 201
    (received,) = gate.upstream.received
    assert received.line.encode("latin-1") == f"GET {target} HTTP/1.1".encode()


@pytest.mark.parametrize(
    "target", ["/api//articles/1/comments", "/x/../api/articles/1/comments", "/%61pi/articles/1/comments"]
)
async def test_a_lookalike_of_a_judged_address_does_not(gate: Lab, target: str) -> None:
    assert (await gate.node.say("alice", "hello", target)).status in (400, 403)
    assert not gate.upstream.received


@pytest.mark.parametrize("head", ["GET /up HTTP/1.0\r\n", f"POST {COMMENTS} HTTP/1.0\r\n"])
async def test_a_request_of_http_1_0_without_a_host(gate: Lab, head: str) -> None:
    body = '{"content": "hello"}'
    more = (
        f"Content-Type: application/json\r\nX-User-Id: {next(gate.people)}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    async with wire(gate.node) as client:
        await client.send((head + (more if "POST" in head else "\r\n")).encode())
        assert (await client.answer()).status == 201
    (received,) = gate.upstream.received
    assert received.headers["host"] == f"127.0.0.1:{gate.upstream.port}"
    assert "x-forwarded-host" not in received.headers


@pytest.mark.parametrize("offer", ["h2c", "TLS/1.2", "websocket"])
async def test_an_offer_to_upgrade_is_ignored_and_the_comment_judged(gate: Lab, offer: str) -> None:
    fields = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": offer, "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    answer = await gate.node.say(next(gate.people), "hello", COMMENTS, **fields)
    assert answer.status == 201, answer
    (received,) = gate.upstream.received
    assert not {"upgrade", "http2-settings"} & received.headers.keys()
    assert (await gate.node.say("alice", "代开发票", COMMENTS, **fields)).json()["reason"] == "keyword.match"


@pytest.mark.parametrize("path", ["/socket.io/?EIO=4", "/chat/1?EIO=4"])
async def test_polling_and_upgrade_share_a_path(gate: Lab, path: str) -> None:
    gate.upstream.behave = switching
    poll = await gate.node.ask("GET", f"{path}&transport=polling", None, {"X-User-Id": "alice"})
    assert (poll.status, poll.body) == (201, b'{"id":1}')
    reader, writer = await gate.node.connect()
    writer.write(request("GET", f"{path}&transport=websocket", None, UPGRADE))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert await reader.readexactly(7) == frame(TEXT, b"hello")
    writer.close()


async def test_a_poll_takes_no_other_method_along(gate: Lab) -> None:
    answer = await gate.node.ask("GET", "/chat/1", None, {"X-HTTP-Method-Override": "POST"})
    assert (answer.status, answer.json()["reason"]) == (400, "head.method_override")
    assert not gate.upstream.received


async def test_a_plain_request_is_refused_where_it_is_so_configured(gate: Lab) -> None:
    answer = await gate.node.ask("GET", "/strict")
    assert (answer.status, answer.headers["upgrade"], answer.headers["connection"]) == (426, "websocket", "Upgrade")
    assert not gate.upstream.received


async def test_a_426_of_the_platform_says_which_protocols_it_means(gate: Lab) -> None:
    gate.upstream.behave = answering(  # type: ignore[assignment]
        b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n"
    )
    answer = await gate.node.ask("GET", "/socket.io/")
    assert (answer.status, answer.headers["upgrade"]) == (426, "websocket")


async def test_a_relayed_socket_whose_platform_is_gone_is_closed_when_the_client_has_answered(gate: Lab) -> None:
    gate.upstream.behave = switching
    reader, writer = await gate.node.connect()
    writer.write(request("GET", "/socket.io/?drop", None, UPGRADE))
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(7)
    writer.write(masked_frame(TEXT, b"hello"))
    close = frame(CLOSE, close_payload(1014, "socket.upstream_closed"))
    assert await reader.readexactly(len(close)) == close
    waiting = asyncio.create_task(reader.read())
    await asyncio.sleep(0)
    assert not waiting.done()
    writer.write(masked_frame(CLOSE, close_payload(1014)))
    assert await asyncio.wait_for(waiting, 4) == b"", "in less than the five seconds that a silent client has"
    writer.close()


@pytest.mark.parametrize("path", [COMMENTS, "/files"])
async def test_a_refused_upload_is_answered_however_large_it_is(gate: Lab, path: str) -> None:
    """To a client that writes all of it before it reads."""
    size = 20_000_000
    async with wire(gate.node) as client:
        head = f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
        await client.send(head.encode())
        for _ in range(20):
            await client.send(b"x" * (size // 20))
        answer = await client.answer()
    assert (answer.status, answer.json()["reason"]) == (413, "body.too_large")


async def test_lengths_that_agree_are_one_and_others_are_told_in_the_log(gate: Lab) -> None:
    gate.upstream.behave = answering(  # type: ignore[assignment]
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"
    )
    answer = await gate.node.ask("GET", "/twice")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "2", b"ok")
    gate.upstream.behave = answering(  # type: ignore[assignment]
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"
    )
    assert (await gate.node.ask("GET", "/twice")).status == 502
    async with asyncio.timeout(30):
        while "upstream.failed" not in gate.node.told(everything=True):
            await asyncio.sleep(0.05)
    lines = [json.loads(line) for line in gate.node.told(everything=True).splitlines() if "upstream.failed" in line]
    assert (lines[-1]["reason"], lines[-1]["detail"]) == ("upstream.garbage", "head.repeated_content_length")


async def test_pipelined_requests_and_the_end_of_the_stream(gate: Lab) -> None:
    async with wire(gate.node) as client:
        await client.send(b"\r\n\r\n" + request("GET", "/1") + request("GET", "/2") + request("GET", "/3"))
        client.writer.write_eof()
        assert (await client.rest()).count(b"HTTP/1.1 201 Created") == 3
    assert [received.line.split()[1] for received in gate.upstream.received] == ["/1", "/2", "/3"]


async def test_clients_that_leave_an_endless_answer_take_no_connection_along(tmp_path: Path) -> None:
    """As many as there are connections, and one more."""

    async def stream(received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if received.line.startswith("GET"):
            await created(received, reader, writer)
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await writer.drain()
        with contextlib.suppress(ConnectionError):
            await reader.read()

    async with lab(tmp_path) as made:
        text = made.config.read_text(encoding="utf-8")
        narrow = '[upstreams.platform]\nmax_connections = 4\nwait_timeout = "20s"\n'
        text = text.replace("[upstreams.platform]\n", narrow)
        made.config.write_text(text, encoding="utf-8")
        assert (await made.node.manage("POST", "/v1/reload", {"reason": "test"})).json()["result"]["ok"]
        made.upstream.behave = stream
        for _ in range(5):
            async with wire(made.node) as client:
                await client.send(request("POST", COMMENTS, b'{"content": "hello"}', FIELDS))
                head = await client.reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                message_id = head.lower().partition(b"tidegate-message-id: ")[2].split(b"\r\n")[0].decode()
            outcome = await made.outcome(message_id)
            assert (outcome["state"], outcome["status"]) == ("delivered", 200)
        assert (await made.node.ask("GET", "/anything")).status == 201
        await made.sound()


def certified(folder: Path, name: str) -> Path:
    """A self-signed certificate for a name, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / f"{name}.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path


async def test_an_upstream_behind_tls_with_a_name_of_its_own(tmp_path: Path) -> None:
    """The name is asked for and expected; a certificate and a CA that a reload brings are those in force."""
    first, second = certified(tmp_path, "up.example"), certified(tmp_path, "other.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(first)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await created(Received("", {}, b""), reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    ports = free_port(), free_port()
    config = write_config(tmp_path, ports, port)
    (tmp_path / "ca.pem").write_bytes(first.read_bytes())
    plain = config.read_text(encoding="utf-8")

    def configured(name: str) -> str:
        tls = f'tls = {{ ca = "ca.pem", server_name = "{name}" }}'
        return plain.replace(f'servers = ["http://127.0.0.1:{port}"]', f'servers = ["https://127.0.0.1:{port}"]\n{tls}')

    config.write_text(configured("up.example"), encoding="utf-8")
    node = Node(tmp_path / "data", "run", "--config", str(config), port=ports[0], control_port=ports[1])
    await node.start()

    async def reloaded() -> int:
        assert (await node.manage("POST", "/v1/reload", {"reason": "test"})).json()["result"]["ok"]
        return (await node.ask("GET", "/")).status

    try:
        assert (await node.ask("GET", "/")).status == 201
        config.write_text(configured("other.example"), encoding="utf-8")
        assert await reloaded() == 502
        (tmp_path / "ca.pem").write_bytes(second.read_bytes())
        assert await reloaded() == 502, "the server still shows the first one"
        context.load_cert_chain(second)
        assert await reloaded() == 201
        (tmp_path / "ca.pem").write_bytes(first.read_bytes())
        assert await reloaded() == 502, "nothing goes over what was opened under the old CA"
        assert '"detail":"certificate"' in node.told(everything=True)
    finally:
        await node.stop()
        server.close()
