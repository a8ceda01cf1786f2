"""Roles given and taken, and those who try to have more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from gateway.control.access.roles import Role
from gateway.control.people import people
from gateway.control.people.rows import Person

ACCOUNT = {"verified": True, "credit": 80, "reason": "checked papers"}
WHY = {"params": {"reason": "r"}}


async def added(api: Any, name: str, *roles: str, token: str | None = None) -> str:
    """A person; their token."""
    made = await api("POST", "/v1/people", token=token, json={"name": name, "roles": list(roles), "reason": "new"})
    assert api.status == 200, made
    return str(made["result"]["token"])


async def give(api: Any, name: str, *roles: str, token: str | None = None) -> Any:
    return await api(
        "PUT", f"/v1/people/{name}/roles", token=token, json={"roles": list(roles), "reason": "other work"}
    )


async def refusal(api: Any, method: str, path: str, **more: Any) -> tuple[int, str]:
    answer = await api(method, path, **more)
    return api.status, answer.get("reason", "")


async def test_roles_are_given_and_taken_at_once(api: Any) -> None:
    bo = await added(api, "bo", "viewer")
    assert await refusal(api, "PUT", "/v1/accounts/alice", token=bo, json=ACCOUNT) == (403, "control.role_refused")
    done = await give(api, "bo", "lead", "viewer", "lead")
    assert done["result"]["roles"] == ["viewer", "lead"]
    await api("PUT", "/v1/accounts/alice", token=bo, json=ACCOUNT)
    assert api.status == 200
    await give(api, "bo", "viewer")
    assert await refusal(api, "PUT", "/v1/accounts/alice", token=bo, json=ACCOUNT) == (403, "control.role_refused")
    record = (await api.plant.recorded())[-1]
    assert (record["kind"], record["person"], record["reason"]) == ("person.roles", "admin", "other work")
    (change,) = record["changes"]
    assert [change[side]["roles"] for side in ("before", "after")] == [["viewer", "lead"], ["viewer"]]
    assert await refusal(api, "PUT", "/v1/people/cy/roles", json={"roles": ["lead"], "reason": "r"}) == (
        404,
        "control.person_unknown",
    )


@pytest.mark.parametrize("roles", [[], ["emperor"], ["Admin"], "admin", [1], None, ["viewer"] * 7])
async def test_roles_that_there_are_not_are_refused(api: Any, roles: Any) -> None:
    for method, path, more in (("POST", "/v1/people", {"name": "bo"}), ("PUT", "/v1/people/admin/roles", {})):
        assert await refusal(api, method, path, json={**more, "roles": roles, "reason": "r"}) == (
            400,
            "control.invalid",
        )


async def test_nobody_adds_somebody_without_a_role(api: Any) -> None:
    assert await refusal(api, "POST", "/v1/people", json={"name": "bo", "reason": "r"}) == (400, "control.invalid")


async def test_nobody_gives_themselves_a_role(api: Any) -> None:
    """Who may not give roles is refused as anybody; an admin by what would become of their own row, whichever way."""
    lead = await added(api, "li", "lead")
    answer = await give(api, "li", "lead", "admin", token=lead)
    assert (api.status, answer["reason"]) == (403, "control.role_refused")
    answer = await give(api, "admin", "admin", "lead")
    assert (api.status, answer["reason"]) == (403, "control.own_role")
    other = await added(api, "cy", "admin")
    taken = await give(api, "admin", "admin", "lead", token=other)
    taken = await give(api, "admin", "admin", token=other)
    # By undoing what took it.
    answer = await api("POST", f"/v1/acts/{taken['act']}:undo", json={"reason": "mine"})
    assert (api.status, answer["reason"]) == (403, "control.own_role")
    await api("POST", f"/v1/acts/{taken['act']}:undo", token=other, json={"reason": "mistake"})
    assert api.status == 200
    assert (await api("GET", "/v1/me"))["roles"] == ["admin", "lead"]
    # To have fewer is everybody's own business, and the way back is another's.
    await give(api, "admin", "viewer")
    assert api.status == 200
    answer = await give(api, "admin", "admin")
    assert (api.status, answer["reason"]) == (403, "control.role_refused")


async def test_the_last_admin_stays(api: Any) -> None:
    await added(api, "li", "lead")
    assert (await give(api, "admin", "lead"))["reason"] == "control.last_admin"
    assert await refusal(api, "DELETE", "/v1/people/admin", **WHY) == (409, "control.last_admin")
    assert (await api("GET", "/v1/me"))["roles"] == ["admin"]
    cy = await added(api, "cy", "admin")
    await api("DELETE", "/v1/people/admin", **WHY)
    assert api.status == 200
    answer = await api("DELETE", "/v1/people/cy", token=cy, **WHY)
    assert (api.status, answer["reason"]) == (409, "control.last_admin")


async def test_by_undoing_neither(api: Any) -> None:
    """An act that gave the admin's role, undone when the other admins have gone."""
    cy = await added(api, "cy", "viewer")
    made = await give(api, "cy", "admin")
    await give(api, "admin", "viewer")
    answer = await api("POST", f"/v1/acts/{made['act']}:undo", token=cy, json={"reason": "r"})
    assert (api.status, answer["reason"]) == (409, "control.last_admin")


