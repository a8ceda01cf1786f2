"""``python -m tools.differential``: the same bytes to the gate and to the parsers of platforms.

Every request goes through a running gate to each platform. What the gate refuses is refused; what it lets through, the
platform reads in every way that an application may, and says so in its answer. A *divergence* is a text that a platform
reads and that the journal does not have as judged. None is the only right number: exit code 1 otherwise.

--mutations N   besides what is written down (default 2000), from --seed S
--only NAMES    of node, rack, php, django, starlette, tomcat
--page PATH     writes the table there as well
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tools.differential import corpus, places
from tools.differential.gate import Gate, Reading, differs

ROOT = Path(__file__).parents[2]
SHOWN = 40  # divergences told in full


def main() -> None:
    """Send everything, compare, tell."""
    parser = argparse.ArgumentParser(prog="python -m tools.differential", description=__doc__)
    parser.add_argument("--mutations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--only", nargs="*", choices=places.NAMES, default=list(places.NAMES))
    parser.add_argument("--page", type=Path)
    chosen = parser.parse_args()
    place = ROOT / "data/differential"
    places.installed(place)
    sent = [*corpus.seeds(), *corpus.mutated(chosen.mutations, chosen.seed)]
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="differential-")))
        gate = Gate(folder, place, chosen.only, stack)
        readings = asyncio.run(gate.ask(sent))
    found = [(reading, wrong) for reading in readings if (wrong := differs(reading))]
    for reading, wrong in found[:SHOWN]:
        print(f"{reading.platform}, {wrong}: judged {reading.judged!r}, read {reading.views}\n  {reading.sent}\n")
    table = "\n".join(_table(chosen.only, readings, Counter(reading.platform for reading, _ in found)))
    print(table)
    print(f"\n{len(sent)} requests to {len(chosen.only)} platforms in {time.monotonic() - began:.0f} s")
    if chosen.page is not None:
        chosen.page.write_text(_page(table, len(sent), chosen.mutations, chosen.seed), encoding="utf-8")
    sys.exit(1 if found else 0)


def _table(names: list[str], readings: list[Reading], wrong: Counter[str]) -> list[str]:
    lines = [
        "| platform | requests | refused by the gate | refused or failed by the platform | read | divergences |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in names:
        own = [reading for reading in readings if reading.platform == name]
        refused = sum(400 <= reading.answer < 500 for reading in own)
        read = sum(reading.relayed for reading in own)
        lines.append(f"| {name} | {len(own)} | {refused} | {len(own) - refused - read} | {read} | {wrong[name]} |")
    return lines


def _page(table: str, count: int, mutations: int, seed: int) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"""# One reading

Written by `make differential`; do not edit. The same bytes go through the gate to platforms that are built with the
parsers most in use, and each says what it takes for the message. A divergence is a text that a platform reads and that
was not judged.

{today}: {count} requests, {mutations} of them mutations (seed {seed}).

{table}

What is sent stands in `tools/differential/corpus.py`, what each platform reads with in `tools/differential/platforms/`.
"""


if __name__ == "__main__":
    main()
