"""A message is held, a person approves it, and it is at the platform: once, whoever is killed meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.review.desk import COOKIE, Desk, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with opened(tmp_path_factory.mktemp("review")) as made:
        yield made


async def test_held_approved_and_at_the_platform_once(desk: Desk) -> None:
    message = await desk.say("the first comment on the news")
    await desk.decide(message, "approve")
    await desk.became(message, "delivered")
    assert [one for one in desk.site.shown if one[0] == message] == [
        (message, "the first comment on the news", "alice")
    ]
    assert desk.site.direct == []
    (judged,) = [one for one in desk.node.records() if one.get("releases") == message]
    assert judged["sender"] == "alice"
    outcomes = [one for one in desk.node.records() if one["kind"] == "outcome" and one["id"] == judged["id"]]
    assert [(one["state"], one["upstream_id"]) for one in outcomes] == [("delivered", "1")]


async def test_refused_it_never_is(desk: Desk) -> None:
    message = await desk.say("a comment that nobody wants")
    await desk.decide(message, "refuse", ground="agreement 3.1")
    await desk.became(message, "refused")
    assert message not in [one[0] for one in desk.site.shown]


async def test_a_takedown_of_what_waits_refuses_it(desk: Desk) -> None:
    message = await desk.say("to be taken down")
    await desk.case(message)
    answer = await desk.node.manage("POST", "/v1/takedowns", {"reason": "order 7", "id": message})
    assert (answer.status, answer.json()["result"]["state"]) == (200, "confirmed"), answer
    await desk.became(message, "refused")


async def test_control_killed_between_approval_and_answer(desk: Desk) -> None:
    """Several times, at another moment each."""
    messages = []
    for round_ in range(5):
        message = await desk.say(f"round {round_}")
        messages.append(message)
        desk.site.slow = 0.05 * round_
        desk.site.asked.clear()
        await desk.decide(message, "approve")
        if round_:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await desk.site.asked.wait()
        await asyncio.sleep(0.02 * round_)
        await desk.kill_control()
    desk.site.slow = 0.0
    for message in messages:
        await desk.became(message, "delivered")
    shown = [one[0] for one in desk.site.shown]
    assert [shown.count(message) for message in messages] == [1] * 5


async def test_control_killed_where_the_platform_does_not_honour_the_key(desk: Desk) -> None:
    """Nothing is there twice; of what nobody knows a person is told."""
    messages = {}
    for round_ in range(4):
        text = f"plain round {round_}"
        message = messages[text] = await desk.say(text, "talk")
        desk.site.slow = 0.3 * (round_ % 2)
        desk.site.asked.clear()
        await desk.decide(message, "approve")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await desk.site.asked.wait()
        await desk.kill_control()
    desk.site.slow = 0.0
    for text, message in messages.items():
        state = await desk.became(message, "delivered", "unknown")
        count = desk.site.plain.count(text)
        assert count <= 1
        assert count == 1 or state == "unknown"


async def test_nothing_of_what_was_parked_is_on_disk_afterwards(desk: Desk) -> None:
    message = await desk.say("the last one")
    await desk.decide(message, "approve")
    await desk.became(message, "delivered")
    root = desk.node.folders.root
    async with asyncio.timeout(20):
        while list((root / "park").rglob("*.spool")):
            await asyncio.sleep(0.1)
    until = time.monotonic() + 10
    while True:
        found = [
            path.name
            for path in root.rglob("*")
            if path.is_file() and not path.is_symlink() and COOKIE.encode() in path.read_bytes()
        ]
        if not found or time.monotonic() > until:
            break
        await asyncio.sleep(0.2)
    assert found == []
