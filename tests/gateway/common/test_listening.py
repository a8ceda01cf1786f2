"""Listening sockets: shared, inheritable, and loud when the address is taken."""

import socket
from pathlib import Path

import pytest

from gateway.common.listening import AddressTaken, CannotListen, Inherited, handed_down, inherited, listen, parse


def test_parse() -> None:
    assert parse("127.0.0.1:8080") == ("127.0.0.1", 8080)
    assert parse("[::1]:80") == ("::1", 80)
    assert parse(":8080") == ("0.0.0.0", 8080)


def test_a_taken_port_names_address_and_remedy() -> None:
    with listen("127.0.0.1:0") as first:
        address = f"127.0.0.1:{first.getsockname()[1]}"
        with pytest.raises(AddressTaken, match=rf"{address}.*server\.listen"):
            listen(address)


def test_a_socket_is_inheritable_and_does_not_block() -> None:
    with listen("127.0.0.1:0") as listener:
        assert listener.get_inheritable()
        assert not listener.getblocking()


def test_unix_sockets_replace_a_stale_one_but_not_a_live_one(tmp_path: Path) -> None:
    path = tmp_path / "gate.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    with listen(f"unix:{path}"), pytest.raises(AddressTaken, match="another process"):
        listen(f"unix:{path}")


def test_a_file_in_the_way_stays(tmp_path: Path) -> None:
    path = tmp_path / "gate.sock"
    path.write_text("precious")
    with pytest.raises(AddressTaken, match="not a socket"):
        listen(f"unix:{path}")
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("192.0.2.1:0", "no such address"),
        ("nowhere.invalid:0", "cannot be listened on"),
        ("unix:/nowhere/at/all/gate.sock", "folder of the socket"),
    ],
)
def test_what_cannot_be_listened_on_is_told_with_its_setting(address: str, why: str) -> None:
    with pytest.raises(CannotListen, match=rf"{address}.*{why}.*control\.listen"):
        listen(address, setting="control.listen")


def test_what_a_worker_inherits_is_told_and_read() -> None:
    several = [Inherited(3, False, None), Inherited(4, True, ()), Inherited(5, True, ("10.0.0.0/8", "::1/128"))]
    assert inherited(handed_down(several)) == several
