"""The processes of this node as the kernel sees them (proc(5)), and the program that they run."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from gateway.common import compiled
from gateway.control.workers.totals import Series

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
TICKS: Final = os.sysconf("SC_CLK_TCK")
_UTIME: Final = 13  # places in /proc/PID/stat; that of its state is 2
_STIME: Final = 14
_STARTED: Final = 21


class ProcessSeen(NamedTuple):
    """``cpu``: seconds, user and system; ``started``: seconds since 1970; ``resident``: bytes; ``open`` and ``most``:
    file descriptors, infinite where there is no limit."""

    cpu: float
    started: float
    resident: int
    open: int
    most: float


def look(pid: int) -> ProcessSeen | None:
    """A process; None where it is gone, or another user's."""
    folder = Path(f"/proc/{pid}")
    try:
        # Its name stands in parentheses, and may hold any character.
        fields = [b"", b"", *(folder / "stat").read_bytes().rpartition(b") ")[2].split()]
        pages = (folder / "statm").read_bytes().split()[1]
        descriptors = sum(1 for _ in (folder / "fd").iterdir())
        limits = (folder / "limits").read_text(encoding="ascii").splitlines()
        most = next(line.split()[3] for line in limits if line.startswith("Max open files"))
        return ProcessSeen(
            (int(fields[_UTIME]) + int(fields[_STIME])) / TICKS,
            _boot() + int(fields[_STARTED]) / TICKS,
            int(pages) * PAGE,
            descriptors,
            float("inf") if most == "unlimited" else float(most),
        )
    except (OSError, IndexError, ValueError, StopIteration):
        return None


def resident(pid: int) -> int | None:
    """Resident memory of a process in bytes, None where it is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * PAGE


@cache
def _boot() -> float:
    """When the machine was started, in seconds since 1970 (proc(5), stat)."""
    lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("btime ")))


@cache
def build() -> tuple[str, str, str]:
    """Version, Python, and how the hot path runs."""
    return version("tidegate"), platform.python_version(), compiled.kind()


def series(status: Mapping[str, Any]) -> dict[str, Series]:
    """The metrics of every process of which the supervisor tells, itself included. Blocks for some milliseconds where
    tens of thousands of sockets are open: call it in a thread."""
    told: dict[str, Series] = {
        "tidegate_process_restarts_total": {},
        "tidegate_process_cpu_seconds_total": {},
        "tidegate_process_resident_memory_bytes": {},
        "tidegate_process_open_fds": {},
        "tidegate_process_max_fds": {},
        "tidegate_process_start_time_seconds": {},
    }
    for name, child in dict(status.get("children", {})).items():
        told["tidegate_process_restarts_total"][name,] = int(child.get("restarts", 0))
    for name, pid in _pids(status):
        seen = look(pid)
        if seen is None:
            continue
        told["tidegate_process_cpu_seconds_total"][name,] = seen.cpu
        told["tidegate_process_resident_memory_bytes"][name,] = seen.resident
        told["tidegate_process_open_fds"][name,] = seen.open
        told["tidegate_process_max_fds"][name,] = seen.most
        told["tidegate_process_start_time_seconds"][name,] = seen.started
    return told


def _pids(status: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    own = status.get("pid")
    if own:
        yield "supervisor", int(own)
    for name, child in dict(status.get("children", {})).items():
        if child.get("pid"):
            yield name, int(child["pid"])
