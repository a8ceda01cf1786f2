"""Whose address counts."""

import pytest

from gateway.http.wire.peers import TrustedProxies, canonical


@pytest.mark.parametrize(
    ("text", "ip"),
    [
        ("1.2.3.4", "1.2.3.4"),
        (" 1.2.3.4:80 ", "1.2.3.4"),
        ("[2001:DB8::1]:443", "2001:db8::1"),
        ("2001:db8:0::1", "2001:db8::1"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", None),
        ("", None),
        ("1.2.3", None),
    ],
)
def test_one_spelling(text: str, ip: str | None) -> None:
    assert canonical(text) == ip


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (None, "10.0.0.1"),
        (b"", "10.0.0.1"),
        (b"7.7.7.7", "7.7.7.7"),
        (b"6.6.6.6, 7.7.7.7", "7.7.7.7"),
        (b"6.6.6.6, 7.7.7.7, 10.9.9.9", "7.7.7.7"),
        (b"10.1.1.1, 10.9.9.9", "10.1.1.1"),
        (b"7.7.7.7, rubbish, 10.9.9.9", "10.9.9.9"),
        (b"7.7.7.7, 2001:db8::5", "2001:db8::5"),
    ],
)
def test_the_rightmost_that_is_not_trusted(chain: bytes | None, client: str) -> None:
    assert TrustedProxies(["10.0.0.0/8"]).client("10.0.0.1", chain) == client


def test_nobody_is_trusted_by_default() -> None:
    assert not TrustedProxies().trusts("127.0.0.1")
    assert not TrustedProxies(["10.0.0.0/8"]).trusts("")
    assert TrustedProxies(["::1", "10.0.0.0/8"]).trusts("::1")
