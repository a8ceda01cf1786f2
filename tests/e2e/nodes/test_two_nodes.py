"""Two nodes, one truth: what is done on one is in force on both, whichever control dies, is stopped, or is another."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from rig.postgresql import Postgres
from tests.e2e.node import kill
from tests.e2e.nodes.cluster import WITHIN, Cluster, running, soon

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

BLOCK = {"scope": "sender", "reason": "spam", "ground": "agreement 6.1"}
FREEZE = {"scope": "room", "ground": "order 7", "reason": "now"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> AsyncIterator[Cluster]:
    """``postgres`` says whether there is one here; this one is the pair's own."""
    async with running(tmp_path_factory.mktemp("p")) as made:
        yield made


async def known(pair: Cluster, *senders: str) -> None:
    for sender in senders:
        await pair.done(1, "PUT", f"/v1/accounts/{sender}", {"verified": True, "reason": "papers"})


async def says(pair: Cluster, number: int, sender: str, room: str = "1") -> int:
    return (await pair.nodes[number].say(sender, "hello", f"/api/articles/{room}/comments")).status


async def test_they_know_of_each_other_and_one_leads(pair: Cluster) -> None:
    first = await pair.leader()
    told = (await pair.ask(2, "GET", "/v1/nodes")).json()["nodes"]
    assert [(one["number"], one["lives"]) for one in told] == [(1, True), (2, True)]
    assert [one["number"] for one in told if one["leads"]] == [first]
    code, listed = await pair.command(1, "node", "list")
    assert code == 0, listed
    assert all(f'"number":{number}' in listed for number in (1, 2))


async def test_a_room_frozen_on_one_stays_frozen_on_both(pair: Cluster) -> None:
    await known(pair, "alice")
    assert [await says(pair, number, "alice", "9") for number in (1, 2)] == [201, 201]
    await pair.done(1, "POST", "/v1/switches", {**FREEZE, "value": "9"})
    assert await soon(lambda: refused(pair, 2, "alice", "9")) < WITHIN
    for number in range(10):
        await pair.done(2, "PUT", f"/v1/accounts/other-{number}", {"verified": True, "reason": "papers"})
    code, told = await pair.command(2, "state", "rebuild", "--reason", "to be sure")
    assert code == 0, told
    assert [await says(pair, number, "alice", "9") for number in (1, 2)] == [403, 403]
    await pair.done(2, "POST", "/v1/blocks", {**BLOCK, "value": "alice"})
    assert await soon(lambda: refused(pair, 1, "alice")) < WITHIN


async def refused(pair: Cluster, number: int, sender: str, room: str = "1") -> bool:
    return await says(pair, number, sender, room) == 403


async def test_a_token_revoked_on_one_is_refused_on_the_other(pair: Cluster) -> None:
    made = await pair.done(1, "POST", "/v1/tokens", {"name": "sync", "scopes": ["blocks:read"], "reason": "sync"})
    token = made["result"]["token"]

    async def opens() -> bool:
        return (await pair.ask(2, "GET", "/v1/blocks?reason=look", token=token)).status == 200

    async def shut() -> bool:
        return (await pair.ask(2, "GET", "/v1/me", token=token)).status == 401

    assert await soon(opens) < WITHIN
    await pair.done(1, "DELETE", "/v1/tokens/sync?reason=over")
    assert await soon(shut) < WITHIN
    person = await pair.done(2, "POST", "/v1/people", {"name": "bo", "roles": ["viewer"], "reason": "new"})
    token = person["result"]["token"]

    async def may() -> bool:
        return (await pair.ask(1, "GET", "/v1/me", token=token)).status == 200

    async def may_not() -> bool:
        return (await pair.ask(1, "GET", "/v1/me", token=token)).status == 401

    assert await soon(may) < WITHIN
    await pair.done(2, "DELETE", "/v1/people/bo?reason=left")
    assert await soon(may_not) < WITHIN


async def test_an_act_is_in_force_where_control_was_killed(pair: Cluster) -> None:
    await known(pair, "carol")
    kill(await pair.control(1))
    await pair.done(2, "POST", "/v1/blocks", {**BLOCK, "value": "carol"})
    assert await soon(lambda: refused(pair, 1, "carol")) < WITHIN
    await soon(lambda: well(pair, 1), 60)


async def well(pair: Cluster, number: int) -> bool:
    try:
        answer = await pair.ask(number, "GET", "/readyz")
    except (OSError, asyncio.IncompleteReadError):
        return False
    return answer.status == 200 and not answer.json()["checks"]["database"]["detail"]


