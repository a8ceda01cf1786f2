"""Closed-loop load with wrk: for saturation and for CPU per message. Tails need an open model: ``openload.py``."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parent / "wrk_comments.lua"


def wrk(port: int, *, connections: int, seconds: float, cpus: str, seed: int = 1) -> dict[str, Any]:
    """Comments as fast as ``connections`` connections carry them; requests, seconds, errors and latencies."""
    argv = [
        "taskset", "-c", cpus, "wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds:g}s", "--latency",
        "-s", str(SCRIPT), f"http://127.0.0.1:{port}/",
    ]  # fmt: skip
    done = subprocess.run(
        argv, capture_output=True, text=True, check=True, env={**os.environ, "SEED": str(seed)}, timeout=seconds + 60
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result: dict[str, Any] = json.loads(line.removeprefix("RESULT "))
    return result
