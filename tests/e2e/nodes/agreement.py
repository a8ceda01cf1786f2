"""Whether the database, state, every worker and the journals say the same, and what a model of the acts says."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row
from redis.asyncio import Redis

from gateway.common import channel
from gateway.state.cold.governance_projection import account_value, block_value, room_value
from gateway.state.model.keys import BLOCK_LETTERS
from gateway.state.model.snapshot import LIMITED
from tests.e2e.nodes.acts_model import KEYS, ActsModel, Row
from tests.e2e.nodes.cluster import Cluster, soon
from tests.e2e.nodes.random_acts import Said

SETTLED = 180.0  # seconds in which all of it agrees, once nothing goes wrong any more
OURSELVES = "tidegate"
NUMBERED = re.compile(r"act (\d+)")
INEXCUSABLE = (
    "handler_failed",
    "exception.unhandled",
    "never retrieved",
    "request.failed",
    "acts.unnoticed",
    "call_failed",
    "outbox.failed",
)
HIDDEN = ("token_hash",)


class Agreement:
    """Of one cluster, behind its acts. ``before``: what stood in the database before the first of them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._first = 0  # acts until here are not of the model
        self.model = ActsModel()

    async def begin(self) -> None:
        """Before the first act."""
        acts = await self._rows("SELECT max(id) AS last FROM acts")
        self._first = acts[0]["last"]
        self.model.known({table: await self._table(table) for table in KEYS})

    async def settle(self) -> None:
        """Wait until nothing is under way: no act waits to leave the database, and none comes any more."""

        async def quiet() -> bool:
            before = await self._rows("SELECT count(*) AS many FROM acts")
            await asyncio.sleep(1.0)
            left = "SELECT count(*) AS many FROM outbox WHERE NOT (acknowledged_journal AND acknowledged_state)"
            return (await self._rows(left))[0]["many"] == 0 and before == await self._rows(
                "SELECT count(*) AS many FROM acts"
            )

        await soon(quiet, SETTLED)

    async def database(self, said: Said) -> None:
        """Each act that was acknowledged stands there once, none that was refused; in their order they are what the
        model allows, and make the rows that are there."""
        acts = await self._rows(f"SELECT * FROM acts WHERE id > {self._first} ORDER BY id")
        numbers: Counter[int] = Counter()
        for act in acts:
            if act["person"] == OURSELVES:  # state had lost something, and was mended
                assert act["changes"] == [], act
                continue
            told = NUMBERED.fullmatch(act["reason"])
            assert told is not None, act
            number = int(told[1])
            numbers[number] += 1
            assert number not in said.refused, f"refused, and done: {said.asked[number]}: {act}"
            assert said.done.get(number, act["id"]) == act["id"]
            self.model.step(act["id"], said.asked[number], act["changes"])
        assert [number for number, many in numbers.items() if many > 1] == [], "done twice"
        assert [number for number in said.done if number not in numbers] == [], "acknowledged, and lost"
        assert numbers.keys() <= said.done.keys() | said.doubt
        for table in KEYS:
            assert ordered(await self._table(table)) == ordered(self.model.of(table)), table

    async def state(self) -> None:
        """Every key of the epoch in force, and the snapshot."""
        mark = (await self._rows("SELECT value FROM marks WHERE name = 'snapshot'"))[0]["value"]
        client = Redis(unix_socket_path=str(self._cluster.state.socket))
        try:
            epoch = int(await client.get("tg:epoch"))
            held: dict[str, str] = {}
            for letter in "abr":
                async for key in client.scan_iter(match=f"tg:{epoch}:{letter}:*", count=1000):
                    held[key.decode()] = (await client.get(key)).decode()
            others = [key async for key in client.scan_iter(match="tg:*", count=1000) if _epoch(key) not in (0, epoch)]
            snapshot = orjson.loads(await client.get("tg:snapshot"))
            version = int(await client.get("tg:version"))
        finally:
            await client.aclose()
        assert held == self._keys(epoch)
        assert others == [], "of an epoch before"
        assert (version, snapshot["version"]) == (mark, mark)
        self._is_snapshot(snapshot)

    async def workers(self) -> None:
        """Each has the snapshot of the database's version, and finds in its file what the model says."""
        mark = (await self._rows("SELECT value FROM marks WHERE name = 'snapshot'"))[0]["value"]
        for node in self._cluster.nodes.values():
            kept = orjson.loads(await asyncio.to_thread(node.folders.snapshot.read_bytes))
            assert kept["version"] == mark
            self._is_snapshot(kept)
            for name in await node.pids("worker"):
                told = await channel.call(
                    node.folders.worker_socket(int(name.rpartition("-")[2])), {"command": "status"}, timeout=5
                )
                assert told["snapshot"] == mark, (name, told)

    async def generations(self) -> bool:
        """Whether all serve the same."""
        told = (await self._cluster.ask(1, "GET", "/v1/nodes")).json()["nodes"]
        return not any(one["older"] for one in told)

    async def behaviour(self) -> int:
        """Every sender and every room asked of every node; how many were refused."""
        rows = self.model.rows
        refused = 0
        for number, node in self._cluster.nodes.items():
            for row in self.model.of("accounts"):
                if not row["verified"]:
                    continue
                block = rows.get(("blocks", ("sender", row["sender"])))
                if block is None or not block["limited"]:
                    answer = await node.say(row["sender"], "hello", "/api/articles/elsewhere/comments")
                    assert answer.status == (201 if block is None else 403), (number, row, block, answer)
                    refused += answer.status == 403
            for row in self.model.of("switches"):
                answer = await node.say("citizen", "hello", f"/api/articles/{row['value']}/comments")
                assert answer.status == 403, (number, row, answer)
                refused += 1
            for row in self.model.of("urgent_words"):
                answer = await node.say("citizen", f"so {row['word']}", "/api/articles/elsewhere/comments")
                assert answer.status == 403, (number, row, answer)
                refused += 1
        return refused

    def logs(self) -> list[str]:
        """What no fault excuses: lines of nodes' logs."""
        return [
            line
            for node in self._cluster.nodes.values()
            for line in node.told(everything=True).splitlines()
            if any(fault in line for fault in INEXCUSABLE)
        ]

    async def journals(self) -> tuple[int, int]:
        """Every act stands in a journal, as it is in the database; how many there are, and how many stand in two."""
        acts = {act["uid"]: act for act in await self._rows("SELECT * FROM acts")}
        names = {act["id"]: act["uid"] for act in acts.values()}
        found: dict[str, list[dict[str, Any]]] = {}
        for node in self._cluster.nodes.values():
            for record in await asyncio.to_thread(lambda node=node: list(node.records())):
                if record["kind"] == "act" and "changes" in record["target"]:
                    found.setdefault(record["id"], []).append(record)
        assert found.keys() == acts.keys()
        for uid, records in found.items():
            for record in records:
                act = acts[uid]
                assert record["target"] == {"subject": act["subject"], "changes": act["changes"]}, (record, act)
                assert record["reason"] == act["reason"], (record, act)
                assert record.get("undoes") == names.get(act["undoes"]), (record, act)
        return len(found), sum(len(records) > 1 for records in found.values())

    def _keys(self, epoch: int) -> dict[str, str]:
        wanted: dict[str, str] = {}
        for row in self.model.of("accounts"):
            value = account_value(row["verified"], row["verified_until"], row["credit"], row["approved"])
            wanted[f"tg:{epoch}:a:{{{row['sender']}}}"] = value
        for row in self.model.of("blocks"):
            if row["scope"] != "cidr":
                value = block_value(row["reason"], row["expires_at"], LIMITED if row["limited"] else None)
                wanted[f"tg:{epoch}:b:{BLOCK_LETTERS[row['scope']]}:{{{row['value']}}}"] = value
        for row in self.model.of("rooms"):
            room = room_value(row["status"], row["interval_ms"])
            assert room is not None
            wanted[f"tg:{epoch}:r:{{{row['room']}}}"] = room
        return wanted

    def _is_snapshot(self, told: dict[str, Any]) -> None:
        def of(table: str, *columns: str) -> list[Row]:
            return ordered([{name: row[name] for name in columns} for row in self.model.of(table)])

        def said(name: str, *columns: str) -> list[Row]:
            return ordered([{column: row[column] for column in columns} for row in told[name]])

        block = ("scope", "value", "reason", "expires_at", "limited")
        blocks = of("blocks", *block)
        assert said("blocks", *block) == [row for row in blocks if row["scope"] != "cidr"]
        assert [row["cidr"] for row in said("ranges", "cidr", "reason", "limited")] == [
            row["value"] for row in blocks if row["scope"] == "cidr"
        ]
        assert said("rooms", "room", "status", "interval_ms") == of("rooms", "room", "status", "interval_ms")
        assert said("urgent", "id", "word", "ground") == of("urgent_words", "id", "word", "ground")
        assert said("switches", "id", "kind", "ground") == of("switches", "id", "kind", "ground")

    async def _table(self, table: str) -> list[Row]:
        rows = await self._rows(f"SELECT * FROM {table}")
        return [{name: value for name, value in row.items() if name not in HIDDEN} for row in rows]

    async def _rows(self, statement: str) -> list[Row]:
        return await asyncio.to_thread(self._asked, statement)

    def _asked(self, statement: str) -> list[Row]:
        url = self._cluster.server.url("gate")
        with psycopg.connect(url, autocommit=True, row_factory=dict_row, connect_timeout=5) as connection:
            return connection.execute(statement).fetchall()


def ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=repr)


def _epoch(key: bytes) -> int:
    """Of a key that belongs to one; 0 of others."""
    told = key.split(b":")[1]
    return int(told) if told.isdigit() else 0
