"""The peers side by side: every round measures every system, each time in another order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.load import awake, hiccups
from benchmarks.load.quantiles import Spread
from benchmarks.measuring import turns
from benchmarks.measuring.measure import Bench, closed, opened
from benchmarks.systems import expectations
from benchmarks.systems.aiohttp_gateway import AiohttpGateway
from benchmarks.systems.haproxy import Haproxy
from benchmarks.systems.nginx import Direct, Nginx
from benchmarks.systems.nginx_lua import NginxLua
from benchmarks.systems.system import Setting, System
from benchmarks.systems.tidegate import Tidegate

SYSTEMS: dict[str, Callable[[], System]] = {
    "nginx": Nginx,
    "haproxy": Haproxy,
    "tidegate": Tidegate,
    "nginx-lua": NginxLua,
    "aiohttp": AiohttpGateway,
}
LOADS = {"low": 0.3, "high": 0.7}  # shares of a system's own saturation
BASE, EXPERT, PLAIN, OURS = "nginx", "nginx-lua", "aiohttp", "tidegate"

Tell = Callable[[str], None]


def run(
    setting: Setting, bench: Bench, names: Sequence[str], word: str, *, rounds: int, seconds: float, tell: Tell
) -> dict[str, Any]:
    """Measure; returns ``{"systems": {key: {"name", "rounds": [...], "summary": {...}}}, "ratios": {...}}``.

    ``word`` is on the list. Raises ``WrongAnswer`` as soon as one system answers anything but what it should.
    """
    systems = [SYSTEMS[name]() for name in names]
    try:
        for system in systems:
            tell(f"starting {system.name}")
            system.start(setting)
            expectations.hold(system, word)
        saturation: dict[str, float] = {}
        for system in systems:
            tell(f"warming up {system.name}")
            saturation[system.key] = closed(bench, system, seconds=min(2.0, seconds))["per_second"]

        def measure(system: System) -> dict[str, Any]:
            return _round(bench, system, saturation[system.key], seconds)

        measured = turns.measured(systems, rounds, measure, tell)
    finally:
        for system in systems:
            system.stop()
    told = {
        system.key: {"name": system.name, "rounds": measured[system.key], "summary": summary(measured[system.key])}
        for system in systems
    }
    return {"systems": told, "ratios": ratios(told)}


def _round(bench: Bench, system: System, saturation: float, seconds: float) -> dict[str, Any]:
    result: dict[str, Any] = {"saturated": closed(bench, system, seconds=seconds), "asleep": hiccups.measured()}
    with awake.kept():
        result["idle"] = hiccups.measured()
    for name, share in LOADS.items():
        rate = share * saturation
        result[name] = opened(bench, system, rate=rate, seconds=seconds)
    # The same rate without any gateway, right after: what the machine and the load itself add is in both.
    direct = Direct(bench.upstream.port)
    result["direct"] = opened(bench, direct, rate=LOADS["low"] * saturation, seconds=seconds)
    return result


# Where each line of a summary stands in a round.
LINES: dict[str, tuple[str, ...]] = {
    "gateway_us": ("saturated", "us", "gateway"),
    "state_us": ("saturated", "us", "state"),
    "other_us": ("saturated", "us", "other"),
    "per_second": ("saturated", "per_second"),
    "gateway_busy": ("saturated", "busy", "gateway"),
    "upstream_busy": ("saturated", "busy", "upstream"),
    "load_busy": ("saturated", "busy", "load"),
    "state_busy": ("saturated", "busy", "state"),
    "memory": ("saturated", "memory"),
    "state_memory": ("saturated", "state_memory"),
    **{
        f"{load}_{line}": (load, line)
        for load in LOADS
        for line in ("offered", "p50_us", "p99_us", "p999_us", "late_p99_us")
    },
    **{f"{load}_gateway_us": (load, "us", "gateway") for load in LOADS},
    **{f"{load}_rest_busy": (load, "rest_busy") for load in LOADS},
    "idle_p50_us": ("idle", "p50_us"),
    "idle_p99_us": ("idle", "p99_us"),
    "asleep_p99_us": ("asleep", "p99_us"),
    "paused": ("idle", "paused"),
    "direct_p50_us": ("direct", "p50_us"),
    "direct_p99_us": ("direct", "p99_us"),
    "check_p50_us": ("high", "check", "p50_us"),
    "check_p99_us": ("high", "check", "p99_us"),
    "check_within": ("high", "check", "within_objective"),
}


def summary(rounds: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Median and spread of each line over the rounds; ``added_p50_us`` and ``added_p99_us`` are differences to the
    direct way in the same round. Lines that a system does not have are left out."""
    told = turns.summary(rounds, LINES)
    for quantile in ("p50_us", "p99_us"):
        added = [measured["low"][quantile] - measured["direct"][quantile] for measured in rounds]
        told[f"added_{quantile}"] = Spread.of(added)._asdict()
    return told


def ratios(told: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """CPU to the bare nginx, and ours to each of the others."""
    pairs = [(key, BASE) for key in told if key != BASE] + [(OURS, key) for key in (EXPERT, PLAIN)]
    return turns.ratios(told, pairs, ("saturated", "us", "gateway"))
