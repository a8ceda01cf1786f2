"""One connection: what is written, how answers are read, and when the connection is kept."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


@pytest.fixture
def call_on_wire(make_upstream, make_wire, make_sink):
    """A call just sent on a connection without a socket."""

    def make(head=GET, body=b"", *, idempotent=True, **options):
        upstream = make_upstream(**options)
        wire = make_wire(upstream.pools[0])
        sink = make_sink()
        call = upstream.start(head, body, sink, idempotent=idempotent)
        return upstream, wire, sink, call

    return make


async def test_head_and_body_go_out_in_one_write(call_on_wire):
    _, wire, _, _ = call_on_wire(POST, b"hello")
    assert wire.transport.writes == [POST + b"hello"]


# What a server sends (then closes where the last part is CLOSE), and what the sink hears; kept: reusable afterwards.
CLOSE = b"<close>"
ANSWERS = {
    "length": (GET, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello", True),
    "empty": (GET, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
    "head": (HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 200, b"", True),
    "head chunked": (HEAD, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, b"", True),
    "head, no length": (HEAD, b"HTTP/1.1 200 OK\r\n\r\n", 200, b"", True),
    "204": (GET, b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "304": (GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", 304, b"", True),
    "chunked": (
        GET,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
        200,
        b"abcde",
        True,
    ),
    "chunked with trailers": (
        GET,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nDigest: x\r\n\r\n",
        200,
        b"a",
        True,
    ),
    "until close": (GET, b"HTTP/1.1 200 OK\r\n\r\nall of it" + CLOSE, 200, b"all of it", False),
    "until close, HTTP/1.0": (GET, b"HTTP/1.0 200 OK\r\n\r\nold" + CLOSE, 200, b"old", False),
    "connection: close": (GET, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx", 200, b"x", False),
    "HTTP/1.0": (GET, b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, b"x", False),
    "HTTP/1.0 keep-alive": (
        GET,
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx",
        200,
        b"x",
        True,
    ),
    "an error status": (GET, b"HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx", 500, b"x", True),
    "100 and 103 first": (
        GET,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        200,
        b"x",
        True,
    ),
}


def expected_events(name, status, body):
    first = [("informational", 100), ("informational", 103)] if name.startswith("100") else []
    more = bool(body) or ("chunked" in name and not name.startswith("head"))
    return [*first, ("head", status, more), *([("data", body)] if body else []), ("end",)]


@pytest.mark.parametrize("step", [1, 2, 7, 10_000])
@pytest.mark.parametrize("name", ANSWERS)
async def test_answers_however_they_are_cut(call_on_wire, name, step):
    head, answer, status, body, kept = ANSWERS[name]
    upstream, wire, sink, _ = call_on_wire(head)
    data = answer.removesuffix(CLOSE)
    wire.feed(*(data[at : at + step] for at in range(0, len(data), step)))
    if answer.endswith(CLOSE):
        assert not sink.over.is_set()
        wire.hang_up()
    assert sink.events == expected_events(name, status, body)
    assert upstream.pools[0].idle == ([wire.connection] if kept else [])
    assert (wire.transport.closed == "") is kept


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(ANSWERS)), cuts=st.lists(st.integers(0, 200), max_size=8))
async def test_answers_cut_at_random(call_on_wire, name, cuts):
    head, answer, status, body, _ = ANSWERS[name]
    _, wire, sink, _ = call_on_wire(head)
    data = answer.removesuffix(CLOSE)
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    wire.feed(*(data[a:b] for a, b in itertools.pairwise(bounds) if a < b))
    if answer.endswith(CLOSE):
        wire.hang_up()
    assert sink.events == expected_events(name, status, body)


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_waits_for_its_turn_is_the_same(call_on_wire, name, step):
    """Once however it is cut, with nothing taken before its turn, and the turn that comes twice."""
    head, answer, status, body, kept = ANSWERS[name]
    upstream, wire, sink, _ = call_on_wire(head)
    sink.late = []
    data = answer.removesuffix(CLOSE)
    wire.feed(data[:step])
    assert sink.events == []
    assert not wire.transport.reading
    (late,) = sink.late
    late.go_on()
    assert wire.transport.reading
    wire.feed(*(data[at : at + step] for at in range(step, len(data), step)))
    late.go_on()
    if answer.endswith(CLOSE):
        wire.hang_up()
    assert len(sink.late) == 1
    assert sink.events == expected_events(name, status, body)
    assert upstream.pools[0].idle == ([wire.connection] if kept else [])


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_waits_while_its_connection_is_lost_came(call_on_wire, name):
    head, answer, status, body, _ = ANSWERS[name]
    _, wire, sink, _ = call_on_wire(head)
    sink.late = []
    wire.feed(answer.removesuffix(CLOSE))
    wire.hang_up()
    assert sink.events == expected_events(name, status, body)
    sink.late[0].go_on()


async def test_who_reads_on_before_its_turn_misses_nothing(call_on_wire):
    """A slow client's reading again resumes what waits for another reason."""
    _, wire, sink, call = call_on_wire(GET)
    sink.late = []
    wire.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
    call.pause()
    call.resume()
    wire.feed(b"llo")
    assert sink.events == []
    sink.late[0].go_on()
    assert sink.events == [("head", 200, True), ("data", b"hello"), ("end",)]