async def test_who_may_not_give_a_role_undoes_no_act_that_gave_one(api: Any) -> None:
    lead = await added(api, "li", "lead", "reviewer", "list-editor")
    await added(api, "bo", "viewer")
    given = await give(api, "bo", "lead")
    taken = await give(api, "bo", "viewer")
    for act in (given["act"], taken["act"]):
        answer = await api("POST", f"/v1/acts/{act}:undo", token=lead, json={"reason": "r"})
        assert (api.status, answer["reason"]) == (403, "control.role_refused"), act
        assert "the role admin" in answer["detail"]
    # Nor what made or removed somebody, by anybody.
    gone = await api("DELETE", "/v1/people/bo", **WHY)
    answer = await api("POST", f"/v1/acts/{gone['act']}:undo", json={"reason": "r"})
    assert (api.status, answer["reason"]) == (409, "control.not_undoable")


async def test_who_may_not_do_it_may_not_undo_it(api: Any) -> None:
    reviewer = await added(api, "bo", "reviewer")
    editor = await added(api, "ed", "list-editor")
    acts = {
        "account": await api("PUT", "/v1/accounts/alice", json=ACCOUNT),
        "room": await api("PUT", "/v1/rooms/1", json={"status": "muted", "reason": "r"}),
        "word": await api("POST", "/v1/lists/spam/words", json={"line": "buy now", "reason": "r"}),
        "freeze": await api("POST", "/v1/switches", json={"scope": "room", "value": "1", "ground": "g", "reason": "r"}),
    }
    for token, may in ((reviewer, "room"), (editor, "word")):
        for name, done in acts.items():
            if name == may:
                continue
            got = await refusal(api, "POST", f"/v1/acts/{done['act']}:undo", token=token, json={"reason": "r"})
            assert got == (403, "control.role_refused"), name
        await api("POST", f"/v1/acts/{acts.pop(may)['act']}:undo", token=token, json={"reason": "r"})
        assert api.status == 200


async def test_two_admins_who_remove_each_other_at_once(api: Any) -> None:
    """One of them is first, and whoever is left can go on."""
    tokens = {"admin": api.token}
    for _ in range(5):
        here = next(iter(tokens))
        other = "cy" if here == "admin" else "admin"
        tokens[other] = await added(api, other, "admin", token=tokens[here])

        async def remove(who: str, whom: str) -> int:
            headers = {"Authorization": f"Bearer {tokens[who]}"}
            address = f"{api.url}/v1/people/{whom}?reason=mutiny"
            async with api.session.delete(address, headers=headers) as response:
                return int(response.status)

        codes = dict(zip((here, other), await asyncio.gather(remove(here, other), remove(other, here)), strict=True))
        assert sorted(codes.values()) == [200, 401]
        assert api.plant.database.now(people.administered)
        (lost,) = [name for name, code in codes.items() if code == 401]
        del tokens[lost]


async def test_two_admins_who_step_down_at_once(api: Any) -> None:
    cy = await added(api, "cy", "admin")

    async def step_down(name: str, token: str) -> int:
        async with api.session.put(
            f"{api.url}/v1/people/{name}/roles", headers={"Authorization": f"Bearer {token}"},
            json={"roles": ["viewer"], "reason": "r"},
        ) as response:  # fmt: skip
            return int(response.status)

    codes = await asyncio.gather(step_down("admin", api.token), step_down("cy", cy))
    assert sorted(codes) == [200, 409]
    assert api.plant.database.now(people.administered)


