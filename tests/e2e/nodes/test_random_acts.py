"""Acts that are drawn, over two nodes whose controls die, stop and are cut off, and whose clocks are 30 s apart: behind
them the database, state, workers and journals agree, held against a model.

``TIDEGATE_TEST_ACTS`` and ``TIDEGATE_TEST_SEED`` say how many, and which.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rig.postgresql import Postgres
from tests.e2e.nodes.agreement import SETTLED, Agreement
from tests.e2e.nodes.cluster import Cluster, running, soon
from tests.e2e.nodes.node_faults import NodeFaults
from tests.e2e.nodes.random_acts import RandomActs, Walls, shown

MANY = int(os.environ.get("TIDEGATE_TEST_ACTS", "1000"))
SEED = int(os.environ.get("TIDEGATE_TEST_SEED", "18"))

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(900 + MANY), pytest.mark.whole]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> AsyncIterator[Cluster]:
    """``postgres`` says whether there is one here; this one is the pair's own."""
    async with running(tmp_path_factory.mktemp("a"), lined=True, clocks={2: "+30s"}) as made:
        yield made


async def test_acts_that_are_drawn(pair: Cluster) -> None:
    agreement, walls = Agreement(pair), Walls(pair)
    acts, faults = RandomActs(pair, SEED, MANY), NodeFaults(pair, SEED)
    await walls.build()
    await agreement.settle()
    await agreement.begin()
    since = time.monotonic()
    enough = asyncio.Event()
    watching, failing = asyncio.create_task(walls.watch(enough)), asyncio.create_task(faults.go_on(enough))
    try:
        await acts.ask_all()
        asked = time.monotonic() - since
    finally:
        enough.set()
        await asyncio.gather(failing, watching)
    await agreement.settle()
    said = acts.said
    print(f"\n{acts.asked} acts in {asked:.0f} s, seed {SEED}: {shown(said.answers)}")
    print(f"faults: {shown(faults.seen)}; settled {time.monotonic() - since - asked:.0f} s after them")
    print(f"asked meanwhile what is blocked: {shown(walls.answers)}")
    print(*(logs := agreement.logs()), sep="\n")
    assert said.strange == []
    assert walls.lifted == []
    assert walls.answers[403] > 0
    await agreement.database(said)
    await agreement.state()
    await agreement.workers()
    await soon(agreement.generations, SETTLED)
    refused = await agreement.behaviour()
    recorded, twice = await agreement.journals()
    print(f"{recorded} acts on record, {twice} of them in two journals; {refused} refusals as the model has them")
    assert logs == []
    assert len(said.done) > MANY // 4
