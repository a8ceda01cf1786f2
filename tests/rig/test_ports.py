"""Ports are free, different, and not those that the kernel gives to outgoing connections."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rig import ports


def test_they_are_different_and_can_be_listened_on() -> None:
    drawn = ports.free_ports(20)
    assert len(set(drawn)) == 20
    for port in drawn:
        socket.create_server(("127.0.0.1", port)).close()


def test_none_is_of_the_kernels_own_range(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "range"
    own.write_text("20000\t60999\n")
    monkeypatch.setattr(ports, "RANGE", own)
    assert all(ports.FIRST <= port < 20000 for port in ports.free_ports(20))


@pytest.mark.parametrize("told", ["1024\t65535\n", None])
def test_without_room_below_the_kernel_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str | None
) -> None:
    own = tmp_path / "range"
    if told is not None:
        own.write_text(told)
    monkeypatch.setattr(ports, "RANGE", own)
    assert ports.free_port() > 0
