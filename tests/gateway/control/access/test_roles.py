"""What roles and scopes allow, and that nobody can forget to ask for them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.control.access.roles import (
    ADMINISTER,
    ANY_SCOPE,
    EVERYBODY,
    MODERATE,
    OPEN,
    Permission,
    Principal,
    Role,
    known,
    refused,
)
from gateway.control.calls.endpoint import Endpoint, scopes


async def handler(call: Any) -> Any:
    raise NotImplementedError


def reason(access: Permission, caller: Principal) -> str:
    found = refused(access, caller)
    return found.reason if found is not None else ""


def test_one_of_somebody_s_roles_is_enough() -> None:
    access = Permission(MODERATE, "blocks:write")
    assert reason(access, Principal("bo", frozenset({Role.VIEWER, Role.REVIEWER}))) == ""
    assert reason(access, Principal("bo", frozenset({Role.VIEWER, Role.AUDITOR}))) == "control.role_refused"
    assert reason(access, Principal("bo", frozenset())) == "control.role_refused"


def test_a_machine_needs_scope_and_person() -> None:
    access = Permission(MODERATE, "blocks:write")
    reviewer, viewer = frozenset({Role.REVIEWER}), frozenset({Role.VIEWER})
    own, foreign = frozenset({"blocks:write"}), frozenset({"blocks:read", "blocks:writes", ANY_SCOPE, ""})
    assert reason(access, Principal("bo", reviewer, "sync", own)) == ""
    assert reason(access, Principal("bo", reviewer, "sync", foreign)) == "control.scope_refused"
    assert reason(access, Principal("bo", viewer, "sync", own)) == "control.role_refused"
    assert reason(access, Principal("bo", reviewer, "sync", frozenset())) == "control.scope_refused"


def test_what_is_for_people_alone_is_refused_to_every_machine() -> None:
    everything = frozenset({"", ANY_SCOPE, "people:write"})
    assert reason(Permission(ADMINISTER), Principal("bo", ADMINISTER, "sync", everything)) == "control.people_only"
    assert reason(Permission(EVERYBODY, ANY_SCOPE), Principal("bo", ADMINISTER, "sync", frozenset())) == ""


def test_what_is_open_asks_nothing() -> None:
    assert reason(OPEN, Principal("", frozenset())) == ""


def test_a_sentence_says_what_is_missing() -> None:
    found = refused(Permission(MODERATE, "blocks:write"), Principal("bo", frozenset({Role.VIEWER})))
    assert found is not None
    assert found.why == "This needs one of the roles admin, lead, reviewer; you have viewer."
    found = refused(Permission(ADMINISTER), Principal("bo", frozenset()))
    assert found is not None
    assert found.why == "This needs the role admin; you have none."


def test_an_endpoint_without_roles_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="access"):
        Endpoint("GET", "/v1/x", handler, "X")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="which roles"):
        Permission(frozenset())
    with pytest.raises(ValueError, match="which roles"):
        Permission(frozenset(), "blocks:write")


def test_scopes_are_those_of_the_endpoints() -> None:
    made = [
        Endpoint("GET", "/a", handler, "A", Permission(MODERATE, "a:read")),
        Endpoint("GET", "/b", handler, "B", Permission(ADMINISTER, "a:read")),
        Endpoint("GET", "/c", handler, "C", Permission(ADMINISTER)),
        Endpoint("GET", "/d", handler, "D", Permission(EVERYBODY, ANY_SCOPE)),
        Endpoint("GET", "/e", handler, "E", OPEN),
    ]
    assert scopes(made) == {"a:read": MODERATE | ADMINISTER}


def test_a_role_of_a_later_version_gives_nothing() -> None:
    assert known(["viewer", "emperor", "ADMIN", ""]) == {Role.VIEWER}
