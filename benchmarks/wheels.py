"""``python -m benchmarks.wheels PURE COMPILED``: what users get of compiling, from two installed wheels side by side.

PURE and COMPILED are interpreters of environments that hold nothing but the lock and a wheel, as ``make wheel`` leaves
them (docs/packages.md). Both run all the time, in slices in turn with bare nginx, as in ``benchmarks.changes``. Writes
a record; exit code 1 where the ratio is above the objective.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.changes import compared, measured
from benchmarks.report import record
from benchmarks.systems.tidegate import Tidegate

OBJECTIVE: Final = 0.65
"""CPU of the compiled wheel's workers a message, as a part of that of the pure one's."""
ASK: Final = """
import json, platform
from importlib.metadata import version
from gateway.common import compiled
print(json.dumps({"version": version("tidegate"), "python": platform.python_version(), "hot_path": compiled.kind(),
                  "folder": compiled.__file__}))
"""


def asked(python: Path) -> dict[str, str]:
    """What an environment has installed: version, its Python, how the hot path runs, and where it stands."""
    told = subprocess.run([python, "-P", "-c", ASK], capture_output=True, text=True, check=True, cwd="/")
    return dict(json.loads(told.stdout))


def main() -> None:
    """Measure, show and keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wheels", description=__doc__)
    parser.add_argument("pure", type=Path, help="interpreter of an environment with the pure wheel")
    parser.add_argument("compiled", type=Path, help="of one with the compiled wheel")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--trial", action="store_true", help="a record that no page is written from")
    chosen = parser.parse_args()
    os.environ.pop("PYTHONPATH", None)  # else both would run what stands here
    pythons = {"pure": chosen.pure.absolute(), "compiled": chosen.compiled.absolute()}
    held = {name: asked(python) for name, python in pythons.items()}
    if [one["hot_path"] for one in held.values()] != ["interpreted", "compiled"]:
        parser.error(f"they are {held['pure']['hot_path']} and {held['compiled']['hot_path']}")
    kept: dict[str, Any] = record.begin({"rounds": chosen.rounds, "seconds": 1})
    kept["command"] = ["python", "-m", "benchmarks.wheels", "PURE", "COMPILED", "--rounds", str(chosen.rounds)]
    figures = compared(measured([Tidegate(key=name, python=one) for name, one in pythons.items()], chosen.rounds))
    shown = {name: {key: one[key] for key in ("version", "python", "hot_path")} for name, one in held.items()}
    kept["wheels"] = {"objective": OBJECTIVE, "installed": shown, "figures": figures}
    ratio = figures["compiled"]["/pure"]["median"]
    print(f"compiled / pure {ratio:.3f} (at most {OBJECTIVE}); recorded in {record.write(kept, trial=chosen.trial)}")
    sys.exit(ratio > OBJECTIVE)


if __name__ == "__main__":
    main()
