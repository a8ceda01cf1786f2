"""Channels of Phoenix: its published client, at a server that speaks its protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.node import Node
from tests.platforms.acts import Acts, Edits, Enter, Told
from tests.platforms.gate import FREE
from tests.platforms.javascript import Person, fixtures, people
from tests.platforms.presets import FRONT, preset_gate

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.quick]

PRESET = "phoenix"


class Member(Person):
    """Joined to one topic, with a heartbeat six times a second."""

    async def read(self) -> list[str]:
        return [one["body"] for one in (await self.ask("history"))["messages"]]

    async def known(self) -> bool:
        heard = await self.heard()
        states = await self.ask("state")
        return states == {"socket": "open", "channel": "joined"} and not any(
            one["what"] in ("closed", "error", "channel_error", "unhandled") for one in heard
        )


programs, node = fixtures("phoenix.mjs", partial(preset_gate, PRESET))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def enter(programs: Path, node: Node) -> AsyncIterator[Enter]:
    async with people(programs, "phoenix.mjs", node.port, Member, address=FRONT) as meet:

        async def member(name: str) -> Person:
            made = await meet(name)
            await made.ask("login", who=name)
            await made.ask("join")
            return made

        yield member


class TestPhoenix(Acts, Edits):
    async def test_who_is_in_the_room_hears_what_was_published_and_no_more(self, enter: Enter) -> None:
        lena, speaker = await enter("lena"), await enter("otto")
        await speaker.write("otto has cheappills")
        await speaker.write("otto is an idiot")
        told = await lena.hears(what="new_msg", author="otto")
        assert told["body"] == "otto is an *****"

    async def test_an_error_names_its_reason(self, enter: Enter) -> None:
        rita = await enter("rita")
        answer = await rita.client.call("say", text="rita has cheappills")
        data = answer["failed"]["data"]
        assert data["reason"] == "keyword.match"

    async def test_heartbeats_go_on_beside_a_flood_and_behind_a_mute(self, enter: Enter) -> None:
        """More refusals than websocket.mute_after allows: whoever is muted watches on, and is told of each push."""
        moe = await enter("moe")
        told: list[Told] = [await moe.write(f"moe {number} cheappills") for number in range(FREE + 12)]
        assert not any(one.went for one in told)
        assert "timeout" not in [one.words for one in told]
        await moe.heard()
        await moe.hears(what="heartbeat")
        await (await enter("max")).write("max to all")
        await moe.hears(what="new_msg", author="max")
        assert await moe.known()

    @pytest.mark.parametrize(
        ("event", "payload"),
        [
            ("other_msg", {"body": "unheard of"}),
            ("new_msg", {"text": "no body"}),
            ("new_msg", {"body": ["代开发票"]}),
            ("new_msg", {"body": {"text": "代开发票"}}),
        ],
    )
    async def test_what_is_no_message_is_an_error_of_its_push(
        self, enter: Enter, event: str, payload: dict[str, Any]
    ) -> None:
        odd = await enter("odd")
        told = await odd.told("push", event=event, payload=payload)
        assert not told.went
        assert told.words != "timeout"
        assert await odd.known()

    async def test_all_else_is_as_without_us(self, enter: Enter, node: Node) -> None:
        ann, ben = await enter("ann"), await enter("ben")
        key = (await ann.write("ann likes likes")).key
        before = sum(1 for one in node.records() if one["kind"] == "judged")
        assert await ben.ask("like", id=key) == {"likes": 1}
        assert {"id": int(key), "author": "ann", "body": "ann likes likes", "likes": 1} in (await ben.ask("history"))[
            "messages"
        ]
        assert sum(1 for one in node.records() if one["kind"] == "judged") == before
