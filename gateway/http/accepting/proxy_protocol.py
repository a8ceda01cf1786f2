"""The header that a balancer writes in front of a connection's own bytes: PROXY protocol, versions 1 and 2.

Source: "The PROXY protocol, versions 1 & 2" (HAProxy, doc/proxy-protocol.txt), sections 2.1 and 2.2. What was read is
taken exactly up to the header's end: what follows may be a TLS handshake, which is not ours to read.
"""

from __future__ import annotations

import re
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from filters.model.errors import TidegateError

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
"""The first twelve bytes of version 2."""
LONGEST_LINE: Final = 107
"""Bytes of a version 1 header, its line end included (section 2.1)."""
LONGEST_TAIL: Final = 4096
"""Bytes of addresses and extensions in version 2. The field could say 64 KiB; what balancers write stays below 1."""

_LINE: Final = re.compile(
    rb"PROXY (?:(?P<unknown>UNKNOWN)(?: [^\r\n]*)?|(?P<family>TCP[46]) (?P<source>[0-9A-Fa-f.:]+) "
    rb"(?P<target>[0-9A-Fa-f.:]+) (?P<ports>(?:0|[1-9][0-9]{0,4}) (?:0|[1-9][0-9]{0,4})))\r\n"
)
_LOCAL: Final = 0x20
_PROXY: Final = 0x21
_ADDRESSES: Final[dict[int, tuple[type[IPv4Address | IPv6Address], int, int]]] = {
    0x11: (IPv4Address, 4, 12),  # TCP: bytes of one address, and of both with their ports
    0x21: (IPv6Address, 16, 36),
}


class BadProxyHeader(TidegateError):
    """It is no PROXY header, or a longer one than is taken."""


class ProxyHeader:
    """One header, fed as it comes.

    ``complete``: whether it was read to its end. ``source``: the client's address, canonical; empty where the header
    names none (LOCAL, UNKNOWN, families that have no such address): then the peer itself is meant.
    """

    __slots__ = ("_data", "complete", "source")

    def __init__(self) -> None:
        self._data = b""
        self.complete = False
        self.source = ""

    def feed(self, data: bytes) -> int:
        """How many bytes of ``data`` are the header's; those beyond are the connection's own. Raises BadProxyHeader."""
        had = len(self._data)
        known = self._data + data
        end = self._end(known)
        if end < 0:
            self._data = known
            return len(data)
        self.complete = True
        self._data = b""
        self.source = _source(known[:end])
        return end - had

    def _end(self, known: bytes) -> int:
        """Where the header ends; -1 while that is not known, or not yet there."""
        begun = known[: len(SIGNATURE)]
        if begun == SIGNATURE[: len(begun)]:
            if len(known) < 16:
                return -1
            tail: int = struct.unpack_from("!H", known, 14)[0]
            if tail > LONGEST_TAIL:
                raise BadProxyHeader("longer than is taken")
            return 16 + tail if len(known) >= 16 + tail else -1
        if known[:6] != b"PROXY "[: len(known)]:
            raise BadProxyHeader("begins as no PROXY header does")
        end = known.find(b"\n", 0, LONGEST_LINE)
        if end < 0 and len(known) >= LONGEST_LINE:
            raise BadProxyHeader("a line without an end")
        return end + 1 if end >= 0 else -1


def _source(header: bytes) -> str:
    if header[:1] == b"P":
        return _of_line(header)
    command, family = header[12], header[13]
    if command == _LOCAL:
        return ""
    if command != _PROXY:
        raise BadProxyHeader("neither LOCAL nor PROXY of version 2")
    if family not in _ADDRESSES:
        return ""  # section 2.2: what is not known is taken as if nothing were named
    kind, size, whole = _ADDRESSES[family]
    if len(header) < 16 + whole:
        raise BadProxyHeader("shorter than its addresses")
    return str(_canonical(kind(header[16 : 16 + size])))


def _of_line(line: bytes) -> str:
    matched = _LINE.fullmatch(line)
    if matched is None:
        raise BadProxyHeader("a line of another form")
    if matched["unknown"]:
        return ""
    kind: type[IPv4Address | IPv6Address] = IPv4Address if matched["family"] == b"TCP4" else IPv6Address
    if any(int(port) > 65535 for port in matched["ports"].split()):
        raise BadProxyHeader("a port that is none")
    try:
        kind(matched["target"].decode())
        return str(_canonical(kind(matched["source"].decode())))
    except ValueError:
        raise BadProxyHeader("an address that is none") from None


def _canonical(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address written as IPv6 is that IPv4 address."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