async def test_an_answer_that_nobody_wants_any_more_has_no_turn(call_on_wire):
    _, wire, sink, call = call_on_wire(GET)
    sink.late = []
    wire.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    call.abort()
    sink.late[0].go_on()
    assert sink.events == []
    assert wire.transport.closed == "abort"


async def test_an_answer_that_waits_is_not_late(call_on_wire, clock):
    """It is we who keep it waiting: the time to answer stands still, and only the whole time ends it."""
    _, wire, sink, _ = call_on_wire(GET)
    sink.late = []
    wire.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    clock.advance(100.0)
    assert sink.events == []
    sink.late[0].go_on()
    wire.feed(b"hello")
    assert sink.events[-1] == ("end",)


WITH_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
UNCHANGED = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "head", "again", "seen"),
    [(WITH_BODY + b"hello", HEAD, WITH_BODY + b"hello", 200), (UNCHANGED, GET, UNCHANGED + b"hello", 304)],
)
async def test_a_body_that_may_not_be_there_is_not_relayed_behind_a_known_head(call_on_wire, first, head, again, seen):
    """A sloppy server's answer to a HEAD: its bytes would be read as the next answer."""
    _, wire, sink, _ = call_on_wire(GET)
    wire.feed(first)
    assert sink.over.is_set()
    upstream, wire, sink, _ = call_on_wire(head)
    wire.feed(again)
    assert sink.events == [("head", seen, False), ("end",)]
    assert upstream.pools[0].idle == []  # nobody knows what the rest would have been
    assert wire.transport.closed


GARBAGE = {
    "not http": b"hello, world\r\n\r\n",
    "http/2 preface": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\r\n\r\n",
    "empty lines first": b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "two framings": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "signed length": b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
    "bare line feed": b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
    "gzip coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "space before colon": b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    "uninvited 101": b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    "huge head": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 5000 + b"\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 5000,
    "endless 100": b"HTTP/1.1 100 Continue\r\n\r\n" * 17,
    "many fields": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n",
}


@pytest.mark.parametrize("step", [1, 10_000])
@pytest.mark.parametrize("name", GARBAGE)
async def test_garbage_is_not_relayed(call_on_wire, name, step):
    upstream, wire, sink, _ = call_on_wire(max_head=4096)
    data = GARBAGE[name]
    for at in range(0, len(data), step):
        wire.feed(data[at : at + step])
        if sink.over.is_set():
            break
    assert sink.error is not None
    assert sink.error.reason == "upstream.garbage"
    assert sink.error.status == 502
    assert sink.error.sent
    assert not sink.error.head_relayed
    assert wire.transport.closed == "abort"
    assert upstream.failures["http://127.0.0.1:9", "upstream.garbage"] == 1


