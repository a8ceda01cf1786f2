"""Held on one node, approved on the other, and published once, whichever control dies meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from rig.ports import free_port
from rig.postgresql import Postgres
from tests.e2e.node import kill
from tests.e2e.nodes.cluster import Cluster, running
from tests.e2e.review.desk import MORE, Site, published

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(2400), pytest.mark.whole]

DEATHS = (2, 20)
UNTOLD = (OSError, asyncio.IncompleteReadError, TimeoutError)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site() -> AsyncIterator[tuple[Site, int]]:
    port = free_port()
    async with published(port) as made:
        yield made, port


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, site: tuple[Site, int]
) -> AsyncIterator[Cluster]:
    """``postgres`` says whether there is one here; this one is the pair's own."""
    async with running(tmp_path_factory.mktemp("r"), more=MORE, site=site[1]) as made:
        yield made


async def persist(ask: Callable[[], Awaitable[Any]], good: Callable[[Any], Any] = lambda answer: True) -> Any:
    """The answer of a node whose control may just be starting."""
    async with asyncio.timeout(90):
        while True:
            with contextlib.suppress(*UNTOLD):
                answer = await ask()
                if answer.status < 500 and good(answer):
                    return answer
            await asyncio.sleep(0.1)


async def say(pair: Cluster, number: int, text: str, route: str) -> str:
    body = json.dumps({"content": text}).encode()
    fields = {"X-User-Id": "alice", "Content-Type": "application/json"}
    told = await persist(lambda: pair.nodes[number].ask("POST", f"/api/{route}/1/comments", body, fields))
    assert told.status == 202, told
    return str(told.json()["message_id"])


async def approve(pair: Cluster, number: int, message: str) -> None:
    place = f"/v1/review/cases?message={message}"
    found = await persist(lambda: pair.ask(number, "GET", place), lambda answer: answer.json()["cases"])
    case = found.json()["cases"][0]["id"]
    await persist(lambda: pair.ask(number, "POST", "/v1/review/cases:claim", {"cases": [case]}))
    await persist(lambda: pair.ask(number, "GET", f"/v1/review/cases/{case}"))
    await persist(lambda: pair.ask(number, "POST", f"/v1/review/cases/{case}:approve", {}))


def records(pair: Cluster) -> list[dict[str, Any]]:
    return [one for node in pair.nodes.values() for one in node.records()]


async def became(pair: Cluster, message: str) -> str:
    """What both journals say of it at last."""
    async with asyncio.timeout(90):
        while True:
            told = [one["state"] for one in records(pair) if one["kind"] == "review" and one["id"] == message]
            for state in ("delivered", "unknown", "undeliverable", "void"):
                if state in told:
                    return state
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("deaths", DEATHS)
@pytest.mark.parametrize("route", ["news", "talk"])
async def test_published_once(pair: Cluster, site: tuple[Site, int], route: str, deaths: int) -> None:
    """At a platform that honours the key (news) exactly once; at one that does not (talk) at most once, and then a
    person is told that nobody knows."""
    draw = random.Random(f"{route} {deaths}")
    platform, _ = site
    messages: dict[str, str] = {}
    for round_ in range(deaths):
        text = f"{route} {deaths} round {round_}"
        here, there = draw.sample((1, 2), 2)
        messages[text] = message = await say(pair, here, text, route)
        platform.slow = draw.choice((0.0, 0.05, 0.3))
        platform.asked.clear()
        await approve(pair, there, message)
        if draw.random() < 0.7:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(platform.asked.wait(), 3)
        with contextlib.suppress(*UNTOLD, KeyError, ProcessLookupError):
            kill(await pair.control(draw.choice((1, 2))))
    platform.slow = 0.0
    states = {text: await became(pair, message) for text, message in messages.items()}
    shown = Counter(platform.plain) if route == "talk" else Counter(one[1] for one in platform.shown)
    for text, state in states.items():
        assert state == "delivered" or (route == "talk" and state == "unknown"), (text, state)
        assert shown[text] == 1 if state == "delivered" else shown[text] <= 1, (text, state, shown[text])
    told = records(pair)
    for text, message in messages.items():
        releases = {one["id"] for one in told if one["kind"] == "judged" and one.get("releases") == message}
        outcomes = [one for one in told if one["kind"] == "outcome" and one["id"] in releases]
        delivered = {one["id"] for one in outcomes if one["state"] == "delivered"}
        assert len(delivered) == (1 if states[text] == "delivered" else 0), (text, states[text], outcomes)