async def test_an_act_asks_the_database_who_is_allowed(api: Any) -> None:
    """Between being let in and the transaction somebody may have lost the role: what is remembered is not enough."""
    cy = await added(api, "cy", "admin")
    remembered = list(api.plant.people._callers)

    def demote(session: Any) -> None:
        session.get(Person, "cy").roles = ["viewer"]

    api.plant.database.now(demote)
    assert api.plant.people._callers == remembered
    assert await refusal(api, "PUT", "/v1/accounts/alice", token=cy, json=ACCOUNT) == (403, "control.role_refused")
    assert await refusal(api, "GET", "/v1/accounts/alice", token=cy, **WHY) == (403, "control.role_refused")
    assert (await give(api, "cy", "lead", token=cy))["reason"] == "control.role_refused"
    api.plant.database.now(lambda session: session.delete(session.get(Person, "cy")))
    assert await refusal(api, "PUT", "/v1/accounts/alice", token=cy, json=ACCOUNT) == (401, "control.token_refused")


async def test_a_namesake_is_somebody_else(api: Any) -> None:
    """Removed, and added again, between the call and its transaction."""
    cy = await added(api, "cy", "admin")
    remembered = list(api.plant.people._callers)
    await api("DELETE", "/v1/people/cy", **WHY)
    await added(api, "cy", "admin")
    api.plant.people.refresh(remembered)
    assert await refusal(api, "PUT", "/v1/accounts/alice", token=cy, json=ACCOUNT) == (401, "control.token_refused")


@pytest.mark.parametrize(("taking", "code"), [("role", "control.role_refused"), ("person", "control.token_refused")])
async def test_what_is_lost_while_a_body_comes_is_lost(api: Any, taking: str, code: str) -> None:
    cy = await added(api, "cy", "admin")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"verified": true,'
        begun.set()
        await go_on.wait()
        yield b'"reason": "r"}'

    async def put() -> Any:
        headers = {"Authorization": f"Bearer {cy}"}
        async with api.session.put(f"{api.url}/v1/accounts/late", headers=headers, data=body()) as response:
            return await response.json(content_type=None)

    call = asyncio.create_task(put())
    await begun.wait()
    if taking == "role":
        await give(api, "cy", "viewer")
    else:
        await api("DELETE", "/v1/people/cy", **WHY)
    go_on.set()
    assert (await call)["reason"] == code
    assert await refusal(api, "GET", "/v1/accounts/late", **WHY) == (404, "control.account_unknown")


async def test_an_import_ends_with_the_right_to_it(api: Any) -> None:
    cy = await added(api, "cy", "lead")
    begun, go_on = asyncio.Event(), asyncio.Event()

    def lines(first: int) -> bytes:
        return b"".join(
            json.dumps({"sender": f"u{number}", "verified": True}).encode() + b"\n"
            for number in range(first, first + 500)
        )

    async def body() -> AsyncIterator[bytes]:
        yield lines(0)
        begun.set()
        await go_on.wait()
        yield lines(500)

    async def send() -> Any:
        headers = {"Authorization": f"Bearer {cy}"}
        address = f"{api.url}/v1/accounts:import?reason=load"
        async with api.session.post(address, headers=headers, data=body()) as response:
            return json.loads((await response.text()).splitlines()[-1])

    call = asyncio.create_task(send())
    await begun.wait()
    async with asyncio.timeout(10):
        while not any(act["kind"] == "account.import" for act in api.plant.journal.records):
            await api("GET", "/v1/me")
    await give(api, "cy", "viewer")
    go_on.set()
    told = await call
    assert (told["done"], "one of the roles" in told["stopped"]) == (False, True), told
    assert [act["kind"] for act in api.plant.journal.records].count("account.import") == 1


def test_who_was_here_before_there_were_roles(plant: Any) -> None:
    """A person as an older program makes one, on this schema: an admin, and it is said until somebody gives a role."""
    insert = "INSERT INTO people (name, token_hash, created_at) VALUES ('old', :hash, 1)"
    plant.database.now(lambda session: session.execute(text(insert), {"hash": people.hashed("tg_old")}))
    (caller,) = plant.database.now(people.callers)
    assert (caller.person, caller.roles) == ("old", {Role.ADMIN})
    assert plant.database.now(people.ungiven) == 1
