"""Two nodes whose clocks are 30 s apart: it is told, the database orders what people do, nothing is lost or lifted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from gateway.journal.write.ids import NODE_AT, NODE_DIGITS, node_digits
from rig.postgresql import Postgres
from tests.e2e.nodes.cluster import Cluster, running, soon
from tests.e2e.nodes.test_journals import eventually
from tests.e2e.nodes.test_mirrors import SIZE, Mirrored

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600), pytest.mark.whole]

APART = 30  # seconds by which the second one is ahead
BLOCK = {"scope": "sender", "reason": "spam", "ground": "agreement 6.1", "value": "dora"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> AsyncIterator[Cluster]:
    """``postgres`` says whether there is one here; this one is the pair's own."""
    async with running(tmp_path_factory.mktemp("k"), clocks={2: f"+{APART}s"}) as made:
        yield made


async def test_it_is_told(pair: Cluster) -> None:
    """By the one that is apart, of itself; neither goes without traffic for it."""

    async def told() -> bool:
        return "more than server.max_skew" in (await pair.detail(2, "clock"))["detail"]

    await soon(told)
    assert " ahead of the database's" in (await pair.detail(2, "clock"))["detail"]
    assert (await pair.detail(1, "clock"))["detail"] == ""
    for number, skew in ((1, 0), (2, APART)):
        answer = await pair.ask(number, "GET", "/readyz")
        assert answer.status == 200
        text = (await pair.ask(number, "GET", "/metrics")).body.decode()
        found = float(text.partition("\ntidegate_clock_skew_seconds ")[2].partition("\n")[0])
        assert found == pytest.approx(skew, abs=1)
        assert ('"event":"clock.apart"' in pair.nodes[number].told(everything=True)) is bool(skew)
    code, said = await pair.command(2, "status")
    assert "more than server.max_skew" in said, (code, said)


async def test_what_came_last_counts_whichever_clock_says_otherwise(pair: Cluster) -> None:
    """What one did is undone by the other at once, whichever of them is ahead: acts are numbered by the database."""
    await act(pair, 1, "PUT", "/v1/accounts/dora", {"verified": True, "reason": "papers"})
    acts: list[int] = []
    for turn in range(6):
        here, there = (2, 1) if turn % 2 == 0 else (1, 2)
        made = await act(pair, here, "POST", "/v1/blocks", BLOCK)
        await soon(lambda at=there: says(pair, at, 403))
        lifted = await act(pair, there, "DELETE", f"/v1/blocks/{made['result']['id']}?reason=mercy")
        await soon(lambda at=here: says(pair, at, 201))
        acts += [made["act"], lifted["act"]]
    assert acts == sorted(acts)
    await act(pair, 2, "POST", "/v1/blocks", BLOCK)
    code, told = await pair.command(1, "state", "rebuild", "--reason", "to be sure")
    assert code == 0, told
    for number in (1, 2):
        await soon(lambda at=number: says(pair, at, 403))


async def act(pair: Cluster, number: int, method: str, path: str, body: Any = None) -> Any:
    """Done; in force now or in a moment: how soon is not what is looked at here."""
    answer = await pair.ask(number, method, path, body)
    assert answer.status in (200, 202), answer
    return answer.json()


async def says(pair: Cluster, number: int, status: int) -> bool:
    return (await pair.nodes[number].say("dora", "hello")).status == status


async def test_each_message_is_on_record_once_and_says_when_by_the_clock_of_its_node(pair: Cluster) -> None:
    await act(pair, 1, "PUT", "/v1/accounts/emil", {"verified": True, "reason": "papers"})
    for number in (1, 2):
        await soon(lambda number=number: known(pair, number))
    said: dict[int, list[str]] = {1: [], 2: []}
    for turn in range(40):
        number = 1 + turn % 2
        answer = await pair.nodes[number].say("emil", f"hello {turn}")
        assert answer.status == 201, answer
        said[number].append(answer.headers["tidegate-message-id"])
    for number, ids in said.items():
        mine = [one["id"] for one in pair.nodes[number].records() if one["kind"] == "judged"]
        assert [mine.count(one) for one in ids] == [1] * len(ids)
        assert {one[NODE_AT : NODE_AT + NODE_DIGITS] for one in ids} == {node_digits(number)}
    apart = [_ms(there) - _ms(here) for here, there in zip(said[1], said[2], strict=True)]
    assert min(apart) >= APART * 1000


async def known(pair: Cluster, number: int) -> bool:
    return (await pair.nodes[number].say("emil", "hi")).status == 201


def _ms(message: str) -> int:
    return int(message.replace("-", "")[:12], 16)


class Apart(Mirrored):
    """Node 2 is ahead."""

    clocks = {"b": f"+{APART}s"}


async def test_a_room_that_both_feed_is_whole_and_the_same_on_both(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bullets stand by their ids, and so by the clock of the node that took them: each once, and alike on both."""
    made = Apart(tmp_path_factory.mktemp("m"))
    try:
        await made.open()
        ids = {await made.shoot("ab"[number % 2], f"bullet {number}") for number in range(3 * SIZE + 4)}
        await eventually(lambda: made.alike(ids))
        gone = max(ids)
        told = await made.a.manage("POST", "/v1/takedowns", {"id": gone, "reason": "spam"})
        assert told.status in (200, 202), told
        ids.remove(gone)
        await eventually(lambda: made.alike(ids))
        ids.add(await made.shoot("a", "the last one"))
        await eventually(lambda: made.alike(ids))
    finally:
        await made.close()
