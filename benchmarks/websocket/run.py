"""Everything over WebSockets in one run: judged frames and broadcasts beside the peers, a curve, and idle sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from benchmarks.load.command import raise_limit
from benchmarks.measuring import bench, turns
from benchmarks.measuring.measure import Bench
from benchmarks.measuring.points import Row, Run, Tell, beside, point, started
from benchmarks.systems.aiohttp_gateway import AiohttpGateway
from benchmarks.systems.nginx import Nginx
from benchmarks.systems.system import Setting, System
from benchmarks.systems.tidegate import Tidegate
from benchmarks.websocket import expectations, measure
from benchmarks.websocket.chatserver import ChatServer

SYSTEMS: dict[str, Callable[[], System]] = {"nginx": Nginx, "tidegate": Tidegate, "aiohttp": AiohttpGateway}
BASE, PLAIN, OURS = "nginx", "aiohttp", "tidegate"
LOAD = 0.5  # of a system's own saturation: where latencies are taken
VIEWERS = 500
IDLE = 10_000
CONNECTS = 1_000.0  # handshakes a second
SPARE = 500  # descriptors that a process has for everything but sessions


class Part(NamedTuple):
    """One comparison. ``lines``: where each line of its summary stands in a round; ``cost``: where CPU a ``unit``."""

    title: str
    unit: str
    cost: turns.Path
    lines: dict[str, turns.Path]
    pairs: tuple[tuple[str, str], ...]


_SATURATED: dict[str, turns.Path] = {
    "gateway_us": ("us", "gateway"),
    "state_us": ("us", "state"),
    "per_second": ("per_second",),
    "gateway_busy": ("busy", "gateway"),
    "state_busy": ("busy", "state"),
    "upstream_busy": ("busy", "upstream"),
    "load_busy": ("busy", "load"),
    "memory": ("memory",),
}
PARTS: dict[str, Part] = {
    "judged": Part(
        "Judged frames, one pinned core, saturated",
        "judged frame",
        ("saturated", "us", "gateway"),
        {
            **{line: ("saturated", *path) for line, path in _SATURATED.items()},
            **{line: ("half", line) for line in ("offered", "p50_us", "p99_us", "p999_us", "late_p99_us")},
            "check_p99_us": ("half", "check", "p99_us"),
        },
        ((OURS, PLAIN), (OURS, BASE)),
    ),
    "broadcast": Part(
        f"A broadcast to {VIEWERS} viewers, frame by frame",
        "frame delivered",
        ("us", "gateway"),
        {**_SATURATED, "p50_us": ("p50_us",), "p99_us": ("p99_us",)},
        ((OURS, BASE), (OURS, PLAIN)),
    ),
}


def run(names: Sequence[str], *, rounds: int, seconds: float, quick: bool, tell: Tell) -> dict[str, Any]:
    """Measure; ``judged`` and ``broadcast`` as ``peers.run`` has its systems, ``sessions`` are the rows of the curve,
    ``idle`` is one row. Raises ``WrongAnswer`` as soon as one system does anything but what it should."""
    limit = raise_limit()
    told: dict[str, Any] = {}
    chosen = Run(rounds, seconds, quick, tell)
    with bench.opened(ChatServer) as place:
        told |= _peers(place.setting, place.bench, [name for name in names if name in SYSTEMS], place.word, chosen)
    if OURS in names:
        told["sessions"] = _sessions(chosen)
        told["idle"] = _idle(chosen, limit)
    return told


def _peers(setting: Setting, place: Bench, names: Sequence[str], word: str, run: Run) -> dict[str, Any]:
    systems = [SYSTEMS[name]() for name in names]
    saturation: dict[str, float] = {}

    def judged(system: System) -> Row:
        half = LOAD * saturation[system.key]
        return {
            "saturated": measure.judged(place, system, seconds=run.seconds),
            "half": measure.judged(place, system, seconds=run.seconds, rate=half),
        }

    def broadcast(system: System) -> Row:
        return measure.broadcast(place, system, viewers=VIEWERS, seconds=run.seconds)

    told: dict[str, Any] = {}
    try:
        for system in systems:
            run.tell(f"starting {system.name}")
            system.start(setting)
            expectations.hold(system, word)
        for system in systems:
            run.tell(f"warming up {system.name}")
            saturation[system.key] = measure.judged(place, system, seconds=min(2.0, run.seconds))["per_second"]
        for name, each in (("judged", judged), ("broadcast", broadcast)):
            run.tell(PARTS[name].title)
            told[name] = summed(name, systems, turns.measured(systems, run.rounds, each, run.tell))
    finally:
        for system in systems:
            system.stop()
    return told


def summed(part: str, systems: Sequence[System], measured: dict[str, list[Row]]) -> dict[str, Any]:
    """What a record keeps of one comparison."""
    told = {
        system.key: {
            "name": system.name,
            "rounds": measured[system.key],
            "summary": turns.summary(measured[system.key], PARTS[part].lines),
        }
        for system in systems
    }
    return {"systems": told, "ratios": turns.ratios(told, PARTS[part].pairs, PARTS[part].cost)}


def _sessions(run: Run) -> list[Row]:
    """At one offered rate: what is varied is how many sessions the frames come from. A session of the one worker takes
    two descriptors, so the last point is where they end when 10,000 do not fit."""
    most = min(10_000, (raise_limit() - SPARE) // 2)
    rows: list[Row] = []
    with bench.opened(ChatServer) as place, beside(place.setting) as nginx, started(place.setting) as gateway:
        rate = measure.judged(place.bench, gateway, seconds=run.seconds)["per_second"] * LOAD
        for wanted in (10, 1000) if run.quick else (10, 100, 1000, 5000, 10_000):
            sessions = min(wanted, most)
            run.tell(f"{sessions:,} sessions at {rate:,.0f} frames/s")

            def each(system: System, sessions: int = sessions) -> Row:
                return measure.judged(place.bench, system, sessions=sessions, seconds=run.seconds, rate=rate)

            rows.append({"sessions": sessions, **point(run, gateway, nginx, each)})
    return rows


def _idle(run: Run, limit: int) -> Row:
    """10,000 sessions over two workers; fewer where the descriptors do not suffice, which the row says."""
    sessions = min(1_000 if run.quick else IDLE, int((limit - SPARE) / 1.6))  # two each, and workers share unevenly
    with bench.opened(ChatServer) as place:
        cpus = bench.cpus(2)
        setting = place.setting._replace(workers=2, cpus=cpus.gateway, others_cpus=cpus.others)
        with started(setting) as gateway:
            pinned = place.bench._replace(cpus=cpus.others)
            run.tell("two workers, first sessions")
            measure.broadcast(pinned, gateway, viewers=64, seconds=0.2)  # what a first session loads is no session's
            run.tell(f"{sessions:,} idle sessions, {CONNECTS:,.0f} handshakes a second")
            return measure.idle(pinned, gateway, sessions=sessions, rate=CONNECTS)
