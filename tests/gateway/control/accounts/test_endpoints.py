"""Accounts over the API."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from gateway.control.accounts import imports

ACCOUNT = {"verified": True, "credit": 80, "reason": "checked papers"}


async def test_an_account_is_set_projected_recorded_read_and_forgotten(api: Any) -> None:
    sender = "álice/1?x=%2F 王"
    path = "/v1/accounts/" + "%C3%A1lice%2F1%3Fx%3D%252F%20%E7%8E%8B"
    done = await api("PUT", path, json=ACCOUNT)
    assert (api.status, done["in_force"], done["result"]["sender"]) == (200, True, sender)
    assert api.plant.state.rows["accounts", sender]["credit"] == 80
    read = await api("GET", path, params={"reason": "complaint 7"})
    told = {"sender": sender, "verified": True, "verified_until": 0, "credit": 80, "approved": 0}
    assert read == {**told, "entries": []}
    await api("DELETE", path, params={"reason": "closed by the user"})
    assert ("accounts", sender) not in api.plant.state.rows
    await api("GET", path, params={"reason": "look again"})
    assert api.status == 404
    await api.plant.relay.settled(5, 5)
    kinds = [(act["kind"], act["person"], act["reason"]) for act in (await api.plant.recorded())]
    assert kinds == [
        ("person.add", "tidegate", "first start"),
        ("account.put", "admin", "checked papers"),
        ("account.read", "admin", "complaint 7"),
        ("account.delete", "admin", "closed by the user"),
        ("account.read", "admin", "look again"),
    ]


async def test_what_a_message_cost_stands_in_the_ledger(api: Any) -> None:
    await api("PUT", "/v1/accounts/u1", json=ACCOUNT)
    await api("PUT", "/v1/accounts/u1", json={**ACCOUNT, "credit": 60, "message": "m1"})
    read = await api("GET", "/v1/accounts/u1", params={"reason": "complaint 7"})
    assert read["credit"] == 60
    assert [(one["points"], one["message_id"], one["reverses"]) for one in read["entries"]] == [(-20, "m1", None)]
    for credit in (60, 100):
        told = await api("PUT", "/v1/accounts/u1", json={**ACCOUNT, "credit": credit, "message": "m1"})
        assert (api.status, told["reason"]) == (409, "control.not_lowered")
    assert (await api("PUT", "/v1/accounts/u2", json={**ACCOUNT, "message": "m2"}))["result"]["credit"] == 80


async def test_an_import_streams_commits_and_names_its_bad_lines(api: Any) -> None:
    lines = [json.dumps({"sender": f"u{n}", "verified": True, "credit": n % 101}).encode() for n in range(1200)]
    lines[3] = b'{"sender": "13800138000"}'
    lines[700] = b"not json"
    lines[701] = b'{"sender": "x", "verified": true' + b" " * 5000 + b"}"
    body = b"\n".join(lines)
    async with api.session.post(
        api.url + "/v1/accounts:import",
        params={"reason": "first load"},
        data=body,
        headers={"Authorization": f"Bearer {api.token}"},
    ) as response:
        assert response.status == 200
        told = [json.loads(line) for line in (await response.text()).splitlines()]
    end = told[-1]
    assert (end["done"], end["lines"], end["accepted"], end["refused"]) == (True, 1200, 1197, 3)
    assert [error["line"] for error in end["errors"]] == [4, 701, 702]
    assert "13800138000" not in json.dumps(end)
    # Whoever is told so may send the first message of one of them at once.
    assert end["in_force"] is True
    assert len(api.plant.state.rows) == 1197
    assert api.plant.state.rows["accounts", "u1199"]["credit"] == 1199 % 101


async def test_an_import_stops_at_its_bound_and_says_so(api: Any) -> None:
    async def body() -> Any:
        for n in range(10_000):
            yield json.dumps({"sender": f"user-with-a-long-name-{n}", "verified": False}).encode() + b"\n"

    response = await api.session.post(
        api.url + "/v1/accounts:import",
        params={"reason": "too much"},
        data=body(),
        headers={"Authorization": f"Bearer {api.token}"},
    )
    end = json.loads((await response.text()).splitlines()[-1])
    assert end["done"] is False
    assert "max_import" in end["stopped"]


async def test_what_was_approved_stays_where_nobody_says_otherwise(api: Any) -> None:
    """The platform sends its accounts again and again, and knows nothing of what was approved here."""

    async def approved(**more: Any) -> int:
        await api("PUT", "/v1/accounts/alice", json=ACCOUNT | more)
        read = await api("GET", "/v1/accounts/alice", params={"reason": "complaint 7"})
        return int(read["approved"])

    assert [await approved(), await approved(approved=3), await approved(), await approved(approved=0)] == [0, 3, 3, 0]
    assert api.plant.state.rows["accounts", "alice"]["approved"] == 0
    await api("PUT", "/v1/accounts/alice", json=ACCOUNT | {"approved": 101})
    assert api.status == 400


async def test_an_import_that_stands_still_ends_and_keeps_what_it_had_told(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "WITHIN", 0.05)
    over = asyncio.Event()

    async def body() -> Any:
        for n in range(imports.BATCH):
            yield json.dumps({"sender": f"u{n}", "verified": True}).encode() + b"\n"
        await over.wait()

    async with api.session.post(
        api.url + "/v1/accounts:import",
        params={"reason": "a load"},
        data=body(),
        headers={"Authorization": f"Bearer {api.token}"},
    ) as response:
        end = json.loads((await response.text()).splitlines()[-1])
    over.set()
    assert (end["done"], end["accepted"]) == (False, imports.BATCH)
    assert end["stopped"].startswith("Nothing came for")
    assert api.plant.state.rows["accounts", "u0"]["verified"] is True
