"""Filling state, while it is emptied under our hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import permutations
from typing import Any

import pytest

from gateway.control.acts.neighbours import Change
from gateway.state.cold import embedded, topology
from gateway.state.cold.governance_projection import EpochLost, GovernanceProjection, Overtaken, ReadTooEarly
from gateway.state.cold.owner import StateOwner
from gateway.state.cold.projection_script import KEPT_MS
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


def act(number: int, value: str = "bob", **changed: Any) -> Change:
    """A block as it was read when this was the newest act; without a reason it is gone."""
    row = {**ROW, **changed} if changed else None
    return Change("blocks", {"scope": "sender", "value": value}, row, number)


async def held(redis: Any, projection: GovernanceProjection, value: str = "bob") -> bytes | None:
    found: bytes | None = await redis.get(Keys().block(projection._epoch, "sender", value))
    return found


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_in_whatever_order_writes_come_the_newest_counts(redis: Any, order: tuple[int, ...]) -> None:
    writes = [act(2, reason="first"), act(3), act(5, reason="second"), act(7)]
    one, two = (GovernanceProjection(redis, Keys(), owner=OURS) for _ in range(2))
    await one.rebuild([], SnapshotRows(1))
    for place in order:
        await (one, two)[place % 2].apply([writes[place]])
        await two.apply([writes[place]])  # a repeated one does nothing
    assert await held(redis, two) is None
    await one.apply([act(8, reason="again")])
    await two.apply([writes[0]])
    assert await held(redis, two) == b"0 0 0 0 again"
    assert await one.numbers() == (one._epoch, 8)


async def test_what_was_removed_leaves_its_act_for_a_while(redis: Any) -> None:
    projection = GovernanceProjection(redis, Keys(), owner=OURS)
    await projection.rebuild([], SnapshotRows(1))
    await projection.apply([act(4)])
    key = Keys().dated(projection._epoch, Keys().block(projection._epoch, "sender", "bob"))
    assert await redis.get(key) == b"4"
    assert 0 < await redis.pttl(key) <= KEPT_MS
    await projection.apply([act(3, reason="late")])
    assert await held(redis, projection) is None


async def test_what_changes_while_all_is_written_anew_is_in_both(redis: Any) -> None:
    """Another control's act, projected while we read what stood before it."""
    one, two = (GovernanceProjection(redis, Keys(), owner=OURS) for _ in range(2))
    await one.rebuild([], SnapshotRows(1))

    async def newest() -> int:
        return 10

    async def batches() -> AsyncIterator[Sequence[Change]]:
        await two.apply([act(12, "lifted"), act(12, "given", reason="now")])
        yield [act(11, "lifted", reason="as it was"), act(11, "still", reason="there")]

    await one.rebuild(batches(), SnapshotRows(2), one._epoch + 1, newest)
    assert [await held(redis, one, who) for who in ("lifted", "given", "still")] == [
        None, b"0 0 0 0 now", b"0 0 0 0 there",
    ]  # fmt: skip
    assert await redis.get(Keys().building) is None
    # Whatever was read before its rows were does not count any more.
    with pytest.raises(ReadTooEarly):
        await two.apply([act(9, "still")])
    await two.apply([act(12, "still")])
    assert await held(redis, one, "still") is None


async def test_of_two_that_write_all_of_it_anew_the_later_one_counts(redis: Any) -> None:
    one, two = (GovernanceProjection(redis, Keys(), owner=OURS) for _ in range(2))

    async def newest() -> int:
        return 5

    async def overtaken() -> AsyncIterator[Sequence[Change]]:
        yield [act(5, "old", reason="x")]
        await two.rebuild([[act(6, "new", reason="y")]], SnapshotRows(2), 8, newest)
        yield [act(5, "older", reason="x")]

    with pytest.raises((Overtaken, EpochLost)):
        await one.rebuild(overtaken(), SnapshotRows(1), 7, newest)
    assert await redis.get(Keys().epoch) == b"8"
    assert await two.lacking([act(6, "new", reason="y")]) == []
    assert await two.version() == 2
    with pytest.raises(Overtaken):  # an epoch never falls
        await one.rebuild([], SnapshotRows(3), 7, newest)
    assert await redis.get(Keys().epoch) == b"8"


async def test_versions_only_rise(redis: Any) -> None:
    projection = GovernanceProjection(redis, Keys(), owner=OURS)
    for version in (10, 9, 2, 11, 10):
        await projection.publish(SnapshotRows(version))
    assert await redis.get(Keys().version) == b"11"
    assert (await redis.get(Keys().snapshot)).startswith(b'{"version":11,')


async def test_a_server_that_was_started_again_knows_no_script(redis: Any) -> None:
    projection = GovernanceProjection(redis, Keys(), owner=OURS)
    await projection.rebuild([], SnapshotRows(1))
    projection._script._digest = "0" * 40  # as it would be to another server
    await projection.apply([act(2, reason="x")])
    assert await held(redis, projection) == b"0 0 0 0 x"
