"""Sockets through a whole node, asked and answered by an independent library."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.e2e.node import read_answer, request
from tests.e2e.socketlab import SocketLab, message, socket_lab, told

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SocketLab]:
    async with socket_lab(tmp_path_factory.mktemp("sockets")) as made:
        yield made


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "X-User-Id": "alice",
}


@pytest.mark.parametrize("named", ["X-User-Id", "Authorization", "cookie", "Sec-WebSocket-Protocol", "Origin", "host"])
async def test_a_handshake_that_would_lose_a_field_on_the_way_is_refused(gate: SocketLab, named: str) -> None:
    """Judged as the one person, it would be another's at the platform, where a cookie says who."""
    before = len(gate.platform.handshakes)
    fields = {**UPGRADE, "Connection": f"Upgrade, {named}", "Cookie": "session=bob"}
    answer = await gate.node.ask("GET", "/chat/g", None, fields)
    assert (answer.status, answer.json()["reason"]) == (400, "head.connection_option")
    assert len(gate.platform.handshakes) == before


# verdicts


async def test_notices_are_in_the_language_of_the_handshake(gate: SocketLab) -> None:
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
    for more, title in ((chinese, "文字内容不符合规定"), ({}, "The text breaks the rules")):
        async with gate.connect("/chat/languages", headers=more) as alice:
            await alice.send(message("代开发票"))
            assert (await told(alice))["title"] == title


async def test_what_passes_reaches_everybody_and_what_does_not_only_its_sender(gate: SocketLab) -> None:
    async with gate.connect("/chat/a") as alice, gate.connect("/chat/a", "bob") as bob:
        for text in ("hello", "you idiot", "代开发票", "last"):
            await alice.send(message(text))
        notices, seen = [], []
        for _ in range(5):
            one = await told(alice)
            (notices if one["type"] == "tidegate.verdict" else seen).append(one)
        assert [one["content"] for one in seen] == ["hello", "you *****", "last"]
        mask, reject = notices
        assert (mask["verdict"], mask["reason"], mask["category"]) == ("mask", "keyword.match", "abuse")
        assert (reject["verdict"], reject["reason"], reject["ground"]) == ("reject", "keyword.match", "agreement 3.1")
        assert reject["message_id"] in reject["appeal"]
        assert [(await told(bob))["content"] for _ in range(3)] == ["hello", "you *****", "last"]
    records = list(gate.node.records())
    judged = {one["id"]: one for one in records if one["kind"] == "judged"}
    assert judged[reject["message_id"]]["verdict"] == "reject"
    delivered = [one for one in records if one["kind"] == "outcome" and one["state"] == "delivered"]
    assert len(delivered) == 3
    assert {one["status"] for one in delivered} == {101}


async def test_an_unverified_person_watches_and_may_not_write(gate: SocketLab) -> None:
    async with gate.connect("/chat/b", "carol") as carol, gate.connect("/chat/b") as alice:
        await alice.send(message("for everybody"))
        assert (await told(carol))["content"] == "for everybody"
        await carol.send(message("me too"))
        assert (await told(carol))["reason"] == "identity.unverified"
        await carol.send('{"type":"ping"}')
        assert await told(carol) == {"type": "ping"}


async def test_a_limit_says_when_to_come_back(gate: SocketLab) -> None:
    async with gate.connect("/strict/c", "u9") as client:
        for number in range(3):
            await client.send(message(f"number {number}"))
        answers = [await told(client) for _ in range(3)]
        (limited,) = [one for one in answers if one["type"] == "tidegate.verdict"]
        assert limited["reason"] == "limit.sender"
        assert 1 <= limited["retry_after"] <= 60


async def test_what_is_no_json_is_told_and_the_socket_lives(gate: SocketLab) -> None:
    async with gate.connect("/chat/d") as client:
        await client.send("{")
        assert (await told(client))["reason"] == "body.not_json"
        await client.send(b"\x00\x01")
        assert (await told(client))["reason"] == "frame.type"
        await client.send(message("still here"))
        assert (await told(client))["content"] == "still here"


async def test_pings_go_end_to_end_and_do_not_wait(gate: SocketLab) -> None:
    async with gate.connect("/chat/e") as client:
        pong = await client.ping(b"are you there?")
        assert 0 < await asyncio.wait_for(pong, 30) < 30


@pytest.mark.parametrize("path", ["/chat/f", "/raw"])
async def test_close_codes_go_both_ways(gate: SocketLab, path: str) -> None:
    client = await gate.connect(path)
    await client.close(4001, "my reason")
    assert (client.close_code, client.close_reason) == (4001, "my reason")
    async with asyncio.timeout(30):
        while (path, 4001, "my reason") not in gate.platform.closed:
            await asyncio.sleep(0.01)
    other = await gate.connect(path)
    await other.send(message("hello"))
    await other.recv()
    (served,) = gate.platform.rooms[path]
    await served.close(4002, "the platform's reason")
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(other.recv(), 30)
    assert (other.close_code, other.close_reason) == (4002, "the platform's reason")


