from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.values import units


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
    for read in (units.address, units.server_url, units.network):
        try:
            read(value)
        except ValueError as refused:
            assert str(refused)
