"""What is let in while a queue stands: bursts and pauses shed nothing, an overload is refused before it is judged."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.common.sweep import TICK
from gateway.http.server.queueing import FEWEST, QUIET, RETRY, STANDING, TURNS, Queueing
from gateway.http.server.settings import ServerSettings
from gateway.http.server.turns import TurnAccount, Turns
from gateway.http.upstream.upstream import STANDING as WAITED
from tests.gateway.http.server.requests import get, post, reason

BOUND = 0.02


class Loop:
    """``call_soon`` that waits until it is told, and a clock that is set."""

    def __init__(self) -> None:
        self.soon: list[Any] = []
        self.now = 0.0

    def call_soon(self, call: Any) -> None:
        self.soon.append(call)

    def time(self) -> float:
        return self.now

    def turn(self) -> None:
        soon, self.soon = self.soon, []
        assert len(soon) <= 1, "one call a turn"
        for call in soon:
            call()


class Resting:
    def __init__(self, done: list[int], number: int) -> None:
        self._done, self._number = done, number

    def go_on(self) -> None:
        self._done.append(self._number)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def queueing(loop: Loop) -> Queueing:
    return Queueing(loop, BOUND)  # type: ignore[arg-type]


def ticks(queueing: Queueing, count: int, *turns: float, state: float = 0.001, messages: int = 10) -> None:
    """So many ticks, each with these turns and a batch behind each."""
    for _ in range(count):
        for seconds in turns:
            queueing.read_for(seconds)
            queueing.asked(messages, state)
        queueing.tick()


def overloaded(queueing: Queueing) -> Queueing:
    ticks(queueing, STANDING, 0.05, 0.06)
    assert queueing.shedding
    return queueing


def test_a_queue_that_stands_and_nothing_less(queueing: Queueing) -> None:
    ticks(queueing, 100, 0.001, 0.5)  # one turn of two is short: bursts, and no standing queue
    for _ in range(100):
        ticks(queueing, STANDING, 0.5)  # single turns, as after a pause of the machine
        ticks(queueing, 1, 0.001)
    ticks(queueing, STANDING - 1, 0.05, 0.06)
    ticks(queueing, 1)  # nobody came
    ticks(queueing, STANDING - 1, 0.05, 0.06)
    assert not queueing.shedding
    ticks(queueing, 1, 0.05, 0.06)
    assert queueing.shedding
    assert queueing.delay == pytest.approx(0.055)


def test_turns_longer_than_a_tick_are_a_queue_that_stands(loop: Loop) -> None:
    queueing = Queueing(loop, 0.2)  # type: ignore[arg-type]
    ticks(queueing, TURNS - 1, 0.25)
    assert not queueing.shedding
    ticks(queueing, 1, 0.25)
    assert queueing.shedding


def test_who_has_waited_longer_than_the_bound_is_refused_first(loop: Loop) -> None:
    now = 100.0
    queueing = Queueing(loop, BOUND, lambda: now)  # type: ignore[arg-type]
    overloaded(queueing)
    assert queueing.admits()
    assert queueing.admits(now - BOUND / 2)
    assert not queueing.admits(now - 2 * BOUND)
    assert queueing.refused == 1
    assert sum(queueing.admits() for _ in range(FEWEST)) == FEWEST - 2  # its place was another's


def test_no_bound_no_shedding(queueing: Queueing) -> None:
    queueing.max_queueing = 0.0
    ticks(queueing, 100, 5.0, 5.0)
    assert not queueing.shedding
    queueing.max_queueing = BOUND
    overloaded(queueing)
    queueing.max_queueing = 0.0
    ticks(queueing, 1, 5.0, 5.0)
    assert not queueing.shedding


def test_a_state_server_that_is_far_away_is_no_queue_and_one_that_is_behind_is(queueing: Queueing) -> None:
    ticks(queueing, 1000, 0.001, 0.001, state=0.08)
    assert not queueing.shedding
    ticks(queueing, STANDING, 0.001, 0.001, state=0.15)
    assert queueing.shedding


def test_each_turn_admits_so_many(queueing: Queueing, loop: Loop) -> None:
    overloaded(queueing)  # 20 messages a tick: fewer than FEWEST in the bound
    for _ in range(3):
        admitted = [queueing.admits() for _ in range(FEWEST + 5)]
        assert admitted == [True] * FEWEST + [False] * 5
        assert not queueing.admits()
        loop.turn()
    assert queueing.refused == 18


def test_it_begins_with_what_a_worker_did_in_the_time(queueing: Queueing) -> None:
    ticks(queueing, STANDING, 0.05, 0.06, messages=500)  # 1,000 a tick, 200 of them in 20 ms
    assert sum(queueing.admits() for _ in range(1000)) == 200


def refusing(queueing: Queueing, loop: Loop) -> int:
    """A turn of more than may come: how many were admitted."""
    count = 0
    while queueing.admits():
        count += 1
    loop.turn()
    return count


def test_how_many_follows_the_delay(queueing: Queueing, loop: Loop) -> None:
    ticks(queueing, STANDING, 0.05, 0.06, messages=500)
    before = refusing(queueing, loop)
    ticks(queueing, 1, 0.03, 0.03)
    loop.turn()
    fewer = refusing(queueing, loop)
    refusing(queueing, loop)
    assert fewer <= before
    for _ in range(5):
        ticks(queueing, 1, 0.03, 0.03)
    refusing(queueing, loop)
    fewest = refusing(queueing, loop)
    assert fewest < before
    for _ in range(50):
        refusing(queueing, loop)
        ticks(queueing, 1, 0.001, 0.001)
    assert refusing(queueing, loop) > before
    for _ in range(100):
        ticks(queueing, 1, 1.0, 1.0)
    refusing(queueing, loop)
    assert refusing(queueing, loop) == FEWEST  # never nobody


def test_it_ends_when_nobody_was_refused_for_longer_than_they_were_told_to_wait(queueing: Queueing, loop: Loop) -> None:
    overloaded(queueing)
    refusing(queueing, loop)
    ticks(queueing, QUIET, 0.001)
    assert queueing.shedding  # the first of these had refused somebody
    ticks(queueing, 1, 0.001)
    assert not queueing.shedding
    assert QUIET * 0.1 > 2 * RETRY


def test_who_rests_goes_on_in_order_and_not_all_at_once(queueing: Queueing, loop: Loop) -> None:
    overloaded(queueing)
    done: list[int] = []
    for number in range(500):
        queueing.rest(Resting(done, number))
    loop.now = RETRY / 2
    queueing.tick()
    assert done == []
    loop.now = RETRY - TICK
    queueing.admits()
    loop.turn()
    assert 0 < len(done) < 100
    queueing.tick()
    assert done == list(range(500))


def test_who_comes_back_as_told_is_read_by_then(queueing: Queueing, loop: Loop) -> None:
    overloaded(queueing)
    done: list[int] = []
    for number in range(16):  # each of the spread's steps
        queueing._left = 0
        queueing.admits()
        queueing.rest(Resting(done, number))
    loop.now = RETRY - TICK  # the last tick before they are due, where no turn comes in between
    queueing.tick()
    assert sorted(done) == list(range(16))


# on a connection


def overload(bench: Any, left: int = 0) -> None:
    queueing = bench.server.queueing
    queueing.max_queueing = BOUND
    overloaded(queueing)
    queueing._left = left


async def test_who_waited_too_long_for_its_turn_is_refused_though_there_is_room(bench: Any) -> None:
    few = ServerSettings(turn_requests=1, max_queueing=BOUND)
    bench.server.configure(few)
    bench.server.turns.share = 1.0
    bench.server.turns._shared_until = 1 << 30
    bench.gate.admit = lambda exchange: exchange.answer(200, b"", b"")
    bench.sweep.tick()
    clients = [bench.connect() for _ in range(4)]
    overload(bench, left=100)
    bench.server.queueing.max_queueing = 60.0  # however slow this machine is
    for client in clients:
        client.send(get())
    waiting = [client for client in clients if client.protocol._since]
    assert waiting
    late, *others = waiting
    late.protocol._since -= 120.0
    for _ in range(100):
        await asyncio.sleep(0)
    assert late.statuses == [503]
    assert all(client.statuses == [200] for client in clients if client is not late)
    assert all(client.protocol._since == 0.0 for client in clients)
    assert others


async def test_one_503_and_then_nothing_is_read(bench: Any) -> None:
    overload(bench)
    client = bench.connect()
    client.send(post(b"hello", b"/j/1") + post(b"again", b"/j/1"))
    assert client.written.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in client.written
    assert b"server.overloaded" in client.written
    assert client.written.count(b"HTTP/1.1") == 1  # what was pipelined behind it waits
    client.send(post(b"more", b"/j/2"))
    assert not client.transport.reading
    assert client.written.count(b"HTTP/1.1") == 1
    assert bench.gate.exchanges == []  # nobody judged or relayed anything
    assert not client.transport.closed
    bench.server.queueing.shedding = False
    client.protocol.go_on()
    assert client.transport.reading
    assert [exchange.path for exchange in bench.gate.exchanges] == [b"/j/1", b"/j/2"]


async def test_a_front_is_told_and_read_on(bench: Any) -> None:
    """Behind one connection of it are many people: the next request is another one's."""
    bench.server.configure(ServerSettings(trusted_proxies=("1.2.3.4",), max_queueing=BOUND))
    overload(bench)
    client = bench.connect()
    client.send(get(b"/a") + get(b"/b"))
    assert client.written.count(b" 503 ") == 2
    client.send(get(b"/c"))
    assert client.written.count(b" 503 ") == 3


