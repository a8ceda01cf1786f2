"""Shares of an upstream: who holds more than his part waits, and nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.upstream.settings import UpstreamServerSettings, UpstreamSettings
from gateway.http.upstream.shares import Share, ShareBounds
from gateway.http.wire.address import parse_address

GET = b"GET / HTTP/1.1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SERVERS = (UpstreamServerSettings(parse_address("http://127.0.0.1:9")),)


@pytest.fixture
async def full(make_upstream: Any, make_wire: Any, make_sink: Any) -> Any:
    """An upstream with eight kept connections: two make a client's share, four a route's, and two are spare."""

    class Full:
        def __init__(self) -> None:
            self.upstream = make_upstream(max_connections=8, max_waiting=6)
            self.upstream.share("other")
            self.wires = [make_wire(self.upstream.pools[0]) for _ in range(8)]
            self.sinks: list[Any] = []

        def get(self, client: Share, route: str = "slow") -> Any:
            sink = make_sink()
            self.sinks.append(sink)
            share = self.upstream.share(route)
            return self.upstream.start(GET, b"", sink, idempotent=True, client=client, route=share)

        def answer(self, call: Any) -> None:
            next(wire for wire in self.wires if wire.connection is call.connection).feed(OK)

        @property
        def used(self) -> int:
            return sum(wire.connection.call is not None for wire in self.wires)

    return Full()


async def test_slow_readers_of_one_address_leave_the_spare_part_to_others(full: Any, clock: Any) -> None:
    greedy, other = Share(), Share()
    calls = [full.get(greedy, "all") for _ in range(8)]
    assert full.used == 6
    assert full.get(other, "other").connection is not None
    assert full.get(other, "other").connection is not None
    assert full.used == 8
    clock.advance(3.0)
    assert [call.connection is not None for call in calls] == [True] * 6 + [False] * 2
    assert [sink.error.reason for sink in full.sinks if sink.error] == ["upstream.busy"] * 2
    assert greedy.held == 6


async def test_a_slow_route_leaves_the_spare_part_to_others(full: Any) -> None:
    for _ in range(12):
        full.get(Share(), "slow")
    assert full.used == 6
    assert full.get(Share(), "quick").connection is not None


async def test_a_route_that_is_the_only_one_has_all(make_upstream: Any, make_wire: Any, make_sink: Any) -> None:
    upstream = make_upstream(max_connections=8)
    for _ in range(8):
        make_wire(upstream.pools[0])
    only = upstream.share("only")
    calls = [
        upstream.start(GET, b"", make_sink(), idempotent=True, client=Share(), route=only) for _ in range(8)
    ]  # fmt: skip
    assert all(call.connection is not None for call in calls)


async def test_who_waits_for_more_than_a_share_is_served_when_there_is_room(full: Any) -> None:
    greedy = Share()
    calls = [full.get(greedy) for _ in range(8)]
    full.answer(calls[0])
    assert calls[6].connection is not None
    assert calls[7].connection is None
    calls[7].abort()
    for call in calls[1:7]:
        full.answer(call)
    assert greedy.held == 0
    assert full.upstream.share("slow").held == 0
    assert not full.upstream.surplus


async def test_who_holds_too_much_is_told_so_and_nobody_else(full: Any) -> None:
    greedy, other = Share(), Share()
    for _ in range(30):
        full.get(greedy)
    await _soon()
    refused = [sink for sink in full.sinks if sink.error]
    assert len(refused) == 30 - 6 - 3
    assert {sink.error.reason for sink in refused} == {"upstream.busy"}
    assert {sink.error.detail for sink in refused} == {"share"}
    assert full.get(other, "quick").connection is not None


async def test_stopping_tells_those_who_wait(full: Any) -> None:
    for _ in range(8):
        full.get(Share(), "slow")
    full.upstream.close()
    assert [sink.error.reason for sink in full.sinks] == ["upstream.stopped"] * 8
    assert full.upstream.share("slow").held == 0


async def _soon() -> None:
    await asyncio.sleep(0)


@given(st.integers(1, 1000), st.integers(1, 5), st.floats(0.001, 1.0), st.floats(0.001, 1.0), st.floats(0.0, 0.999))
def test_everybody_may_hold_one(most: int, servers: int, client: float, route: float, spare: float) -> None:
    settings = UpstreamSettings(
        "p", SERVERS, max_connections=most, client_share=client, route_share=route, spare_share=spare
    )  # fmt: skip
    bounds = ShareBounds(settings, servers, 2)
    assert 1 <= bounds.client <= most * servers
    assert 1 <= bounds.route <= most * servers
    assert 1 <= bounds.open <= most * servers
