"""People over the API, and the first of them."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from sqlalchemy import select

from gateway.control.access.roles import Role
from gateway.control.features import GOVERNANCE
from gateway.control.people import people
from gateway.control.people.rows import Person

ACCOUNT = {"verified": True, "credit": 80, "reason": "checked papers"}


async def test_people_have_a_token_each(api: Any) -> None:
    made = await api("POST", "/v1/people", json={"name": "bo", "roles": ["lead", "admin"], "reason": "new reviewer"})
    token = made["result"]["token"]
    done = await api("PUT", "/v1/accounts/alice", token=token, json=ACCOUNT)
    assert api.status == 200
    assert [p["name"] for p in (await api("GET", "/v1/people"))["people"]] == ["admin", "bo"]
    record = next(act for act in (await api.plant.recorded()) if act["id"] == done["act"])
    assert record["person"] == "bo"
    await api("POST", "/v1/people", json={"name": "bo", "roles": ["lead", "admin"], "reason": "again"})
    assert api.status == 409
    gone = await api("DELETE", "/v1/people/bo", params={"reason": "left"})
    assert gone["result"] == {"removed": True, "tokens": []}
    await api("GET", "/v1/people", token=token)
    assert api.status == 401
    answer = await api("DELETE", "/v1/people/admin", params={"reason": "left"})
    assert (api.status, answer["reason"]) == (409, "control.last_admin")
    answer = await api("POST", f"/v1/acts/{made['act']}:undo", json={"reason": "r"})
    assert (api.status, answer["reason"]) == (409, "control.not_undoable")
    kept = json.dumps(await api.plant.recorded())
    assert token not in kept
    assert people.hashed(token) not in kept


def test_the_first_person_s_token_is_kept_for_its_owner_only(plant: Any) -> None:
    keep = plant.folder / "deep" / "first-token"
    token = plant.database.now(lambda session: people.first(session, "admin", plant.ids(), keep, GOVERNANCE))
    assert keep.read_text() == token + "\n"
    assert stat.S_IMODE(keep.stat().st_mode) == 0o600
    assert stat.S_IMODE(keep.parent.stat().st_mode) == 0o700
    assert plant.database.now(lambda session: people.first(session, "admin", plant.ids(), keep, GOVERNANCE)) is None
    plant.people.refresh(plant.database.now(people.callers))
    known = plant.people.known(token)
    assert (known.person, known.roles) == ("admin", {Role.ADMIN})
    assert plant.people.known(token[:-1]) is None
    rows = plant.database.now(lambda session: [str(vars(row)) for row in session.scalars(select(Person))])
    assert token not in str(rows)
    if isinstance(plant.place, Path):
        assert token not in plant.place.read_bytes().decode("latin-1")
