"""How cost grows: one thing is varied, everything else stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.load.quantiles import Spread
from benchmarks.measuring import bench
from benchmarks.measuring.measure import closed, opened
from benchmarks.measuring.points import Row, Run, Tell, beside, point, started
from benchmarks.studies import reload
from benchmarks.systems.system import System
from benchmarks.systems.tidegate import Tidegate
from rig import rules, words

EACH = 64
"""Connections to each worker, where the number of workers is varied."""


class Curve(NamedTuple):
    """``x`` names the varied thing and its key in each row."""

    title: str
    x: str
    measure: Callable[[Run], list[Row]]


def _words(run: Run) -> list[Row]:
    rows = []
    with bench.opened() as place, beside(place.setting) as nginx:
        for count in (1_000, 20_000) if run.quick else (1_000, 10_000, 20_000, 100_000, 1_000_000):
            run.tell(f"{count:,} words")
            listed = words.write(place.setting.scratch / "curve.txt", count)
            with started(place.setting._replace(words=listed)) as gateway:
                rows.append(
                    {
                        "words": count,
                        **point(run, gateway, nginx, partial(closed, place.bench, seconds=run.seconds)),
                    }
                )
    return rows


def _text(run: Run) -> list[Row]:
    rows = []
    with bench.opened() as place, beside(place.setting) as nginx, started(place.setting) as gateway:
        for characters in (10, 2000) if run.quick else (10, 30, 100, 300, 1000, 2000):
            run.tell(f"texts of {characters} characters")

            def measure(system: System, characters: int = characters) -> Row:
                return closed(place.bench, system, seconds=run.seconds, characters=characters)

            rows.append({"characters": characters, **point(run, gateway, nginx, measure)})
    return rows


def _connections(run: Run) -> list[Row]:
    """At one offered rate, half of what the gateway carries: what is varied is how many connections it comes from."""
    rows = []
    with bench.opened() as place, beside(place.setting) as nginx, started(place.setting) as gateway:
        rate = closed(place.bench, gateway, seconds=run.seconds)["per_second"] / 2
        for connections in (10, 1000) if run.quick else (10, 100, 1000, 5000, 10_000):
            run.tell(f"{connections:,} connections at {rate:,.0f}/s")

            def measure(system: System, connections: int = connections) -> Row:
                return opened(place.bench, system, rate=rate, seconds=run.seconds, connections=connections)

            rows.append({"connections": connections, **point(run, gateway, nginx, measure)})
    return rows


def _rate(run: Run) -> list[Row]:
    """From a trickle to nearly all that there can be: what a waking costs is shared by the messages that it finds."""
    rows = []
    with bench.opened() as place, beside(place.setting) as nginx, started(place.setting) as gateway:
        most = closed(place.bench, gateway, seconds=run.seconds)["per_second"]
        for percent in (10, 70) if run.quick else (10, 30, 50, 70, 90):
            rate = most * percent / 100
            run.tell(f"{percent} % of saturation, {rate:,.0f}/s")

            def measure(system: System, rate: float = rate) -> Row:
                told = opened(place.bench, system, rate=rate, seconds=run.seconds)
                check = told.get("check", {})
                return {**told, **{f"check_{line}": check[line] for line in ("p50_us", "p99_us") if check}}

            rows.append({"percent": percent, "offered": round(rate), **point(run, gateway, nginx, measure)})
    return rows


def policy(size: int, folder: Path) -> tuple[tuple[str, ...], tuple[tuple[str, Path], ...]]:
    """The first ``size`` rules: the usual six, then in turn one more list of 1,000 words and one more limit."""
    chosen = list(rules.RULES[:size])
    lists = []
    for number in range(max(0, size - len(rules.RULES))):
        if number % 2 == 0:
            name = f"more{number}"
            lists.append((name, words.write(folder / f"{name}.txt", 1000, seed=number)))
            option = f'check = "keywords", lists = ["{name}"]'
        else:
            option = f'check = "limit", limits = ["sender 100000/{number + 1}s"]'
        chosen.append(f'{{ {option}, action = "reject", on_error = "reject", ground = "agreement 3.{number + 2}" }}')
    return tuple(chosen), tuple(lists)


def _rules(run: Run) -> list[Row]:
    rows = []
    with bench.opened() as place, beside(place.setting) as nginx:
        for size in (1, 20) if run.quick else (1, 3, 6, 10, 20):
            run.tell(f"{size} rules")
            chosen, lists = policy(size, place.setting.scratch)
            with started(place.setting._replace(rules=chosen, more_lists=lists)) as gateway:
                measure = partial(closed, place.bench, seconds=run.seconds)
                rows.append({"rules": size, **point(run, gateway, nginx, measure)})
    return rows


def _workers(run: Run) -> list[Row]:
    """What a second worker costs: each has as many connections as one alone, and so turns of as many messages.

    With two processors, two workers share them with load, upstream and state; ``busy`` says what was the limit.
    """
    rows = []
    with bench.opened() as place:
        for workers in (1, 2):
            run.tell(f"{workers} workers")
            where = bench.cpus(workers)
            setting = place.setting._replace(workers=workers, cpus=where.gateway, others_cpus=where.others)
            busy: list[Mapping[str, float]] = []

            def measure(system: System, busy: list[Mapping[str, float]] = busy, workers: int = workers) -> Row:
                measured = closed(place.bench, system, connections=EACH * workers, seconds=run.seconds)
                if isinstance(system, Tidegate):
                    busy.append(measured["busy"])
                return measured

            with started(setting) as gateway, beside(setting) as nginx:
                row = {"workers": workers, **point(run, gateway, nginx, measure)}
            row["busy"] = {name: Spread.of([one[name] for one in busy]).median for name in busy[0]}
            rows.append(row)
    return rows


CURVES: dict[str, Curve] = {
    "words": Curve("Words in the list", "words", _words),
    "text": Curve("Characters of a text", "characters", _text),
    "connections": Curve("Connections, at half the saturation", "connections", _connections),
    "rate": Curve("Offered messages, in per cent of saturation", "percent", _rate),
    "rules": Curve("Rules of the policy", "rules", _rules),
    "workers": Curve(f"Workers, {EACH} connections each", "workers", _workers),
    "reload": Curve("A list reloaded under load", "words", reload.measure),
}


def run(names: Sequence[str], *, rounds: int, seconds: float, quick: bool, tell: Tell) -> dict[str, list[Row]]:
    """Measure the curves; rows by curve."""
    chosen = Run(rounds, seconds, quick, tell)
    return {name: CURVES[name].measure(chosen) for name in names}


def flat(row: Row) -> dict[str, Any]:
    """A row for a table: medians in place of spreads, MiB in place of bytes."""
    shown: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and "median" in value:
            shown[name] = value["median"]
        elif isinstance(value, dict):
            shown |= {f"{part} {name}": inner for part, inner in value.items()}
        elif name.startswith("memory"):
            shown[f"{name} MiB"] = round(value / (1 << 20))
        else:
            shown[name] = value
    return shown
