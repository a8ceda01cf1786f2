from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.values import units
from gateway.config.values.units import Rate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0B", 0),
        ("1B", 1),
        ("64KiB", 65536),
        ("1.5KiB", 1536),
        ("2 MiB", 2 << 20),
        ("1GiB", 1 << 30),
        ("1TiB", 1 << 40),
    ],
)
def test_sizes(text: str, value: int) -> None:
    assert units.size(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("50us", 50e-6), ("20ms", 0.02), ("1.5s", 1.5), ("1m30s", 90), ("1h", 3600), ("184d", 184 * 86400.0)],
)
def test_durations(text: str, value: float) -> None:
    assert units.duration(text) == pytest.approx(value)


@pytest.mark.parametrize("value", [10, 1.5, "10", "KiB", "64KB", "64kib", "-1KiB", "1e3B", "", True, None, [], "٣KiB"])
def test_sizes_without_a_known_unit_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="64KiB"):
        units.size(value)


@pytest.mark.parametrize("value", [10, 0.5, "10", "ms", "10 ms", "-5ms", "1m 30s", "1w", "٣s", "", None, {}])
def test_durations_without_a_known_unit_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="20ms"):
        units.duration(value)


def test_nothing_needs_no_unit_but_false_is_not_nothing() -> None:
    assert units.size(0) == 0
    assert units.duration(0) == 0
    with pytest.raises(ValueError, match="size"):
        units.size(False)
    with pytest.raises(ValueError, match="time"):
        units.duration(False)


def test_rates() -> None:
    assert units.rate("5/10s") == Rate(5, 10.0)
    assert units.rate("1/500ms") == Rate(1, 0.5)


@pytest.mark.parametrize("value", ["5", "0/1s", "-1/1s", "5/", "/1s", "5/0s", "5/10", "x/1s", 5, None])
def test_broken_rates_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"rate|time"):
        units.rate(value)


@pytest.mark.parametrize("value", ["127.0.0.1:80", "[::1]:8080", ":8080", "localhost:0", "unix:/run/x.sock"])
def test_addresses_stay_as_written(value: str) -> None:
    assert units.address(value) == value


@pytest.mark.parametrize("value", ["8080", "::1:8080", "host:", "host:99999", "host:80a", "unix:relative", 8080, None])
def test_broken_addresses_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="host:port"):
        units.address(value)


@pytest.mark.parametrize("value", ["http://platform", "http://127.0.0.1:9000", "https://[::1]", "unix:/run/x.sock"])
def test_servers_stay_as_written(value: str) -> None:
    assert units.server_url(value) == value


@pytest.mark.parametrize("value", ["ftp://x", "http://u:hunter2@x", "http://x/api", "x:80", "http://", "unix:x", 80])
def test_broken_servers_are_refused_without_being_repeated(value: Any) -> None:
    with pytest.raises(ValueError) as refused:
        units.server_url(value)
    assert "hunter2" not in str(refused.value)


def test_networks() -> None:
    assert str(units.network("10.0.0.0/8")) == "10.0.0.0/8"
    assert str(units.network("::1")) == "::1/128"
    for broken in ("10.0.0.1/8", "x", "", 7, None):
        with pytest.raises(ValueError, match="address range"):
            units.network(broken)


def test_paths_start_at_the_configuration(tmp_path: Any) -> None:
    info: Any = SimpleNamespace(context={"base": tmp_path})
    assert units.local("a/../b", info) == tmp_path / "b"
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real/deep")
    assert units.local("link/jwks.json", info) == tmp_path / "link" / "jwks.json"  # the link may lead elsewhere later
    assert units.local("link/../b/./c", info) == tmp_path / "real" / "b" / "c"
    assert units.local("/b", info).as_posix() == "/b"
    for broken in ("", "a\0b", 7):
        with pytest.raises(ValueError, match="path"):
            units.local(broken, info)
    with pytest.raises(ValueError, match="no file"):
        units.readable("b", info)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.text()), st.binary()))
def test_whatever_is_written_is_read_or_refused_with_a_value_error(value: Any) -> None:
    for read in (units.size, units.duration, units.rate, units.address, units.server_url, units.network):
        try:
            read(value)
        except ValueError as refused:
            assert str(refused)