# handshakes


async def test_the_handshake_is_relayed_without_extensions_where_frames_are_read(gate: SocketLab) -> None:
    headers = {"Cookie": "session=1", "Authorization": "Bearer x", "X-Http-Method-Override": "POST"}
    async with gate.connect(
        "/chat/g?token=a%20b", headers=headers, subprotocols=["chat.v1", "chat.v2"], compression="deflate"
    ) as client:
        assert client.subprotocol == "chat.v2"
        assert client.protocol.extensions == []
        seen = gate.platform.handshakes[-1]
        assert seen.path == "/chat/g?token=a%20b"
        assert (seen.headers["Cookie"], seen.headers["Authorization"]) == ("session=1", "Bearer x")
        assert seen.headers["Sec-WebSocket-Protocol"] == "chat.v1, chat.v2"
        assert "X-Http-Method-Override" not in seen.headers
        assert "Sec-WebSocket-Extensions" not in seen.headers
        await client.send(message("plain frames"))
        assert (await told(client))["content"] == "plain frames"


async def test_extensions_are_the_ends_own_matter_where_nobody_reads(gate: SocketLab) -> None:
    async with gate.connect("/raw", compression="deflate") as client:
        assert [extension.name for extension in client.protocol.extensions] == ["permessage-deflate"]
        await client.send("x" * 10_000)
        assert await client.recv() == "x" * 10_000


async def test_the_upstreams_refusal_is_the_answer(gate: SocketLab) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await gate.connect("/chat/refuse")
    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["WWW-Authenticate"] == "Bearer"
    assert b"log in first" in refused.value.response.body


async def test_pages_of_other_origins_open_no_socket(gate: SocketLab) -> None:
    before = len(gate.platform.handshakes)
    with pytest.raises(InvalidStatus) as refused:
        await gate.connect("/chat/h", origin="https://evil.example")
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body)["reason"] == "handshake.origin"
    assert len(gate.platform.handshakes) == before
    async with gate.connect("/chat/h", origin=f"http://127.0.0.1:{gate.node.port}"):
        pass


@pytest.mark.parametrize(
    ("changed", "body", "status", "reason"),
    [
        ({"Upgrade": None}, None, 426, "handshake.not_websocket"),
        ({"Sec-WebSocket-Version": "8"}, None, 426, "handshake.version"),
        ({"Sec-WebSocket-Key": "short"}, None, 400, "handshake.key"),
        ({}, b"\x81\x80abcd", 400, "handshake.body"),
    ],
)
async def test_a_handshake_that_is_none(
    gate: SocketLab, changed: dict[str, str | None], body: bytes | None, status: int, reason: str
) -> None:
    fields = {name: value for name, value in (UPGRADE | changed).items() if value is not None}
    before = len(gate.platform.handshakes)
    answer = await gate.node.ask("GET", "/chat/i", body, fields)
    assert (answer.status, answer.json()["reason"]) == (status, reason)
    if status == 426:
        assert answer.headers["sec-websocket-version"] == "13"
    assert len(gate.platform.handshakes) == before


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("POST", "/api/articles/1/comments", 403, "keyword.match"),  # the offer is ignored (RFC 9110 section 7.8)
        ("POST", "/chat/j", 403, "route.unjudged"),  # written to a judged address, and judged by nobody
    ],
)
async def test_an_upgrade_skips_no_check(gate: SocketLab, method: str, path: str, status: int, reason: str) -> None:
    before = len(gate.platform.handshakes)
    body = json.dumps({"content": "代开发票"}).encode() if method == "POST" else None
    answer = await gate.node.ask(method, path, body, UPGRADE | {"Content-Type": "application/json"})
    assert (answer.status, answer.json()["reason"]) == (status, reason)
    assert len(gate.platform.handshakes) == before


async def test_an_upgrade_where_no_socket_is_opens_none(gate: SocketLab) -> None:
    """The platform gets a plain request, whatever it would have answered to a handshake."""
    answer = await gate.node.ask("GET", "/nowhere", None, dict(UPGRADE))
    assert answer.status == 426
    asked = gate.platform.handshakes[-1]
    assert asked.path == "/nowhere"
    assert "Upgrade" not in asked.headers


async def test_frames_right_behind_the_handshake_are_judged(gate: SocketLab) -> None:
    """A client that does not wait for the 101 gains nothing."""
    from gateway.websocket.frames import masked_frame
    from gateway.websocket.opcodes import TEXT

    reader, writer = await gate.node.connect()
    frames = masked_frame(TEXT, message("代开发票").encode()) + masked_frame(TEXT, message("early").encode())
    writer.write(request("GET", "/chat/k", None, UPGRADE) + frames)
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).startswith(b"HTTP/1.1 101 ")
    data = b""
    while b"early" not in data or b"tidegate.verdict" not in data:
        data += await asyncio.wait_for(reader.read(4096), 30)
    assert b"keyword.match" in data
    assert "代开发票".encode() not in data
    writer.close()


