"""The demo's live room and its group, as two people with a browser each see them; and bullets without their mirror."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import websockets

from rig.ports import free_port
from tests.e2e.node import Answer, Node, read_answer, request
from tests.e2e.socketlab import told

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    port, control, platform = free_port(), free_port(), free_port()
    node = Node(
        tmp_path_factory.mktemp("live") / "data", "demo", "--listen", f"127.0.0.1:{port}", "--control",
        f"127.0.0.1:{control}", "--platform", f"127.0.0.1:{platform}", port=port, control_port=control,
    )  # fmt: skip
    await node.start()
    yield node
    assert await node.stop() == 0


def watch(demo: Node, path: str, user: str) -> Any:
    """A socket as a browser opens it: the user in a cookie, the page's own origin."""
    origin = f"http://127.0.0.1:{demo.port}"
    return websockets.connect(
        f"ws://127.0.0.1:{demo.port}{path}", additional_headers={"Cookie": f"user={user}"}, origin=origin, proxy=None
    )


def bullet(content: str, at: float = 1.5) -> str:
    return json.dumps({"type": "danmaku", "content": content, "time": at}, ensure_ascii=False)


async def post(demo: Node, user: str, content: str) -> Answer:
    return await demo.say(user, content, "/api/videos/7/danmaku")


async def test_a_bullet_flies_for_everybody(demo: Node) -> None:
    async with watch(demo, "/live/7", "alice") as alice, watch(demo, "/live/7", "bob") as bob:
        await alice.send(bullet("你好", 12.25))
        for seen in (await told(alice), await told(bob)):
            assert (seen["type"], seen["content"], seen["user"], seen["time"]) == ("danmaku", "你好", "alice", 12.25)
        assert (await post(demo, "u1", "over HTTP")).status == 201
        assert (await told(bob))["content"] == "over HTTP"
    (record,) = [one for one in demo.records() if one["kind"] == "judged" and one["sender"] == "alice"]
    assert (record["surface"], record["room"], record["playback_ms"]) == ("danmaku", "7", 12250)


async def test_the_demos_login_is_a_cookie_of_the_platform(demo: Node) -> None:
    fields = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await demo.ask("POST", "/login", b"user=a%0D%0Ab", fields)).status == 400
    answer = await demo.ask("POST", "/login", b"user=stranger", fields)
    assert answer.status == 204
    user = answer.headers["set-cookie"].partition(";")[0].removeprefix("user=")
    async with watch(demo, "/groups/g0/ws", user) as client:
        await client.send(json.dumps({"type": "message", "content": "hello"}))
        notice = await told(client)
        assert notice["reason"] == "identity.unknown"  # she has said who she is, and nobody knows her
    async with watch(demo, "/groups/g0/ws", "") as nobody:
        await nobody.send(json.dumps({"type": "message", "content": "hello"}))
        assert (await told(nobody))["reason"] == "sender.missing"


async def test_a_refused_bullet_is_its_senders_affair(demo: Node) -> None:
    async with watch(demo, "/live/8", "u2") as sender, watch(demo, "/live/8", "bob") as other:
        await sender.send(bullet("刷单返利"))
        notice = await told(sender)
        assert (notice["verdict"], notice["reason"], notice["category"]) == ("reject", "keyword.match", "spam")
        await sender.send(bullet("fine"))
        assert (await told(other))["content"] == "fine"


async def test_a_word_in_two_bullets_is_found_on_either_carrier(demo: Node) -> None:
    async with watch(demo, "/live/9", "u3") as client:
        await client.send(bullet("代开"))
        await told(client)
        await client.send(bullet("发票"))
        assert (await told(client))["reason"] == "keyword.match"
    # Over HTTP each request may meet another worker, so one connection carries both.
    reader, writer = await demo.connect()
    for content, status in (("代开", 201), ("发票", 403)):
        fields = {"Content-Type": "application/json", "X-User-Id": "u4"}
        writer.write(request("POST", "/api/videos/9/danmaku", json.dumps({"content": content}).encode(), fields))
        assert (await read_answer(reader)).status == status
    writer.close()


async def test_a_group_speaks(demo: Node) -> None:
    async with watch(demo, "/groups/g1/ws", "u5") as one, watch(demo, "/groups/g1/ws", "u6") as other:
        await one.send(json.dumps({"type": "message", "content": "you idiot"}))
        assert {(await told(one))["type"], (await told(one))["type"]} == {"tidegate.verdict", "message"}
        assert (await told(other))["content"] == "you *****"
        answer = await demo.say("u6", "by request", "/api/groups/g1/messages")
        assert answer.status == 201
        assert (await told(other))["content"] == "by request"


@pytest.mark.slow
async def test_no_bullet_without_a_mirror_that_keeps_up(demo: Node) -> None:
    """Law 6, on both carriers; what else goes on in the room does."""
    (pid,) = (await demo.pids("projector")).values()
    async with watch(demo, "/live/10", "u7") as client, watch(demo, "/groups/g2/ws", "u8") as group:
        os.kill(pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(30):
                while (answer := await post(demo, "u9", f"bullet {os.urandom(4).hex()}")).status != 503:
                    await asyncio.sleep(1.5)
            assert answer.json()["reason"] == "mirror.unavailable"
            assert int(answer.headers["retry-after"]) > 0
            await client.send(bullet("me?"))
            notice = await told(client)
            assert (notice["verdict"], notice["reason"]) == ("reject", "mirror.unavailable")
            await client.send('{"type":"ping"}')
            assert await told(client) == {"type": "pong"}
            await group.send(json.dumps({"type": "message", "content": "groups need none"}))
            assert (await told(group))["content"] == "groups need none"
        finally:
            os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(15):
            while True:
                await client.send(bullet(f"again {os.urandom(4).hex()}"))
                if (await told(client)).get("type") == "danmaku":
                    break
                await asyncio.sleep(0.5)
    refused = [one for one in demo.records() if one["kind"] == "judged" and one["verdict"] == "reject"]
    assert any(finding["reason"] == "mirror.unavailable" for one in refused for finding in one["findings"])
