"""Balancing spreads by weight and never picks what has no room or was tried."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.upstream.balance import LeastConnections, RoundRobin


@dataclass(eq=False)
class Server:
    name: str
    weight: int = 1
    active: int = 0
    has_room: bool = True
    turn: int = 0


def test_smooth_weighted_round_robin_is_nginxs_sequence():
    balance = RoundRobin([Server("a", 5), Server("b"), Server("c")])
    assert "".join(balance.pick().name for _ in range(14)) == "aabacaa" * 2


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_round_robin_gives_each_server_exactly_its_weight(weights):
    servers = [Server(str(index), weight) for index, weight in enumerate(weights)]
    balance = RoundRobin(servers)
    for _ in range(2):
        seen = Counter(balance.pick().name for _ in range(sum(weights)))
        assert seen == {server.name: server.weight for server in servers}


def test_least_connections_prefers_the_less_busy_for_its_weight():
    busy, free, strong = Server("busy", active=9), Server("free", active=1), Server("strong", 4, active=9)
    balance = LeastConnections([busy, free, strong], Random(7).random)
    seen = Counter(balance.pick().name for _ in range(3000))
    # "busy" wins only when drawn twice: (1/6)^2 of the time.
    assert seen["busy"] < 200
    assert seen["free"] > 600


def test_least_connections_draws_by_weight():
    balance = LeastConnections([Server("a", 3), Server("b", 1)], Random(7).random)
    seen = Counter(balance.pick().name for _ in range(4000))
    assert 0.85 < seen["a"] / 4000 < 1.0  # only (b, b) gives b: 1/16


@pytest.mark.parametrize("kind", [RoundRobin, LeastConnections])
@given(rooms=st.lists(st.booleans(), min_size=1, max_size=5), tried=st.sets(st.integers(0, 4)))
def test_only_servers_with_room_that_were_not_tried(kind, rooms, tried):
    servers = [Server(str(index), has_room=room) for index, room in enumerate(rooms)]
    left = [server for index, server in enumerate(servers) if server.has_room and index not in tried]
    picked = kind(servers).pick([server for index, server in enumerate(servers) if index in tried])
    assert picked in left if left else picked is None
