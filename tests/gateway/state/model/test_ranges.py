"""Longest prefix, both families; compared with a search through all ranges."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.model.ranges import CACHED, Ranges


def test_the_narrowest_wins() -> None:
    ranges = Ranges([("10.0.0.0/8", 1), ("10.1.0.0/16", 2), ("10.1.2.3", 3), ("2001:db8::/32", 4), ("::/0", 5)])
    found = {"10.9.9.9": 1, "10.1.9.9": 2, "10.1.2.3": 3, "2001:db8::1": 4, "fe80::1": 5, "11.0.0.1": None}
    assert {address: ranges.find(address) for address in found} == found
    assert ranges.find("::ffff:10.1.2.3") == 3
    assert ranges.find("nonsense") is None
    assert ranges.find("") is None


def test_empty_and_broken() -> None:
    assert not Ranges([])
    assert Ranges([("0.0.0.0/0", 1)])
    with pytest.raises(ValueError, match="does not appear"):
        Ranges([("10.0.0.0/33", 1)])


ADDRESSES = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address), st.integers(0, 2**10).map(lambda n: IPv6Address(n << 100))
)
RANGES = st.lists(st.tuples(ADDRESSES, st.integers(0, 32)).map(lambda pair: f"{pair[0]}/{pair[1]}"), max_size=20)


@given(RANGES, st.lists(ADDRESSES, max_size=20))
def test_as_a_search_would(cidrs: list[str], addresses: list[IPv4Address | IPv6Address]) -> None:
    networks = [ip_network(cidr, strict=False) for cidr in cidrs]
    ranges = Ranges((str(network), network) for network in networks)
    for address in [*addresses, *(network.network_address for network in networks)]:
        holding = [n for n in networks if n.version == address.version and ip_address(str(address)) in n]
        expected = max(holding, key=lambda n: n.prefixlen, default=None)
        assert ranges.find(str(address)) == expected


def test_remembered_addresses_are_bounded() -> None:
    ranges = Ranges([("10.0.0.0/8", 1)])
    for number in range(CACHED + 10):
        assert ranges.find(str(IPv4Address(0x0A000000 + number))) == 1
    assert len(ranges._seen.known) <= CACHED


def test_every_range_that_holds_an_address() -> None:
    ranges = Ranges([("2001:db8::/32", "wall"), ("2001:db8:1:2::/64", "limit"), ("::/0", "all")])
    assert ranges.all("2001:db8:1:2::9") == ("limit", "wall", "all")
    assert ranges.all("2001:db8:9::9") == ("wall", "all")
    assert ranges.all("10.0.0.1") == ranges.all("x") == ()
