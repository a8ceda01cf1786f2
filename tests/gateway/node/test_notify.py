"""What a service manager hears, and that a node does not mind when nobody listens."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.node.notify import Notify


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        yield manager


def _environ(heard: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": heard.getsockname(), **more}


def test_each_state_is_told(heard: socket.socket) -> None:
    notify = Notify(_environ(heard))
    notify.ready("generation 3")
    assert heard.recv(1000) == b"READY=1\nSTATUS=generation 3"
    before = time.monotonic_ns() // 1000
    notify.reloading("re\nloading")
    lines = dict(line.split("=") for line in heard.recv(1000).decode().splitlines())
    assert (lines["RELOADING"], lines["STATUS"]) == ("1", "re loading")
    assert before <= int(lines["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
    notify.stopping(12.5, "stopping")
    assert heard.recv(1000) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=12500000\nSTATUS=stopping"
    notify.alive()
    assert heard.recv(1000) == b"WATCHDOG=1"


def test_a_name_of_the_abstract_namespace() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0tidegate-test-{os.getpid()}")
        Notify({"NOTIFY_SOCKET": f"@tidegate-test-{os.getpid()}"}).alive()
        assert manager.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nonexistent/notify"}])
def test_nobody_listens(environ: dict[str, str]) -> None:
    notify = Notify(environ)
    notify.ready("all")
    notify.alive()


def test_one_that_does_not_read_stops_nobody(heard: socket.socket) -> None:
    notify = Notify(_environ(heard))
    for _ in range(5000):
        notify.alive()


def test_signs_of_life_are_due_at_half_the_time(heard: socket.socket) -> None:
    assert Notify(_environ(heard)).alive_every == 0
    assert Notify(_environ(heard, WATCHDOG_USEC="3000000")).alive_every == 1.5
    assert Notify(_environ(heard, WATCHDOG_USEC="3000000", WATCHDOG_PID=str(os.getpid()))).alive_every == 1.5
    assert Notify(_environ(heard, WATCHDOG_USEC="3000000", WATCHDOG_PID="1")).alive_every == 0
    assert Notify({"WATCHDOG_USEC": "3000000"}).alive_every == 0


@pytest.mark.parametrize(
    ("told", "every"),
    [("0", 0.0), ("", 0.0), ("-5", 0.0), ("soon", 0.0), ("²", 0.0), ("1", 0.05), ("200000", 0.1), ("9" * 5000, 5e13)],
)
def test_an_odd_time_of_the_watchdog(heard: socket.socket, told: str, every: float) -> None:
    """No start that fails, and no loop that turns for nothing else."""
    assert Notify(_environ(heard, WATCHDOG_USEC=told)).alive_every == pytest.approx(every, rel=1e-3)