async def test_a_leader_that_is_stopped_past_its_lease_and_woken_loses_and_lifts_nothing(pair: Cluster) -> None:
    first = await pair.leader()
    other = 3 - first
    await known(pair, "dora", "emil")
    await pair.done(first, "POST", "/v1/switches", {**FREEZE, "value": "77"})
    control = await pair.control(first)
    os.kill(control, signal.SIGSTOP)
    try:
        await pair.done(other, "POST", "/v1/blocks", {**BLOCK, "value": "dora"})

        async def leads() -> bool:
            told = (await pair.ask(other, "GET", "/v1/nodes")).json()["nodes"]
            return any(one["leads"] and one["number"] == other for one in told)

        await soon(leads, 60)
        rows = (await pair.ask(other, "GET", "/v1/blocks?reason=look")).json()["blocks"]
        number = next(row["id"] for row in rows if row["value"] == "dora")
        await pair.done(other, "DELETE", f"/v1/blocks/{number}?reason=mercy")
        await pair.done(other, "POST", "/v1/blocks", {**BLOCK, "value": "emil"})
    finally:
        os.kill(control, signal.SIGCONT)
    await soon(lambda: well(pair, first), 60)
    assert await pair.leader() == other
    for number in (1, 2):
        assert [await says(pair, number, "dora"), await says(pair, number, "emil")] == [201, 403]
        assert await says(pair, number, "dora", "77") == 403
    uids = recorded(pair)
    assert len(uids) == len(set(uids))
    acts = (await pair.ask(1, "GET", "/v1/acts?reason=look&limit=200")).json()["acts"]

    async def all_of_them() -> bool:
        held = set(recorded(pair))
        return all(act["id"] in held for act in acts)

    await soon(all_of_them)


def recorded(pair: Cluster) -> list[str]:
    """Acts in all journals, by name."""
    return [
        record["id"] for node in pair.nodes.values() for record in node.records()
        if record["kind"] == "act" and "changes" in record["target"]
    ]  # fmt: skip


async def test_lists_that_people_change_go_to_all(pair: Cluster) -> None:
    await known(pair, "finn")

    async def says_it(number: int) -> int:
        return (await pair.nodes[number].say("finn", "卖号卖号")).status

    assert [await says_it(number) for number in (1, 2)] == [201, 201]
    answer = await pair.ask(1, "POST", "/v1/lists/spam/words", {"line": "卖号", "reason": "seen"})
    assert answer.status == 200, answer

    async def both() -> bool:
        return [await says_it(number) for number in (1, 2)] == [403, 403]

    await soon(both, 60)
    await soon(lambda: same_generation(pair), 60)


async def same_generation(pair: Cluster) -> bool:
    told: list[dict[str, Any]] = (await pair.ask(1, "GET", "/v1/nodes")).json()["nodes"]
    return not any(one["older"] for one in told)


async def test_a_node_with_an_older_list_says_so(pair: Cluster) -> None:
    file = pair.configs[2].with_name("spam.txt")
    file.write_text("代开发票\n代写论文\n", encoding="utf-8")
    answer = await pair.ask(2, "POST", "/v1/reload", {"reason": "a new list"})
    assert answer.status == 200, answer

    async def told() -> bool:
        return "is older than what others serve: node 2" in (await pair.detail(1, "node"))["detail"]

    await soon(told)
    assert (await pair.detail(1, "node"))["ok"]
    assert (await pair.detail(2, "node"))["detail"] == ""


async def test_a_number_of_another_folder_does_not_start(pair: Cluster) -> None:
    copy = pair.add(3, "third")
    await copy.start()
    await soon(lambda: well(pair, 3), 60)
    await copy.stop()
    thief = pair.nodes.pop(3), pair.configs.pop(3)
    again = pair.add(3, "thief")
    with pytest.raises(RuntimeError, match="is another data folder"):
        await again.start()
    assert await again.stop() == 1
    code, told = await pair.command(1, "node", "retire", "3", "--reason", "burnt")
    if code:  # it was there a moment ago
        assert "is there: stop it first" in told

        async def retired() -> bool:
            return (await pair.command(1, "node", "retire", "3", "--reason", "burnt"))[0] == 0

        await soon(retired, 60)
    await again.start()
    await soon(lambda: well(pair, 3), 60)
    await again.stop()
    del pair.nodes[3], pair.configs[3]
    node, config = thief
    config.write_text(config.read_text(encoding="utf-8").replace("node = 3", "node = 4"), encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"is node 3's, and server\.node is 4"):
        await node.start()
    assert await node.stop() == 1
