"""One measurement of one running system: what it answered, and what its processes and the others used meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from benchmarks.load import awake, load
from benchmarks.load.faults import WrongAnswer
from benchmarks.load.quantiles import Histogram
from benchmarks.systems.system import System
from benchmarks.systems.tidegate import Tidegate
from rig import process

CHECK_SECONDS = "tidegate_check_seconds"
OBJECTIVE = 1e-3  # seconds: the check time's objective


class Platform(Protocol):
    """What stands behind the measured systems."""

    port: int

    def pids(self) -> list[int]:
        """Its processes."""

    def stop(self) -> None:
        """Stop it."""


class Bench(NamedTuple):
    """Where measurements happen: the upstream, the processors of the load, and seeds that are never used twice.

    The same seed would send the same texts again, and repeats are refused.
    """

    upstream: Platform
    cpus: str
    seed: Callable[[], int]


class Window:
    """CPU time of groups of processes between entering and leaving, and the wall time."""

    def __init__(self, system: System, upstream: Platform) -> None:
        self._groups: dict[str, Sequence[int]] = {
            "gateway": system.gateway_pids(),
            "state": system.state_pids(),
            "other": system.other_pids(),
            "upstream": upstream.pids(),
        }
        self.cpu: dict[str, float] = {}
        self.seconds = 0.0

    def __enter__(self) -> Window:
        self._before = {name: process.cpu_seconds(pids) for name, pids in self._groups.items()}
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._began
        self.cpu = {name: process.cpu_seconds(pids) - self._before[name] for name, pids in self._groups.items()}


def closed(
    bench: Bench, system: System, *, connections: int = 64, seconds: float = 4.0, characters: int = 0,
    scheme: str = "http",
) -> dict[str, Any]:  # fmt: skip
    """As much as ``connections`` connections carry: messages a second, CPU µs a message, memory in bytes.

    ``busy`` is the share of one processor that each group used. Where the gateway's is below its number of
    processors, something else was the limit. Raises ``WrongAnswer``.
    """
    with Window(system, bench.upstream) as window:
        told = load.wrk(
            system.port, connections=connections, seconds=seconds, cpus=bench.cpus, seed=bench.seed(),
            characters=characters, scheme=scheme,
        )  # fmt: skip
    if told["errors"] or not told["requests"]:
        errors = f"{told['errors']} errors in {told['requests']} requests of a closed load"
        raise WrongAnswer(f"{system.name}: {errors}{refusals(system)}")
    cpu = {**window.cpu, "load": told["cpu"]}
    return {
        "per_second": told["requests"] / told["seconds"],
        "us": {name: seconds / told["requests"] * 1e6 for name, seconds in cpu.items()},
        "busy": {name: seconds / told["seconds"] for name, seconds in cpu.items()},
        "memory": process.resident_bytes(system.gateway_pids()),
        "state_memory": process.resident_bytes(system.state_pids()),
    }


def opened(bench: Bench, system: System, *, rate: float, seconds: float = 4.0, connections: int = 64) -> dict[str, Any]:
    """Latencies from the schedule at ``rate`` messages a second, and CPU µs a message. Raises ``WrongAnswer``.

    ``rest_busy``: what everything but the gateway took of one processor, as a share. For the measured gateway also
    ``check``: the time from decoding to verdict, from its own histogram.
    """
    before = check_seconds(system)
    window = Window(system, bench.upstream)
    with awake.kept():
        told = load.openload(
            system.port, rate=rate, seconds=seconds, cpus=bench.cpus, seed=bench.seed(), connections=connections,
            during=_accepted(system, window),
        )  # fmt: skip
    after = check_seconds(system)
    if told["wrong"] or told["lost"] or not told["answered"] or told["unanswered"]:
        wrong = {name: told[name] for name in ("wrong", "lost", "answered", "unanswered")}
        raise WrongAnswer(f"{system.name} at {rate:.0f} messages a second: {wrong}{refusals(system)}")
    cpu = {**window.cpu, "load": told["cpu"]}
    result = {
        **{name: told[name] for name in told if name.endswith("_us")},
        "offered": rate,
        "answered": told["answered"],
        "us": {name: seconds / told["answered"] * 1e6 for name, seconds in cpu.items()},
        "rest_busy": (sum(cpu.values()) - cpu["gateway"]) / window.seconds,
    }
    if before is not None and after is not None:
        result["check"] = check(after.since(before))
    return result


@contextmanager
def _accepted(system: System, window: Window) -> Iterator[None]:
    """The window from when the system has accepted all connections: 10,000 of them cost as much as many messages."""
    process.at_rest(system.gateway_pids())
    with window:
        yield


def refusals(system: System) -> str:
    """What the measured gateway itself counted beside plain passes; nothing of the others."""
    if not isinstance(system, Tidegate):
        return ""
    lines = system.metrics().splitlines()
    names = ("tidegate_messages_total{", "tidegate_refused_requests_total{", "tidegate_degraded_total{")
    return "".join(f"\n  {line}" for line in lines if line.startswith(names) and 'verdict="pass"' not in line)


def check_seconds(system: System) -> Histogram | None:
    """The gateway's histogram of check times so far; None for the others."""
    return Histogram.parse(system.metrics(), CHECK_SECONDS) if isinstance(system, Tidegate) else None


def check(seen: Histogram) -> dict[str, Any]:
    """What a record keeps of it."""
    return {
        "p50_us": seen.quantile(0.5) * 1e6,
        "p99_us": seen.quantile(0.99) * 1e6,
        "within_objective": seen.share_within(OBJECTIVE),
        "messages": seen.total,
        "bounds": [bound for bound in seen.bounds if bound != float("inf")],
        "counts": list(seen.counts),
    }
