"""Calls to upstreams over loopback, with servers that misbehave."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from gateway.http.address import parse_address
from gateway.http.failure import REASONS
from gateway.http.upstream import Upstream
from gateway.http.upstream_settings import EjectionSettings, ServerSettings, UpstreamSettings

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SEEN_OK = [("head", 200, True), ("data", b"ok"), ("end",)]


@pytest.fixture
def ask(make_sink):
    """Send a request and wait for its end."""

    async def send(upstream, head=GET, body=b"", idempotent=True):
        sink = make_sink()
        upstream.start(head, body, sink, idempotent=idempotent)
        assert sink.events == []  # nothing from within start
        async with asyncio.timeout(5):
            await sink.over.wait()
        return sink

    return send


async def until(condition):
    """Let the loop turn until something that is on its way has happened."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def hang(peer):
    await peer.gone()


async def answer_once(peer):
    """Answer, and close as soon as the next request comes."""
    await peer.request()
    peer.send(OK)
    await peer.request()


async def close_unanswered(peer):
    await peer.request()


# -- the plain way


async def test_connections_are_kept(make_upstream, make_server, ask):
    server = await make_server()
    upstream = make_upstream(server.address)
    for _ in range(3):
        assert (await ask(upstream)).events == SEEN_OK
    assert server.accepted == 1


async def test_a_unix_socket(make_upstream, make_server, ask, tmp_path):
    server = await make_server(path=str(tmp_path / "platform.sock"))
    assert (await ask(make_upstream(server.address))).events == SEEN_OK


async def test_a_large_body_arrives_whole(make_upstream, make_server, ask):
    body = bytes(range(256)) * 8192  # 2 MiB, more than any socket buffer

    async def echo(peer):
        _, received = await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received) + received)
        await peer.gone()

    server = await make_server(echo)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    sink = await ask(make_upstream(server.address), head, body)
    assert sink.body == body


