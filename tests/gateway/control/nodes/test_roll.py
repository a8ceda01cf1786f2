"""The nodes of a database over the API, and by command where no control runs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.common.folders import DatabaseServer
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import ControlError
from gateway.control.features import GOVERNANCE
from gateway.control.nodes.roll import retired_offline
from gateway.control.nodes.rows import NodeRow


def row(number: int, seen: int) -> NodeRow:
    return NodeRow(
        number=number, folder=f"f{number}", place="host:/data", address="127.0.0.1:1", version="1.0", generation=3,
        compiled="c", since=1, seen=seen,
    )  # fmt: skip


async def test_nodes_are_listed_and_one_that_is_gone_is_retired(api: Any) -> None:
    now = time.time_ns() // 1000
    alone = isinstance(api.plant.database.place, Path)

    def put(session: Any) -> None:
        session.add_all([row(1, now), row(2, now - 60_000_000)])

    await api.plant.database.run(put)
    told = (await api("GET", "/v1/nodes"))["nodes"]
    assert [(one["number"], one["lives"]) for one in told] == [(1, True), (2, alone)]
    answer = await api("POST", "/v1/nodes/1:retire", json={"reason": "gone"})
    assert (api.status, answer["reason"]) == (409, "control.node_lives")
    answer = await api("POST", "/v1/nodes/7:retire", json={"reason": "gone"})
    assert (api.status, answer["reason"]) == (404, "control.node_unknown")
    answer = await api("POST", "/v1/nodes/2:retire", json={"reason": "burnt"})
    if alone:  # of a file there is one node, and it is there
        assert (api.status, answer["reason"]) == (409, "control.node_lives")
        return
    assert (api.status, [one["number"] for one in answer["result"]["nodes"]]) == (200, [1])
    record = (await api.plant.recorded())[-1]
    assert (record["kind"], record["subject"], record["reason"]) == ("node.retire", "node:2", "burnt")


def test_where_no_control_runs(server_place: DatabaseServer) -> None:
    database = Database(server_place)
    database.now(lambda session: session.add(row(2, time.time_ns() // 1000 - 60_000_000)))
    act = asyncio.run(retired_offline(database, "uid", 2, "ann", "burnt", GOVERNANCE))
    assert act == 1
    with pytest.raises(ControlError):
        asyncio.run(retired_offline(database, "uid-2", 2, "ann", "burnt", GOVERNANCE))
    database.close()
