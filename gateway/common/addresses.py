"""Client addresses as they are counted: one household is one of them."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_network
from typing import Final

PREFIX: Final = 64
"""Bits of an IPv6 address that name a customer: a /64 is the least that one is given (RFC 6177), and every device in it
takes new addresses as it likes (RFC 8981)."""


def counted(ip: str, prefix: int = PREFIX) -> str:
    """What ``ip`` counts as: an IPv6 address as its network of ``prefix`` bits, any other text as itself. An IPv4
    address written as IPv6 is that IPv4 address."""
    if ":" not in ip:
        return ip
    try:
        address = IPv6Address(ip)
    except ValueError:
        return ip
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, prefix), strict=False)) if prefix < 128 else str(address)
