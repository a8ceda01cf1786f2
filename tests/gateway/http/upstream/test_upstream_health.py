"""Servers of an upstream that are taken out and come back: ejected for failures, or asked whether they are well."""

from __future__ import annotations

import pytest

from gateway.http.upstream.settings import EjectionSettings
from tests.gateway.http.calls import OK, SEEN_OK, until


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
    from gateway.http.upstream.settings import CheckSettings

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
    from gateway.http.upstream.settings import CheckSettings

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


CHOSEN_HERE = {
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2",
    "two framings": b"Content-Length: 1\r\nTransfer-Encoding: chunked",
    "a coding": b"Transfer-Encoding: gzip, chunked",
    "many fields": b"\r\n".join(b"A%d: b" % number for number in range(300)),
    "a large head": b"A: " + b"b" * 70_000,
    "a folded line": b"A: b\r\n c",
    "a blank before a colon": b"A : b",
}


@pytest.mark.parametrize("lines", CHOSEN_HERE.values(), ids=CHOSEN_HERE)
async def test_what_is_refused_by_choice_takes_no_server_out(make_upstream, make_server, ask, lines):
    """A client could ask for such an answer again and again, and take the platform away from all others."""

    async def strange(peer):
        await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n\r\n")

    servers = [await make_server(strange), await make_server()]
    told = []
    upstream = make_upstream(*(server.address for server in servers), notice=lambda *what: told.append(what))
    for _ in range(20):
        sink = await ask(upstream)
        assert sink.error is None or sink.error.reason == "upstream.garbage"
    assert told == []
    assert upstream.failures[servers[0].address, "upstream.garbage"] == 10, "counted all the same"


async def test_garbage_takes_its_server_out(make_upstream, make_server, ask):
    async def garbage(peer):
        await peer.request()
        peer.send(b"SSH-2.0-OpenSSH\r\n\r\n")

    servers = [await make_server(garbage), await make_server()]
    told = []
    upstream = make_upstream(*(server.address for server in servers), notice=lambda *what: told.append(what))
    for _ in range(20):
        await ask(upstream)
    assert told == [("ejected", servers[0].address)]
