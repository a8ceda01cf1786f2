"""Server addresses as an operator writes them."""

from __future__ import annotations

import pytest

from gateway.http.wire.address import ServerAddress, parse_address


@pytest.mark.parametrize(
    ("text", "parts", "authority"),
    [
        ("http://127.0.0.1:9000", ("127.0.0.1", 9000, "", False), "127.0.0.1:9000"),
        ("http://platform", ("platform", 80, "", False), "platform"),
        ("https://platform/", ("platform", 443, "", True), "platform"),
        ("https://platform:8443", ("platform", 8443, "", True), "platform:8443"),
        ("http://[::1]:80", ("::1", 80, "", False), "[::1]"),
        ("unix:/run/p.sock", ("", 0, "/run/p.sock", False), "localhost"),
        ("unix:///run/p.sock", ("", 0, "/run/p.sock", False), "localhost"),
    ],
)
def test_addresses(text, parts, authority):
    address = parse_address(text)
    assert address == ServerAddress(text, *parts)
    assert address.authority == authority


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("127.0.0.1:9000", "begin with http://"),
        ("ftp://a", "begin with http://"),
        ("unix:run/p.sock", "absolute path"),
        ("http://a/path", "without path"),
        ("http://a?x=1", "without path or query"),
        ("http://:80", "write a host"),
        ("http://a:0", "port from 1 to 65535"),
        ("http://a:70000", "1 to 65535"),
        ("http://a:x", "1 to 65535"),
    ],
)
def test_mistakes_say_what_to_write(text, remedy):
    with pytest.raises(ValueError, match=remedy):
        parse_address(text)


def test_credentials_are_refused_and_not_repeated():
    with pytest.raises(ValueError, match="credentials") as caught:
        parse_address("http://user:secret@a")
    assert "secret" not in str(caught.value)
