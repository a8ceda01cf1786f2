"""State is one database's: taken by the first, kept from every other, at every write, and given over by a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.control.acts.neighbours import Change
from gateway.state.cold import embedded, topology
from gateway.state.cold.governance_projection import GovernanceProjection
from gateway.state.cold.owner import NotOurs, StateOwner, decode, encode, myself, owner
from gateway.state.model.keys import Keys
from gateway.state.model.snapshot import SnapshotRows

A = StateOwner("a", 1, "gw-1", "/var/lib/tidegate/control.sqlite3", "2026-01-02T03:04:05+00:00")
B = StateOwner("b", 2, "gw-2")
ROOM = Change("rooms", {"room": "r1"}, {"status": "closed", "interval_ms": 0})


@pytest.fixture
async def redis(server: Any) -> AsyncIterator[Any]:
    client = topology.redis(*embedded.access(server.folder))
    yield client
    await client.aclose()


def of(redis: Any, who: StateOwner | None) -> GovernanceProjection:
    return GovernanceProjection(redis, Keys(), owner=who)


async def everything(redis: Any) -> dict[bytes, bytes]:
    return {key: await redis.get(key) async for key in redis.scan_iter()}


def test_what_is_written_is_read() -> None:
    assert decode(encode(A)) == A
    assert decode(None) is None
    assert decode(b'{"id":"x","new":1}') == StateOwner("x")
    for broken in (b"", b"7", b"[]", b"{}", b"null"):
        assert decode(broken) == StateOwner("unreadable")
    mine = myself("i", 3, "/d")
    assert (mine.id, mine.node, mine.database) == ("i", 3, "/d")
    assert mine.host


async def test_the_first_takes_it_and_comes_back(redis: Any) -> None:
    await of(redis, A).rebuild([[ROOM]], SnapshotRows(1))
    assert await owner(redis, Keys()) == A
    again = of(redis, A._replace(host="elsewhere"))  # the same database after a crash, wherever it is now
    assert await again.confirm()
    await again.apply([ROOM])
    assert await owner(redis, Keys()) == A


async def test_a_state_without_an_owner_is_taken_with_all_it_holds(redis: Any) -> None:
    await of(redis, None).rebuild([[ROOM]], SnapshotRows(1))
    assert await owner(redis, Keys()) is None
    assert await of(redis, A).confirm()
    assert await owner(redis, Keys()) == A


async def test_every_write_of_another_is_refused(redis: Any) -> None:
    await of(redis, A).rebuild([[ROOM]], SnapshotRows(1))
    held = await everything(redis)
    other = of(redis, B)
    for write in (
        other.confirm,
        lambda: other.apply([ROOM]),
        lambda: other.publish(SnapshotRows(9)),
        lambda: other.rebuild([[ROOM]], SnapshotRows(9)),
        lambda: other.rebuild([], SnapshotRows(9)),
        lambda: other._remove([b"tg:version"]),
        lambda: other._switch(99, 0, other._aside((99, 0))),
    ):
        with pytest.raises(NotOurs, match=r"control\.sqlite3 of node 1 on gw-1 .*state claim"):
            await write()
    assert await everything(redis) == held


async def test_an_owner_that_changes_between_look_and_write_stops_the_write(redis: Any, server: Any) -> None:
    mine = of(redis, A)
    await mine.rebuild([], SnapshotRows(1))
    is_ours = mine._is_ours

    def claimed_meanwhile(value: Any) -> bool:
        ours = is_ours(value)
        server.cli("SET", Keys().owner, encode(B))
        return ours

    mine._is_ours = claimed_meanwhile  # type: ignore[method-assign]
    with pytest.raises(NotOurs):
        await mine.apply([ROOM])
    assert not [key for key in await everything(redis) if b":r:" in key]


async def test_claimed_by_a_person(redis: Any) -> None:
    first, second = of(redis, A), of(redis, B)
    await first.rebuild([[ROOM]], SnapshotRows(1))
    assert await second.claim() == A
    assert await second.rebuild([], SnapshotRows(2)) == 0
    with pytest.raises(NotOurs):
        await first.apply([ROOM])
    assert await second.claim() == B


async def test_two_that_start_at_once(redis: Any) -> None:
    told = await asyncio.gather(*(of(redis, who).confirm() for who in (A, B) * 4), return_exceptions=True)
    found = await owner(redis, Keys())
    assert found in (A, B)
    assert [isinstance(one, NotOurs) for one in told] == [who != found for who in (A, B) * 4]
