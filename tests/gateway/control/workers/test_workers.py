"""Workers come and go; each holds the newest snapshot, and nothing that was counted is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.common import channel
from gateway.common.metrics import METRICS, WorkerMetrics
from gateway.control.workers.totals import Totals
from gateway.control.workers.workers import Workers
from gateway.mirror.projector.projector_metrics import ProjectorMetrics
from gateway.state.cold.kept_snapshot import kept
from gateway.state.model.snapshot import SnapshotRows, decode


async def test_a_worker_that_was_away_is_given_the_present_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.sock"
    workers = Workers(lambda: {"worker-0": path}, Totals())
    assert await workers.push(SnapshotRows(7)) == {"worker-0": False}
    got: list[Any] = []
    held = {"version": 0}

    def take(command: dict[str, Any]) -> dict[str, Any]:
        got.append(command["snapshot"])
        held["version"] = command["snapshot"]["version"]
        return {"ok": True}

    status = {"status": lambda _: {"ok": True, "snapshot": held["version"]}, "snapshot": take}
    served = await channel.serve(path, status)
    await workers.look()
    await workers.look()
    assert [decode(one) for one in got] == [SnapshotRows(7)]
    workers.offer(SnapshotRows(3))
    await workers.look()
    assert [decode(one) for one in got] == [SnapshotRows(7)]
    assert workers.answers == {"worker-0": "ok"}
    await served.close()
    await workers.look()
    assert workers.answers == {"worker-0": "absent"}
    assert workers.statuses == {}


async def test_a_worker_that_starts_finds_the_newest_in_a_file(tmp_path: Path) -> None:
    workers = Workers(dict, Totals(), kept=tmp_path / "snapshot.json")
    workers.offer(SnapshotRows(7))
    workers.offer(SnapshotRows(6))
    found = kept(tmp_path / "snapshot.json")
    assert found is not None
    assert found.version == 7


async def test_counters_survive_the_worker_that_told_them(tmp_path: Path) -> None:
    path = tmp_path / "worker-0.sock"
    totals = Totals()
    workers = Workers(lambda: {"worker-0": path}, totals)
    for _ in range(3):
        metrics = WorkerMetrics()
        metrics.messages.add(("r", "pass", ""), 5)
        served = await channel.serve(path, {"counters": lambda _, metrics=metrics: metrics.told()})
        await workers.look()
        await workers.look()
        await served.close()
        await workers.look()  # nobody answers: the last word stands
    counted = {metric.name: series for metric, series in totals.series()}
    assert counted["tidegate_messages_total"] == {("r", "pass", ""): 15}


async def test_the_projector_is_counted_and_is_no_worker(tmp_path: Path) -> None:
    path = tmp_path / "projector.sock"
    totals = Totals()
    workers = Workers(dict, totals, path)
    bullets, waiting = METRICS["tidegate_mirror_bullets_total"], METRICS["tidegate_mirror_waiting"]
    await workers.look()
    assert dict(totals.series())[bullets] == {}
    for _ in range(2):
        metrics = ProjectorMetrics()
        metrics.bullets.add(n=5)
        metrics.probes.add(("live", "linked"))
        metrics.gauge("tidegate_mirror_waiting", lambda: 3.0)
        served = await channel.serve(path, {"counters": lambda _, metrics=metrics: metrics.told()})
        await workers.look()
        assert dict(totals.series())[waiting] == {(): 3.0}
        await served.close()
        await workers.look()
        assert dict(totals.series())[waiting] == {}  # how much waits is not known of one that does not answer
    counted = dict(totals.series())
    assert counted[bullets] == {(): 10}
    assert counted[METRICS["tidegate_mirror_probes_total"]] == {("live", "linked"): 2}
    assert await workers.push(SnapshotRows(1)) == {}
    assert workers.answers == {}
