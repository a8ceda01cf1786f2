"""What an address counts as."""

from ipaddress import IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.common.addresses import counted


@pytest.mark.parametrize(
    ("ip", "prefix", "told"),
    [
        ("192.0.2.1", 64, "192.0.2.1"),
        ("", 64, ""),
        ("2001:db8:1:2::5", 64, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", 64, "2001:db8:1:2::/64"),
        ("2001:db8:1:2::5", 48, "2001:db8:1::/48"),
        ("2001:db8:1:2::5", 32, "2001:db8::/32"),
        ("2001:DB8::05", 128, "2001:db8::5"),
        ("::ffff:192.0.2.1", 64, "192.0.2.1"),
        ("::ffff:192.0.2.1", 128, "192.0.2.1"),
        ("unix:", 64, "unix:"),
    ],
)
def test_counted(ip: str, prefix: int, told: str) -> None:
    assert counted(ip, prefix) == told


@given(st.integers(0, (1 << 128) - 1), st.integers(0, (1 << 64) - 1), st.integers(32, 128))
def test_neighbours_count_as_one_and_strangers_do_not(number: int, other: int, prefix: int) -> None:
    address = IPv6Address(number)
    if address.ipv4_mapped is not None:
        return
    neighbour = IPv6Address(number >> (128 - prefix) << (128 - prefix) | other & ((1 << (128 - prefix)) - 1))
    stranger = IPv6Address(number ^ (1 << (128 - prefix)))
    assert counted(str(address), prefix) == counted(str(neighbour), prefix)
    if stranger.ipv4_mapped is None:
        assert counted(str(stranger), prefix) != counted(str(address), prefix)
    assert address in ip_network(counted(str(address), prefix))
