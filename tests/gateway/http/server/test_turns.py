"""Fair turns: what one address may do in a turn of the loop, who goes on in the next, that nothing changes by it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.common.units import Rate
from gateway.http.server.settings import WAITED, ServerSettings
from gateway.http.server.turns import ALONE, KEPT, REMEMBERED, Turns
from tests.gateway.http.server.conftest import Bench
from tests.gateway.http.server.requests import HOST, STREAMED, chunked, get, post, reason

SHARE = 4
FEW = ServerSettings(max_buffered=65536, turn_requests=SHARE, turn_bytes=1 << 30)


class Loop:
    """``call_soon`` that waits until it is told."""

    def __init__(self) -> None:
        self.soon: list[Any] = []

    def call_soon(self, call: Any) -> None:
        self.soon.append(call)

    def turn(self) -> None:
        soon, self.soon = self.soon, []
        assert len(soon) <= 1, "one call for all who wait"
        for call in soon:
            call()


class Wanting:
    """Somebody with so much to do, who does one after the other while it is his turn."""

    def __init__(self, turns: Turns, key: str, wants: int, done: list[str], name: str = "") -> None:
        self.turns = turns
        self.account = turns.account(key)
        self.wants = wants
        self.done = done
        self.name = name or key

    def go_on(self) -> None:
        account = self.account
        while self.wants:
            if account.turn != self.turns.number:
                self.turns.begin(account)
            if account.left <= 0 and not self.turns.renewed(account):
                self.turns.wait(account, self)
                return
            account.left -= self.turns.request
            self.wants -= 1
            self.done.append(self.name)


@pytest.fixture
def loop() -> Loop:
    return Loop()


def made(loop: Loop, clock: Any = lambda: 0.0) -> Turns:
    return Turns(loop, FEW, clock)  # type: ignore[arg-type]


def test_two_addresses_get_their_share_in_each_turn(loop: Loop) -> None:
    turns = made(loop)
    turns.begin(turns.account("x"))
    turns.begin(turns.account("y"))  # from now on nobody is alone
    turns.number += 1
    done: list[str] = []
    greedy = [Wanting(turns, "a", 100, done, f"a{number}") for number in range(3)]
    for one in greedy:
        one.go_on()
    Wanting(turns, "b", 2, done).go_on()
    assert done == ["a0"] * SHARE + ["b"] * 2
    Wanting(turns, "b", 10, done).go_on()
    del done[:]
    while loop.soon and len(done) < 60:
        before = len(done)
        loop.turn()
        in_turn = done[before:]
        assert sum(name[0] == "a" for name in in_turn) <= SHARE
        assert sum(name == "b" for name in in_turn) <= SHARE
    assert done.count("b") == 8
    # The connections of one address go on one after the other.
    firsts = [name for at, name in enumerate(done) if name[0] == "a" and (not at or done[at - 1] != name)]
    assert set(firsts[:3]) == {"a0", "a1", "a2"}


def test_who_is_alone_gets_more_and_who_is_not_does_not(loop: Loop) -> None:
    turns = made(loop)
    done: list[str] = []
    Wanting(turns, "a", 1000, done).go_on()
    assert len(done) == ALONE * SHARE
    turns.tick()
    Wanting(turns, "b", 1, done).go_on()
    turns.begin(turns.account("a"))
    turns.number += 1
    del done[:]
    Wanting(turns, "a", 1000, done).go_on()
    assert len(done) == SHARE
    for _ in range(REMEMBERED + 1):
        turns.tick()
    del done[:]
    Wanting(turns, "a", 1000, done).go_on()
    assert len(done) == ALONE * SHARE


def test_a_share_that_was_spent_over_several_turns_is_renewed_without_waiting(loop: Loop) -> None:
    turns = made(loop)
    for name in "ab":
        turns.begin(turns.account(name))  # from now on nobody is alone
    turns.number += 1
    done: list[str] = []
    a, b = Wanting(turns, "a", SHARE, done), Wanting(turns, "b", SHARE, done)
    a.go_on()
    b.go_on()
    assert done == ["a"] * SHARE + ["b"] * SHARE
    turns.went_on()
    a.wants = b.wants = 1
    a.go_on()
    b.go_on()
    assert done[-2:] == ["a", "b"] and turns.stops == 0 and not loop.soon
    a.wants = b.wants = 100
    a.go_on()  # in the same turn no more than its share
    b.go_on()
    assert (done.count("a"), done.count("b")) == (2 * SHARE, 2 * SHARE)
    assert turns.stops == 2
    turns.went_on()
    c = Wanting(turns, "a", 1, done, "c")
    c.go_on()  # past those who wait already nobody goes
    assert turns.stops == 3 and "c" not in done
    loop.turn()
    assert (done.count("a"), done.count("b")) == (3 * SHARE, 3 * SHARE)


def test_a_debt_is_not_paid_by_one_turn_that_nobody_counted(loop: Loop) -> None:
    turns = made(loop)
    account = turns.account("a")
    turns.begin(account)
    account.left = -3.0 * turns.share
    turns.went_on()
    assert not turns.renewed(account) and account.left < 0
    assert not turns.renewed(account)  # nor twice in one
    turns.went_on()
    turns.went_on()
    assert not turns.renewed(account)


def test_a_round_ends_when_its_time_is_over_and_goes_on_where_it_was(loop: Loop) -> None:
    times = iter(range(1000))
    turns = made(loop, lambda: next(times) * 0.0015)
    turns.share = 1.0
    done: list[str] = []
    for name in "abcd":
        account = turns.account(name)
        account.left = 0.0
        account.turn = turns.number
        Wanting(turns, name, 1, done).go_on()
    loop.turn()
    assert done == ["a", "b"]
    loop.turn()
    assert done == ["a", "b", "c", "d"]
    assert not loop.soon


def test_a_round_gets_as_long_as_was_read_since_the_last_one(loop: Loop) -> None:
    now = 0.0
    turns = made(loop, lambda: now)
    turns.share = 1.0
    done: list[str] = []

    class Working(Wanting):
        def go_on(self) -> None:
            nonlocal now
            now += 0.0015
            super().go_on()

    for number in range(60):
        account = turns.account(f"a{number}")
        turns.wait(account, Working(turns, f"a{number}", 1, done))
    loop.turn()
    assert len(done) == 2
    now += 0.0055
    loop.turn()
    assert len(done) == 2 + 4
    now += 5.0  # a pause of the machine
    loop.turn()
    assert len(done) == 2 + 4 + 14
    loop.turn()
    assert len(done) == 2 + 4 + 14 + 2


def test_what_was_taken_too_much_is_paid_back(loop: Loop) -> None:
    turns = made(loop)
    turns.share = 1.0
    account = turns.account("a")
    turns.begin(account)
    account.left -= 3.5
    for left in (-1.5, -0.5, 0.5, 1.0):
        turns.number += 1
        turns.begin(account)
        assert account.left == left
    account.left = -4.0
    turns.number += 100  # long ago
    turns.begin(account)
    assert account.left == 1.0


def test_an_address_without_connections_is_forgotten_but_not_at_once(loop: Loop) -> None:
    turns = made(loop)
    account = turns.account("a")
    account.held = 1
    turns.begin(account)
    turns.closed(account)
    assert turns.account("a") is account
    for _ in range(3 * KEPT):
        turns.tick()
    assert turns.account("a") is not account
    assert len(turns._accounts) == 1


def test_a_failure_of_one_stops_nobody_else(loop: Loop) -> None:
    turns = made(loop)
    turns.share = 1.0
    done: list[str] = []

    class Failing(Wanting):
        def go_on(self) -> None:
            raise ValueError

    for kind, name in ((Failing, "a"), (Wanting, "b")):
        account = turns.account(name)
        turns.wait(account, kind(turns, name, 1, done))
    with pytest.raises(ValueError, match=r"^$"):
        loop.turn()
    loop.turn()
    assert done == ["b"]


# connections


@pytest.fixture
async def shared(bench: Any) -> Any:
    """A bench on which two addresses are at work, so that each has its share and no more."""
    bench.server.configure(FEW)
    for ip in ("8.8.8.8", "9.9.9.9"):
        bench.connect(ip).send(get())
    bench.sweep.tick()
    del bench.gate.exchanges[:]
    bench.gate.admit = lambda exchange: exchange.answer(200, b"", b"")
    return bench


async def turn() -> None:
    await asyncio.sleep(0)


async def drained(server: Any) -> None:
    for _ in range(10_000):
        if not server.turns._ring:
            return
        await turn()
    raise AssertionError("somebody waits for ever")


async def test_pipelined_requests_are_taken_by_and_by(shared: Any) -> None:
    client = shared.connect()
    client.send(get() * 50)
    assert len(client.statuses) < SHARE
    assert not client.transport.reading
    before = len(client.statuses)
    await turn()
    assert 0 < len(client.statuses) - before <= SHARE
    other = shared.connect("5.6.7.8")
    other.send(get())
    assert other.statuses == [200]
    await drained(shared.server)
    assert client.statuses == [200] * 50
    assert client.transport.reading


async def test_a_thousand_connections_of_one_address_are_one(shared: Any) -> None:
    clients = [shared.connect() for _ in range(200)]
    await drained(shared.server)
    shared.sweep.tick()
    for client in clients:
        client.send(get())
    assert sum(len(client.statuses) for client in clients) <= SHARE
    await turn()
    assert sum(len(client.statuses) for client in clients) <= 2 * SHARE
    await drained(shared.server)
    assert all(client.statuses == [200] for client in clients)


READS = replace(FEW, turn_bytes=80 * 1024, turn_requests=1 << 20)  # a share pays for 80 reads


def dribble(clients: list[Any], data: bytes = b"G") -> int:
    """Send each of them a little, as far as it is read, as the loop does in one turn; how many were."""
    read = [client for client in clients if client.transport.reading and not client.transport.closed]
    told = 0
    for client in read:
        if client.transport.reading:  # one before it may have been too many
            client.send(data)
            told += 1
    return told


async def test_of_a_thousand_that_can_be_read_at_once_so_many_are_as_a_share_pays_for(shared: Any) -> None:
    shared.server.configure(READS)
    clients = [shared.connect() for _ in range(300)]
    await drained(shared.server)
    shared.sweep.tick()
    turns = shared.server.turns
    assert dribble(clients) == 81  # the first begins the turn
    assert not any(client.transport.reading for client in clients)
    assert (turns.held, turns.account("1.2.3.4").reads) == (300, 80)
    other = shared.connect("5.6.7.8")
    other.send(get())
    assert other.statuses == [200]
    # In each turn so many of them are read again as it pays for, with what they send in it.
    await turn()
    again = [client for client in clients if client.transport.reading]
    assert 0 < len(again) <= 80
    assert dribble(clients, b"E") <= 80
    await drained(shared.server)
    assert all(client.transport.reading for client in clients)
    for client in clients:
        client.send(get()[len(client.protocol._buffer) :])
        await drained(shared.server)
    assert all(client.statuses == [200] for client in clients)


async def test_reads_of_several_turns_are_not_those_of_one(shared: Any) -> None:
    shared.server.configure(READS)
    clients = [shared.connect() for _ in range(300)]
    await drained(shared.server)
    for _ in range(10):
        for client in clients[:70]:  # nobody waits, so nobody counts turns, until there are many reads
            client.send(get())
        await turn()
    assert shared.server.turns.held == 0
    assert all(client.statuses == [200] * 10 for client in clients[:70])


async def test_large_reads_are_several(shared: Any) -> None:
    shared.server.configure(READS)
    shared.gate.admit = None
    shared.gate.max_body = 1 << 30
    clients = [shared.connect() for _ in range(100)]
    await drained(shared.server)
    for client in clients:
        client.send(b"POST /j/a HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n")
        await drained(shared.server)
    shared.sweep.tick()
    assert dribble(clients, b"x" * 65536) == 10  # of nine each, and the first begins the turn
    assert shared.server.turns.held + 1 >= len(clients)
    one = shared.connect("5.6.7.8")
    one.send(b"POST /j/a HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n")
    held = shared.server.turns.held
    one.send(b"x" * 262144)  # one connection alone stops by its bytes, as before
    assert shared.server.turns.held == held
    await drained(shared.server)


async def test_what_was_held_back_is_not_forgotten_amid_a_request(shared: Any) -> None:
    shared.server.configure(READS)
    shared.gate.admit = None
    shared.gate.max_body = 1000
    clients = [shared.connect() for _ in range(100)]
    await drained(shared.server)
    collected, answered, streamed = clients[:3]
    collected.send(b"POST /j/a HTTP/1.1\r\n" + HOST + b"Content-Length: 6\r\n\r\nabc")
    answered.send(get())  # its upstream thinks about it
    call = answered.call
    streamed.send(b"POST /up HTTP/1.1\r\n" + HOST + b"Content-Length: 6\r\n\r\nabc")
    upload = streamed.call
    await drained(shared.server)
    shared.sweep.tick()
    dribble(clients[3:])
    assert not any(client.transport.reading for client in clients)
    await drained(shared.server)
    assert all(client.transport.reading for client in clients)
    collected.send(b"def")
    assert shared.gate.bodies == [b"abcdef"]
    streamed.send(b"def")
    assert (upload.written, upload.ended) == (b"abcdef", True)
    call.sink.on_head(STREAMED, False)
    call.sink.on_end()
    answered.send(get())
    assert answered.call is not call


async def test_who_is_taken_over_is_not_held_back_any_more(shared: Any) -> None:
    shared.server.configure(READS)
    shared.gate.admit = lambda exchange: None  # the upstream has not switched yet
    clients = [shared.connect() for _ in range(100)]
    await drained(shared.server)
    clients[0].send(get())
    exchange = clients[0].exchange
    shared.sweep.tick()
    dribble(clients[1:])
    assert not clients[0].transport.reading
    taken = exchange.take_over()
    assert clients[0].transport.reading
    assert clients[0].protocol not in shared.server.turns.account("1.2.3.4").members
    clients[0].transport.pause_reading()  # by its new protocol
    await drained(shared.server)
    assert not clients[0].transport.reading
    taken.release()


async def test_who_is_late_is_no_less_late_for_a_turn_that_it_waits_for(shared: Any) -> None:
    shared.server.configure(READS)
    clients = [shared.connect() for _ in range(100)]
    await drained(shared.server)
    shared.sweep.tick()
    dribble(clients)  # heads that never end
    slow = clients[0]
    slow.protocol.overdue()
    assert not slow.transport.closed
    assert slow.protocol.deadline <= shared.sweep.after(WAITED)
    await drained(shared.server)
    slow.protocol.overdue()
    assert slow.statuses == [408]


async def test_who_left_is_not_held_back(shared: Any) -> None:
    shared.server.configure(READS)
    clients = [shared.connect() for _ in range(100)]
    await drained(shared.server)
    clients[99].transport.abort()
    account = shared.server.turns.account("1.2.3.4")
    assert len(account.members) == account.held == 99
    shared.sweep.tick()
    dribble(clients)
    assert shared.server.turns.held == 99
    for client in clients[:99]:
        client.transport.abort()
    assert not account.members
    await drained(shared.server)


async def test_a_front_s_connections_are_not_its_own(shared: Any) -> None:
    shared.server.configure(replace(READS, trusted_proxies=("10.0.0.0/8",)))
    front = [shared.connect("10.0.0.1") for _ in range(200)]
    await drained(shared.server)
    shared.sweep.tick()
    assert dribble(front, get(lines=b"X-Forwarded-For: 7.7.7.7\r\n")) == 200
    assert shared.server.turns.held == 0
    for _ in range(200):  # one of them alone, amid requests
        front[0].send(b"G")
    assert front[0].transport.reading


async def test_addresses_of_one_ipv6_network_are_one(shared: Any) -> None:
    clients = [shared.connect(f"2001:db8::{number:x}") for number in range(1, 30)]
    shared.sweep.tick()
    for client in clients:
        client.send(get())
    assert sum(len(client.statuses) for client in clients) <= SHARE
    await drained(shared.server)
    assert all(client.statuses == [200] for client in clients)


async def test_behind_a_trusted_front_whom_it_names_is_who_waits(shared: Any) -> None:
    shared.server.configure(replace(FEW, trusted_proxies=("10.0.0.0/8",)))
    greedy = [shared.connect("10.0.0.1") for _ in range(20)]
    modest = shared.connect("10.0.0.1")
    for client in greedy:
        client.send(get(lines=b"X-Forwarded-For: 6.6.6.6\r\n"))
    assert sum(len(client.statuses) for client in greedy) == SHARE
    modest.send(get(lines=b"X-Forwarded-For: 7.7.7.7\r\n"))
    assert modest.statuses == [200]
    await drained(shared.server)
    assert all(client.statuses == [200] for client in greedy)
    greedy[-1].send(get(lines=b"X-Forwarded-For: 7.7.7.7\r\n"))  # nobody's connection: it is asked anew each time
    assert greedy[-1].statuses == [200, 200]


async def test_who_waits_for_a_turn_is_not_late(shared: Any) -> None:
    client = shared.connect()
    client.send(get() * 30)
    client.protocol.deadline = 0.0
    client.protocol.overdue()
    assert not client.transport.closed
    await drained(shared.server)
    assert client.statuses == [200] * 30


async def test_who_is_gone_when_it_is_his_turn(shared: Any) -> None:
    client = shared.connect()
    client.send(get() * 30)
    client.transport.abort()
    await drained(shared.server)
    assert len(client.statuses) < 30


async def test_draining_closes_behind_the_request_that_waited(shared: Any) -> None:
    client = shared.connect()
    client.send(get() * 30)
    shared.server.draining = True
    client.protocol.drain()
    await drained(shared.server)
    assert client.written.count(b"Connection: close\r\n") == 1
    assert client.transport.eof_written or client.transport.closed


async def test_a_body_waits_in_the_middle_and_is_whole(shared: Any) -> None:
    shared.server.configure(replace(FEW, turn_bytes=4096, max_small_chunks=Rate(100_000, 1.0)))
    shared.gate.admit = None
    shared.gate.max_body = 100_000
    client = shared.connect()
    client.send(chunked(*[b"x"] * 2000))
    assert not shared.gate.bodies
    assert not client.transport.reading
    other = shared.connect("5.6.7.8")
    other.send(post(b"small"))
    assert shared.gate.bodies == [b"small"]
    await drained(shared.server)
    assert shared.gate.bodies == [b"small", b"x" * 2000]
    assert client.statuses == [200]


async def test_too_many_small_chunks_are_refused(shared: Any) -> None:
    shared.server.configure(replace(FEW, max_small_chunks=Rate(500, 1.0)))
    shared.gate.admit = None
    client = shared.connect()
    client.send(chunked(*[b"x"] * 501))
    await drained(shared.server)
    assert client.statuses == [429]
    assert reason(client.written) == "body.small_chunks"
    large = shared.connect()
    large.send(chunked(*[b"x" * 64] * 10))
    await drained(shared.server)
    assert large.statuses == [200]


async def test_a_stream_that_waits_for_its_upstream_is_not_read(shared: Any) -> None:
    shared.server.configure(replace(FEW, turn_bytes=4096))
    shared.gate.admit = None
    client = shared.connect()
    client.send(b"POST /up HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n")
    await drained(shared.server)
    client.call.room = False
    client.send(b"a" * 50_000)
    await drained(shared.server)
    assert not client.transport.reading
    client.call.sink.on_drain()
    assert client.transport.reading


async def test_what_is_thrown_away_is_read_by_turns_too(shared: Any) -> None:
    shared.server.configure(replace(FEW, turn_bytes=4096))
    client = shared.connect()
    await drained(shared.server)
    client.send(b"nonsense\r\n\r\n")
    client.send(b"x" * 50_000)
    assert not client.transport.reading
    await drained(shared.server)
    assert client.transport.reading


class Answer:
    """An answer that is here."""

    def __init__(self, name: str, done: list[str]) -> None:
        self.name = name
        self.done = done

    def go_on(self) -> None:
        self.done.append(self.name)


def test_answers_of_one_address_are_taken_by_turns_before_its_requests(loop: Loop) -> None:
    turns = made(loop)
    turns.share = 1.0
    account, done = turns.account("a"), list[str]()
    turns.begin(account)
    names = [f"answer {number}" for number in range(2 * 4 * SHARE)]
    held = [name for name in names if turns.charge_answer(account, Answer(name, done))]
    assert held == names[4 * SHARE - 1 :]  # the last within the share is the one that spends it
    turns.wait(account, Wanting(turns, "a", 1, done, "request"))
    assert not turns.charge_answer(turns.account("b"), Answer("b", done))  # nobody else waits for them
    while turns._ring:
        loop.turn()
    assert done == [*held, "request"]


def test_answers_behind_a_trusted_front_wait_for_nobody(loop: Loop) -> None:
    turns = made(loop)
    assert not any(turns.charge_answer(turns.unbounded(), Answer("", [])) for _ in range(1000))


async def test_an_answer_is_charged_to_whom_it_is_for(shared: Any) -> None:
    shared.gate.admit = None
    sinks = []
    for ip in ("8.8.8.8", "9.9.9.9"):
        client = shared.connect(ip)
        client.send(get())
        await drained(shared.server)
        sinks.append(client.call.sink)
    shared.sweep.tick()  # another turn: both have their shares again
    one, other = sinks
    done: list[str] = []
    waited = [one.awaits_turn(Answer(str(number), done)) for number in range(8 * SHARE)]
    assert waited[0] is False
    assert waited[-1] is True
    assert other.awaits_turn(Answer("other", done)) is False
    assert done == []
    await drained(shared.server)
    assert len(done) == sum(waited)


async def test_a_download_is_read_by_turns(shared: Any) -> None:
    shared.server.configure(replace(FEW, turn_bytes=4096))
    shared.gate.admit = None
    client = shared.connect()
    client.send(get())
    await drained(shared.server)
    client.call.sink.on_head(STREAMED, True)
    client.call.sink.on_data(b"a" * 20_000)
    assert client.call.paused
    await drained(shared.server)
    assert not client.call.paused
    client.transport.stalled = True
    client.call.sink.on_data(b"a" * 80_000)
    await drained(shared.server)
    assert client.call.paused  # its reader is slow
    client.transport.flush(80_000)
    assert not client.call.paused
    client.call.sink.on_data(b"a" * 20_000)
    client.call.sink.on_end()
    await drained(shared.server)


REQUESTS = st.lists(
    st.sampled_from([get(), post(b"hello"), chunked(b"hel", b"lo"), chunked(*[b"x"] * 300), b"\r\n" + post(b"")]),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(REQUESTS, st.sampled_from([b"", b"GET /", b"nonsense\r\n\r\n", post(b"x" * 2000)[:-1]]),
       st.lists(st.integers(1, 4000), max_size=6), st.integers(1, 3), st.integers(4096, 20_000))  # fmt: skip
def test_stopped_anywhere_a_connection_is_answered_as_if_it_were_not(
    requests: list[bytes], last: bytes, cuts: list[int], share: int, size: int
) -> None:
    text = b"".join(requests) + last
    pieces: list[bytes] = []
    at = 0
    for cut in cuts:
        pieces.append(text[at : at + cut])
        at += cut
    pieces = [piece for piece in (*pieces, text[at:]) if piece]

    async def answered(configured: ServerSettings) -> tuple[bytes, list[bytes]]:
        bench = Bench(asyncio.get_running_loop())
        bench.gate.max_body = 10_000
        bench.gate.admit = None
        bench.server.configure(configured)
        bench.server.turns._shared_until = 1 << 30  # nobody is alone
        bench.server.turns.share = 1.0
        bench.gate.router = type("Any", (), {"find": lambda *asked: type("F", (), {"path": b"/", "route": "j"})})()
        client = bench.connect()
        try:
            for piece in pieces:
                for _ in range(10_000):
                    if client.transport.reading or client.transport.closed:
                        break
                    await turn()
                if not client.transport.closed:
                    client.send(piece)
            await drained(bench.server)
        finally:
            bench.sweep.unwatch(bench.server._look)
        date = bench.server.date_line
        return client.written.replace(date, b""), bench.gate.bodies

    many = ServerSettings(turn_requests=1 << 20, turn_bytes=1 << 40, max_small_chunks=Rate(1 << 30, 1.0))
    few = replace(many, turn_requests=share, turn_bytes=size)
    assert asyncio.run(answered(few)) == asyncio.run(answered(many))