async def test_who_is_within_what_a_turn_may_take_is_served(bench: Any) -> None:
    overload(bench, left=1)
    first, second = bench.connect(), bench.connect()
    first.send(get(b"/a"))
    second.send(get(b"/b"))
    assert [exchange.path for exchange in bench.gate.exchanges] == [b"/a"]
    assert b" 503 " in second.written
    assert reason(second.written) == "server.overloaded"


async def test_a_body_that_is_still_to_come_closes_behind_the_answer(bench: Any) -> None:
    overload(bench)
    client = bench.connect()
    client.send(b"POST /j/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
    assert b"\r\nConnection: close\r\n" in client.written
    assert client.transport.eof_written


async def test_who_rests_may_leave(bench: Any) -> None:
    overload(bench)
    client = bench.connect()
    client.send(get(b"/a"))
    client.protocol.connection_lost(None)
    client.protocol.go_on()
    assert bench.gate.exchanges == []


def test_the_upstreams_queue_has_the_same_patience() -> None:
    assert pytest.approx(STANDING * 0.1) == WAITED


# of one address


def waited(queueing: Queueing, account: TurnAccount, *seconds: float) -> list[bool]:
    """Those who waited so long for its turns within one tick: whether each is refused."""
    told = [queueing.too_late(account, NOW - one) for one in seconds]
    queueing.tick()
    return told


NOW = 100.0


@pytest.fixture
def by_address(loop: Loop) -> Queueing:
    return Queueing(loop, BOUND, lambda: NOW)  # type: ignore[arg-type]


@pytest.fixture
def account(loop: Loop) -> TurnAccount:
    return TurnAccount(Turns(loop, ServerSettings()), "192.0.2.1")  # type: ignore[arg-type]


def test_an_addresss_queue_that_stands_is_shed_and_nobody_elses(
    by_address: Queueing, account: TurnAccount, loop: Loop
) -> None:
    for _ in range(2):
        for _ in range(STANDING - 1):
            assert waited(by_address, account, 0.3, 0.2, 0.1) == [False] * 3  # a burst, for all that is known
        assert waited(by_address, account, 0.3, 0.01) == [False, False]
    for _ in range(STANDING):
        assert waited(by_address, account, 0.3, 0.2) == [False, False]
    assert waited(by_address, account, 0.3, 0.2) == [True, True]
    assert by_address.refused == 2
    assert not by_address.shedding
    other = TurnAccount(Turns(loop, ServerSettings()), "192.0.2.2")  # type: ignore[arg-type]
    assert waited(by_address, other, 0.3) == [False]


def test_who_waited_no_longer_than_the_bound_is_served(by_address: Queueing, account: TurnAccount) -> None:
    for _ in range(STANDING + 1):
        waited(by_address, account, 0.3)
    assert waited(by_address, account, 0.3, BOUND / 2, 0.3, 0.001) == [True, False, True, False]


def test_it_is_shed_until_nobody_was_for_longer_than_they_were_told_to_wait(
    by_address: Queueing, account: TurnAccount
) -> None:
    for _ in range(STANDING + 1):
        waited(by_address, account, 0.3)
    for _ in range(QUIET - 2):
        assert waited(by_address, account, BOUND / 2) == [False]
    assert waited(by_address, account, 0.3) == [True]
    for _ in range(QUIET):
        waited(by_address, account, BOUND / 2)
    assert waited(by_address, account, 0.3) == [False]


def test_ticks_in_which_nobody_waited_are_no_queue(by_address: Queueing, account: TurnAccount) -> None:
    for _ in range(2 * STANDING):
        assert waited(by_address, account, 0.3) == [False]
        by_address.tick()


def test_without_a_bound_nobody_is_too_late(by_address: Queueing, account: TurnAccount) -> None:
    by_address.max_queueing = 0.0
    for _ in range(2 * STANDING):
        assert waited(by_address, account, 30.0) == [False]


async def test_a_flood_of_one_address_is_told_to_come_back_and_others_are_served(bench: Any) -> None:
    bench.server.configure(ServerSettings(turn_requests=1, max_queueing=BOUND))
    bench.server.turns.share = 1.0
    bench.server.turns._shared_until = 1 << 30
    bench.gate.admit = lambda exchange: exchange.answer(200, b"", b"")
    clients = [bench.connect() for _ in range(4)]
    queueing = bench.server.queueing
    for _ in range(STANDING + 1):
        for client in clients:
            client.send(get())
        for client in clients:
            if client.protocol._since:
                client.protocol._since -= 120.0
        for _ in range(100):
            await asyncio.sleep(0)
        queueing.tick()
    other = bench.connect("192.0.2.77")
    other.send(get())
    for _ in range(100):
        await asyncio.sleep(0)
    assert queueing.refused and not queueing.shedding
    assert any(503 in client.statuses for client in clients) and other.statuses == [200]
