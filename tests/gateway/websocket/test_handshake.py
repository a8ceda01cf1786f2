"""Handshakes on both sides, checked against the RFC and against the websockets library."""

from __future__ import annotations

import pytest
from websockets.client import ClientProtocol
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from gateway.http.wire.forwarding import request_head
from gateway.http.wire.head import parse_request, parse_response
from gateway.websocket.handshake import (
    REASONS,
    REPLACED,
    Agreement,
    ClientHandshake,
    HandshakeError,
    accept,
    check_client,
    check_upstream,
    client_answer,
    new_key,
    upstream_lines,
)
from gateway.websocket.origins import Origins

ANY = Origins(["*"])
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
FIELDS = {
    b"Host": b"live.example",
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Key": KEY,
    b"Sec-WebSocket-Version": b"13",
}


def request(start=b"GET /live/1 HTTP/1.1", lines=(), **changes):
    """A handshake; ``changes`` by name with underscores, None removes."""
    fields = dict(FIELDS)
    for name, value in changes.items():
        spelled = name.replace("_", "-").encode()
        fields = {key: old for key, old in fields.items() if key.lower() != spelled.lower()}
        if value is not None:
            fields[spelled] = value
    return parse_request(b"\r\n".join([start, *(b"%b: %b" % pair for pair in fields.items()), *lines]))


def response(status=b"101 Switching Protocols", **fields):
    fields = {"Upgrade": b"websocket", "Connection": b"Upgrade", "Sec_WebSocket_Accept": accept(KEY), **fields}
    lines = [
        b"%b: %b" % (name.replace("_", "-").encode(), value) for name, value in fields.items() if value is not None
    ]
    return parse_response(b"\r\n".join([b"HTTP/1.1 " + status, *lines]))


def asked(*protocols, extensions=b""):
    return ClientHandshake(KEY, protocols, extensions)


def test_the_rfcs_example():
    """Section 1.3."""
    assert accept(KEY) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Upgrade": b"WebSocket"},
        {"Upgrade": b"h2c, websocket"},
        {"Connection": b"keep-alive, UPGRADE"},
        {"Origin": b"https://live.example"},
    ],
)
def test_a_good_handshake(changes):
    assert check_client(request(**changes), ANY) == ClientHandshake(KEY, (), b"")


def test_what_a_client_offers():
    head = request(
        Sec_WebSocket_Protocol=b"chat, superchat",
        Sec_WebSocket_Extensions=b"permessage-deflate; client_max_window_bits",
    )
    assert check_client(head, ANY) == ClientHandshake(
        KEY, (b"chat", b"superchat"), b"permessage-deflate; client_max_window_bits"
    )


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (lambda: request(Upgrade=None), "handshake.not_websocket"),
        (lambda: request(Upgrade=b"websockets"), "handshake.not_websocket"),
        (lambda: request(Connection=None), "handshake.not_websocket"),
        (lambda: request(Connection=b"close"), "handshake.not_websocket"),
        (lambda: request(start=b"GET / HTTP/1.0"), "handshake.not_websocket"),
        (lambda: request(start=b"POST / HTTP/1.1"), "handshake.method"),
        (lambda: request(Content_Length=b"5"), "handshake.body"),
        (lambda: request(Transfer_Encoding=b"chunked"), "handshake.body"),
        (lambda: request(Sec_WebSocket_Version=None), "handshake.version"),
        (lambda: request(Sec_WebSocket_Version=b"8"), "handshake.version"),
        (lambda: request(Sec_WebSocket_Version=b"13, 8"), "handshake.version"),
        (lambda: request(Sec_WebSocket_Key=None), "handshake.key"),
        (lambda: request(Sec_WebSocket_Key=b"dG9vIHNob3J0"), "handshake.key"),
        (lambda: request(Sec_WebSocket_Key=b"!GhlIHNhbXBsZSBub25jZQ=="), "handshake.key"),
        (lambda: request(lines=[b"Sec-WebSocket-Key: " + KEY]), "handshake.key"),
        (lambda: request(lines=[b"Origin: https://a", b"Origin: https://b"]), "handshake.origin"),
        (lambda: request(Sec_WebSocket_Protocol=b"a b"), "handshake.protocol"),
        (lambda: request(Sec_WebSocket_Protocol=b"chat,,x"), "handshake.protocol"),
        (lambda: request(Sec_WebSocket_Protocol=b"chat, chat"), "handshake.protocol"),
    ],
)
def test_bad_handshakes(head, reason):
    with pytest.raises(HandshakeError) as caught:
        check_client(head(), ANY)
    assert caught.value.reason == reason
    assert caught.value.status == REASONS[reason][0]
    if caught.value.status == 426:
        assert b"Sec-WebSocket-Version: 13\r\n" in caught.value.lines


