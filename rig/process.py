"""Processes that are measured: started pinned, their CPU time read from the kernel."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
"""Where everything of the bench is started from."""


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of the processes, all threads, with the scheduler's own nanosecond count."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def waited_seconds(pids: Iterable[int]) -> float:
    """Time that the processes, all threads, were ready to run and had no processor (sched-stats(5), run_delay)."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[1])
    return total / 1e9


def at_rest(pids: Sequence[int]) -> None:
    """Wait until the processes do next to nothing: what was begun, such as accepting connections, is done then."""
    for _ in range(200):
        before = cpu_seconds(pids)
        time.sleep(0.05)
        if cpu_seconds(pids) - before < 0.005:
            return
    raise TimeoutError("the processes did not come to rest within ten seconds")


def resident_bytes(pids: Iterable[int]) -> int:
    """Proportional set size: memory shared between workers counts once."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def children(pid: int) -> list[int]:
    """The process and all that it started, deepest last."""
    found = [pid]
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == pid:
                found += children(int(path.name))
    return found


def peak_bytes(pid: int) -> int:
    """The most memory the process had resident since ``forget_peak``, files it maps included."""
    found = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(found.split()[1]) * 1024


def forget_peak(pid: int) -> None:
    """Begin a new peak (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def pin(pid: int, cpus: str) -> None:
    """Move a running process, all threads, to these processors, named as taskset reads them: ``0`` or ``1-3``."""
    subprocess.run(["taskset", "-a", "-c", "-p", cpus, str(pid)], check=True, stdout=subprocess.DEVNULL)


def start(argv: Sequence[str], cpus: str | None = None, **more: object) -> subprocess.Popen[bytes]:
    """Start a program, pinned where ``cpus`` says so, in a process group of its own.

    Not in a session of its own: where Linux groups tasks by session (sched(7), autogroup), niceness and scheduling
    policy count within a session only, and a load that stands back would stand back before nobody.
    """
    pinned = ["taskset", "-c", cpus, *argv] if cpus is not None else list(argv)
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin"}
    return subprocess.Popen(pinned, process_group=0, env=environment, **more)  # type: ignore[call-overload, no-any-return]


def wait_for_port(port: int, of: subprocess.Popen[bytes], log: Path | None = None, within: float = 60.0) -> None:
    """Until somebody listens on the port; RuntimeError, with the end of its log, when ``of`` dies or takes too long."""
    until = time.monotonic() + within
    while time.monotonic() < until and of.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    told = log.read_text(errors="replace")[-2000:] if log is not None and log.exists() else ""
    raise RuntimeError(f"nobody listens on port {port}\n{told}")


def stop(process: subprocess.Popen[bytes], within: float = 10.0) -> None:
    """SIGTERM to the process, SIGKILL to its group when that is not enough."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
