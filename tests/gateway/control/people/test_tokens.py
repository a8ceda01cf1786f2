"""Tokens of machines: what they may, who makes and revokes them, and those who try to have wider ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from gateway.control.features import SCOPES
from gateway.control.people import people, tokens
from gateway.control.people.rows import Token

ACCOUNT = {"verified": True, "credit": 80, "reason": "checked papers"}
WHY = {"params": {"reason": "r"}}


async def added(api: Any, name: str, *roles: str) -> str:
    made = await api("POST", "/v1/people", json={"name": name, "roles": list(roles), "reason": "new"})
    return str(made["result"]["token"])


async def give(api: Any, name: str, *roles: str) -> None:
    await api("PUT", f"/v1/people/{name}/roles", json={"roles": list(roles), "reason": "other work"})
    assert api.status == 200


async def make(api: Any, name: str, *scopes: str, token: str | None = None) -> Any:
    return await api("POST", "/v1/tokens", token=token, json={"name": name, "scopes": list(scopes), "reason": "sync"})


async def secret(api: Any, name: str, *scopes: str, token: str | None = None) -> str:
    made = await make(api, name, *scopes, token=token)
    assert api.status == 200, made
    return str(made["result"]["token"])


async def refusal(api: Any, method: str, path: str, **more: Any) -> tuple[int, str]:
    answer = await api(method, path, **more)
    return api.status, answer.get("reason", "")


async def test_a_machine_acts_under_its_name_and_its_person_s(api: Any) -> None:
    made = await make(api, "sync", "accounts:write", "accounts:read", "accounts:write")
    sync = made["result"].pop("token")
    created_at = made["result"].pop("created_at")
    scopes = ["accounts:read", "accounts:write"]
    assert made["result"] == {"name": "sync", "scopes": scopes, "made_by": "admin", "idle": []}
    shown = await api("GET", "/v1/tokens/sync")
    assert shown == made["result"] | {"created_at": created_at}
    assert (await api("GET", "/v1/tokens"))["tokens"] == [shown]
    done = await api("PUT", "/v1/accounts/alice", token=sync, json=ACCOUNT)
    record = next(act for act in (await api.plant.recorded()) if act["id"] == done["act"])
    assert (record["person"], record["token"]) == ("admin", "sync")
    acts = (await api("GET", "/v1/acts", params={"reason": "audit"}))["acts"]
    assert [(act["kind"], act["token"]) for act in acts[:3]] == [
        ("act.list", None),
        ("account.put", "sync"),
        ("token.make", None),
    ]
    me = await api("GET", "/v1/me", token=sync)
    may = [f"{method} /v1/accounts{rest}" for method, rest in (("POST", ":import"), *_of_one())]
    assert me == {"person": "admin", "roles": ["admin"], "token": "sync", "scopes": scopes, "may": [*may, "GET /v1/me"]}
    kept = json.dumps([*(await api.plant.recorded()), shown, acts])
    assert sync not in kept
    assert people.hashed(sync) not in kept


def _of_one() -> list[tuple[str, str]]:
    return [(method, "/{sender}") for method in ("GET", "PUT", "DELETE")]


async def test_who_asks_without_a_machine(api: Any) -> None:
    bo = await added(api, "bo", "auditor")
    me = await api("GET", "/v1/me", token=bo)
    assert (me["person"], me["roles"], me["token"], me["scopes"]) == ("bo", ["auditor"], None, None)
    assert "GET /v1/acts" in me["may"]
    assert "POST /v1/blocks" not in me["may"]


async def test_a_machine_makes_no_token_and_no_person(api: Any) -> None:
    """Not with every scope that there is, and an admin who answers for it."""
    every = await secret(api, "every", *SCOPES)
    for method, path, body in (
        ("POST", "/v1/tokens", {"name": "wider", "scopes": [*SCOPES], "reason": "r"}),
        ("POST", "/v1/tokens", {"name": "narrow", "scopes": ["status:read"], "reason": "r"}),
        ("POST", "/v1/people", {"name": "bo", "roles": ["admin"], "reason": "r"}),
        ("PUT", "/v1/people/admin/roles", {"roles": ["viewer"], "reason": "r"}),
        ("POST", "/v1/acts/1:undo", {"reason": "r"}),
        ("POST", "/v1/state:claim", {"reason": "r"}),
    ):
        assert await refusal(api, method, path, token=every, json=body) == (403, "control.people_only"), path
    for path in ("/v1/tokens/every", "/v1/people/admin"):
        assert await refusal(api, "DELETE", path, token=every, **WHY) == (403, "control.people_only"), path
    assert [one["name"] for one in (await api("GET", "/v1/tokens"))["tokens"]] == ["every"]


async def test_nobody_makes_a_token_wider_than_themselves(api: Any) -> None:
    bo = await added(api, "bo", "reviewer")
    for scopes in (("accounts:write",), ("blocks:write", "switches:write"), ("people:read",), ("state:write",)):
        answer = await make(api, "wide", *scopes, token=bo)
        assert (api.status, answer["reason"]) == (403, "control.scope_beyond"), scopes
        assert scopes[-1] in answer["detail"]
        assert "blocks:write" not in answer["detail"]
    assert (await api("GET", "/v1/tokens"))["tokens"] == []
    assert await secret(api, "fits", "blocks:write", token=bo)


@pytest.mark.parametrize(
    "scopes", [[], ["accounts:all"], ["*"], [""], ["blocks:write", "Blocks:write"], "blocks:write"]
)
async def test_scopes_that_there_are_not_are_refused(api: Any, scopes: Any) -> None:
    body = {"name": "sync", "scopes": scopes, "reason": "r"}
    assert await refusal(api, "POST", "/v1/tokens", json=body) == (400, "control.invalid")


async def test_a_token_is_never_wider_than_its_person_is_now(api: Any) -> None:
    bo = await added(api, "bo", "lead")
    sync = await secret(api, "sync", "accounts:write", "status:read", token=bo)
    await api("PUT", "/v1/accounts/alice", token=sync, json=ACCOUNT)
    assert api.status == 200
    await give(api, "bo", "viewer")
    assert await refusal(api, "PUT", "/v1/accounts/alice", token=sync, json=ACCOUNT) == (403, "control.role_refused")
    await api("GET", "/v1/status", token=sync)
    assert api.status == 200
    assert (await api("GET", "/v1/tokens/sync", token=bo))["idle"] == ["accounts:write"]
    await give(api, "bo", "admin")  # more than when it was made: still its scopes alone
    assert await refusal(api, "GET", "/v1/blocks", token=sync, **WHY) == (403, "control.scope_refused")


async def test_a_token_ends_with_its_person(api: Any) -> None:
    bo = await added(api, "bo", "lead")
    sync = await secret(api, "sync", "accounts:write", token=bo)
    board = await secret(api, "board", "status:read", token=bo)
    gone = await api("DELETE", "/v1/people/bo", **WHY)
    assert gone["result"] == {"removed": True, "tokens": ["board", "sync"]}
    for token, path in ((sync, "/v1/me"), (board, "/v1/status")):
        assert await refusal(api, "GET", path, token=token) == (401, "control.token_refused")
    # And does not come back with a namesake, nor where an older program left it behind.
    again = await added(api, "bo", "lead")
    orphan = "INSERT INTO tokens (name, token_hash, scopes, made_by, created_at) VALUES ('sync', :hash, '[]', 'bo', 1)"
    api.plant.database.now(lambda session: session.execute(text(orphan), {"hash": people.hashed(sync)}))
    api.plant.people.refresh(api.plant.database.now(people.callers))
    assert await refusal(api, "GET", "/v1/me", token=sync) == (401, "control.token_refused")
    assert (await api("GET", "/v1/me", token=again))["person"] == "bo"


async def test_a_clock_that_was_set_back_makes_no_dead_token(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bo = await added(api, "bo", "lead")
    monkeypatch.setattr(tokens.time, "time_ns", lambda: 1_000_000)
    sync = await secret(api, "sync", "status:read", token=bo)
    assert (await api("GET", "/v1/me", token=sync))["token"] == "sync"


async def test_revoked_is_revoked_at_once(api: Any) -> None:
    sync = await secret(api, "sync", "accounts:write")
    assert await refusal(
        api, "POST", "/v1/tokens", json={"name": "sync", "scopes": ["status:read"], "reason": "r"}
    ) == (
        409,
        "control.token_exists",
    )
    done = await api("DELETE", "/v1/tokens/sync", **WHY)
    assert await refusal(api, "GET", "/v1/me", token=sync) == (401, "control.token_refused")
    assert await refusal(api, "DELETE", "/v1/tokens/sync", **WHY) == (404, "control.token_unknown")
    assert await refusal(api, "POST", f"/v1/acts/{done['act']}:undo", json={"reason": "r"}) == (
        409,
        "control.not_undoable",
    )
    anew = await secret(api, "sync", "status:read")
    assert anew != sync
    assert await refusal(api, "PUT", "/v1/accounts/a", token=anew, json=ACCOUNT) == (403, "control.scope_refused")


async def test_revoked_between_call_and_transaction(api: Any) -> None:
    sync = await secret(api, "sync", "accounts:write")
    api.plant.database.now(lambda session: session.delete(session.get(Token, "sync")))
    assert await refusal(api, "PUT", "/v1/accounts/a", token=sync, json=ACCOUNT) == (401, "control.token_refused")


async def test_everybody_has_their_own_and_admins_all(api: Any) -> None:
    bo, cy = await added(api, "bo", "viewer"), await added(api, "cy", "auditor")
    await secret(api, "mine", "status:read", token=bo)
    await secret(api, "ours", "status:read")
    seen = {who: [one["name"] for one in (await api("GET", "/v1/tokens", token=token))["tokens"]]
            for who, token in (("admin", None), ("bo", bo), ("cy", cy))}  # fmt: skip
    assert seen == {"admin": ["mine", "ours"], "bo": ["mine"], "cy": ["mine", "ours"]}
    # Whom it is not shown to is not told that it is there.
    assert await refusal(api, "GET", "/v1/tokens/ours", token=bo) == (404, "control.token_unknown")
    assert await refusal(api, "DELETE", "/v1/tokens/ours", token=bo, **WHY) == (404, "control.token_unknown")
    assert await refusal(api, "DELETE", "/v1/tokens/mine", token=cy, **WHY) == (403, "control.token_foreign")
    await api("DELETE", "/v1/tokens/mine", token=bo, **WHY)
    assert api.status == 200
    await secret(api, "mine", "status:read", token=bo)
    await api("DELETE", "/v1/tokens/mine", **WHY)
    assert api.status == 200


async def test_there_are_not_more_than_can_be_compared(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 2)
    for name in ("a", "b"):
        await secret(api, name, "status:read")
    assert (await make(api, "c", "status:read"))["reason"] == "control.too_many"
