"""The demo's addresses are had, all three, before anything of it starts."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.common.listening import CannotListen
from gateway.demo.command import OPTIONS, Addresses, occupy
from rig.ports import free_port


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield f"127.0.0.1:{held.getsockname()[1]}"


def free() -> Addresses:
    return Addresses(*(f"127.0.0.1:{free_port()}" for _ in OPTIONS))


def test_what_is_free_is_held() -> None:
    addresses = free()
    with ExitStack() as stack:
        held = [stack.enter_context(one) for one in occupy(addresses)]
        assert [f"127.0.0.1:{one.getsockname()[1]}" for one in held] == list(addresses)
        with pytest.raises(CannotListen):
            occupy(addresses)


@pytest.mark.parametrize("place", range(3))
def test_one_that_is_taken_is_told_with_its_option_and_the_others_are_let_go(taken: str, place: int) -> None:
    addresses = Addresses(*(taken if number == place else one for number, one in enumerate(free())))
    with pytest.raises(CannotListen, match=f"^{taken} is taken by another process: .* change {OPTIONS[place]} "):
        occupy(addresses)
    for number, one in enumerate(addresses):
        if number != place:
            socket.create_server(("127.0.0.1", int(one.rpartition(":")[2]))).close()


def test_all_that_are_taken_are_told_at_once(taken: str) -> None:
    addresses = free()._replace(control=taken, platform="nowhere")
    with pytest.raises(CannotListen) as told:
        occupy(addresses)
    assert "--control" in str(told.value)
    assert "--platform" in str(told.value)
    assert "--listen " not in str(told.value)


@pytest.mark.parametrize(
    "wrong", ["", "nowhere", "9000", ":9000", "unix:/run/x", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
              "127.0.0.1:９０００", "http://127.0.0.1:9000", "127.0.0.1:-1", "127.0.0.1:9000/"],
)  # fmt: skip
def test_what_is_no_address_is_told_as_such(wrong: str) -> None:
    with pytest.raises(CannotListen, match=r"is no address: give --platform as HOST:PORT$"):
        occupy(free()._replace(platform=wrong))


def test_an_address_that_is_given_twice_is_not_told_as_taken() -> None:
    addresses = free()
    with pytest.raises(CannotListen, match=r"is given twice: give --platform another one$"):
        occupy(addresses._replace(platform=addresses.gate))


def test_the_command_says_so_in_one_line_and_leaves_nothing_behind(taken: str, tmp_path: Path) -> None:
    gate, control, _ = free()
    where = tmp_path / "data"
    told = subprocess.run(
        [
            sys.executable, "-m", "gateway", "demo", "--data-dir", where, "--listen", gate, "--control", control,
            "--platform", taken,
        ],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert told.returncode == 1
    (line,) = (told.stdout + told.stderr).splitlines()  # of the one stream of JSON lines: nobody reads along here
    (problem,) = json.loads(line)["problems"]
    assert problem.startswith(f"{taken} is taken by another process: stop it, or change --platform")
    assert not where.exists()
