"""The Host field that an upstream is sent: the client's, or the upstream's own."""

from gateway.http.wire.forwarding import request_head
from gateway.http.wire.head import HeadBounds, parse_request

HEAD = parse_request(b"GET / HTTP/1.1\r\nHost: www.platform.example\r\nAccept: */*", HeadBounds(4096, 50, 1024))


def test_the_clients_host_is_kept_unless_the_upstream_has_its_own() -> None:
    assert b"\r\nHost: www.platform.example\r\n" in request_head(HEAD, b"/", 0, b"")
    sent = request_head(HEAD, b"/", 0, b"", host=b"internal:9000")
    assert b"\r\nHost: internal:9000\r\n" in sent
    assert b"www.platform.example" not in sent
