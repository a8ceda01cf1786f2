"""The pulse: fresh, stale, absent, replaced, damaged, from a clock that was set."""

from __future__ import annotations

import time
import timeit
from pathlib import Path

import pytest

from gateway.mirror.store.pulse import READ_EVERY, SIZE, Pulse, PulseReader


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "projector"


def test_absent_is_not_fresh(path: Path, clock: Clock) -> None:
    reader = PulseReader(path, clock)
    assert not reader.fresh(10)
    assert reader.beat() is None


def test_fresh_until_either_is_too_old(path: Path, clock: Clock) -> None:
    pulse, reader = Pulse(path, clock), PulseReader(path, clock)
    pulse.write(clock.now - 4)
    assert reader.fresh(10)
    clock.now += 6.5
    pulse.write()  # the heart beats and the watermark stands
    assert not reader.fresh(10)
    pulse.write(clock.now)
    clock.now += READ_EVERY
    assert reader.fresh(10)
    clock.now += 10.5  # no beat at all
    assert not reader.fresh(10)


def test_a_cached_answer_ends_with_what_it_rests_on(path: Path, clock: Clock) -> None:
    pulse, reader = Pulse(path, clock), PulseReader(path, clock)
    pulse.write(clock.now)
    assert reader.fresh(10)
    path.unlink()
    assert reader.fresh(10)
    clock.now += READ_EVERY
    assert not reader.fresh(10)


def test_a_deleted_or_replaced_file_is_noticed_by_both_sides(path: Path, clock: Clock) -> None:
    pulse, reader = Pulse(path, clock), PulseReader(path, clock)
    pulse.write(clock.now)
    path.unlink()
    clock.now += 1
    assert not reader.fresh(10)
    pulse.write(clock.now)
    clock.now += READ_EVERY
    assert reader.fresh(10)
    other = Pulse(path, clock)  # the next life of the projector
    other.write(clock.now - 60)
    clock.now += READ_EVERY
    assert not reader.fresh(10)
    beat = reader.beat()
    assert beat is not None
    assert beat.watermark == other.watermark


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_seconds_that_cannot_be_keep_no_dead_projector_alive(path: Path, clock: Clock, ahead: float) -> None:
    pulse, reader = Pulse(path, clock), PulseReader(path, clock)
    pulse.write(clock.now)
    assert reader.fresh(10)
    clock.now += ahead
    assert not reader.fresh(10)
    pulse.write(clock.now)
    clock.now += READ_EVERY
    assert reader.fresh(10)


@pytest.mark.parametrize("step", [3600.0, -3600.0, 400 * 86_400.0, -400 * 86_400.0])
def test_a_time_of_day_that_is_set_keeps_no_bullet_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    pulse, reader = Pulse(path), PulseReader(path)
    pulse.write(time.monotonic())
    assert reader.fresh(10)
    there = time.time() + step
    monkeypatch.setattr("time.time", lambda: there)
    monkeypatch.setattr("time.time_ns", lambda: int(there * 1e9))
    assert reader.fresh(10)
    assert PulseReader(path).fresh(10)
    pulse.write()
    assert PulseReader(path).fresh(10)


def test_a_pulse_from_before_the_machine_started_is_none(path: Path, clock: Clock) -> None:
    before, after = b"b" * 16, b"a" * 16
    Pulse(path, clock, before).write(clock.now)
    assert PulseReader(path, clock, before).fresh(10)
    assert not PulseReader(path, clock, after).fresh(10)
    assert PulseReader(path, clock, after).beat() is None


@pytest.mark.parametrize("damage", [b"", b"x", b"y" * SIZE, b"z" * 4000])
def test_a_damaged_file_is_not_fresh_and_recovers(path: Path, clock: Clock, damage: bytes) -> None:
    pulse, reader = Pulse(path, clock), PulseReader(path, clock)
    pulse.write(clock.now)
    path.write_bytes(damage)
    assert not reader.fresh(10)
    assert reader.beat() is None
    pulse.close()
    pulse.write(clock.now)
    clock.now += READ_EVERY
    assert reader.fresh(10)


def test_truncated_in_place_while_it_is_read(path: Path, clock: Clock) -> None:
    pulse, reader = Pulse(path, clock), PulseReader(path, clock)
    pulse.write(clock.now)
    assert reader.fresh(10)
    with path.open("r+b") as file:
        file.truncate(0)
    clock.now += READ_EVERY
    assert not reader.fresh(10)  # a mapped file would have killed the reader here


def test_what_is_asked_counts(path: Path, clock: Clock) -> None:
    pulse, reader = Pulse(path, clock), PulseReader(path, clock)
    pulse.write(clock.now - 5)
    assert reader.fresh(10)
    assert not reader.fresh(1)
    assert reader.fresh(10)


def test_a_check_costs_next_to_nothing(path: Path) -> None:
    pulse, reader = Pulse(path), PulseReader(path)
    pulse.write(__import__("time").monotonic())
    count = 20_000
    best = min(timeit.repeat(lambda: reader.fresh(10), number=count, repeat=5)) / count
    assert best < 2e-6  # it takes 0.2 µs; the bound leaves room for a busy machine