def test_the_handshake_of_a_foreign_page_is_refused():
    head = request(Origin=b"https://evil.example")
    with pytest.raises(HandshakeError) as caught:
        check_client(head, Origins(["same"]))
    assert (caught.value.reason, caught.value.status) == ("handshake.origin", 403)
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    ("allowed", "origin", "well"),
    [
        (["same"], b"http://live.example", True),
        (["same"], b"https://live.example", True),
        (["same"], b"https://live.example:8443", False),
        (["same"], b"https://live.example.evil", False),
        (["same"], None, True),
        (["https://a.example"], b"https://a.example", True),
        (["https://a.example"], b"https://A.Example:443", True),
        (["https://a.example"], b"http://a.example", False),
        (["https://a.example"], b"https://b.a.example", False),
        (["https://a.example:8443"], b"https://a.example:8443", True),
        (["https://*.a.example"], b"https://b.a.example", True),
        (["https://*.a.example"], b"https://c.b.a.example", True),
        (["https://*.a.example"], b"https://a.example", False),
        (["https://*.a.example"], b"https://evila.example", False),
        (["https://*.a.example"], b"https://*.a.example", False),
        (["https://*.a.example"], b"https://b.a.example/path", False),
        (["http://[::1]:80"], b"http://[::1]", True),
        (["https://a.example"], b"null", False),
        (["null"], b"null", True),
        (["*"], b"null", True),
        ([], b"https://a.example", False),
        ([], None, True),
    ],
)
def test_origins(allowed, origin, well):
    assert Origins(allowed).allow(origin, b"live.example") is well


def test_origin_may_be_required():
    assert not Origins(["*"], required=True).allow(None, b"a")


@pytest.mark.parametrize("text", ["a.example", "https://a.example/path", "https://a.*.example", "ftp://a", "https://*"])
def test_origins_that_are_none(text):
    with pytest.raises(ValueError, match="write"):
        Origins([text])


# -- the upstream's side


def upstream_request(head, asked, key, *, extensions):
    lines = upstream_lines(asked, key, extensions=extensions)
    return request_head(head, head.target, 0, b"Via: 1.1 tidegate\r\n" + lines, drop=REPLACED)


def test_the_upstreams_handshake_is_made_anew():
    head = request(
        Origin=b"https://live.example",
        Cookie=b"user=alice",
        Sec_WebSocket_Extensions=b"permessage-deflate",
        Sec_WebSocket_Protocol=b"chat",
        lines=[b"X-Forwarded-For: 6.6.6.6", b"Tidegate-Message-Id: forged"],
    )
    key = new_key()
    made = upstream_request(head, check_client(head, ANY), key, extensions=False)
    again = parse_request(made[:-4])
    assert (again.method, again.target, again.host) == (b"GET", b"/live/1", b"live.example")
    assert again.get(b"sec-websocket-key") == key != KEY
    assert again.get(b"sec-websocket-protocol") == b"chat"
    assert again.get(b"cookie") == b"user=alice"
    assert again.get(b"origin") == b"https://live.example"
    for left_out in (b"sec-websocket-extensions", b"x-forwarded-for", b"tidegate-message-id"):
        assert again.get(left_out) is None
    assert again.repeated == frozenset()
    assert check_client(again, ANY).key == key
    relayed = upstream_request(head, check_client(head, ANY), key, extensions=True)
    assert parse_request(relayed[:-4]).get(b"sec-websocket-extensions") == b"permessage-deflate"