async def test_garbage_in_a_chunked_body_ends_what_was_begun(call_on_wire):
    _, wire, sink, _ = call_on_wire()
    wire.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"zz\r\n")
    assert sink.events == [("head", 200, True), ("data", b"abc"), ("error", "upstream.garbage")]
    assert sink.error.head_relayed
    assert sink.error.relayed == 3


@pytest.mark.parametrize(
    ("sent", "relayed", "detail"),
    [
        (b"HTTP/1.1 200 OK\r\nConte", 0, "head"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 4, "body"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", 4, "body"),
    ],
)
async def test_closing_early_says_how_much_was_relayed(call_on_wire, sent, relayed, detail):
    _, wire, sink, _ = call_on_wire()
    wire.feed(sent)
    wire.hang_up()
    assert (sink.error.reason, sink.error.relayed, sink.error.detail) == ("upstream.closed", relayed, detail)
    assert sink.error.head_relayed is bool(relayed)


async def test_a_reset_does_not_end_an_until_close_body_well(call_on_wire):
    _, wire, sink, _ = call_on_wire()
    wire.feed(b"HTTP/1.1 200 OK\r\n\r\npart")
    wire.hang_up(ConnectionResetError())
    assert sink.error.reason == "upstream.closed"
    assert sink.error.relayed == 4


async def test_bytes_behind_the_answer_cost_the_connection_but_not_the_answer(call_on_wire):
    upstream, wire, sink, _ = call_on_wire()
    wire.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n")
    assert sink.events[-1] == ("end",)
    assert wire.transport.closed
    assert not upstream.pools[0].connections


async def test_an_idle_server_that_speaks_is_closed(make_upstream, make_wire):
    upstream = make_upstream()
    wire = make_wire(upstream.pools[0])
    wire.feed(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert wire.transport.closed
    assert not upstream.pools[0].idle


@pytest.mark.parametrize("event", ["informational", "head", "data"])
async def test_a_sink_may_abort_from_within(make_upstream, make_wire, make_sink, event):
    upstream = make_upstream()
    wire = make_wire(upstream.pools[0])
    sink = make_sink()
    sink.react = lambda seen: call.abort() if seen == event else None
    call = upstream.start(GET, b"", sink, idempotent=True)
    wire.feed(b"HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")  # more is to come
    assert sink.events[-1][0] == event
    assert wire.transport.closed == "abort"
    assert not upstream.pools[0].connections


async def test_an_answer_in_one_piece_is_told_as_one(make_upstream, make_wire, make_sink):
    upstream = make_upstream()
    wire = make_wire(upstream.pools[0])
    whole = []

    class Whole(type(make_sink())):
        def on_whole(self, head, body):
            whole.append((head.status, body, wire.connection in upstream.pools[0].idle))

    for body in (b"ok", b""):
        upstream.start(GET, b"", Whole(), idempotent=True)
        wire.feed(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    assert whole == [(200, b"ok", True), (200, b"", True)]


async def test_pause_stops_reading_and_the_read_time_out(call_on_wire, clock):
    _, wire, sink, call = call_on_wire(read_timeout=5.0)
    wire.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
    call.pause()
    assert not wire.transport.reading
    clock.advance(60)
    call.resume()
    assert wire.transport.reading
    clock.advance(4)
    wire.feed(b"cd")
    assert sink.body == b"abcd"
    assert sink.events[-1] == ("end",)


async def test_a_connection_paused_at_the_answers_end_reads_again_when_kept(make_upstream, make_wire, make_sink):
    upstream = make_upstream()
    wire = make_wire(upstream.pools[0])
    sink = make_sink()
    sink.react = lambda seen: call.pause() if seen == "data" else None
    call = upstream.start(GET, b"", sink, idempotent=True)
    wire.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert sink.events[-1] == ("end",)
    assert wire.transport.reading
    assert upstream.pools[0].idle == [wire.connection]


@pytest.mark.parametrize(
    ("sent", "seconds", "detail"),
    [
        (b"", 3.0, "answer"),
        (b"HTTP/1.1 200", 3.0, "answer"),  # half a head does not buy more time
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 5.0, "body"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 5.0, "body"),
    ],
)
async def test_time_outs(call_on_wire, clock, sent, seconds, detail):
    _, wire, sink, _ = call_on_wire(answer_timeout=3.0, read_timeout=5.0)
    if sent:
        wire.feed(sent)
    clock.advance(seconds - 0.1)
    assert sink.error is None
    clock.advance(0.5)
    assert (sink.error.reason, sink.error.detail, sink.error.status) == ("upstream.timeout", detail, 504)
    assert wire.transport.closed == "abort"


async def test_the_total_time_out_ends_a_trickle(call_on_wire, clock):
    _, wire, sink, _ = call_on_wire(total_timeout=10.0, read_timeout=5.0)
    wire.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(12):
        if sink.error is None:
            wire.feed(b"x")
            clock.advance(1)
    assert (sink.error.reason, sink.error.detail) == ("upstream.timeout", "total")


async def test_a_1xx_gives_the_server_its_time_again(call_on_wire, clock):
    _, wire, sink, _ = call_on_wire(answer_timeout=3.0)
    clock.advance(2)
    wire.feed(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    clock.advance(2)
    assert sink.error is None
    clock.advance(2)
    assert sink.error.reason == "upstream.timeout"


async def test_a_server_that_stops_reading_the_request_times_out_only_without_progress(call_on_wire, clock):
    _, wire, sink, _ = call_on_wire(POST, b"x" * 5, read_timeout=5.0, answer_timeout=3.0)
    wire.transport.unsent = 1000
    wire.connection.pause_writing()
    clock.advance(4)
    wire.transport.unsent = 500
    clock.advance(4)
    assert sink.error is None
    clock.advance(6)
    assert (sink.error.reason, sink.error.detail) == ("upstream.timeout", "request")


@pytest.mark.parametrize(("hint", "well_until"), [(b"timeout=5, max=100", 4.0), (b"timeout=1", 0.5), (b"max=5", 50.0)])
async def test_a_kept_connection_is_closed_before_the_server_does(call_on_wire, clock, hint, well_until):
    upstream, wire, _, _ = call_on_wire(idle_timeout=50.0)
    wire.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: " + hint + b"\r\n\r\n")
    clock.advance(well_until - 0.2)
    assert upstream.pools[0].idle
    clock.advance(0.5)
    assert not upstream.pools[0].idle
    assert wire.transport.closed


async def test_a_101_hands_the_transport_over(make_upstream, make_server, make_sink):
    async def switch(peer):
        head, _ = await peer.request()
        assert head.startswith(b"GET /live")
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nearly")
        peer.send(b"echo:" + await peer.reader.readexactly(4))
        await peer.gone()

    class Session(asyncio.Protocol):
        def __init__(self):
            self.received = asyncio.Queue()

        def data_received(self, data):
            self.received.put_nowait(data)

    server = await make_server(switch)
    upstream = make_upstream(server.address)
    sink = make_sink()
    session = Session()
    sink.react = lambda event: sink.upgraded[1].set_protocol(session) if event == "upgraded" else None
    upstream.upgrade(b"GET /live HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", sink)
    async with asyncio.timeout(5):
        await sink.over.wait()
        head, transport, early, release = sink.upgraded
        assert head.status == 101
        transport.write(b"ping")
        received = early
        while received != b"earlyecho:ping":
            received += await session.received.get()
    pool = upstream.pools[0]
    assert (pool.upgraded, len(pool.connections)) == (1, 0)
    release()
    release()
    assert pool.upgraded == 0
    transport.close()


async def test_a_refused_upgrade_is_an_ordinary_answer(make_upstream, make_server, make_sink):
    server = await make_server()
    upstream = make_upstream(server.address)
    sink = make_sink()
    upstream.upgrade(b"GET /live HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", sink)
    async with asyncio.timeout(5):
        await sink.over.wait()
    assert sink.events == [("head", 200, True), ("data", b"ok"), ("end",)]
