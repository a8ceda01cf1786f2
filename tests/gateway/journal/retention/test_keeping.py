"""What dead workers left is recovered and old segments go; where the one cannot be done, the other is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.common.boot import ClockReading
from gateway.journal.retention import keeping
from gateway.journal.retention.keeping import EVERY, Keeping
from gateway.journal.retention.retention import DAY, Retention
from gateway.journal.write import encoding, recovery
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import Owner, segments

IDS = Ids(1, 254)


class Records:
    """Stands for the journal's writer: what is appended is written at once."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def append(self, record: dict[str, Any], then: Callable[[], object]) -> None:
        self.kinds.append(record["kind"])
        then()


def write(folder: Path, *, ended: bool, told: int = 0) -> None:
    """One epoch more of a worker that is dead since, with a record that tells that time."""
    owner = Owner(folder)
    log, _ = recovery.begin(folder, IDS, always=False)
    if told:
        log.write([encoding.fields({"kind": "act", "id": IDS(), "time": told})])
    if ended:
        recovery.end(log, IDS)
    owner.release()


class Clocks:
    """Both clocks of a machine: ``time`` is set at will, ``uptime`` runs on. Seconds."""

    def __init__(self) -> None:
        self.time = float(int(time.time()))
        self.uptime = 2000.0 * DAY
        self.boot = "one start"

    def __call__(self) -> ClockReading:
        return ClockReading(int(self.time * 1e6), self.boot, int(self.uptime * 1e6))

    def after(self, seconds: float) -> None:
        self.time += seconds
        self.uptime += seconds

    def restart(self, off: float = 60.0) -> None:
        self.time += off
        self.uptime = 10.0
        self.boot += "."


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr("gateway.common.boot.reading", made)
    return made


@pytest.fixture
def old(tmp_path: Path, clocks: Clocks) -> Path:
    """The folder of a worker that ran two years ago, and a year and a half ago, and ended in order."""
    folder = tmp_path / "n1" / "7"
    for days in (190, 540):
        write(folder, ended=True)
        clocks.after(days * DAY)
    return folder


def keeping_of(root: Path, records: Any, clocks: Clocks) -> Keeping:
    return Keeping(records, IDS, root, "n1", lambda: {"0"}, Retention(365 * DAY), clock=clocks)


async def test_a_look_recovers_what_is_dead_and_prunes_what_is_old(old: Path, tmp_path: Path, clocks: Clocks) -> None:
    dead, living = tmp_path / "n1" / "3", tmp_path / "n1" / "0"
    write(dead, ended=False)
    write(living, ended=False)
    records = Records()
    kept = keeping_of(tmp_path, records, clocks)
    await kept.look()
    assert records.kinds == []  # never at a start
    clocks.after(EVERY)
    await kept.look()
    assert records.kinds == ["pruned"]
    assert [segment.epoch for segment in segments(old)] == [2]
    assert [segment.epoch for segment in segments(dead)] == [1, 2]
    assert [segment.epoch for segment in segments(living)] == [1]


async def test_what_cannot_be_recovered_is_told_and_tried_again_and_does_not_keep_old_segments(
    old: Path, tmp_path: Path, clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Path] = []

    def broken(node: Path, *_: Any) -> int:
        tries.append(node)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(keeping, "recover_dead", broken)
    records = Records()
    kept = keeping_of(tmp_path, records, clocks)
    with capture_logs() as told:
        await kept.look()
        clocks.after(EVERY)
        await kept.look()
    assert [line["event"] for line in told if line["log_level"] == "error"] == ["journal.recovery_failed"] * 2
    assert tries == [tmp_path / "n1"] * 2
    assert records.kinds == ["pruned"]
    assert [segment.epoch for segment in segments(old)] == [2]


def journalled(root: Path, clocks: Clocks, hours: int) -> Path:
    """A worker's folder with a segment an hour."""
    folder = root / "n1" / "1"
    for _ in range(hours):
        write(folder, ended=True, told=clocks().time)
        clocks.after(3600)
    return folder


async def looks(root: Path, clocks: Clocks, times: int) -> list[str]:
    """One life of control, and what it recorded."""
    write(root / "n1" / "255", ended=True)
    records = Records()
    kept = keeping_of(root, records, clocks)
    for _ in range(times):
        await kept.look()
        clocks.after(EVERY)
    return records.kinds