def test_an_upstreams_answer():
    assert check_upstream(response(), asked(), KEY, extensions=False) == Agreement(b"", b"")
    agreed = check_upstream(response(Sec_WebSocket_Protocol=b"chat"), asked(b"chat", b"x"), KEY, extensions=False)
    assert agreed == Agreement(b"chat", b"")
    deflate = b"permessage-deflate; server_no_context_takeover"
    agreed = check_upstream(
        response(Sec_WebSocket_Extensions=deflate), asked(extensions=b"permessage-deflate"), KEY, extensions=True
    )
    assert agreed == Agreement(b"", deflate)


@pytest.mark.parametrize(
    ("head", "detail"),
    [
        (lambda: response(Upgrade=None), "upgrade"),
        (lambda: response(Upgrade=b"h2c"), "upgrade"),
        (lambda: response(b"200 OK"), "upgrade"),
        (lambda: response(Connection=b"keep-alive"), "connection"),
        (lambda: response(Sec_WebSocket_Accept=None), "accept"),
        (lambda: response(Sec_WebSocket_Accept=accept(b"other")), "accept"),
        (lambda: response(Sec_WebSocket_Protocol=b"other"), "protocol"),
        (lambda: response(Sec_WebSocket_Protocol=b"chat, x"), "protocol"),
        (lambda: response(Sec_WebSocket_Extensions=b"permessage-deflate"), "extensions"),
    ],
)
def test_an_upstreams_bad_answer(head, detail):
    with pytest.raises(HandshakeError) as caught:
        check_upstream(head(), asked(b"chat", extensions=b"permessage-deflate"), KEY, extensions=False)
    assert (caught.value.reason, caught.value.detail) == ("handshake.upstream", detail)
    assert caught.value.status == 502


def test_an_extension_that_nobody_offered():
    with pytest.raises(HandshakeError):
        check_upstream(response(Sec_WebSocket_Extensions=b"x-other"), asked(extensions=b"a"), KEY, extensions=True)


def test_the_clients_answer():
    head = response(Set_Cookie=b"a=b", Sec_WebSocket_Accept=accept(b"the upstream's"), Server=b"x")
    made = client_answer(head, asked(b"chat"), Agreement(b"chat", b""), b"Via: 1.1 tidegate\r\n")
    again = parse_response(made[:-4])
    assert again.status == 101
    assert again.get(b"sec-websocket-accept") == accept(KEY)
    assert again.get(b"sec-websocket-protocol") == b"chat"
    assert again.get(b"set-cookie") == b"a=b"
    assert again.get(b"via") == b"1.1 tidegate"
    assert again.repeated == frozenset()


def test_the_websockets_library_agrees_on_both_sides():
    """Its client speaks to us, we speak to its server, and its client reads our answer."""
    client = ClientProtocol(parse_uri("ws://live.example/live/1"), subprotocols=["chat"])
    client.send_request(client.connect())
    head = parse_request(b"".join(client.data_to_send()).removesuffix(b"\r\n\r\n"))
    theirs = check_client(head, ANY)
    key = new_key()
    server = ServerProtocol(subprotocols=["chat"])
    server.receive_data(upstream_request(head, theirs, key, extensions=False))
    (opened,) = server.events_received()
    server.send_response(server.accept(opened))
    answer = parse_response(b"".join(server.data_to_send()).removesuffix(b"\r\n\r\n"))
    agreed = check_upstream(answer, theirs, key, extensions=False)
    assert agreed == Agreement(b"chat", b"")
    client.receive_data(client_answer(answer, theirs, agreed))
    assert client.handshake_exc is None
    assert client.subprotocol == "chat"
