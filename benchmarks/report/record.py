"""Records: one JSON file a run, with the machine, the commands and the revision that it was made with."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.load import command, load
from rig import machine
from rig.process import ROOT

FOLDER = Path(__file__).parent.parent / "record"
FORMAT = 1


def revision() -> dict[str, Any]:
    """The commit, and whether the tree differs from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False, cwd=ROOT).stdout.strip()

    return {"commit": git("rev-parse", "HEAD"), "changed": bool(git("status", "--porcelain", "--untracked-files=no"))}


def begin(options: dict[str, Any]) -> dict[str, Any]:
    """The head of a record: taken before anything is measured, so that the load of the machine is its own."""
    return {
        "format": FORMAT,
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": ["python", "-m", "benchmarks", *sys.argv[1:]],
        "options": options,
        "revision": revision(),
        "machine": machine.describe(),
        "commands": commands(),
    }


def commands() -> dict[str, str]:
    """The command lines of the loads, with names where a measurement has its own values."""
    script = load.SCRIPT.relative_to(ROOT)
    pinned = "taskset -c CPUS"
    behind = " ".join((*command.STAND_BACK, pinned))
    return {
        "closed": f"SEED=n {pinned} wrk -t 1 -c CONNECTIONS -d SECONDS --latency --timeout 10s -s {script} URL",
        "open": f"{behind} python -m benchmarks.load.openload --port PORT --rate RATE --seconds SECONDS "
        "--connections CONNECTIONS --seed n --paced (around a reload without chrt)",
        "frames": f"{pinned} python -m benchmarks.websocket.speakers --port PORT --sessions SESSIONS --seconds SECONDS "
        "--rate RATE --seed n (with a rate: behind chrt --idle 0)",
        "broadcast": f"{pinned} python -m benchmarks.websocket.viewers --port PORT --platform PORT --sessions SESSIONS "
        "--seconds SECONDS",
        "awake": f"{' '.join(command.STAND_BACK)} taskset -c CPU python -m benchmarks.load.awake, on each processor, "
        "while an open load runs",
        "gateway": "tidegate run --config F --data-dir D, then taskset -a -c -p CPUS PID for each worker",
    }


def write(record: dict[str, Any], *, folder: Path = FOLDER, trial: bool = False) -> Path:
    """Keep a record as ``DATE-HHMM.json``; a trial says so in its name."""
    folder.mkdir(exist_ok=True)
    begun = datetime.fromisoformat(record["begun"])
    path = folder / f"{begun:%Y-%m-%d-%H%M}{'-trial' if trial else ''}.json"
    path.write_text(json.dumps({**record, "trial": trial}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def newest(section: str, part: str = "", *, folder: Path = FOLDER, trials: bool = False) -> dict[str, Any] | None:
    """The latest record that has a section, and that part of it where one is named; None where there is none."""
    for path in sorted(folder.glob("*.json"), reverse=True):
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if section in record and (not part or part in record[section]) and (trials or not record.get("trial")):
            return {**record, "file": path.name}
    return None
