"""Upstreams behind TLS."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace

import pytest

from gateway.config.sections.upstreams import Upstream as UpstreamSection
from gateway.generation import conversion
from gateway.http.upstream.settings import UpstreamServerSettings
from gateway.http.wire.address import parse_address
from tests.certificates import make
from tests.gateway.http.calls import GET, OK, SEEN_OK


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for localhost: (server context, client context that trusts it, its file)."""
    files = make(tmp_path_factory.mktemp("tls"), "localhost")
    path = files.certificate.with_name("both.pem")
    path.write_bytes(files.key.read_bytes() + files.certificate.read_bytes())
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path)), path


async def test_tls_with_a_trusted_certificate(make_upstream, make_server, ask, certificate):
    accepts, trusts, _ = certificate
    server = await make_server(ssl=accepts)
    to = UpstreamServerSettings(parse_address(server.address), tls=trusts, server_name="localhost")
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


async def test_a_name_of_its_own_is_asked_for_and_expected(make_upstream, make_server, ask, certificate, tmp_path):
    """As it is configured: from the section to the handshake."""
    asked = []
    certificate[0].sni_callback = lambda socket, name, context: asked.append(name)
    server = await make_server(ssl=certificate[0])
    for name, well in (("localhost", True), ("other.example", False), ("", False)):
        section = UpstreamSection(servers=[server.address], tls={"ca": certificate[2], "server_name": name})
        upstream = make_upstream(servers=conversion.upstream("platform", section).servers)
        sink = await ask(upstream)
        assert (sink.error is None) is well, name
    assert asked == ["localhost", "other.example", None]


@pytest.mark.parametrize("when", ["in use", "being opened"])
async def test_a_reload_with_another_trust_uses_no_connection_made_under_the_old(
    make_upstream, make_server, make_sink, ask, certificate, when
):
    accepts, trusts, _ = certificate
    hold, held = asyncio.Event(), asyncio.Event()

    async def slow(peer):
        while True:
            await peer.request()
            held.set()
            await hold.wait()
            peer.send(OK)

    server = await make_server(slow, ssl=accepts)
    address = parse_address(server.address)
    first = UpstreamServerSettings(address, tls=trusts, tls_key="first", server_name="localhost")
    upstream = make_upstream(servers=(first,))
    sink = make_sink()
    upstream.start(GET, b"", sink, idempotent=True)
    if when == "in use":
        await held.wait()
    else:
        await asyncio.sleep(0)
    other = replace(first, tls=ssl.create_default_context(), tls_key="second")
    upstream.apply(replace(upstream.settings, servers=(other,)))
    hold.set()
    await asyncio.wait_for(sink.over.wait(), 5)
    if when == "in use":
        assert sink.events == SEEN_OK, "what was begun goes on"
    else:
        assert sink.error.reason == "upstream.tls", "it is opened anew, under the settings in force"
    assert not upstream.pools[0].idle
    assert (await ask(upstream)).error.detail == "certificate"
