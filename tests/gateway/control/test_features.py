"""The table of features says all there is: rows, endpoints, and what follows from a change of each table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.control import features
from gateway.control.acts.rows import Act, Mark, Model, Origin, Outbox
from gateway.control.features import ENDPOINTS, FEATURES, GOVERNANCE
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
    assert GOVERNANCE.in_snapshot == {"blocks", "rooms", "switches", "urgent_words", "copies"}
    assert GOVERNANCE.compiled == {"words"}
    assert GOVERNANCE.never_undone == {"people"}
    assert GOVERNANCE.lasting == {"takedowns"}
    assert {table.expired_by for table in GOVERNANCE.tables.values()} == {"", "block.expire", "copy.expire"}


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
