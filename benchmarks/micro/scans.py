"""``python -m benchmarks.micro.scans BEFORE [AFTER]``: what reading an ordinary text costs, in two checkouts in turn.

Each checkout is a process of its own (``scan_process``) with its own virtual environment, compiled or not; both read
the same texts with the same list of 20,000 words, none of which hits. What counts is the ratio round by round, because
a shared machine is fast now and slow a second later. ``--instructions`` counts instead of timing, under valgrind's
cachegrind: the same figure beside any load, to half a per cent. A run that only starts is subtracted from one that
reads. (Where the kernel lets one count, ``perf stat -e instructions:u`` around ``scan_process`` does the same faster;
virtual machines often do not.)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rig import words
from rig.comments import WORDS
from rig.process import ROOT

LISTED: Final = 20_000
TEXTS: Final = 128  # of each kind, all different
CHARACTERS: Final = {"chinese": 30, "english": 120}
ENGLISH: Final = tuple(word for word in WORDS if word.isascii())
CHINESE: Final = tuple(word for word in WORDS if not word.isascii())
PASSES: Final = 40  # over all texts of a kind, where instructions are counted
SECONDS: Final = 0.1  # of one timed slice

SCRIPT: Final = Path(__file__).with_name("scan_process.py")
VALGRIND: Final = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")


def texts(seed: int = 1) -> dict[str, list[str]]:
    """Ordinary texts by kind: the load's words, so that no word of the list begins in them."""
    draw = random.Random(seed)
    return {
        "chinese": [_joined(draw, CHINESE, "", CHARACTERS["chinese"]) for _ in range(TEXTS)],
        "english": [_joined(draw, ENGLISH, " ", CHARACTERS["english"]) for _ in range(TEXTS)],
    }


def _joined(draw: random.Random, known: Sequence[str], between: str, characters: int) -> str:
    text = ""
    while len(text) < characters:
        text += draw.choice(known) + between
    return text[:characters]


class Given:
    """What both checkouts read: a file of words and one of texts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.words = words.write(folder / "words.txt", LISTED)
        self.texts = folder / "texts.json"
        self.texts.write_text(json.dumps(texts()), encoding="utf-8")

    def argv(self, checkout: Path) -> list[str]:
        """With its own Python, or this one where it has none. ``-P``: nothing beside the script is imported."""
        own = checkout / ".venv" / "bin" / "python"
        python = own if own.exists() else sys.executable
        compiled = self._folder / f"{hashlib.sha256(bytes(checkout)).hexdigest()[:16]}.list"
        return [str(python), "-P", str(SCRIPT), str(self.words), str(self.texts), str(compiled)]


def environment(checkout: Path) -> dict[str, str]:
    """Its modules come first, and sets are laid out alike in every run."""
    return {**os.environ, "PYTHONPATH": str(checkout), "PYTHONHASHSEED": "0"}


class Reader:
    """One checkout's process."""

    def __init__(self, checkout: Path, given: Given, cpus: str) -> None:
        self._process = subprocess.Popen(
            ["taskset", "-c", cpus, *given.argv(checkout)], env=environment(checkout), cwd=checkout, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.told: dict[str, Any] = json.loads(self._line())

    def seconds(self, kind: str, passes: int) -> float:
        """Processor time of so many passes over all texts of a kind."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{kind} {passes}\n")
        self._process.stdin.flush()
        return float(self._line())

    def stop(self) -> None:
        """It ends when nothing more can be asked."""
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the checkout's process ended with {self._process.wait()}")
        return line


def timed(checkouts: Mapping[str, Path], given: Given, rounds: int) -> dict[str, dict[str, list[float]]]:
    """µs a scan, round by round, by kind and checkout; all on one processor, in turn, another one first each round."""
    cpus = str(max(os.sched_getaffinity(0)))
    with ExitStack() as running:
        readers = {}
        for name, checkout in checkouts.items():
            readers[name] = reader = Reader(checkout, given, cpus)
            running.callback(reader.stop)
            print(f"{name}: {reader.told['module']}, {'compiled' if reader.told['compiled'] else 'interpreted'}")
        found: dict[str, dict[str, list[float]]] = {}
        for kind in CHARACTERS:
            once = min(readers[name].seconds(kind, 4) / 4 for name in readers)
            passes = max(1, round(SECONDS / once))
            found[kind] = {name: [] for name in readers}
            for number in range(rounds):
                order = list(readers) if number % 2 else list(readers)[::-1]
                for name in order:
                    found[kind][name].append(readers[name].seconds(kind, passes) / passes / TEXTS * 1e6)
    return found


def counted(checkouts: Mapping[str, Path], given: Given) -> dict[str, dict[str, float]]:
    """Instructions a scan, by kind and checkout."""
    for checkout in checkouts.values():
        subprocess.run(
            given.argv(checkout),
            input="",
            env=environment(checkout),
            cwd=checkout,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )  # compiles the list, which would take minutes under valgrind
    asked = [(name, kind) for name in checkouts for kind in ("", *CHARACTERS)]
    with ThreadPoolExecutor(os.cpu_count()) as running:  # how busy the machine is does not matter
        runs = running.map(lambda each: instructions(checkouts[each[0]], given, each[1]), asked)
        whole = dict(zip(asked, runs, strict=True))
    return {
        kind: {name: (whole[name, kind] - whole[name, ""]) / (PASSES * TEXTS) for name in checkouts}
        for kind in CHARACTERS
    }


def instructions(checkout: Path, given: Given, kind: str) -> int:
    """Of a whole process that reads all texts of a kind ``PASSES`` times; without a kind, of its start alone."""
    done = subprocess.run(
        [*VALGRIND, *given.argv(checkout)], input=f"{kind} {PASSES}\n" if kind else "", env=environment(checkout),
        cwd=checkout, text=True, capture_output=True, check=True,
    )  # fmt: skip
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if found is None:
        raise SystemExit(f"valgrind told no instructions:\n{done.stderr[-1000:]}")
    return int(found.group(1).replace(",", ""))


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.micro.scans", description=__doc__)
    parser.add_argument("before", type=Path, help="a checkout with its .venv, compiled or not")
    parser.add_argument("after", type=Path, nargs="?", default=ROOT, help="another; this one unless told")
    parser.add_argument("--rounds", type=int, default=30, help="of 0.1 s each, of each checkout and kind of text")
    parser.add_argument("--instructions", action="store_true", help="count them instead: a minute or two")
    chosen = parser.parse_args()
    checkouts = {"before": chosen.before.resolve(), "after": chosen.after.resolve()}
    with TemporaryDirectory(prefix="scans-") as scratch:
        given = Given(Path(scratch))
        if chosen.instructions:
            for kind, each in counted(checkouts, given).items():
                print(f"{_named(kind)}: before {each['before']:,.0f} instructions a scan, after {each['after']:,.0f}; "
                      f"after / before {each['after'] / each['before']:.4f}", flush=True)  # fmt: skip
            return
        for kind, spent in timed(checkouts, given, chosen.rounds).items():
            ratios = [after / before for after, before in zip(spent["after"], spent["before"], strict=True)]
            low, median, high = statistics.quantiles(ratios, n=4)
            print(f"{_named(kind)}: before {min(spent['before']):.3f} µs a scan at best, after "
                  f"{min(spent['after']):.3f}; after / before {median:.3f} ({low:.3f} to {high:.3f})")  # fmt: skip


def _named(kind: str) -> str:
    return f"{kind}, {CHARACTERS[kind]} characters"


if __name__ == "__main__":
    main()
