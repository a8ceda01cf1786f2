"""The two loads as processes of their own: wrk for saturation and CPU per message, ``openload`` for tails.

wrk is a closed model: a connection sends when it was answered, so its latencies hide stalls. They are not used.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

GIVE_WAY = ("nice", "-n", "10")
"""How a load is started: upstream and state server, which share its processor, come first. What is measured waits for
them, and would otherwise wait for whatever the load does just then."""

SCRIPT = Path(__file__).parent / "wrk_comments.lua"
ROOT = Path(__file__).parent.parent


def wrk(port: int, *, connections: int, seconds: float, cpus: str, seed: int, characters: int = 0) -> dict[str, Any]:
    """Comments as fast as ``connections`` connections carry them; requests, seconds, errors and wrk's CPU seconds.

    wrk knows whole seconds only.
    """
    argv = [
        *GIVE_WAY, "taskset", "-c", cpus, "wrk", "-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s",
        "--latency", "--timeout", "10s", "-s", str(SCRIPT.relative_to(ROOT)), f"http://127.0.0.1:{port}/",
    ]  # fmt: skip
    environment = {**os.environ, "SEED": str(seed), "CHARACTERS": str(characters)}
    out, cpu = _run(argv, environment, seconds)
    line = next(line for line in out.splitlines() if line.startswith("RESULT "))
    return {**json.loads(line.removeprefix("RESULT ")), "cpu": cpu}


def openload(
    port: int, *, rate: float, seconds: float, cpus: str, seed: int, connections: int = 64, characters: int = 0
) -> dict[str, Any]:
    """Comments at a fixed offered rate; see ``benchmarks.openload`` for what is told."""
    out, cpu = _run(openload_argv(port, rate, seconds, cpus, seed, connections, characters), dict(os.environ), seconds)
    return {**json.loads(out), "cpu": cpu}


def openload_argv(
    port: int, rate: float, seconds: float, cpus: str, seed: int, connections: int = 64, characters: int = 0
) -> list[str]:
    """The command line of one open-model run."""
    return [
        *GIVE_WAY, "taskset", "-c", cpus, sys.executable, "-m", "benchmarks.openload", "--port", str(port),
        "--rate", f"{rate:g}", "--seconds", f"{seconds:g}", "--connections", str(connections),
        "--characters", str(characters), "--seed", str(seed),
    ]  # fmt: skip


def _run(argv: Sequence[str], environment: dict[str, str], seconds: float) -> tuple[str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, text=True, check=True, env=environment, cwd=ROOT, timeout=seconds * 2 + 120
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
