"""One measurement of one running system over WebSockets: judged frames, a broadcast, sessions that say nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks.load import awake, command
from benchmarks.load.faults import Refused, WrongAnswer
from benchmarks.measuring.measure import Bench, Window, check, check_seconds, refusals
from benchmarks.systems.system import System
from benchmarks.systems.tidegate import Tidegate
from benchmarks.websocket.viewers import FIRST, announcer
from rig import process

Told = dict[str, Any]
PER_PROCESS = 2_500  # sessions that one load process holds
SETTLED = 2.0  # seconds after which what the handshakes left behind is freed


def judged(
    bench: Bench, system: System, *, sessions: int = 64, seconds: float = 4.0, rate: float = 0.0
) -> dict[str, Any]:
    """Frames that people say: at ``rate`` a second with latencies from the schedule, or as many as are answered.

    ``us`` is CPU µs a frame of each group, ``busy`` the share of one processor that it used. Raises ``WrongAnswer``.
    """
    argv = [
        "benchmarks.websocket.speakers", "--port", str(system.port), "--sessions", str(sessions),
        "--seconds", f"{seconds:g}", "--rate", f"{rate:g}", "--seed", str(bench.seed()),
    ]  # fmt: skip
    before = check_seconds(system)
    if rate:
        with awake.kept():
            told, measured = _measured(bench, system, argv, "answered", give_way=command.STAND_BACK)
    else:
        told, measured = _measured(bench, system, argv, "answered")
    if told["wrong"] or told["lost"] or told["unanswered"]:
        wrong = {name: told[name] for name in ("answered", "wrong", "lost", "unanswered")}
        raise WrongAnswer(f"{system.name}: {wrong}{refusals(system)}")
    after = check_seconds(system)
    if before is not None and after is not None:
        measured["check"] = check(after.since(before))
    if rate:
        return {**{name: told[name] for name in told if name.endswith("_us")}, "offered": rate, **measured}
    return measured


def broadcast(bench: Bench, system: System, *, viewers: int = 500, seconds: float = 4.0) -> dict[str, Any]:
    """One message after the other from the platform to all viewers, each when the last of them has the one before.

    As ``judged``, per frame delivered; ``p50_us`` and ``p99_us``: from the announcement to the last viewer. Raises
    ``WrongAnswer``.
    """
    argv = [
        "benchmarks.websocket.viewers", "--port", str(system.port), "--platform", str(bench.upstream.port),
        "--sessions", str(viewers), "--seconds", f"{seconds:g}",
    ]  # fmt: skip
    told, measured = _measured(bench, system, argv, "broadcasts", viewers, steps=1)
    if told["wrong"] or told["missing"]:
        raise WrongAnswer(f"{system.name}, broadcast: {told['wrong']}, {told['missing']} missing")
    return {"p50_us": told["p50_us"], "p99_us": told["p99_us"], **measured}


def _measured(
    bench: Bench, system: System, argv: list[str], counted: str, times: int = 1, steps: int = 0,
    give_way: Sequence[str] = (),
) -> tuple[Told, Told]:  # fmt: skip
    """What a load told of its last step, and what everybody used per ``counted`` meanwhile. ``steps``: those before."""
    with command.running(argv, bench.cpus, give_way) as load:
        load.told()
        for _ in range(steps):
            load.begin()
            load.told()
        with Window(system, bench.upstream) as window:
            before = load.cpu_seconds()
            load.begin()
            told = load.told()
            load_cpu = load.cpu_seconds() - before
        cpu = {**window.cpu, "load": load_cpu}
        memory = process.resident_bytes(system.gateway_pids())
    count = told[counted] * times
    if not count:
        raise WrongAnswer(f"{system.name} answered nothing: {told}{refusals(system)}")
    return told, {
        "per_second": count / told["seconds"],
        "us": {name: seconds / count * 1e6 for name, seconds in cpu.items()},
        "busy": {name: seconds / told["seconds"] for name, seconds in cpu.items()},
        "memory": memory,
        "state_memory": process.resident_bytes(system.state_pids()),
    }


def idle(bench: Bench, system: Tidegate, *, sessions: int, rate: float) -> dict[str, Any]:
    """Sessions opened at ``rate`` a second that then say nothing, and one message to all of them.

    ``bytes_each``: what the gateway's processes have grown by, a session. Raises ``WrongAnswer`` where a handshake or a
    viewer fails.
    """
    workers = system.gateway_pids()
    processes = -(-sessions // PER_PROCESS)
    shares = [sessions // processes + (number < sessions % processes) for number in range(processes)]
    before = [process.resident_bytes([pid]) for pid in workers]
    with ExitStack() as stack:
        loads = []
        for number, share in enumerate(shares):
            argv = [
                "benchmarks.websocket.viewers", "--port", str(system.port), "--sessions", str(share),
                "--first", str(sum(shares[:number])), "--rate", f"{rate / processes:g}",
            ]  # fmt: skip
            loads.append(stack.enter_context(command.running(argv, bench.cpus)))
        for load in loads:
            load.told()
        for load in loads:
            load.begin()
        opened = [load.told() for load in loads]
        took = max(one["ended"] for one in opened) - min(one["began"] for one in opened)
        time.sleep(SETTLED)
        after = [process.resident_bytes([pid]) for pid in workers]
        try:
            host = stack.enter_context(announcer(bench.upstream.port))
        except Refused as error:
            raise WrongAnswer(f"the platform: {error}") from None
        for load in loads:
            load.begin()
        announced = time.perf_counter()
        host.sendall(FIRST.sent)
        heard = [load.told() for load in loads]
    missing = sum(one["missing"] for one in heard)
    if missing or any(one["wrong"] for one in heard):
        raise WrongAnswer(f"{system.name}: a broadcast did not reach {missing} of {sessions} sessions: {heard}")
    return {
        "sessions": sessions,
        "workers": len(workers),
        "memory_before": sum(before),
        "memory_after": sum(after),
        "bytes_each": (sum(after) - sum(before)) / sessions,
        "offered": rate,
        "opened_per_second": sessions / took,
        "handshake_p50_us": max(one["p50_us"] for one in opened),
        "handshake_p99_us": max(one["p99_us"] for one in opened),
        "handshake_max_us": max(one["max_us"] for one in opened),
        "missing": missing,
        "broadcast_us": (max(one["last"] for one in heard) - announced) * 1e6,
    }
