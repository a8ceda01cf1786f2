"""Socket.IO as published, merely relayed: its client polls first and then upgrades, on one address."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.node import Node
from tests.platforms.gate import gate
from tests.platforms.javascript import fixtures, people

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.quick]


programs, node = fixtures("socketio.cjs", partial(gate, "socket.io"), url="/socket.io/?EIO=4&transport=polling")


async def test_the_default_client_polls_then_upgrades_and_stays(programs: Path, node: Node) -> None:
    async with people(programs, "socketio.mjs", node.port) as meet:
        ann, ben = await meet("ann"), await meet("ben")
        assert await ann.ask("connect") == ["polling", "websocket"]
        assert await ben.ask("connect") == ["polling", "websocket"]
        assert await ann.ask("say", text="hello, 大家好") == {"number": 1, "transport": "websocket"}
        async with asyncio.timeout(20):
            heard: list[str] = []
            while not {"message", "ping"} <= set(heard):
                heard += [one["what"] for one in await ben.heard()]
                await asyncio.sleep(0.02)
        assert "disconnected" not in heard
        assert await ben.ask("history") == ["hello, 大家好"]
        assert await ann.ask("state") == {"connected": True, "transport": "websocket"}


async def test_one_that_only_polls_works_as_well(programs: Path, node: Node) -> None:
    async with people(programs, "socketio.mjs", node.port) as meet:
        pat = await meet("pat")
        assert await pat.ask("connect", transports=["polling"]) == ["polling"]
        assert (await pat.ask("say", text="by polling"))["transport"] == "polling"
        assert "by polling" in await pat.ask("history")