# switches, blocks, reloads


async def test_a_switch_reaches_live_sockets(gate: SocketLab) -> None:
    async with gate.connect("/chat/frozen") as here, gate.connect("/chat/free") as there:
        await here.send(message("before"))
        await told(here)
        wanted = {"scope": "room", "value": "frozen", "reason": "emergency", "ground": "emergency response"}
        made = await gate.node.manage("POST", "/v1/switches", wanted)
        assert made.status in (200, 201), made
        notice = await told(here, 30)
        assert (notice["verdict"], notice["reason"]) == ("mute", "switch.frozen")
        await here.send(message("now?"))
        assert (await told(here))["reason"] == "switch.frozen"
        await there.send(message("elsewhere"))
        assert (await told(there))["content"] == "elsewhere"
        number = made.json()["result"]["id"]
        gone = await gate.node.manage("DELETE", f"/v1/switches/{number}?reason=over")
        assert gone.status == 200, gone
        assert (await told(here))["verdict"] == "unmute"
        await here.send(message("again"))
        assert (await told(here))["content"] == "again"


async def block(gate: SocketLab, sender: str) -> None:
    wanted = {"scope": "sender", "value": sender, "reason": "spam", "ground": "agreement 6.1"}
    answer = await gate.node.manage("POST", "/v1/blocks", wanted)
    assert answer.status in (200, 201), answer


async def test_a_block_mutes_a_live_socket(gate: SocketLab) -> None:
    async with gate.connect("/chat/l", "u1") as blocked, gate.connect("/chat/l") as alice:
        await block(gate, "u1")
        notice = await told(blocked, 30)
        assert (notice["verdict"], notice["reason"], notice["ground"]) == ("mute", "block.sender", "agreement 6.1")
        await blocked.send(message("but"))
        assert (await told(blocked))["verdict"] == "reject"
        await alice.send(message("watching goes on"))
        assert (await told(blocked))["content"] == "watching goes on"


async def test_a_block_closes_the_socket_where_the_route_says_so(gate: SocketLab) -> None:
    client = await gate.connect("/strict/m", "u2")
    await block(gate, "u2")
    notice = await told(client)
    assert (notice["verdict"], notice["reason"]) == ("close", "block.sender")
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(client.recv(), 30)
    assert (client.close_code, client.close_reason) == (1008, "socket.blocked")


async def test_a_reload_closes_nothing_and_its_words_count_at_once(gate: SocketLab) -> None:
    async with gate.connect("/chat/n") as client, gate.connect("/raw") as raw:
        await client.send(message("harmless"))
        assert (await told(client))["content"] == "harmless"
        words = gate.config.parent / "spam.txt"
        before = words.read_text(encoding="utf-8")
        words.write_text(before + "harmless\n", encoding="utf-8")
        assert (await gate.node.manage("POST", "/v1/reload", {"reason": "words"})).status == 200
        await client.send(message("harmless"))
        assert (await told(client))["reason"] == "keyword.match"
        words.write_text(before, encoding="utf-8")
        assert (await gate.node.manage("POST", "/v1/reload", {"reason": "words"})).status == 200
        await client.send(message("harmless"))
        assert (await told(client))["content"] == "harmless"
        await raw.send("alive")
        assert await raw.recv() == "alive"


# faults and floods


async def test_an_upstream_that_breaks_is_told_with_1014(gate: SocketLab) -> None:
    client = await gate.connect("/chat/o")
    await client.send(message("hello"))
    await told(client)
    (served,) = gate.platform.rooms["/chat/o"]
    served.transport.abort()
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(client.recv(), 30)
    assert (client.close_code, client.close_reason) == (1014, "socket.upstream_closed")


async def test_a_client_that_is_cut_off_leaves_the_platform_too(gate: SocketLab) -> None:
    client = await gate.connect("/chat/p")
    await client.send(message("and away"))
    await told(client)
    client.transport.abort()
    async with asyncio.timeout(30):
        while gate.platform.rooms["/chat/p"]:
            await asyncio.sleep(0.01)


