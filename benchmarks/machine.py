"""What machine a record was made on: a figure without its machine is no figure."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any


def _cpu() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else platform.machine()


def _memory_gib() -> float:
    found = re.search(r"MemTotal:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    return round(int(found.group(1)) / 1024**2, 1) if found else 0.0


def _first_line(*command: str) -> str:
    if shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
        return "absent"
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def describe() -> dict[str, Any]:
    """CPU, cores, memory, kernel and the versions of everything that takes part."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "virtual": "hypervisor" in Path("/proc/cpuinfo").read_text(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "nginx": _first_line("nginx", "-v"),
        "haproxy": _first_line("haproxy", "-v"),
        "wrk": _first_line("wrk", "-v").split(" Copyright")[0],
        "load_1m_at_start": os.getloadavg()[0],
    }
