"""Every endpoint × every role × no token × machines with and without its scope, as the table says, over a socket."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from gateway.control.access.roles import ANY_SCOPE, Role
from gateway.control.acts.acts import SYSTEM, Intent, perform
from gateway.control.acts.rows import Act
from gateway.control.calls.endpoint import Endpoint
from gateway.control.features import ENDPOINTS, GOVERNANCE, SCOPES
from gateway.control.people import people, tokens

LET_IN = frozenset((200, 400, 404, 503))  # without body and reason most is asked wrongly, and nothing is done
GUARDED = [endpoint for endpoint in ENDPOINTS if not endpoint.open]


def at(endpoint: Endpoint) -> str:
    return re.sub(r"{\w+}", "1", endpoint.path)


def person(api: Any, name: str, *roles: Role) -> str:
    """Somebody with these roles; their token."""
    token = people.new_token()
    intent = Intent(api.plant.ids(), SYSTEM, "r", "person.add", f"person:{name}")
    add = lambda unit: people.add(unit, name, token, roles)  # noqa: E731
    api.plant.database.now(lambda session: perform(session, intent, add, GOVERNANCE))
    api.plant.people.refresh(api.plant.database.now(people.callers))
    return token


def machine(api: Any, name: str, of: str, *scopes: str) -> str:
    """A machine with these scopes, for which ``of`` answers; its token. Whatever they may themselves."""
    token = people.new_token()
    callers = api.plant.database.now(people.callers)
    maker = next(one for one in callers if (one.person, one.token) == (of, ""))
    every = dict.fromkeys(scopes, maker.roles)
    intent = Intent(api.plant.ids(), SYSTEM, "r", "token.make", f"token:{name}")
    make = lambda unit: tokens.make(unit, name, scopes, token, maker, every)  # noqa: E731
    api.plant.database.now(lambda session: perform(session, intent, make, GOVERNANCE))
    api.plant.people.refresh(api.plant.database.now(people.callers))
    return token


@pytest.mark.parametrize("role", Role)
async def test_a_role_may_what_the_table_says_and_nothing_else(api: Any, role: Role) -> None:
    token = person(api, "bo", role)
    before = len(await done(api))
    for endpoint in GUARDED:
        answer = await api(endpoint.method, at(endpoint), token=token)
        told = (endpoint.method, endpoint.path, api.status, answer)
        if role in endpoint.access.roles and endpoint.access.machine:
            assert (api.status, answer["reason"]) == (403, "control.machines_only"), told
        elif role in endpoint.access.roles:
            assert api.status in LET_IN, told
        else:
            assert (api.status, answer["reason"]) == (403, "control.role_refused"), told
            assert role.value in answer["detail"]
    assert len(await done(api)) == before


async def test_several_roles_may_what_each_may(api: Any) -> None:
    token = person(api, "bo", Role.AUDITOR, Role.LIST_EDITOR)
    for endpoint in GUARDED:
        answer = await api(endpoint.method, at(endpoint), token=token)
        may = bool({Role.AUDITOR, Role.LIST_EDITOR} & endpoint.access.roles) and not endpoint.access.machine
        assert (api.status in LET_IN) == may, (endpoint.path, answer)
        assert may or api.status == 403


async def test_a_person_without_any_role_may_nothing(api: Any) -> None:
    """As one whose only role is of a later version."""
    token = person(api, "bo")
    for endpoint in GUARDED:
        await api(endpoint.method, at(endpoint), token=token)
        assert api.status == 403, endpoint.path


async def test_what_is_open_needs_no_token_and_takes_none_ill(api: Any) -> None:
    viewer = person(api, "bo", Role.VIEWER)
    for endpoint, token in product([one for one in ENDPOINTS if one.open], ("", "tg_wrong", viewer)):
        async with api.session.request(
            endpoint.method, api.url + endpoint.path, headers={"Authorization": f"Bearer {token}"}
        ) as response:
            assert response.status in (200, 503), endpoint.path


async def test_a_machine_may_what_its_scope_names(api: Any) -> None:
    """An admin answers for each: only the scope decides."""
    before = len(await done(api))
    of = {scope: machine(api, scope.replace(":", "."), "admin", scope) for scope in SCOPES}
    before += len(of)
    for endpoint in GUARDED:
        asked = endpoint.access.scope
        for scope, token in of.items():
            answer = await api(endpoint.method, at(endpoint), token=token)
            told = (endpoint.method, endpoint.path, scope, api.status, answer)
            if asked in (scope, ANY_SCOPE):
                assert api.status in LET_IN, told
            else:
                reason = "control.scope_refused" if asked else "control.people_only"
                assert (api.status, answer["reason"]) == (403, reason), told
    assert len(await done(api)) == before


async def test_a_machine_may_no_more_than_its_person(api: Any) -> None:
    person(api, "bo", Role.VIEWER)
    token = machine(api, "everything", "bo", *SCOPES)
    for endpoint in GUARDED:
        if not endpoint.access.scope:
            continue
        answer = await api(endpoint.method, at(endpoint), token=token)
        if Role.VIEWER in endpoint.access.roles:
            assert api.status in LET_IN, (endpoint.path, answer)
        else:
            assert (api.status, answer["reason"]) == (403, "control.role_refused"), endpoint.path
            assert "whoever answers for this token has viewer" in answer["detail"]


async def test_an_unknown_token_is_told_nothing_of_roles(api: Any) -> None:
    for endpoint in GUARDED:
        for headers in (
            {},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer tg_x"},
            {"Authorization": "Basic x"},
        ):
            async with api.session.request(endpoint.method, api.url + at(endpoint), headers=headers) as response:
                answer = await response.json(content_type=None)
                assert (response.status, answer["reason"]) == (401, "control.token_refused"), endpoint.path


async def test_the_description_says_who_may(api: Any) -> None:
    document = await api("GET", "/openapi.json", token="")
    for endpoint in ENDPOINTS:
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        assert operation.get("x-roles", []) == sorted(endpoint.access.roles)
        assert operation.get("x-scope", "") == endpoint.access.scope


async def done(api: Any) -> list[int]:
    """Acts so far, without asking the API for them, which is one."""
    found: list[int] = await api.plant.database.run(lambda session: session.scalars(select(Act.id)).all())
    return found
