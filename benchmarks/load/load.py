"""The two loads as processes of their own: wrk for saturation and CPU per message, ``openload`` for tails.

wrk is a closed model: a connection sends when it was answered, so its latencies hide stalls. They are not used.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from benchmarks.load import command
from benchmarks.load.command import STAND_BACK
from rig.process import ROOT

SCRIPT = Path(__file__).parent / "wrk_comments.lua"

NOTHING: AbstractContextManager[object] = nullcontext()


def wrk(
    port: int, *, connections: int, seconds: float, cpus: str, seed: int, characters: int = 0, scheme: str = "http"
) -> dict[str, Any]:
    """Comments as fast as ``connections`` connections carry them; requests, seconds, errors and wrk's CPU seconds.

    wrk knows whole seconds only.
    """
    argv = [
        "taskset", "-c", cpus, "wrk", "-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s",
        "--latency", "--timeout", "10s", "-s", str(SCRIPT.relative_to(ROOT)), f"{scheme}://127.0.0.1:{port}/",
    ]  # fmt: skip
    environment = {**os.environ, "SEED": str(seed), "CHARACTERS": str(characters)}
    out, cpu = _run(argv, environment, seconds)
    line = next(line for line in out.splitlines() if line.startswith("RESULT "))
    return {**json.loads(line.removeprefix("RESULT ")), "cpu": cpu}


def openload(
    port: int, *, rate: float, seconds: float, cpus: str, seed: int, connections: int = 64, characters: int = 0,
    during: AbstractContextManager[object] = NOTHING, give_way: Sequence[str] = STAND_BACK, rest: float = 0.0,
) -> dict[str, Any]:  # fmt: skip
    """Comments at a fixed offered rate; see ``benchmarks.load.openload`` for what is told, and the load's CPU seconds.

    ``rest``: seconds that a connection is left alone after a 503.

    ``during`` is entered when the connections stand, and left before they are closed.
    """
    argv = [
        "benchmarks.load.openload", "--port", str(port), "--rate", f"{rate:g}", "--seconds", f"{seconds:g}",
        "--connections", str(connections), "--characters", str(characters), "--seed", str(seed), "--paced",
        "--rest", f"{rest:g}",
    ]  # fmt: skip
    with command.running(argv, cpus, give_way) as load:
        load.told()
        with during:
            before = load.cpu_seconds()
            load.begin()
            told = load.told()
            cpu = load.cpu_seconds() - before
    return {**told, "cpu": cpu}


def _run(argv: Sequence[str], environment: dict[str, str], seconds: float) -> tuple[str, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, text=True, check=True, env=environment, cwd=ROOT, timeout=seconds * 2 + 120
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
