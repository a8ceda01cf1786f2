"""Which eviction policies are refused, and that a real server tells its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.exceptions import NoPermissionError

from filters.model.limits import Limit
from filters.model.rule import Asks, Repeat
from gateway.state.cold import embedded, topology
from gateway.state.cold.eviction import Eviction, lasting, told


@pytest.fixture
async def redis(server: Any) -> AsyncIterator[Any]:
    client = topology.redis(*embedded.access(server.folder))
    yield client
    await client.aclose()


@pytest.mark.parametrize(
    ("policy", "always", "with_lasting"),
    [
        ("noeviction", False, False),
        ("volatile-ttl", False, False),
        ("volatile-lru", False, True),
        ("volatile-lfu", False, True),
        ("volatile-random", False, True),
        ("allkeys-lru", True, True),
        ("allkeys-lfu", True, True),
        ("allkeys-random", True, True),
    ],
)
def test_what_is_refused(policy: str, always: bool, with_lasting: bool) -> None:
    found = Eviction(frozenset({policy, "noeviction"}), 0)
    assert bool(found.problem(False)) is always
    assert bool(found.problem(True)) is with_lasting
    if with_lasting:
        assert policy in found.problem(True)
        assert "noeviction or volatile-ttl" in found.problem(True)


def test_a_server_that_tells_nothing_is_believed() -> None:
    assert Eviction(frozenset(), 0).problem(True) == ""


def test_which_counts_last() -> None:
    short, long, repeating = Asks(), Asks(), Asks()
    short.limit(Limit("sender", 5, 10_000_000), "enforce")
    long.limit(Limit("sender", 5, 600_000_000), "shadow")
    repeating.repeat(Repeat("sender", 1, 3_600_000_000), "enforce")
    assert not lasting([short])
    assert lasting([short, long])
    assert lasting([repeating])


async def test_a_real_server_tells(redis: Any, server: Any) -> None:
    assert await told(redis, cluster=False) == Eviction(frozenset({"volatile-ttl"}), 0)


async def test_a_server_that_forbids_it_and_one_that_is_away() -> None:
    class Forbids:
        async def info(self, part: str) -> Any:
            raise NoPermissionError

    assert await told(Forbids(), cluster=False) == Eviction(frozenset(), 0)
    away = topology.redis(topology.Address(path="/nonexistent"), topology.Credentials())
    with pytest.raises(ConnectionError):
        await told(away, cluster=False)
    await away.aclose()
