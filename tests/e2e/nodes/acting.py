"""What people do on two nodes of one database and what senders are told, for tests of what befalls that database."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.e2e.node import Answer
from tests.e2e.nodes.cluster import Cluster, soon

BLOCK = {"scope": "sender", "reason": "spam", "ground": "agreement 6.1"}
UNTOLD = (OSError, asyncio.IncompleteReadError, TimeoutError)
AGAIN = 90.0  # seconds in which a node is well again, on a machine with much else to do


async def known(pair: Cluster, *senders: str) -> None:
    for sender in senders:
        await pair.done(1, "PUT", f"/v1/accounts/{sender}", {"verified": True, "reason": "papers"})


async def says(pair: Cluster, number: int, sender: str) -> int:
    return (await pair.nodes[number].say(sender, "hello")).status


async def refused(pair: Cluster, number: int, sender: str) -> bool:
    return await says(pair, number, sender) == 403


async def well(pair: Cluster, number: int) -> bool:
    with suppress(*UNTOLD):
        answer = await pair.ask(number, "GET", "/readyz")
        return answer.status == 200 and not answer.json()["checks"]["database"]["detail"]
    return False


async def both_well(pair: Cluster) -> None:
    for number in (1, 2):
        await soon(lambda number=number: well(pair, number), AGAIN)


async def block(pair: Cluster, number: int, sender: str) -> Answer:
    return await pair.ask(number, "POST", "/v1/blocks", {**BLOCK, "value": sender})


async def not_ready(pair: Cluster, number: int) -> bool:
    with suppress(*UNTOLD):
        answer = await pair.ask(number, "GET", "/readyz")
        return answer.status == 503 and not answer.json()["checks"]["database"]["ok"]
    return False


async def brought_back(pair: Cluster, *blocked: str) -> None:
    """The database lacks an act of each node, by which these were blocked: neither takes one or lifts anything, and
    both acts come back from the journals."""
    for number in (1, 2):
        await soon(lambda number=number: not_ready(pair, number), AGAIN)
        answer = await pair.ask(number, "PUT", f"/v1/accounts/{blocked[0]}", {"verified": True, "reason": "papers"})
        assert (answer.status, answer.json()["reason"]) == (503, "control.database_behind"), answer
        assert {await says(pair, number, sender) for sender in blocked} == {403}
    for node in pair.nodes.values():
        await node.stop()
    for number in (1, 2):
        code, said = await pair.command(1, "restore", "--acts-from", str(pair.nodes[number].folders.root / "journal"))
        assert code == 0, said
        assert "1 acts came back" in said, said
    for node in pair.nodes.values():
        await node.start()
    await both_well(pair)
    rows = (await pair.ask(2, "GET", "/v1/blocks?reason=look&scope=sender")).json()["blocks"]
    assert set(blocked) <= {row["value"] for row in rows}
    for number in (1, 2):
        assert {await says(pair, number, sender) for sender in blocked} == {403}
