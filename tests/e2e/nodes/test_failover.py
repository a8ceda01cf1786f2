"""A primary dies, or hangs, a moment after a block was acknowledged: it is in force again as soon as another one takes
over, whether its replica had heard of the block or not. How many times: ``TIDEGATE_FAILOVERS``."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from tests.e2e.lab import Lab, lab
from tests.e2e.node import Answer
from tests.e2e.nodes.cluster import soon
from tests.e2e.nodes.failing_over import ClusterPair, Pair, SentinelPair, standing, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.whole]

TIMES = int(os.environ.get("TIDEGATE_FAILOVERS", "4"))
WITHIN = 2.0  # seconds, from when those who watch name the new primary
PRIVATE = "guillemot"


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["sentinel", "cluster"])
async def state(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    kind = SentinelPair if request.param == "sentinel" else ClusterPair
    async with standing(kind(tmp_path_factory.mktemp("f"))) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gate(state: Pair, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    async with lab(tmp_path_factory.mktemp("g"), state=state.toml, known=False) as made:
        await made.introduce(*state.names(TIMES))
        await soon(lambda: ready(made), 60)
        yield made
        await made.sound(PRIVATE)


async def ready(gate: Lab) -> bool:
    return (await gate.node.manage("GET", "/readyz")).status == 200


async def say(gate: Lab, sender: str) -> Answer:
    return await gate.node.say(sender, PRIVATE)


async def refused(gate: Lab, sender: str) -> bool:
    """By what state itself says, and nobody else."""
    answer = await say(gate, sender)
    assert answer.status in (403, 503), answer  # nobody who is blocked gets through, whatever is away
    if answer.status == 503:
        return False
    assert answer.json()["reason"] == "block.sender"
    return not gate.judged(answer.headers["tidegate-message-id"]).get("degraded")


@pytest.mark.timeout(120 + 60 * TIMES)
async def test_a_block_survives_its_primary(state: Pair, gate: Lab) -> None:
    chance = random.Random(7)
    took: dict[bool, list[float]] = {False: [], True: []}
    for number, sender in enumerate(state.names(TIMES)):
        await soon(partial(passes, gate, sender), 60)
        cut = number % 2 == 1
        if cut:
            await state.cut()
        answer = await gate.node.manage(
            "POST", "/v1/blocks", {"scope": "sender", "value": sender, "ground": "agreement 6.1", "reason": "spam"}
        )
        told = answer.json()
        assert (answer.status, told["in_force"]) == (200, True), told
        assert told["replicated"] in ((False, None) if cut else (True,)), told
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        if number % 4 < 2:
            state.primary.kill()
        else:
            state.primary.stop()
        await state.change_places()
        since = time.monotonic()
        await soon(partial(refused, gate, sender), 30)
        took[cut].append(time.monotonic() - since)
        assert took[cut][-1] < WITHIN, (number, took)
        await until(partial(held, state, sender))
        await state.mend()
        await soon(lambda: replicates(gate, state), 60)
    for cut, seconds in took.items():
        if seconds:
            print(f"{type(state).__name__}, {'lost' if cut else 'replicated'}: {len(seconds)} times, median "
                  f"{statistics.median(seconds):.3f} s, most {max(seconds):.3f} s")  # fmt: skip


async def passes(gate: Lab, sender: str) -> bool:
    return (await say(gate, sender)).status == 201


async def held(state: Pair, sender: str) -> bool:
    return bool(await state.primary.ask("KEYS", f"tg:*:b:s:{{{sender}}}"))


async def replicates(gate: Lab, state: Pair) -> bool:
    """The gateway knows of the replica again, and whatever was to be written anew is."""
    somebody = f"/v1/accounts/{time.monotonic_ns()}"
    answer = await gate.node.manage("PUT", somebody, {"verified": True, "reason": "to see"})
    return answer.status == 200 and answer.json()["replicated"] is True
