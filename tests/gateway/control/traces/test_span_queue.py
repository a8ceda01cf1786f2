"""Spans wait in control for a receiver that may be away: bounded, counted, told once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.common import channel
from gateway.control.traces.span_queue import Tracing


class Worker:
    """Has so many spans to tell, one a trace."""

    def __init__(self) -> None:
        self.has: list[dict[str, Any]] = []
        self.asked: list[int] = []

    def spans(self, request: dict[str, Any]) -> dict[str, Any]:
        most = int(request["most"])
        self.asked.append(most)
        told, self.has = self.has[:most], self.has[most:]
        return {"ok": True, "spans": told}


class Receiver:
    """Takes what it is sent, unless it is away."""

    def __init__(self) -> None:
        self.away = False
        self.batches: list[list[Mapping[str, Any]]] = []
        self.closed = False

    def send(self, spans: Sequence[Mapping[str, Any]]) -> bool:
        if not self.away:
            self.batches.append(list(spans))
        return not self.away

    def close(self) -> None:
        self.closed = True


class Bench:
    def __init__(self, path: Path) -> None:
        self.worker = Worker()
        self.receiver = Receiver()
        self.most = 1000
        self.made = 0
        absent = path.with_name("worker-1.sock")
        self.tracing = Tracing(lambda: {"worker-1": absent, "worker-0": path}, lambda: self.most, self._make)

    def _make(self) -> Receiver:
        self.made += 1
        return self.receiver

    async def count(self, name: str) -> float:
        return sum(float(value) for value in (await self.tracing.series())[name].values())  # type: ignore[arg-type]


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    path = tmp_path / "worker-0.sock"
    made = Bench(path)
    served = await channel.serve(path, {"spans": made.worker.spans})
    yield made
    await served.close()


def numbered(count: int) -> list[dict[str, Any]]:
    return [{"n": number} for number in range(count)]


async def test_all_is_asked_for_in_batches_and_sent_in_order(bench: Bench) -> None:
    bench.worker.has = numbered(600)
    await bench.tracing.gather()
    assert bench.worker.asked == [256, 256, 256]
    await bench.tracing.export()
    assert [len(batch) for batch in bench.receiver.batches] == [512, 88]
    assert [span["n"] for batch in bench.receiver.batches for span in batch] == list(range(600))
    assert await bench.count("tidegate_spans_exported_total") == 600
    assert bench.made == 1


async def test_nobody_is_asked_and_nothing_made_where_nothing_is_wanted(bench: Bench) -> None:
    bench.most = 0
    bench.worker.has = numbered(3)
    await bench.tracing.gather()
    await bench.tracing.export()
    assert (bench.worker.asked, bench.made) == ([], 0)


async def test_a_receiver_that_is_away_is_told_once_and_the_oldest_are_lost(bench: Bench) -> None:
    bench.receiver.away = True
    bench.most = 600
    with capture_logs() as logs:
        for _ in range(3):
            bench.worker.has = numbered(500)
            await bench.tracing.gather()
            await bench.tracing.export()
        assert await bench.count("tidegate_spans_waiting") == 600
        assert await bench.count("tidegate_spans_lost_total") == 900
        bench.receiver.away = False
        await bench.tracing.export()
    assert [line["event"] for line in logs] == ["traces.export_failed", "traces.exported_again"]
    assert await bench.count("tidegate_spans_exported_total") == 600
    assert await bench.count("tidegate_spans_waiting") == 0


async def test_what_could_not_be_sent_at_the_end_is_counted(bench: Bench) -> None:
    bench.worker.has = numbered(10)
    await bench.tracing.gather()
    await bench.tracing.stop()
    assert await bench.count("tidegate_spans_exported_total") == 10
    assert bench.receiver.closed
    bench.receiver.away = True
    bench.worker.has = numbered(10)
    await bench.tracing.gather()
    await bench.tracing.export()
    await bench.tracing.stop()
    assert (await bench.tracing.series())["tidegate_spans_lost_total"][("stopped",)] == 10
