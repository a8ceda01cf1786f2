"""Search over messages against a running node: found within moments, and by nobody waited for."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from gateway.commands.cli import build
from tests.e2e.lab import Lab, lab

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("search"), workers=2, more="\n[index]\n") as made:
        yield made


async def search(gate: Lab, **asked: Any) -> dict[str, Any]:
    answer = await gate.node.manage("POST", "/v1/messages/search", {"reason": "test", **asked})
    assert answer.status == 200, answer
    told: dict[str, Any] = answer.json()
    return told


async def found(gate: Lab, names: list[str], **asked: Any) -> list[dict[str, Any]]:
    """Once these, and no other, are found."""
    async with asyncio.timeout(30):
        while True:
            told = await search(gate, **asked)
            if [one["id"] for one in told["messages"]] == names:
                messages: list[dict[str, Any]] = told["messages"]
                return messages
            await asyncio.sleep(0.05)


async def test_from_a_message_to_its_takedown(gate: Lab) -> None:
    await gate.introduce("amy", "bob")
    names = []
    for sender, text in (("amy", "今天天气真好"), ("bob", "天气预报说下雨"), ("amy", "买代开发票吗")):
        names.append((await gate.node.say(sender, text)).headers["tidegate-message-id"])
    first, second, refused = names
    (one,) = await found(gate, [refused], verdict="reject")
    assert (one["reasons"], one["texts"], one["sender"]) == (["keyword.match"], ["买代开发票吗"], None)
    assert [one["state"] for one in await found(gate, [second, first], text="天气")] == ["delivered"] * 2
    (one,) = await found(gate, [second], text="气预报", identity=True)
    assert one["sender"] == "bob"
    assert [one["id"] for one in (await search(gate, sender="amy"))["messages"]] == [refused, first]
    answer = await gate.node.manage("POST", "/v1/takedowns", {"id": first, "reason": "order 7"})
    assert answer.status in (200, 202), answer
    await found(gate, [first], state="removed")
    told = (await gate.node.manage("GET", f"/v1/messages/{first}?reason=test")).json()
    assert told["whole"]
    assert [one["kind"] for one in told["trail"]][:2] == ["outcome", "removal"]
    assert {one["kind"] for one in told["acts"]} == {"takedown.create", "message.read"}
    # No act quotes what somebody looked for.
    acts = [record for record in gate.node.records() if record["kind"] == "act"]
    assert "message.search" in {record["what"] for record in acts}
    assert "天气" not in json.dumps(acts, ensure_ascii=False)


async def test_the_commands(gate: Lab) -> None:
    (name,) = [(await gate.node.say("amy", "一句特别的话")).headers["tidegate-message-id"]]
    await found(gate, [name], text="特别")
    where = ["--data-dir", str(gate.node.folders.root), "--reason", "test"]
    done = await asyncio.to_thread(
        CliRunner().invoke, build(["messages"]), ["messages", "search", "--text", "特别", "--since", "1h", *where]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["id"] == name
    done = await asyncio.to_thread(
        CliRunner().invoke, build(["messages"]), ["messages", "show", name, "--identity", *where]
    )
    assert json.loads(done.stdout)["message"]["sender"] == "amy"


async def test_nobody_waits_for_it(gate: Lab) -> None:
    """While it stands still, and after it was killed, messages go on; then it has them all."""
    (pid,) = (await gate.node.pids("index")).values()
    os.kill(pid, signal.SIGSTOP)
    names = [(await gate.node.say("bob", f"等着的第{number}条")).headers["tidegate-message-id"] for number in range(5)]
    answer = await gate.node.manage("POST", "/v1/messages/search", {"reason": "test", "text": "等着"})
    assert (answer.status, answer.json()["reason"]) == (503, "control.index_unavailable")
    assert (await gate.node.manage("GET", "/readyz")).status == 200
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        while (await gate.node.manage("POST", "/v1/messages/search", {"reason": "test"})).status != 200:
            await asyncio.sleep(0.1)
    await found(gate, names[::-1], text="等着")
