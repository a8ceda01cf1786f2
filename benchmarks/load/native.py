"""The loop of the open-model load, ``openload.c``, built when it is first wanted and kept in ``build/``."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from rig.process import ROOT

SOURCE = Path(__file__).with_name("openload.c")
FOLDER = ROOT / "build" / "benchmarks"
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC")

STATUSES, ERRORS = 1000, 200  # as in the source: ctypes cannot see when the two differ


class Plan(ctypes.Structure):
    """``struct plan``."""

    _fields_ = (
        ("total", ctypes.c_long),
        ("due", ctypes.c_void_p),
        ("ends", ctypes.c_void_p),
        ("bytes", ctypes.c_char_p),
        ("begins", ctypes.c_char_p),
        ("closes", ctypes.c_char_p),
        ("patience", ctypes.c_double),
        ("rest", ctypes.c_double),
    )


class Counted(ctypes.Structure):
    """``struct outcome``."""

    _fields_ = (
        ("latencies", ctypes.c_void_p),
        ("late", ctypes.c_void_p),
        ("answered", ctypes.c_long),
        ("in_time", ctypes.c_long),
        ("lost", ctypes.c_long),
        ("unsent", ctypes.c_long),
        ("longest_gap", ctypes.c_double),
        ("wrong", ctypes.c_long * STATUSES),
        ("errors", ctypes.c_long * ERRORS),
    )


def offer() -> Callable[..., int]:
    """``offer(connections, descriptors, plan, outcome)``. Raises ``SystemExit`` where there is no compiler."""
    source = SOURCE.read_bytes()
    made = FOLDER / f"openload-{hashlib.sha256(repr((source, FLAGS)).encode()).hexdigest()[:16]}.so"
    if not made.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        begun = made.with_suffix(f".{os.getpid()}")  # several loads may start at once
        try:
            subprocess.run([os.environ.get("CC", "gcc"), *FLAGS, str(SOURCE), "-o", str(begun)], check=True)
        except FileNotFoundError:
            raise SystemExit("the load is built by a C compiler: apt-get install gcc libc6-dev") from None
        begun.rename(made)
    function = ctypes.CDLL(str(made)).offer
    function.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Plan), ctypes.POINTER(Counted))
    function.restype = ctypes.c_int
    return function
