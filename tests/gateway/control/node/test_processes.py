"""Processes as the kernel sees them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

import pytest

from gateway.control.node import processes
from gateway.control.node.processes import look, series

GONE = 1 << 22  # above the kernel's largest process id (proc(5), pid_max)


def test_this_process_is_what_it_says_of_itself(tmp_path: object) -> None:
    before = time.process_time()
    seen = look(os.getpid())
    after = time.process_time()
    assert seen is not None
    tick = 1 / processes.TICKS
    assert before - 2 * tick <= seen.cpu <= after + 2 * tick
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert seen.most == (float("inf") if soft == resource.RLIM_INFINITY else soft)
    assert seen.resident > 10 << 20
    assert 3 <= seen.open < 10_000


def test_open_descriptors_are_counted_one_by_one() -> None:
    before = look(os.getpid())
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(10)]
    try:
        after = look(os.getpid())
    finally:
        for one in held:
            os.close(one)
    assert before is not None and after is not None
    assert after.open - before.open == 10


def test_a_process_was_started_when_it_was() -> None:
    began = time.time()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        seen = look(child.pid)
        child.communicate(b"\n")
    assert seen is not None
    assert began - 2 <= seen.started <= time.time() + 2  # the kernel tells the machine's start in whole seconds


def test_one_that_is_gone_is_left_out_and_its_restarts_stay() -> None:
    assert look(GONE) is None
    assert processes.resident(GONE) is None
    told = series(
        {
            "pid": os.getpid(),
            "children": {
                "worker-0": {"pid": os.getpid(), "restarts": 3},
                "worker-1": {"pid": GONE, "restarts": 1},
                "state": {"pid": None, "restarts": 0},
            },
        }
    )
    assert told["tidegate_process_restarts_total"] == {("worker-0",): 3, ("worker-1",): 1, ("state",): 0}
    for name, values in told.items():
        if name != "tidegate_process_restarts_total":
            assert set(values) == {("supervisor",), ("worker-0",)}, name


def test_the_build_is_told() -> None:
    version, python, hot_path = processes.build()
    assert python == ".".join(map(str, sys.version_info[:3]))
    assert version and hot_path in ("interpreted", "compiled", "stale", "broken")


@pytest.mark.parametrize("name", ["a) (b", "x y)"])
def test_a_name_may_hold_any_character(name: str) -> None:
    code = f"import ctypes; ctypes.CDLL(None).prctl(15, {name.encode()!r}, 0, 0, 0); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert look(child.pid) is not None
        child.communicate(b"\n")
