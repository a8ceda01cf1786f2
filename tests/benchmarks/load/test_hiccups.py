"""How late timers come."""

from types import SimpleNamespace

import pytest

from benchmarks.load import hiccups


class Clock:
    """A machine that stands still for ``stall`` seconds at its third waking."""

    def __init__(self, stall: float) -> None:
        self.now = 100.0
        self._stall = stall
        self._slept = 0

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self._slept += 1
        self.now += seconds + (self._stall if self._slept == 3 else 0.0)


def test_a_stall_is_told_once_and_moves_what_is_due_after_it(monkeypatch) -> None:
    monkeypatch.setattr(hiccups, "time", Clock(stall=0.0055))
    late = hiccups.late(0.01)
    assert len(late) == 10
    assert late[2] == pytest.approx(0.0055)
    assert sum(late) == pytest.approx(0.0055)


def test_pauses_are_what_a_process_that_never_sleeps_does_not_see(monkeypatch) -> None:
    ticks = iter([0.0, 0.0001, 0.0002, 0.0052, 0.0053, 0.0100])  # two pauses, of 5 and of 4.7 ms
    monkeypatch.setattr(hiccups, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    assert hiccups.paused(0.01) == pytest.approx(0.97)


def test_every_processor_is_asked() -> None:
    told = hiccups.measured(seconds=0.05)
    assert 0 <= told["paused"] <= 1
    assert 0 <= told["p50_us"] <= told["p99_us"] <= told["max_us"]
