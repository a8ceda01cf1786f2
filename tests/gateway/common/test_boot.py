"""Which start of the machine it is, and how long ago."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.common import boot


def test_one_start_has_one_name_and_its_clock_runs_on() -> None:
    assert boot.boot_id() == boot.boot_id() != boot.NOBODY
    before = boot.uptime_us()
    assert 0 < before <= boot.uptime_us()


@pytest.mark.parametrize("said", [None, "", "nonsense"])
def test_a_system_that_does_not_say_is_told_from_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    path = tmp_path / "boot_id"
    if said is not None:
        path.write_text(said)
    monkeypatch.setattr(boot, "_BOOT_ID", path)
    assert boot.boot_id() == boot.NOBODY


def test_how_far_the_time_of_day_was_set_is_what_the_other_clock_does_not_tell() -> None:
    before = boot.ClockReading(1_000_000, "a", 500_000)
    assert boot.ClockReading(4_000_000, "a", 1_500_000).leapt(before) == 2_000_000
    assert boot.ClockReading(4_000_000, "b", 1_500_000).leapt(before) is None
    assert boot.ClockReading(4_000_000, "", 1_500_000).leapt(boot.ClockReading(1, "", 1)) is None


def test_a_watch_notices_a_leap_once_and_small_steps_when_they_add_up() -> None:
    now = [boot.ClockReading(10**15, "a", 10**9)]
    watch = boot.ClockWatch(lambda: now[0])

    def after(seconds: float, step: float = 0.0) -> float:
        last = now[0]
        now[0] = boot.ClockReading(last.time + int((seconds + step) * 1e6), "a", last.uptime + int(seconds * 1e6))
        return watch.look() / 1e6

    assert after(86_400) == 0
    assert after(1, -3600) == -3600
    assert after(1) == 0
    assert [after(1, 0.8) for _ in range(4)] == [0, 0, pytest.approx(2.4), 0]
    assert watch.leaps == 2
    assert watch.total / 1e6 == pytest.approx(-3597.6)
