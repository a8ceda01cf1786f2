"""Somebody is killed at every step from the comment to its publication: nothing is lost, nothing is published twice.

``make faults`` runs twenty deaths of each; the suite has a few.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.review.desk import Desk, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNTOLD = (OSError, asyncio.IncompleteReadError, TimeoutError)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with opened(tmp_path_factory.mktemp("kills")) as made:
        yield made


async def kill_all(desk: Desk, names: str) -> None:
    """Whatever of these runs just now."""
    for pid in (await desk.node.pids(names)).values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def kill_everything(desk: Desk) -> None:
    """As where the machine's plug is pulled, but for what the kernel has; then the node starts again."""
    assert desk.node.process is not None
    os.killpg(desk.node.process.pid, signal.SIGKILL)
    await desk.node.process.wait()
    await desk.node.start()


KILLS: dict[str, Callable[[Desk], Awaitable[None]]] = {
    "control": lambda desk: kill_all(desk, "control"),
    "workers": lambda desk: kill_all(desk, "worker-"),
    "the whole node": kill_everything,
}
FEW = [pytest.param(who, 2) for who in ("control", "workers")]
DEATHS = [*FEW, *(pytest.param(who, 20, marks=[pytest.mark.whole, pytest.mark.timeout(2400)]) for who in KILLS)]


async def persist(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The answer of a node that may just be starting."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(*UNTOLD):
                answer = await ask()
                if answer.status < 500:
                    return answer
            await asyncio.sleep(0.1)


async def approve(desk: Desk, message: str) -> None:
    """As a person would who asks again where nothing was answered: a decision that was made already says so."""
    case = await desk.case(message)
    place = f"/v1/review/cases/{case['id']}"
    await persist(lambda: desk.node.manage("POST", "/v1/review/cases:claim", {"cases": [case["id"]]}))
    await persist(lambda: desk.node.manage("GET", place))
    await persist(lambda: desk.node.manage("POST", f"{place}:approve", {}))


def agreed(desk: Desk, messages: dict[str, str], shown: Counter[str]) -> None:
    """Journal and platform tell the same: what was delivered has one release that says so, and is there once."""
    records = list(desk.node.records())
    states = {one["id"]: one["state"] for one in records if one["kind"] == "review"}
    for key, message in messages.items():
        releases = [one["id"] for one in records if one["kind"] == "judged" and one.get("releases") == message]
        delivered = [one for one in records if one["kind"] == "outcome" and one["id"] in releases]
        assert len({one["id"] for one in delivered if one["state"] == "delivered"}) == (
            1 if states[message] == "delivered" else 0
        ), (message, states[message], delivered)
        assert shown[key] == 1 if states[message] == "delivered" else shown[key] <= 1, (key, states[message])


@pytest.mark.parametrize(("who", "deaths"), DEATHS)
async def test_between_approval_and_answer(desk: Desk, who: str, deaths: int) -> None:
    """At a platform that honours the key each approved message is there exactly once, whoever dies."""
    draw = random.Random(f"{who} {deaths}")
    messages: dict[str, str] = {}
    for round_ in range(deaths):
        message = await persist_say(desk, f"{who} {deaths} round {round_}", "news")
        messages[message] = message
        desk.site.slow = draw.choice((0.0, 0.05, 0.2))
        desk.site.asked.clear()
        await approve(desk, message)
        if draw.random() < 0.7:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(desk.site.asked.wait(), 2)
        await KILLS[who](desk)
    desk.site.slow = 0.0
    for message in messages.values():
        assert await desk.became(message, "delivered", "unknown", "undeliverable", "void") == "delivered"
    agreed(desk, messages, Counter(one[0] for one in desk.site.shown))


@pytest.mark.parametrize(("who", "deaths"), DEATHS)
async def test_where_the_key_is_not_honoured(desk: Desk, who: str, deaths: int) -> None:
    """At a platform that publishes as often as it is asked nothing is there twice; of what nobody knows a person is
    told."""
    draw = random.Random(f"plain {who} {deaths}")
    messages: dict[str, str] = {}
    for round_ in range(deaths):
        text = f"plain {who} {deaths} round {round_}"
        messages[text] = message = await persist_say(desk, text, "talk")
        desk.site.slow = draw.choice((0.0, 0.3))
        desk.site.asked.clear()
        await approve(desk, message)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(desk.site.asked.wait(), 2)
        await KILLS[who](desk)
    desk.site.slow = 0.0
    for message in messages.values():
        await desk.became(message, "delivered", "unknown")
    agreed(desk, messages, Counter(desk.site.plain))


async def persist_say(desk: Desk, text: str, route: str) -> str:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(*UNTOLD, AssertionError):
                return await desk.say(text, route)
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(("who", "deaths"), DEATHS[1:])
async def test_between_parking_and_record(desk: Desk, who: str, deaths: int) -> None:
    """Whoever was told that a message waits has a case; and no case is without the record that it stands on."""
    told: list[str] = []
    asked = 0

    async def write(number: int, until: asyncio.Event) -> None:
        nonlocal asked
        turn = 0
        while not until.is_set():
            turn += 1
            with contextlib.suppress(*UNTOLD, AssertionError):
                asked += 1
                told.append(await desk.say(f"{who} {deaths} writer {number} says {turn}", "talk"))
                await asyncio.sleep(0.01)

    for _ in range(deaths):
        over = asyncio.Event()
        writers = [asyncio.create_task(write(number, over)) for number in range(6)]
        await asyncio.sleep(0.3)
        killing = asyncio.create_task(KILLS[who](desk))
        await asyncio.sleep(0.2)
        over.set()
        await asyncio.gather(*writers, killing)
    assert told
    async with asyncio.timeout(120):
        while not (known := await waiting(desk)).issuperset(told):
            await asyncio.sleep(0.2)
    judged = {one["id"] for one in desk.node.records() if one["kind"] == "judged" and one["verdict"] == "hold"}
    assert known <= judged


async def waiting(desk: Desk) -> set[str]:
    """The messages of all cases that wait."""
    found: set[str] = set()
    after = ""
    while True:
        page = (await persist(partial(desk.node.manage, "GET", f"/v1/review/cases?limit=500{after}"))).json()
        found |= {one["message_id"] for one in page["cases"]}
        if not page["next"]:
            return found
        after = f"&after={page['next']}"
