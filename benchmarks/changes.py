"""``python -m benchmarks.changes BEFORE [AFTER]``: what a change is worth, from two checkouts of Tidegate side by side.

Each checkout runs with its own virtual environment, all the time; in short slices, in turn with bare nginx, each
carries the ordinary comment at saturation. A shared machine is fast now and slow a second later, so what counts is the
ratio slice by slice: twenty rounds tell two equal checkouts apart by less than two per cent. Writes a record.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.measuring import turns
from benchmarks.measuring.measure import Bench, closed
from benchmarks.report import record
from benchmarks.systems.nginx import Nginx, Upstream
from benchmarks.systems.system import Setting, System
from benchmarks.systems.tidegate import Tidegate
from rig import words
from rig.process import ROOT

WORDS: Final = 20_000
PEOPLE: Final = 2_000


def compared(slices: Mapping[str, Sequence[float]]) -> dict[str, dict[str, dict[str, float]]]:
    """From CPU microseconds a message, slice by slice: of each system its own spread, and that of its ratio to each of
    the others in the same round."""
    return {
        name: {
            "us": _spread(own),
            **{f"/{other}": _spread([a / b for a, b in zip(own, theirs, strict=True)])
               for other, theirs in slices.items() if other != name},
        }
        for name, own in slices.items()
    }  # fmt: skip


def _spread(values: Sequence[float]) -> dict[str, float]:
    lower, median, upper = statistics.quantiles(values, n=4)
    return {"median": round(median, 3), "low": round(lower, 3), "high": round(upper, 3)}


def commit(checkout: Path) -> str:
    """The commit that a checkout stands on."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True, cwd=checkout)
    return done.stdout.strip()[:12]


def measured(gateways: Sequence[Tidegate], rounds: int) -> dict[str, list[float]]:
    """CPU microseconds a message of bare nginx and of each gateway, a second a slice. Raises ``WrongAnswer``."""
    with TemporaryDirectory(prefix="changes-") as folder, ExitStack() as stopping:
        scratch = Path(folder)
        upstream = Upstream(scratch, "1")
        stopping.callback(upstream.stop)
        listed = words.write(scratch / "words.txt", WORDS)
        systems: list[System] = [Nginx(), *gateways]
        bench = Bench(upstream, "1", count(1).__next__)
        for system in systems:
            own = scratch / system.key
            own.mkdir()
            system.start(Setting(own, "0", "1", upstream.port, listed, PEOPLE))
            stopping.callback(system.stop)
            closed(bench, system, seconds=2)
        told = turns.measured(systems, rounds, lambda system: closed(bench, system, seconds=1), print)
    return {name: [one["us"]["gateway"] for one in slices] for name, slices in told.items()}


def main() -> None:
    """Measure, show and keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.changes", description=__doc__)
    parser.add_argument("before", type=Path, help="a checkout with its .venv, compiled or not")
    parser.add_argument("after", type=Path, nargs="?", default=ROOT, help="another; this one unless told")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--what", required=True, help="what was changed, for the record")
    chosen = parser.parse_args()
    kept: dict[str, Any] = record.begin({"rounds": chosen.rounds, "seconds": 1})
    checkouts = {"before": chosen.before.resolve(), "after": chosen.after.resolve()}
    kept["command"] = ["python", "-m", "benchmarks.changes", "BEFORE", "AFTER", "--rounds", str(chosen.rounds)]
    figures = compared(measured([Tidegate(one, name) for name, one in checkouts.items()], chosen.rounds))
    kept["changes"] = {
        "what": chosen.what,
        "commits": {name: commit(checkout) for name, checkout in checkouts.items()},
        "figures": figures,
    }
    print(f"after / before {figures['after']['/before']['median']:.3f}; recorded in {record.write(kept)}")


if __name__ == "__main__":
    main()
