"""Who is at the other end: the connection's peer, or whom a trusted proxy names."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from filters.model.remembered import Remembered
from gateway.common.addresses import PREFIX, counted

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CACHE_SIZE: Final = 8192


def canonical(text: str) -> str | None:
    """An address in its one spelling, without port, brackets or zone; IPv4 in IPv6 as IPv4. None for anything else."""
    text = text.strip()
    if text[:1] == "[":
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


class TrustedProxies:
    """The peers whose word on the client counts. Immutable but for a bounded cache."""

    __slots__ = ("_cache", "_networks")

    def __init__(self, ranges: Iterable[str] = ()) -> None:
        self._networks: tuple[Network, ...] = tuple(ipaddress.ip_network(text, strict=False) for text in ranges)
        self._cache: Remembered[str, bool] = Remembered(_CACHE_SIZE)

    def trusts(self, ip: str) -> bool:
        """Whether ``ip`` (canonical) lies in one of the ranges."""
        if not self._networks or not ip:
            return False
        known = self._cache.known.get(ip)
        if known is None:
            address = ipaddress.ip_address(ip)
            known = self._cache.put(ip, any(address in network for network in self._networks))
        return known

    def client(self, peer: str, forwarded_for: bytes | None) -> str:
        """The real client behind the trusted ``peer``: the rightmost address of X-Forwarded-For that is not trusted.

        What stands left of it was written by somebody nobody vouches for. A chain that cannot be read ends at the last
        proxy that can; a chain of trusted ones only ends at its first.
        """
        client = peer
        if forwarded_for is None:
            return client
        for entry in reversed(forwarded_for.decode("latin-1").split(",")):
            ip = canonical(entry)
            if ip is None:
                break
            client = ip
            if not self.trusts(ip):
                break
        return client


class Peer:
    """The other end of one connection. ``ip``: canonical, empty for a unix socket. ``lines``: the forwarding fields of
    its requests, encoded once, for a peer that is not trusted; ``lines_for`` the same with the host it asked for.
    ``counted``: what its connections count as, of IPv6 the network of ``prefix`` bits. ``scheme``: of its connection.
    """

    __slots__ = ("_for_host", "_host", "counted", "ip", "lines", "scheme", "trusted")

    def __init__(self, ip: str, trusted: bool, via: bytes, prefix: int = PREFIX, scheme: bytes = b"http") -> None:
        self.ip = ip
        self.scheme = scheme
        self.counted = counted(ip, prefix)
        self.trusted = trusted
        self.lines = b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nVia: 1.1 %b\r\n" % (
            (ip or "unknown").encode(),
            scheme,
            via,
        )
        self._host = b""
        self._for_host = self.lines

    def lines_for(self, host: bytes) -> bytes:
        """``lines`` and X-Forwarded-Host. A client asks for one host over and over."""
        if not host:  # HTTP/1.0 knows requests without one
            return self.lines
        if host != self._host:
            self._host = host
            self._for_host = b"%bX-Forwarded-Host: %b\r\n" % (self.lines, host)
        return self._for_host
