"""Address ranges and which of them an address lies in: longest prefix first, IPv4 and IPv6, pure."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Generic, TypeVar

from filters.model.remembered import Remembered

Value = TypeVar("Value")
CACHED = 8192


class Ranges(Generic[Value]):
    """An immutable table of ranges. One dict of network numbers for each prefix length in use, so that a look-up costs
    as many dict look-ups as there are lengths; addresses seen lately are remembered.

    IPv4 addresses written as IPv6 (``::ffff:10.0.0.1``) are looked up as IPv4.
    """

    __slots__ = ("_seen", "_v4", "_v6")

    def __init__(self, ranges: Iterable[tuple[str, Value]]) -> None:
        """``ranges`` are pairs of CIDR text and value. Raises ``ValueError`` for what is not a range."""
        tables: dict[int, dict[int, dict[int, Value]]] = {4: {}, 6: {}}
        for cidr, value in ranges:
            network = ip_network(cidr, strict=False)
            shift = network.max_prefixlen - network.prefixlen
            tables[network.version].setdefault(shift, {})[int(network.network_address) >> shift] = value
        self._v4 = tuple(sorted(tables[4].items()))
        self._v6 = tuple(sorted(tables[6].items()))
        self._seen: Remembered[str, tuple[Value, ...]] = Remembered(CACHED)

    def __bool__(self) -> bool:
        return bool(self._v4 or self._v6)

    def find(self, address: str) -> Value | None:
        """The value of the narrowest range that holds ``address``; None where none does or it is no address."""
        found = self.all(address)
        return found[0] if found else None

    def all(self, address: str) -> tuple[Value, ...]:
        """The values of every range that holds ``address``, the narrowest first."""
        try:
            return self._seen.known[address]
        except KeyError:
            pass
        return self._seen.put(address, self._search(address))

    def _search(self, text: str) -> tuple[Value, ...]:
        try:
            address = ip_address(text)
        except ValueError:
            return ()
        if address.version == 6 and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        number = int(address)
        tables = self._v4 if address.version == 4 else self._v6
        return tuple(table[number >> shift] for shift, table in tables if number >> shift in table)
