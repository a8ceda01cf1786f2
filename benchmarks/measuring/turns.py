"""Systems measured in turn, and what the rounds say together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.load.quantiles import Spread
from benchmarks.systems.system import System

Round = dict[str, Any]
Path = tuple[str, ...]


def measured(
    systems: Sequence[System], rounds: int, measure: Callable[[System], Round], tell: Callable[[str], None]
) -> dict[str, list[Round]]:
    """``rounds`` measurements of every system, by key."""
    found: dict[str, list[Round]] = {system.key: [] for system in systems}
    for number in range(rounds):
        # Another neighbour and another place in each round: what drifts on the machine hits all alike.
        for system in (*systems[number % len(systems) :], *systems[: number % len(systems)]):
            tell(f"round {number + 1} of {rounds}: {system.name}")
            found[system.key].append(measure(system))
    return found


def summary(rounds: Sequence[Round], lines: Mapping[str, Path]) -> dict[str, dict[str, float]]:
    """Median and spread of each line; ``lines`` says where each stands in a round. What no round has is left out."""
    found: dict[str, dict[str, float]] = {}
    for line, path in lines.items():
        values = [value for one in rounds if (value := _at(one, path)) is not None]
        if values:
            found[line] = Spread.of(values)._asdict()
    return found


def ratios(
    told: Mapping[str, Mapping[str, Any]], pairs: Iterable[tuple[str, str]], path: Path
) -> dict[str, dict[str, float]]:
    """Median of the ratios round by round, with its spread, for each pair of systems that were both measured."""
    found = {}
    for above, below in pairs:
        if above in told and below in told:
            rows = zip(told[above]["rounds"], told[below]["rounds"], strict=True)
            found[f"{above} / {below}"] = Spread.of([_at(a, path) / _at(b, path) for a, b in rows])._asdict()
    return found


def _at(measured: Any, path: Path) -> Any:
    for step in path:
        measured = measured.get(step) if isinstance(measured, dict) else None
    return measured