async def test_a_streamed_request_waits_for_its_connection_and_for_the_server(make_upstream, make_server, make_sink):
    go = asyncio.Event()
    received = bytearray()

    async def read_late(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await go.wait()
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received.extend(await peer.reader.read(65536))
        peer.send(OK)
        await peer.gone()

    server = await make_server(read_late)
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(CHUNKED, None, sink, idempotent=False, chunked=True)
    piece = b"x" * 65536
    sent = 0
    async with asyncio.timeout(5):
        assert call.write(piece) is False  # there is no connection yet
        sent += 1
        await sink.drained.wait()
        sink.drained.clear()
        while call.write(piece):
            sent += 1
        sent += 1
        assert sent < 200  # back-pressure came
        assert not sink.drained.is_set()
        go.set()
        await sink.drained.wait()
        call.end()
        await sink.over.wait()
    assert bytes(received) == b"10000\r\n%b\r\n" % piece * sent + b"0\r\n\r\n"
    assert sink.events[-3:] == SEEN_OK


async def test_a_streamed_request_that_ends_before_its_connection_is_there(make_upstream, make_server, make_sink):
    server = await make_server()
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(POST, None, sink, idempotent=False)
    call.write(b"hello")
    call.end()
    async with asyncio.timeout(5):
        await sink.over.wait()
    assert sink.events == SEEN_OK
    assert len(upstream.pools[0].idle) == 1
    with pytest.raises(RuntimeError):
        call.end()


async def test_an_answer_before_the_request_is_complete_ends_the_connection(make_upstream, make_server, make_sink):
    async def refuse_early(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await peer.gone()

    server = await make_server(refuse_early)
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(CHUNKED, None, sink, idempotent=False, chunked=True)
    call.write(b"begin")
    async with asyncio.timeout(5):
        await sink.over.wait()
    assert sink.events[-2:] == [("head", 413, False), ("end",)]
    assert call.write(b"more")  # dropped: the client's rest is nobody's
    call.end()
    assert not upstream.pools[0].connections


# -- servers that fail


async def test_refused(make_upstream, ask, closed_address):
    sink = await ask(make_upstream(closed_address), POST, b"hello", False)
    assert (sink.error.reason, sink.error.status, sink.error.sent) == ("upstream.refused", 502, False)
    assert sink.error.server == closed_address


async def test_a_missing_unix_socket_is_refused(make_upstream, ask, tmp_path):
    sink = await ask(make_upstream(f"unix:{tmp_path}/none.sock"))
    assert sink.error.reason == "upstream.refused"


async def test_refused_by_one_goes_to_the_next(make_upstream, make_server, ask, closed_address):
    server = await make_server()
    upstream = make_upstream(closed_address, server.address)
    for _ in range(4):
        assert (
            await ask(upstream, POST, b"hello", False)
        ).events == SEEN_OK  # nothing was sent: not idempotent is fine
    assert upstream.failures[closed_address, "upstream.refused"] == 2


async def test_refused_by_all_is_tried_once_each(make_upstream, ask, tmp_path):
    upstream = make_upstream(f"unix:{tmp_path}/1", f"unix:{tmp_path}/2", f"unix:{tmp_path}/3")
    sink = await ask(upstream)
    assert sink.error.reason == "upstream.refused"
    assert sorted(upstream.failures.values()) == [1, 1, 1]


async def test_connect_time_out(make_upstream, make_sink, clock):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = []
        try:
            for _ in range(4):  # a queue of 0 holds one or two; what comes after gets no answer
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
                fillers.append(filler)
            upstream = make_upstream(f"http://127.0.0.1:{port}", connect_timeout=3.0)
            sink = make_sink()
            upstream.start(POST, b"hello", sink, idempotent=False)
            await asyncio.sleep(0)
            clock.advance(2.9)
            assert not sink.over.is_set()
            clock.advance(0.5)
            async with asyncio.timeout(5):
                await sink.over.wait()
        finally:
            for filler in fillers:
                filler.close()
    assert (sink.error.reason, sink.error.status, sink.error.sent) == ("upstream.connect_timeout", 504, False)
    assert not upstream.pools[0].attempts


async def test_a_server_that_accepts_and_says_nothing(make_upstream, make_server, make_sink, clock):
    server = await make_server(hang)
    upstream = make_upstream(server.address, answer_timeout=3.0)
    sink = make_sink()
    call = upstream.start(GET, b"", sink, idempotent=True)
    await until(lambda: call.sent)
    clock.advance(3.3)
    assert (sink.error.reason, sink.error.sent) == ("upstream.timeout", True)
    assert server.accepted == 1  # not repeated


@pytest.mark.parametrize(
    ("bytes_sent", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "upstream.garbage"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this", "upstream.closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Len", "upstream.closed"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000, "upstream.garbage"),
    ],
)
async def test_what_began_to_answer_is_not_repeated(make_upstream, make_server, ask, bytes_sent, reason):
    async def misbehave(peer):
        await peer.request()
        peer.send(bytes_sent)
        if reason == "upstream.garbage":
            await peer.gone()

    server = await make_server(misbehave)
    sink = await ask(make_upstream(server.address))
    assert sink.error.reason == reason
    assert server.accepted == 1


# -- repeating


async def test_closed_when_reused_is_repeated_once_on_a_fresh_connection_when_idempotent(
    make_upstream, make_server, ask
):
    server = await make_server(answer_once)
    upstream = make_upstream(server.address, ejection=EjectionSettings(failures=1))
    await ask(upstream)
    assert (await ask(upstream)).events == SEEN_OK
    assert server.accepted == 2
    assert not upstream.failures  # closing a kept connection is no fault


async def test_closed_when_reused_is_never_repeated_when_not_idempotent(make_upstream, make_server, ask):
    server = await make_server(answer_once)
    upstream = make_upstream(server.address)
    await ask(upstream)
    sink = await ask(upstream, POST, b"hello", False)
    assert (sink.error.reason, sink.error.sent, sink.error.detail) == ("upstream.closed", True, "reused")
    assert server.accepted == 1


async def test_closed_unanswered_is_repeated_no_more_than_retries(make_upstream, make_server, ask):
    server = await make_server(close_unanswered)
    sink = await ask(make_upstream(server.address, retries=2))
    assert sink.error.reason == "upstream.closed"
    assert server.accepted == 3


async def test_a_streamed_request_cannot_be_repeated(make_upstream, make_server, make_sink):
    server = await make_server(close_unanswered)
    upstream = make_upstream(server.address)
    sink = make_sink()
    call = upstream.start(POST, None, sink, idempotent=True)
    call.write(b"hello")
    call.end()
    async with asyncio.timeout(5):
        await sink.over.wait()
    assert sink.error.reason == "upstream.closed"
    assert server.accepted == 1


async def test_a_connection_idle_for_a_while_is_asked_before_it_is_used(make_upstream, make_server, ask, clock):
    """The server has closed, the loop has not noticed yet, and the request must not be lost."""
    answered = asyncio.Event()
    close_now = asyncio.Event()

    async def close_when_told(peer):
        await peer.request()
        peer.send(OK)
        answered.set()
        await close_now.wait()

    server = await make_server(close_when_told)
    upstream = make_upstream(server.address)
    await ask(upstream)
    clock.advance(2)
    connection = upstream.pools[0].idle[0]
    assert connection.still_good()
    # Close from outside of the loop's sight: the kernel knows of it, the transport does not.
    fd = connection._transport.get_extra_info("socket").fileno()
    with socket.socket(fileno=socket.dup(fd)) as same:
        same.shutdown(socket.SHUT_RD)
    assert not connection._transport.is_closing()
    assert not connection.still_good()
    assert (await ask(upstream, POST, b"hello", False)).events == SEEN_OK
    assert server.accepted == 2
    close_now.set()


# -- bounds


async def test_a_call_waits_for_a_connection_in_order(make_upstream, make_server, make_sink):
    gates = [asyncio.Event() for _ in range(4)]

    async def answer_when_told(peer):
        for gate in gates:
            await peer.request()
            await gate.wait()
            peer.send(OK)
        await peer.gone()

    server = await make_server(answer_when_told)
    upstream = make_upstream(server.address, max_connections=1, max_waiting=2)
    sinks = [make_sink() for _ in range(4)]
    calls = [upstream.start(GET, b"", sink, idempotent=True) for sink in sinks]
    async with asyncio.timeout(5):
        await sinks[3].over.wait()
        assert (sinks[3].error.reason, sinks[3].error.detail) == ("upstream.busy", "queue")
        assert (sinks[3].error.status, sinks[3].error.sent) == (503, False)
        calls[1].abort()
        for index in (0, 2):
            assert not sinks[index].over.is_set()
            gates[index // 2].set()
            await sinks[index].over.wait()
    assert sinks[0].events == sinks[2].events == SEEN_OK
    assert sinks[1].events == []
    assert server.accepted == 1


async def test_the_wait_for_a_connection_ends(make_upstream, make_server, make_sink, clock):
    server = await make_server(hang)
    upstream = make_upstream(server.address, max_connections=1, wait_timeout=2.0)
    first, second = make_sink(), make_sink()
    upstream.start(GET, b"", first, idempotent=True)
    upstream.start(GET, b"", second, idempotent=True)
    clock.advance(1.9)
    assert not second.over.is_set()
    clock.advance(0.4)
    assert (second.error.reason, second.error.detail) == ("upstream.busy", "wait")
    assert not upstream.waiting


async def test_an_abort_frees_the_place(make_upstream, make_server, make_sink):
    server = await make_server(hang, hang)
    upstream = make_upstream(server.address, max_connections=1)
    first = upstream.start(GET, b"", make_sink(), idempotent=True)
    second = upstream.start(GET, b"", make_sink(), idempotent=True)
    await until(lambda: first.sent)
    first.abort()
    first.abort()
    await until(lambda: second.sent)
    assert len(upstream.pools[0].connections) == 1


async def test_a_connection_whose_call_left_is_kept_for_the_next(make_upstream, make_server, make_sink, ask):
    server = await make_server()
    upstream = make_upstream(server.address)
    upstream.start(GET, b"", make_sink(), idempotent=True).abort()
    await until(lambda: upstream.pools[0].idle)
    assert (await ask(upstream)).events == SEEN_OK
    assert server.accepted == 1


async def test_upgraded_connections_are_bounded(make_upstream, make_sink):
    upstream = make_upstream(max_upgraded=0)
    sink = make_sink()
    upstream.upgrade(GET, sink)
    async with asyncio.timeout(5):
        await sink.over.wait()
    assert sink.error.reason == "upstream.busy"


# -- health


async def test_a_failing_server_is_ejected_and_returns(make_upstream, make_server, ask, clock, closed_address):
    server = await make_server()
    told = []
    upstream = make_upstream(
        closed_address,
        server.address,
        ejection=EjectionSettings(failures=2, pause=10.0),
        notice=lambda *what: told.append(what),
    )
    for _ in range(10):
        assert (await ask(upstream)).events == SEEN_OK
    assert upstream.failures[closed_address, "upstream.refused"] == 2  # then left alone
    assert told == [("ejected", closed_address)]
    clock.advance(10.5)
    assert told[1:] == [("returned", closed_address)]
    for _ in range(10):
        assert (await ask(upstream)).events == SEEN_OK
    assert upstream.failures[closed_address, "upstream.refused"] == 4
    told.clear()
    clock.advance(15)
    assert told == []  # the second pause is longer
    clock.advance(6)
    assert told == [("returned", closed_address)]


async def test_the_only_server_is_never_ejected(make_upstream, ask, closed_address):
    told = []
    upstream = make_upstream(closed_address, notice=lambda *what: told.append(what))
    for _ in range(10):
        assert (await ask(upstream)).error.reason == "upstream.refused"
    assert told == []


async def test_active_checks_take_a_server_out_and_bring_it_back(make_upstream, make_server, ask, clock):
    from gateway.http.upstream_settings import CheckSettings

    status = [500]
    checked = []

    async def answer_checks(peer):
        while True:
            head, _ = await peer.request()
            if head.startswith(b"GET /up "):
                checked.append(head)
                peer.send(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status[0])
            else:
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nill")

    ill = await make_server(answer_checks)
    well = await make_server()
    told = []
    upstream = make_upstream(
        ill.address,
        well.address,
        check=CheckSettings("/up", interval=5.0, healthy_after=2, unhealthy_after=3),
        notice=lambda *what: told.append(what),
    )
    clock.advance(0.1)
    for expected in ([], [], [("unhealthy", ill.address)]):
        await until(lambda: upstream._probes[0]._call is None)
        assert told == expected
        clock.advance(5.2)
    await until(lambda: upstream._probes[0]._call is None)
    assert b"Host: 127.0.0.1:" in checked[0]
    for _ in range(4):
        assert (await ask(upstream)).body == b"ok"
    status[0] = 204
    for _ in range(2):
        clock.advance(5.2)
        await until(lambda: upstream._probes[0]._call is None)
    assert told[-1] == ("healthy", ill.address)
    assert {(await ask(upstream)).body for _ in range(4)} == {b"ok", b"ill"}


async def test_when_all_are_ill_all_are_used(make_upstream, make_server, ask, clock):
    from gateway.http.upstream_settings import CheckSettings

    async def ill(peer):
        while True:
            head, _ = await peer.request()
            peer.send(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n" if b"/up" in head else OK)

    servers = [await make_server(ill) for _ in range(2)]
    told = []
    upstream = make_upstream(
        *(server.address for server in servers),
        check=CheckSettings("/up", unhealthy_after=1),
        notice=lambda *what: told.append(what),
    )
    clock.advance(0.1)
    await until(lambda: len(told) == 3)
    assert told[-1] == ("panic", "")
    assert (await ask(upstream)).events == SEEN_OK


# -- reload and stop


def settings_of(*addresses, **more):
    servers = tuple(ServerSettings(parse_address(address)) for address in addresses)
    return UpstreamSettings("platform", servers, **more)


async def test_a_reload_keeps_the_servers_that_stay_and_closes_nothing_in_progress(
    make_upstream, make_server, make_sink, ask
):
    go = asyncio.Event()

    async def slow(peer):
        await peer.request()
        await go.wait()
        peer.send(OK)
        await peer.gone()

    leaving, staying, coming = await make_server(slow), await make_server(), await make_server()
    upstream = make_upstream(leaving.address, staying.address)
    in_progress = make_sink()
    call = upstream.start(GET, b"", in_progress, idempotent=True)
    await until(lambda: call.sent)
    assert (await ask(upstream)).events == SEEN_OK
    kept = upstream.pools[1]
    kept.health.failures = 3
    upstream.apply(settings_of(staying.address, coming.address))
    assert upstream.pools[0] is kept
    assert (len(kept.idle), kept.health.failures) == (1, 3)
    for _ in range(4):
        assert (await ask(upstream)).events == SEEN_OK
    assert (leaving.accepted, staying.accepted, coming.accepted) == (1, 1, 1)
    go.set()
    async with asyncio.timeout(5):
        await in_progress.over.wait()
    assert in_progress.events == SEEN_OK
    assert call.upstream is upstream
    await until(lambda: not leaving.tasks)  # its connection was closed then


async def test_a_removed_server_still_has_its_time_outs(make_upstream, make_server, make_sink, clock):
    leaving, staying = await make_server(hang), await make_server()
    upstream = make_upstream(leaving.address, answer_timeout=3.0)
    sink = make_sink()
    call = upstream.start(GET, b"", sink, idempotent=True)
    await until(lambda: call.sent)
    upstream.apply(settings_of(staying.address))
    clock.advance(3.5)
    assert sink.error.reason == "upstream.timeout"
    assert upstream._retiring == ()


async def test_close_ends_everything(make_upstream, make_server, make_sink):
    server = await make_server(hang)
    upstream = make_upstream(server.address, max_connections=1)
    sinks = [make_sink(), make_sink()]
    first, _ = [upstream.start(GET, b"", sink, idempotent=True) for sink in sinks]
    await until(lambda: first.sent)
    upstream.close()
    assert [sink.error.reason for sink in sinks] == ["upstream.stopped", "upstream.stopped"]
    assert [sink.error.sent for sink in sinks] == [True, False]
    late = make_sink()
    upstream.start(GET, b"", late, idempotent=True)
    async with asyncio.timeout(5):
        await late.over.wait()
    assert late.error.reason == "upstream.stopped"


# -- tls


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for localhost: (server context, client context that trusts it)."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


async def test_tls_with_a_trusted_certificate(make_upstream, make_server, ask, certificate):
    accepts, trusts = certificate
    server = await make_server(ssl=accepts)
    to = ServerSettings(parse_address(server.address), tls=trusts, server_name="localhost")
    upstream = make_upstream(servers=(to,))
    assert (await ask(upstream)).events == SEEN_OK
    assert (await ask(upstream)).events == SEEN_OK
    assert server.accepted == 1


async def test_tls_with_an_unknown_certificate(make_upstream, make_server, ask, certificate):
    server = await make_server(ssl=certificate[0])
    sink = await ask(make_upstream(server.address))
    assert (sink.error.reason, sink.error.detail, sink.error.sent) == ("upstream.tls", "certificate", False)


async def test_tls_to_a_server_that_speaks_none(make_upstream, make_server, ask):
    async def plain(peer):
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = await make_server(plain)
    sink = await ask(make_upstream(server.address.replace("http:", "https:")))
    assert sink.error.reason == "upstream.tls"


def test_every_reason_is_a_gateway_status():
    assert {status for status, _ in REASONS.values()} == {502, 503, 504}
    assert all(reason.startswith("upstream.") for reason in REASONS)


async def test_the_loop_is_uvloop(make_upstream):
    assert isinstance(make_upstream(), Upstream)
    assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
