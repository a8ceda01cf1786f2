"""Filling state, while it is emptied under our hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from gateway.control.acts.neighbours import Change
from gateway.state.cold import embedded, topology
from gateway.state.cold.governance_projection import EpochLost, GovernanceProjection
from gateway.state.cold.owner import StateOwner
from gateway.state.model.keys import Keys
from gateway.state.model.snapshot import SnapshotRows

ROW = {"reason": "spam", "expires_at": 0, "limited": False}
OURS = StateOwner("a")


@pytest.fixture
async def redis(server: Any) -> AsyncIterator[Any]:
    client = topology.redis(*embedded.access(server.folder))
    yield client
    await client.aclose()


def block(value: str, **changed: Any) -> Change:
    return Change("blocks", {"scope": "sender", "value": value}, {**ROW, **changed})


@pytest.mark.parametrize("owner", [None, OURS])
async def test_a_server_that_is_emptied_while_it_is_filled_is_not_believed(
    redis: Any, server: Any, owner: StateOwner | None
) -> None:
    """The first block is gone, the second is there: with an epoch the first one's sender would be innocent."""
    projection = GovernanceProjection(redis, Keys(), owner=owner)

    def emptied() -> Iterator[Sequence[Change]]:
        yield [block("first")]
        server.empty()
        yield [block("second")]

    with pytest.raises(EpochLost):
        await projection.rebuild(emptied(), SnapshotRows(1))
    assert not await projection.confirm()
    assert await projection.rebuild([[block("first")], [block("second")]], SnapshotRows(1)) == 2
    assert await projection.confirm()
    assert await projection.lacking([block("first"), block("second")]) == []


async def test_whether_the_snapshot_is_there(redis: Any, server: Any) -> None:
    projection = GovernanceProjection(redis, Keys(), owner=OURS)
    assert not await projection.holds_snapshot()
    await projection.publish(SnapshotRows(1))
    assert await projection.holds_snapshot()
    server.cli("DEL", Keys().version)
    assert not await projection.holds_snapshot()


async def test_what_is_lacking(redis: Any, server: Any) -> None:
    projection = GovernanceProjection(redis, Keys(), owner=OURS)
    rows = [
        block("gone"), block("there"), block("other reason"), block("limit", limited=True),
        block("words", reason="a b c"),
        Change("rooms", {"room": "r1"}, {"status": "slow", "interval_ms": 5}),
        Change("accounts", {"sender": "alice"}, {"verified": True, "verified_until": 0, "credit": 7}),
        Change("blocks", {"scope": "cidr", "value": "10.0.0.0/8"}, ROW),
    ]  # fmt: skip
    with pytest.raises(EpochLost):
        await projection.lacking(rows)
    await projection.rebuild([rows], SnapshotRows(1))
    assert await projection.lacking(rows) == []
    keys, epoch = Keys(), projection._epoch
    server.cli("DEL", keys.block(epoch, "sender", "gone"))
    server.cli("SET", keys.block(epoch, "sender", "other reason"), "0 0 0 0 another")
    server.cli("SET", keys.block(epoch, "sender", "limit"), "0 10000000 10000000 1234567 spam")  # it was used
    server.cli("SET", keys.room(epoch, "r1"), "muted")
    lacking = await projection.lacking(rows)
    assert [tuple(change.subject.values())[-1] for change in lacking] == ["gone", "other reason", "r1"]
    await projection.apply(lacking)
    assert await projection.lacking(rows) == []
    assert await projection.lacking([Change("rooms", {"room": "r2"}, None)]) == []
