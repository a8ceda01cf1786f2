"""The snapshot's rows: the same bytes as ever on the wire, and read whatever a neighbouring version wrote."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.model.snapshot import (
    BlockRow,
    CopyRow,
    IncidentRow,
    RangeRow,
    RoomRow,
    Snapshot,
    SnapshotRows,
    SwitchRow,
    TicketRow,
    UnwantedRow,
    UrgentRow,
    decode,
    encode,
    parse,
)

ROWS = SnapshotRows(
    9,
    (SwitchRow(1, "freeze", "room", "r1", "incident 12"), SwitchRow(2, "freeze", "route", "live", "incident 13")),
    (UrgentRow(3, "word", "order 9"),),
    (CopyRow(4, "00ff" * 4, "rule 9", 1_900_000_000),),
    (RangeRow("192.0.2.0/24", "farm", 0, True),),
    (BlockRow("sender", "mallory", "spam", 1_800_000_000, False),),
    False,
    (RoomRow("r2", "slow", 30_000),),
    True,
    (),
    (UnwantedRow("0192", "order 7"),),
    (IncidentRow(5, "rooms", ("r1", "r2"), 1_900_000_000_000_000, hold=True, pace_ms=500, level=60, ground="order 4"),),
)
WIRE = (
    b'{"version":9,"switches":['
    b'{"id":1,"kind":"freeze","room":"r1","ground":"incident 12","reason_code":"switch.frozen"},'
    b'{"id":2,"kind":"freeze","route":"live","ground":"incident 13","reason_code":"switch.frozen"}],'
    b'"urgent":[{"id":3,"word":"word","ground":"order 9"}],'
    b'"copies":[{"id":4,"fingerprint":"00ff00ff00ff00ff","ground":"rule 9","expires_at":1900000000}],'
    b'"ranges":[{"cidr":"192.0.2.0/24","reason":"farm","expires_at":0,"limited":true}],'
    b'"blocks":[{"scope":"sender","value":"mallory","reason":"spam","expires_at":1800000000,"limited":false}],'
    b'"blocks_whole":false,"rooms":[{"room":"r2","status":"slow","interval_ms":30000}],"rooms_whole":true,'
    b'"tickets":[],"unwanted":[{"id":"0192","ground":"order 7"}],'
    b'"incidents":[{"id":5,"scope":"rooms","places":["r1","r2"],"ends_at":1900000000000000,"hold":true,"freeze":false,'
    b'"pace_ms":500,"level":60,"ground":"order 4"}]}'
)

numbers = st.integers(0, 1 << 53)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
terms = (words, numbers, st.booleans())
snapshots = st.builds(
    SnapshotRows,
    numbers,
    *(
        st.lists(row, max_size=3).map(tuple)
        for row in (
            st.builds(SwitchRow, numbers, st.just("freeze"), st.sampled_from(["room", "route"]), words, words),
            st.builds(UrgentRow, numbers, words, words),
            st.builds(CopyRow, numbers, words, words, numbers),
            st.builds(RangeRow, words, *terms),
            st.builds(BlockRow, words, words, *terms),
        )
    ),
    st.booleans(),
    st.lists(st.builds(RoomRow, words, st.sampled_from(["slow", "muted", "closed"]), numbers), max_size=3).map(tuple),
    st.booleans(),
    st.lists(st.builds(TicketRow, numbers, words, words, words, words, numbers), max_size=3).map(tuple),
    st.lists(st.builds(UnwantedRow, words, words), max_size=3).map(tuple),
    st.lists(
        st.builds(
            IncidentRow,
            numbers,
            st.sampled_from(["all", "routes", "rooms"]),
            st.lists(words, max_size=3).map(tuple),
            numbers,
            st.booleans(),
            st.booleans(),
            numbers,
            st.integers(-1, 100),
            words,
        ),
        max_size=3,
    ).map(tuple),
)


def test_these_are_the_bytes() -> None:
    assert orjson.dumps(encode(ROWS)) == WIRE
    assert parse(WIRE).rows == ROWS


@given(snapshots)
def test_what_is_written_is_read(rows: SnapshotRows) -> None:
    assert decode(orjson.loads(orjson.dumps(encode(rows)))) == rows


def test_sections_and_fields_of_other_versions() -> None:
    assert decode({"version": 5}) == SnapshotRows(5)
    assert decode({"review": [1], "blocks": [{"scope": "ip", "value": "192.0.2.1", "reason": "x", "new": 1}]}) == (
        SnapshotRows(0, blocks=(BlockRow("ip", "192.0.2.1", "x"),))
    )
    assert decode({"switches": [{"kind": "drain", "group": "g"}]}).switches == (SwitchRow(0, "drain", "", "", ""),)


@pytest.mark.parametrize(
    "document",
    [[], None, "x", {"blocks": [{"scope": "ip"}]}, {"urgent": [7]}, {"ranges": 3}, {"version": None}, {"copies": [{}]}],
)
def test_what_is_no_snapshot_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="snapshot"):
        decode(document)


def test_a_worker_asks_by_place_and_by_address() -> None:
    snapshot = Snapshot(ROWS)
    assert snapshot.version == 9
    assert snapshot.blocks["sender", "mallory"].reason == "spam"
    found = snapshot.ranges.find("192.0.2.7")
    assert found is not None
    assert found.block.limited
