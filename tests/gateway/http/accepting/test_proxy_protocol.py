"""PROXY headers: what they name, where they end, and what is none."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.accepting.proxy_protocol import LONGEST_LINE, LONGEST_TAIL, SIGNATURE, BadProxyHeader, ProxyHeader

LOCAL, PROXY, TCP4, TCP6, UNIX = 0x20, 0x21, 0x11, 0x21, 0x31
V4 = bytes([192, 0, 2, 7, 198, 51, 100, 1]) + struct.pack("!HH", 50000, 443)
V6 = ip_address("2001:db8::7").packed + ip_address("2001:db8::1").packed + struct.pack("!HH", 50000, 443)


def second(command: int, family: int, tail: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(tail)) + tail


def read(data: bytes) -> tuple[str, bytes]:
    """What a whole header names, and what follows it."""
    header = ProxyHeader()
    taken = header.feed(data)
    assert header.complete
    return header.source, data[taken:]


GOOD = [
    (b"PROXY TCP4 192.0.2.7 198.51.100.1 50000 443\r\n", "192.0.2.7"),
    (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"),
    (b"PROXY TCP6 2001:DB8::7 2001:db8::1 0 443\r\n", "2001:db8::7"),
    (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "192.0.2.7"),
    (b"PROXY UNKNOWN\r\n", ""),
    (b"PROXY UNKNOWN whatever it says 1 2\r\n", ""),
    (second(PROXY, TCP4, V4), "192.0.2.7"),
    (second(PROXY, TCP6, V6), "2001:db8::7"),
    (second(PROXY, TCP4, V4 + b"\x04\x00\x03abc"), "192.0.2.7"),  # an extension behind the addresses
    (second(PROXY, TCP4, V4 + bytes(LONGEST_TAIL - len(V4))), "192.0.2.7"),
    (second(PROXY, UNIX, bytes(216)), ""),
    (second(PROXY, 0x00, b""), ""),
    (second(PROXY, 0x12, V4), ""),  # datagrams: nothing that a stream's client could be
    (second(LOCAL, 0x00, b""), ""),
    (second(LOCAL, TCP4, V4), ""),  # a balancer's own probe, whatever stands behind
]


@pytest.mark.parametrize(("data", "source"), GOOD)
def test_what_is_named(data: bytes, source: str) -> None:
    assert read(data + b"GET / HTTP/1.1\r\n") == (source, b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize(("data", "source"), GOOD)
def test_byte_by_byte(data: bytes, source: str) -> None:
    header = ProxyHeader()
    for at in range(len(data)):
        assert not header.complete
        assert header.feed(data[at : at + 1]) == 1
    assert (header.complete, header.source) == (True, source)


@given(st.sampled_from(GOOD), st.binary(max_size=40), st.lists(st.integers(0, 120), max_size=6))
def test_any_pieces(good: tuple[bytes, str], behind: bytes, cuts: list[int]) -> None:
    data, source = good
    whole = data + behind
    header = ProxyHeader()
    taken = 0
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(whole)], strict=True):
        if header.complete:
            break
        taken += header.feed(whole[begin:end])
    assert (header.complete, header.source, taken) == (True, source, len(data))


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01",  # TLS
        b"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
        b"PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        b"PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
        b"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        b"PROXY UNKNOWN" + b"x" * LONGEST_LINE,
        b"PROXY TCP4 " + b"1" * LONGEST_LINE,
        b"\r\n\r\n\0\r\nQUIT\r",
        second(0x22, TCP4, V4),  # a command that is none
        second(0x11, TCP4, V4),  # version 1 in the form of 2
        second(PROXY, TCP4, V4[:-1]),
        second(PROXY, TCP6, V4),
        second(PROXY, TCP4, bytes(LONGEST_TAIL + 1)),
    ],
)
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(BadProxyHeader):
        ProxyHeader().feed(data)
    header = ProxyHeader()
    with pytest.raises(BadProxyHeader):
        for at in range(len(data)):
            header.feed(data[at : at + 1])


@given(st.binary(max_size=200))
def test_anything_else_ends(data: bytes) -> None:
    header = ProxyHeader()
    try:
        taken = header.feed(data)
    except BadProxyHeader:
        return
    assert taken <= len(data)
    assert header.complete or taken == len(data)


def test_two_headers_are_one_and_what_follows() -> None:
    line = b"PROXY TCP4 192.0.2.7 198.51.100.1 50000 443\r\n"
    assert read(line + line) == ("192.0.2.7", line)
