"""Blocks over the API."""

from __future__ import annotations

from typing import Any


async def test_blocks_of_shared_things_are_limits_for_a_day(api: Any) -> None:
    for scope, value, kept, limited in (
        ("sender", "mallory", "mallory", False),
        ("registrant", "r-1", "r-1", False),
        ("device", "d-1", "d-1", True),
        ("ip", "::ffff:192.0.2.1", "192.0.2.1", True),
        ("cidr", "2001:db8::1/32", "2001:db8::/32", True),
    ):
        body = {"scope": scope, "value": value, "reason": "flood", "ground": "agreement 4"}
        done = await api("POST", "/v1/blocks", json=body)
        assert api.status == 200, done
        assert done["result"]["value"] == kept
        assert done["result"]["limited"] is limited
        assert bool(done["result"]["expires_at"]) is limited
    for scope, value in (("ip", "300.1.1.1"), ("cidr", "x/8"), ("planet", "mars"), ("sender", "a\nb"), ("sender", "")):
        await api("POST", "/v1/blocks", json={"scope": scope, "value": value, "reason": "r", "ground": "g"})
        assert api.status == 400
    body = {"scope": "sender", "value": "z", "reason": "r", "ground": "g", "expires_at": 1}
    answer = await api("POST", "/v1/blocks", json=body)
    assert answer["reason"] == "control.expired"
    snapshot = api.plant.state.snapshot
    assert [(row["cidr"], row["limited"]) for row in snapshot["ranges"]] == [("2001:db8::/32", True)]
    assert {row["value"] for row in snapshot["blocks"]} == {"mallory", "r-1", "d-1", "192.0.2.1"}


async def test_a_block_is_replaced_listed_lifted_and_the_lift_undone(api: Any) -> None:
    body = {"scope": "sender", "value": "mallory", "reason": "flood", "ground": "agreement 4"}
    first = await api("POST", "/v1/blocks", json=body)
    second = await api("POST", "/v1/blocks", json={**body, "reason": "flood again"})
    assert first["result"]["id"] == second["result"]["id"]
    listed = await api("GET", "/v1/blocks", params={"reason": "appeal", "scope": "sender", "value": "mallory"})
    assert [row["reason"] for row in listed["blocks"]] == ["flood again"]
    number = second["result"]["id"]
    lifted = await api("DELETE", f"/v1/blocks/{number}", params={"reason": "appeal granted"})
    assert ("blocks", "sender", "mallory") not in api.plant.state.rows
    undone = await api("POST", f"/v1/acts/{lifted['act']}:undo", json={"reason": "wrong appeal"})
    assert undone["result"] == {"undone": lifted["act"], "lasting": []}
    assert api.plant.state.rows["blocks", "sender", "mallory"]["reason"] == "flood again"
    again = await api("POST", f"/v1/acts/{lifted['act']}:undo", json={"reason": "again"})
    assert (api.status, again["reason"]) == (409, "control.undone_already")
    early = await api("POST", f"/v1/acts/{first['act']}:undo", json={"reason": "too early"})
    assert (api.status, early["reason"]) == (409, "control.changed_since")
    acts = await api("GET", "/v1/acts", params={"reason": "audit", "kind": "block.delete"})
    assert [(act["act"], act["undone_by"]) for act in acts["acts"]] == [(lifted["act"], undone["act"])]
    record = next(act for act in (await api.plant.recorded()) if act["kind"] == "act.undo")
    assert record["undoes_uid"] == lifted["id"]


async def test_a_lift_cannot_be_undone_over_a_newer_block(api: Any) -> None:
    body = {"scope": "sender", "value": "mallory", "reason": "flood", "ground": "agreement 4"}
    first = await api("POST", "/v1/blocks", json=body)
    lifted = await api("DELETE", f"/v1/blocks/{first['result']['id']}", params={"reason": "appeal"})
    await api("POST", "/v1/blocks", json=body)
    answer = await api("POST", f"/v1/acts/{lifted['act']}:undo", json={"reason": "r"})
    assert (api.status, answer["reason"]) == (409, "control.conflict")


async def test_a_block_of_an_ipv6_address_is_one_of_its_network(api: Any) -> None:
    body = {"scope": "ip", "value": "2001:DB8:1:2::5", "reason": "flood", "ground": "agreement 4", "limited": False}
    first = await api("POST", "/v1/blocks", json=body)
    assert (first["result"]["scope"], first["result"]["value"]) == ("cidr", "2001:db8:1:2::/64")
    second = await api("POST", "/v1/blocks", json={**body, "value": "2001:db8:1:2:ffff::9"})
    assert second["result"]["id"] == first["result"]["id"]
    for value in ("2001:db8:1:2::77", "2001:db8:1:2::5"):
        listed = await api("GET", "/v1/blocks", params={"reason": "appeal", "scope": "ip", "value": value})
        assert [row["id"] for row in listed["blocks"]] == [first["result"]["id"]]
    assert [(row["cidr"], row["limited"]) for row in api.plant.state.snapshot["ranges"]] == [
        ("2001:db8:1:2::/64", False)
    ]


async def test_a_range_of_ipv4_written_as_ipv6_is_one_of_ipv4(api: Any) -> None:
    body = {"scope": "cidr", "value": "::ffff:10.1.0.0/112", "reason": "flood", "ground": "agreement 4"}
    done = await api("POST", "/v1/blocks", json=body)
    assert done["result"]["value"] == "10.1.0.0/16"