@pytest.mark.slow
async def test_a_client_that_never_reads_costs_a_bound_and_is_given_up(tmp_path: os.PathLike[str]) -> None:
    bounds = """
[[routes]]
name = "narrow"
match = "GET /narrow/{room}"
transport = "websocket"
surface = "group"
upstream = "platform"
policy = "open"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
message_when = { "/type" = "message" }
relay_when = { "/type" = ["ping"] }
text = "json:/content"
websocket = { max_buffered = "64KiB", slow_timeout = "1s" }
"""
    async with socket_lab(tmp_path, more=bounds) as lab:  # type: ignore[arg-type]
        (pid,) = (await lab.node.pids("worker-0")).values()
        deaf = await lab.connect("/narrow/r", "alice")
        deaf.transport.pause_reading()
        async with lab.connect("/chat/quick") as quick:
            (served,) = lab.platform.rooms["/narrow/r"]
            before = resident(pid)
            sending = asyncio.ensure_future(flood(served))
            await asyncio.sleep(0.5)
            assert resident(pid) - before < 8 << 20
            await quick.send(message("others go on"))
            assert (await told(quick))["content"] == "others go on"
            async with asyncio.timeout(15):
                while lab.platform.rooms["/narrow/r"]:
                    await asyncio.sleep(0.05)
            await sending
        deaf.transport.abort()
        assert await lab.node.metric("tidegate_socket_ends_total", route="narrow", reason="socket.client_slow") == 1

        # And the other way round: a platform that never reads.
        talker = await lab.connect("/narrow/deaf", "alice")
        await talker.send(message("hello"))
        await told(talker)
        (served,) = lab.platform.rooms["/narrow/deaf"]
        served.transport.pause_reading()
        before = resident(pid)
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(60):
                while True:
                    await talker.send(message("x" * 4000))
        assert resident(pid) - before < 8 << 20
        assert (talker.close_code, talker.close_reason) == (1013, "socket.upstream_slow")
        assert await lab.node.metric("tidegate_socket_ends_total", route="narrow", reason="socket.upstream_slow") == 1
        served.transport.abort()


async def flood(served: websockets.ServerConnection) -> None:
    """Send until the other side ends it."""
    try:
        while True:
            await served.send(b"x" * 65536)
    except ConnectionClosed:
        pass


def resident(pid: int) -> int:
    """Bytes of memory of a process."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_thousand_connections_at_once_and_what_they_cost(gate: SocketLab) -> None:
    (pid,) = (await gate.node.pids("worker-0")).values()
    async with asyncio.TaskGroup() as first:
        warm = [first.create_task(_open(gate, "/chat/many")) for _ in range(20)]
    before = resident(pid)
    async with asyncio.timeout(60):
        clients = [task.result() for task in warm]
        for _ in range(10):
            clients += await asyncio.gather(*(_open(gate, "/chat/many") for _ in range(100)))
        each = (resident(pid) - before) / 1000
        assert await gate.node.metric("tidegate_sockets") >= 1020
        await clients[0].send(message("to all of you"))
        heard = await asyncio.gather(*(told(client, 30) for client in clients))
        assert {one["content"] for one in heard} == {"to all of you"}
        await asyncio.gather(*(client.close() for client in clients))
    print("resident bytes for each socket", each)
    assert each <= 20 * 1024, each
    async with asyncio.timeout(30):
        while await gate.node.metric("tidegate_sockets"):
            await asyncio.sleep(0.1)


async def _open(gate: SocketLab, path: str) -> websockets.ClientConnection:
    return await gate.connect(path, open_timeout=30, ping_interval=None)  # type: ignore[no-any-return]


async def test_a_stop_closes_sockets_with_1012(tmp_path: os.PathLike[str]) -> None:
    logs = '[logs]\naccess = true\naccess_file = "access.log"\n'
    async with socket_lab(tmp_path, more=logs) as lab:  # type: ignore[arg-type]
        judged, raw = await lab.connect("/chat/s"), await lab.connect("/raw")
        await judged.send(message("hello"))
        await told(judged)
        assert lab.node.process is not None
        lab.node.process.send_signal(signal.SIGTERM)
        for client in (judged, raw):
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(client.recv(), 30)
            assert (client.close_code, client.close_reason) == (1012, "socket.stopping")
        assert await asyncio.wait_for(lab.node.process.wait(), 20) == 0
    written = (Path(tmp_path) / "access.log").read_text(encoding="utf-8")
    lines = {one["route"]: one for one in map(json.loads, written.splitlines()) if one["status"] == 101}
    assert {name: (one["frames_up"], one["frames_down"], one["close"]) for name, one in lines.items()} == {
        "chat": (2, 1, 1012),
        "raw": (None, 0, 1012),
    }
    assert lines["chat"]["ms"] > 0
    assert "alice" not in written
    assert "/chat/s" not in written


async def test_an_answer_on_a_kept_connection_follows_a_refused_handshake(gate: SocketLab) -> None:
    reader, writer = await gate.node.connect()
    writer.write(request("GET", "/chat/t", None, {"X-User-Id": "alice"}))
    assert (await read_answer(reader)).status == 426
    writer.write(request("GET", "/chat/refuse", None, UPGRADE))
    assert (await read_answer(reader)).status == 401
    writer.close()
