"""Sockets by address: opened here, handed over by a service manager, or by the program before."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.common.listening import AddressTaken
from gateway.node.open_sockets import OpenSockets, ToOpen
from rig.ports import free_port


def wanted(*addresses: str) -> list[ToOpen]:
    return [ToOpen(address, "server.listen", 16) for address in addresses]


def connects(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_what_is_wanted_is_open_and_what_is_no_longer_wanted_closes_when_all_is_settled() -> None:
    first, second = free_port(), free_port()
    sockets = OpenSockets()
    sockets.wanted(wanted(f"127.0.0.1:{first}"))
    assert connects(first)
    sockets.wanted(wanted(f"127.0.0.1:{second}"))
    assert (connects(first), connects(second)) == (True, True)
    sockets.settle()
    assert (connects(first), connects(second)) == (False, True)
    sockets.close()
    assert not connects(second)


def test_one_that_cannot_be_had_opens_none_of_the_others() -> None:
    port = free_port()
    sockets = OpenSockets()
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(AddressTaken):
        sockets.wanted(wanted(f"127.0.0.1:{port}", f"127.0.0.1:{other.getsockname()[1]}"))
    assert not connects(port)


def test_the_next_program_has_them_too(tmp_path: Path) -> None:
    port = free_port()
    address, path = f"127.0.0.1:{port}", f"unix:{tmp_path / 'gate.sock'}"
    before, after = OpenSockets(), OpenSockets()
    before.wanted(wanted(address, path))
    after.take(before.descriptors)
    before.close()
    after.wanted(wanted(address, path))
    assert connects(port)
    assert os.get_inheritable(after.descriptor(path))
    after.close()


PROGRAM = """
import os, sys
from gateway.node.open_sockets import OpenSockets, ToOpen
os.environ["LISTEN_PID"] = os.environ["LISTEN_PID"].replace("own", str(os.getpid()))
sockets = OpenSockets()
try:
    activated = sockets.take_activated(os.environ)
    sockets.wanted([ToOpen(address, "server.listen", 16) for address in sys.argv[1:]], activated)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
assert not [name for name in os.environ if name.startswith("LISTEN_")]
print(*(sockets.descriptor(address) for address in sys.argv[1:]))
"""


def activated(
    held: list[socket.socket],
    *addresses: str,
    pid: str = "own",
    names: str = "",
    count: str = "",
    program: str = PROGRAM,
) -> tuple[int, str]:
    """Run a program that takes over these sockets; its exit code and what it said: descriptors by address. ``count``:
    how many are announced."""

    def from_three() -> None:
        kept = [os.dup(one.fileno()) for one in held]  # none may be in the way of another
        high = [os.dup2(one, 100 + number) for number, one in enumerate(kept)]
        for number, one in enumerate(high):
            os.dup2(one, 3 + number)

    environ = {**os.environ, "LISTEN_FDS": count or str(len(held)), "LISTEN_PID": pid, "LISTEN_FDNAMES": names}
    done = subprocess.run(
        [sys.executable, "-c", program, *addresses], env=environ, capture_output=True, text=True, close_fds=False,
        preexec_fn=from_three, check=False,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).strip()


def test_sockets_of_a_service_manager_are_taken_by_address(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "gate.sock"))
        unix.listen()
        address, path = f"127.0.0.1:{tcp.getsockname()[1]}", f"unix:{tmp_path / 'gate.sock'}"
        other = f"127.0.0.1:{free_port()}"
        code, said = activated([tcp, unix], path, address, other)
        assert (code, said.split()[:2]) == (0, ["4", "3"]), said
        assert int(said.split()[2]) > 4, "what was not handed over is opened here"


def test_one_that_the_configuration_does_not_know_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        code, said = activated([tcp], f"127.0.0.1:{free_port()}", names="gate.socket")
        assert code == 1
        assert said.startswith(f"CannotListen: gate.socket: a socket for 127.0.0.1:{tcp.getsockname()[1]} was handed")
        assert "server.listen" in said


def test_one_that_does_not_listen_is_an_error() -> None:
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        code, said = activated([tcp], f"127.0.0.1:{tcp.getsockname()[1]}")
        assert (code, "does not listen" in said) == (1, True), said


def test_those_of_another_process_are_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        port = tcp.getsockname()[1]
        code, said = activated([tcp], f"127.0.0.1:{port}", pid="1")
        assert (code, "AddressTaken" in said) == (1, True), said


@pytest.mark.parametrize("kind", [(socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_NETLINK, socket.SOCK_RAW)])
def test_what_is_no_stream_is_an_error(kind: tuple[int, int]) -> None:
    with socket.socket(*kind) as other:
        code, said = activated([other])
        assert (code, said.startswith("CannotListen: descriptor 3: ")) == (1, True), said


@pytest.mark.parametrize("count", ["²", "-1", "x"])
def test_a_number_that_is_none_announces_nothing(count: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        code, said = activated([tcp], f"127.0.0.1:{free_port()}", count=count)
        assert code == 0, said


def test_more_announced_than_handed_over_leaves_alone_what_is_our_own() -> None:
    """What stands at the number of one that is missing may be what the loop wakes itself up with."""
    own = "import os, socket\none, other = socket.socketpair()\nos.dup2(one.fileno(), 4)\n"
    alive = "    os.write(4, b'x'); assert other.recv(1) == b'x'\n"
    program = own + PROGRAM.replace("except Exception as error:\n", f"except Exception as error:\n{alive}")
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        address = f"127.0.0.1:{tcp.getsockname()[1]}"
        for count in ("2", "9" * 5000):
            code, said = activated([tcp], address, count=count, program=program)
            assert (code, said.startswith("CannotListen: descriptor 4: ")) == (1, True), said


def test_two_for_one_address_are_an_error() -> None:
    """One of them would be closed, with all who wait there."""
    with socket.create_server(("127.0.0.1", 0)) as tcp:
        code, said = activated([tcp, tcp], f"127.0.0.1:{tcp.getsockname()[1]}", names="a:b")
        assert (code, said.startswith("CannotListen: b: a is a socket for 127.0.0.1:")) == (1, True), said