@pytest.mark.parametrize("step", [-400 * DAY, 400 * DAY, -3600, 3600, 50 * 365 * DAY])
@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("lasting", [1, 5])
async def test_no_clock_makes_records_old(
    tmp_path: Path, clocks: Clocks, step: float, restarted: bool, lasting: int
) -> None:
    """Records of today, then a life under a wrong clock, however long, then the clock is right again."""
    folder = journalled(tmp_path, clocks, 5)
    if restarted:
        clocks.restart()
    clocks.time += step
    write(folder, ended=True, told=clocks().time)
    assert await looks(tmp_path, clocks, lasting) == []
    if restarted:
        clocks.restart()
    clocks.time -= step
    write(folder, ended=True, told=clocks().time)
    assert await looks(tmp_path, clocks, 5) == []
    assert len(segments(folder)) == 7


async def test_a_clock_that_leads_again_and_again_makes_nothing_old(tmp_path: Path, clocks: Clocks) -> None:
    folder = journalled(tmp_path, clocks, 3)
    for _ in range(6):
        clocks.restart()
        clocks.time += 100 * DAY
        write(folder, ended=True)
        assert await looks(tmp_path, clocks, 3) == []
    assert len(segments(folder)) == 9


async def test_what_is_old_goes_though_the_clock_leapt_meanwhile(tmp_path: Path, clocks: Clocks) -> None:
    """The ceiling holds too: by the machine's own clock, over many starts of it."""
    folder = journalled(tmp_path, clocks, 2)
    for month in range(13):
        clocks.restart(3600)
        clocks.time += 400 * DAY if month == 5 else -400 * DAY if month == 6 else 0
        write(folder, ended=True, told=clocks().time)
        write(tmp_path / "n1" / "255", ended=True)
        clocks.after(30 * DAY)
        write(tmp_path / "n1" / "255", ended=True)
    assert await looks(tmp_path, clocks, 2) == ["pruned"]
    assert len(segments(folder)) < 15
    assert segments(folder)[0].epoch > 2


async def test_a_time_that_is_set_between_two_looks_makes_them_two_others(
    old: Path, tmp_path: Path, clocks: Clocks
) -> None:
    records = Records()
    kept = keeping_of(tmp_path, records, clocks)
    await kept.look()
    clocks.after(EVERY)
    clocks.time -= 3600
    with capture_logs() as told:
        await kept.look()
    assert "journal.pruning_waits" in {line["event"] for line in told}
    assert records.kinds == []
    clocks.after(EVERY)
    await kept.look()
    assert records.kinds == ["pruned"]


async def test_two_looks_are_apart(old: Path, tmp_path: Path, clocks: Clocks) -> None:
    records = Records()
    kept = keeping_of(tmp_path, records, clocks)
    for _ in range(5):
        await kept.look()
        clocks.after(60)
    assert records.kinds == []


async def test_records_that_say_otherwise_keep_their_segment(tmp_path: Path, clocks: Clocks) -> None:
    """First records that lie, of a machine that was off: what stands between them tells another time."""
    folder = tmp_path / "n1" / "1"
    there = clocks.time
    clocks.time -= 900 * DAY
    write(folder, ended=True, told=int(there * 1e6))
    write(folder, ended=True)
    clocks.after(400 * DAY)
    clocks.time = there
    assert await looks(tmp_path, clocks, 3) == []


async def test_the_time_that_can_be_trusted_is_led_by_no_clock(tmp_path: Path, clocks: Clocks) -> None:
    write(tmp_path / "n1" / "255", ended=True)
    clocks.after(DAY)
    true = clocks.time
    clocks.time += 400 * DAY
    kept = keeping_of(tmp_path, Records(), clocks)
    assert kept.trusted_ns() == 0
    await kept.look()
    assert kept.trusted_ns() == int(true * 1e9)
    clocks.after(60)
    assert kept.trusted_ns() == int((true + 60) * 1e9)
    clocks.time = true - 3600
    assert kept.trusted_ns() == int((true - 3600) * 1e9)
