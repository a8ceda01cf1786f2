"""This node at a glance: what processes, workers, journal, state and mirror say of themselves, in one answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from gateway.common.channel import ChannelError
from gateway.control.acts.outbox import Waiting
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.calls.call import Call, Services
from gateway.control.calls.feature import Measured
from gateway.control.calls.schemas import NoQuery
from gateway.control.node import processes
from gateway.control.node.health import Health
from gateway.control.node.schemas import NodeStatus, ProcessOut, QueuesOut, SpentOut, TrafficOut, WorkerOut
from gateway.control.workers.totals import Buckets, Series


async def status(call: Call[None, NoQuery]) -> NodeStatus:
    """Everything is asked anew; what does not answer is said, and holds up nothing else."""
    services = call.services
    ready = await call.service(Health).look()
    try:
        node: Mapping[str, Any] = await services.reloader.status()
    except ChannelError:
        node = {}
    counted = {metric.name: series for metric, series in services.totals.series()}
    lag = services.mirror_lag()
    return NodeStatus(
        version=version("tidegate"),
        at=time.time_ns() // 1000,
        ready=ready.ready,
        checks=ready.checks,
        generation=node.get("generation"),
        generation_since=node.get("since"),
        reload_refused=node.get("refused"),
        connections=_sum(counted["tidegate_connections"]),
        sockets=_sum(counted["tidegate_sockets"]),
        processes=[_process(name, child) for name, child in dict(node.get("children", {})).items()],
        workers=[_worker(name, how, services.workers.statuses.get(name, {})) for name, how in _answers(services)],
        traffic=TrafficOut(
            messages=_by(counted["tidegate_messages_total"], 1),
            degraded=_by(counted["tidegate_degraded_total"], 0),
            refused_requests=_sum(counted["tidegate_refused_requests_total"]),
        ),
        spent={name: _spent(counted[metric]) for name, metric in SPENT.items()},
        queues=await _queues(services, counted, mirrored=lag is not None),
        mirror_lag=lag,
    )


async def _queues(services: Services, counted: Mapping[str, Series], *, mirrored: bool) -> QueuesOut:
    waiting = Waiting(0, 0.0)
    told: dict[str, Series] = {}
    with suppress(DatabaseUnavailable):  # readiness says that it is away
        waiting = await services.ledger.relay.waiting()
    for feature in services.features:
        if isinstance(feature, Measured):
            with suppress(DatabaseUnavailable):
                told |= await feature.series()
    return QueuesOut(
        outbox=waiting.acts,
        outbox_age=waiting.age,
        journal_lag=max(_numbers(counted["tidegate_journal_lag_seconds"]).values(), default=0.0),
        cases=_by(told.get("tidegate_cases", {}), 0),
        takedowns=_by(told.get("tidegate_takedowns", {}), 0),
        mirror=_sum(counted["tidegate_mirror_waiting"]) if mirrored else None,
    )


SPENT = {
    "check": "tidegate_check_seconds",
    "state": "tidegate_state_seconds",
    "journal": "tidegate_journal_append_seconds",
}


def _spent(series: Series) -> SpentOut:
    """Of a histogram, all its series together."""
    found = [value for value in series.values() if isinstance(value, Buckets)]
    return SpentOut(times=sum(sum(one.counts) for one in found), seconds=sum(one.total for one in found))


def _answers(services: Services) -> list[tuple[str, str]]:
    return sorted(services.workers.answers.items())


def _process(name: str, child: Mapping[str, Any]) -> ProcessOut:
    pid = child.get("pid") or None
    return ProcessOut(
        name=name,
        pid=pid,
        state=str(child.get("state", "")),
        restarts=int(child.get("restarts", 0)),
        resident_bytes=processes.resident(pid) if pid else None,
    )


def _worker(name: str, how: str, told: Mapping[str, Any]) -> WorkerOut:
    journal = told.get("journal", {})
    return WorkerOut(
        name=name,
        answers=how,
        generation=told.get("generation"),
        connections=int(told.get("connections", 0)),
        journal="" if journal.get("ready", True) else "takes no records",
        state=str(told.get("state", {}).get("problem") or ""),
    )


def _numbers(series: Series) -> dict[tuple[str, ...], float]:
    return {key: value for key, value in series.items() if not isinstance(value, Buckets)}


def _sum(series: Series) -> int:
    return int(sum(_numbers(series).values()))


def _by(series: Series, place: int) -> dict[str, int]:
    """Added up by one label."""
    found: dict[str, int] = {}
    for key, value in _numbers(series).items():
        found[key[place]] = found.get(key[place], 0) + int(value)
    return found
