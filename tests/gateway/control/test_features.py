"""The table of features says all there is: rows, endpoints, and what follows from a change of each table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from gateway.control import features
from gateway.control.acts.rows import Act, Mark, Model, Origin, Outbox
from gateway.control.calls.feature import Feature
from gateway.control.features import ENDPOINTS, FEATURES, GOVERNANCE, SCOPES
from gateway.state.model.snapshot import SnapshotRows

CONTROL = Path(features.__file__).parent


def test_every_table_belongs_to_one_feature_or_to_acts() -> None:
    named = [table.rows for feature in FEATURES for table in feature.tables]
    named += [rows for feature in FEATURES for rows in feature.rows] + [Act, Outbox, Mark, Origin]
    assert sorted(rows.__tablename__ for rows in named) == sorted(Model.metadata.tables)


def test_every_folder_with_endpoints_stands_in_the_table() -> None:
    named = {endpoint.handler.__module__.split(".")[2] for endpoint in ENDPOINTS}
    assert {path.parent.name for path in CONTROL.glob("*/endpoints.py")} == named


def test_endpoints_are_told_apart_by_path_and_by_name() -> None:
    assert len({(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    assert len({endpoint.operation for endpoint in ENDPOINTS}) == len(ENDPOINTS)


def test_what_follows_from_a_change() -> None:
    assert GOVERNANCE.projected == {"accounts": ("sender",), "blocks": ("scope", "value"), "rooms": ("room",)}
    assert GOVERNANCE.in_snapshot == {
        "blocks", "rooms", "switches", "urgent_words", "copies", "tickets", "takedowns", "incidents",
    }  # fmt: skip
    assert GOVERNANCE.compiled == {"words"}
    assert {name for name, table in GOVERNANCE.tables.items() if table.undo == "never"} == {
        "tokens",
        "tickets",
        "passwords",
    }
    assert {name for name, table in GOVERNANCE.tables.items() if table.undo == "changed"} == {"people", "incidents"}
    assert GOVERNANCE.lasting == {"takedowns"}
    assert {table.expired_by for table in GOVERNANCE.tables.values()} == {"", "block.expire", "copy.expire"}


@pytest.mark.parametrize("feature", FEATURES)
def test_who_may_undo_is_who_may_do(feature: Feature) -> None:
    """What puts a table's rows back asks for the roles of an endpoint that changes them."""
    writers = {one.access.roles for one in feature.endpoints if one.method != "GET"}
    for table in feature.tables:
        assert table.undo == "never" or table.restored_by in writers, table.rows.__tablename__
        assert table.undo != "never" or not table.restored_by


def test_scopes_are_named_alike() -> None:
    assert all(re.fullmatch(r"[a-z-]+:(read|write)", name) for name in SCOPES)
    for endpoint in ENDPOINTS:
        asked = endpoint.access
        assert not (endpoint.method == "GET" and asked.scope.endswith(":write")), endpoint.path
        # What changes nothing and is no GET stands here by name.
        reading = {
            "/v1/journal:fetch",
            "/v1/takedowns:preview",
            "/v1/incidents:preview",
            "/v1/lists/{name}:backtest",
            "/v1/lists/{name}:try",
            "/v1/messages/search",
        }
        if endpoint.method != "GET" and asked.scope.endswith(":read"):
            assert endpoint.path in reading


def test_nothing_that_gives_rights_is_for_machines() -> None:
    for endpoint in ENDPOINTS:
        if endpoint.method != "GET" and endpoint.path.startswith(("/v1/people", "/v1/tokens", "/v1/acts")):
            assert not endpoint.access.scope


@pytest.mark.parametrize("name", sorted(GOVERNANCE.tables))
def test_what_a_table_is_said_to_have_it_has(name: str) -> None:
    table = GOVERNANCE.tables[name]
    columns = table.rows.__table__.columns.keys()
    assert set(table.place) <= set(columns)
    if table.expired_by:
        assert {"id", "expires_at"} <= set(columns)


def test_every_part_of_the_snapshot_has_one_writer(plant: Any) -> None:
    """Each puts in its own rows and leaves the others' alone."""
    marked = SnapshotRows(1, *((part,) for part in SnapshotRows._fields[1:]))  # type: ignore[arg-type]
    written: list[str] = []
    for table in GOVERNANCE.tables.values():
        if table.snapshot is not None:
            made = plant.database.now(lambda session, part=table.snapshot: part(session, 0, marked))
            written += [name for name in SnapshotRows._fields if getattr(made, name) != getattr(marked, name)]
    assert sorted(written) == sorted(set(SnapshotRows._fields) - {"version"})
