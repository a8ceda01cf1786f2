"""Law 7: a floor that nothing shortens, a ceiling that prunes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.common.boot import ClockReading
from gateway.journal.read import verification
from gateway.journal.retention.retention import (
    DAY,
    FLOOR,
    Journal,
    Retention,
    due,
    prune,
    turn_dead,
)
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import segments

NOW = 1_700_000_000_000_000
YEAR = Retention(365 * DAY)


def clocks(at: int) -> ClockReading:
    """Both clocks of a machine that has run since the epoch, and whose time of day nobody ever set."""
    return ClockReading(at, "one start", at)


def journal_of(root: Path, at: int) -> Journal:
    return Journal(root, clocks(at))


@given(st.integers(FLOOR, 10_000 * DAY), st.integers(0, NOW), st.integers(0, 20_000 * DAY))
def test_nothing_younger_than_the_floor_is_ever_expired(keep: int, newest: int, age: int) -> None:
    retention = Retention(keep)
    expired = retention.expired(newest, newest + age * 1_000_000)
    assert expired is (age > keep)
    assert not (expired and age < FLOOR)


@pytest.mark.parametrize(("most", "least"), [(FLOOR - 1, FLOOR), (FLOOR, FLOOR - 1), (200 * DAY, 300 * DAY)])
def test_nothing_shortens_the_floor(most: float, least: float) -> None:
    with pytest.raises(ValueError, match="below"):
        Retention(most, least)


async def _years(make_writer, monkeypatch: pytest.MonkeyPatch, count: int) -> Path:
    """One epoch a year, the first ``count - 1`` years before NOW."""
    for year in range(count):
        at = NOW - (count - 1 - year) * 365 * DAY * 1_000_000
        monkeypatch.setattr("gateway.common.boot.reading", lambda at=at: clocks(at))
        journal = make_writer()
        journal.append({"kind": "judged", "id": Ids(1, 0)(), "time": at, "verdict": "pass", "room": "r" * 5000})
        journal.close()
    return journal.folder


async def test_whole_segments_go_once_it_is_recorded(make_writer, monkeypatch, root: Path) -> None:
    folder = await _years(make_writer, monkeypatch, 4)
    journal = make_writer()
    found = due(journal_of(root, NOW), YEAR)
    # The segment of three years ago ended when that of two years ago began: its records are older than that.
    assert [[segment.epoch for segment in one.segments] for one in found] == [[1]]
    found = due(journal_of(root, NOW + 1), YEAR)
    assert [[segment.epoch for segment in one.segments] for one in found] == [[1, 2]]
    prune(found, journal.append, Ids(1, 0))
    assert len(segments(folder)) == 5  # not before the record is written
    journal.flush()
    assert [segment.epoch for segment in segments(folder)] == [3, 4, 5]
    journal.close()
    assert verification.verify(root).problems == []


async def test_what_was_pruned_without_a_record_is_missed(make_writer, monkeypatch, root: Path) -> None:
    folder = await _years(make_writer, monkeypatch, 3)
    segments(folder)[0].path.unlink()
    assert [problem.code for problem in verification.verify(root).problems] == ["missing"]


async def test_the_last_segment_of_a_dead_worker_reaches_the_ceiling_too(make_writer, monkeypatch, root: Path) -> None:
    folder = await _years(make_writer, monkeypatch, 1)
    later = NOW + 366 * DAY * 1_000_000
    monkeypatch.setattr("gateway.common.boot.reading", lambda: clocks(later))
    ids = Ids(1, 1)
    assert due(journal_of(root, later), YEAR) == []
    assert turn_dead(journal_of(root, later - 2 * DAY * 1_000_000), YEAR, ids) == 0
    assert turn_dead(journal_of(root, later), YEAR, ids) == 1
    assert turn_dead(journal_of(root, later + 400 * DAY * 1_000_000), YEAR, ids) == 0  # the new one is empty
    after = later + 366 * DAY * 1_000_000
    journal = make_writer(1)
    prune(due(journal_of(root, after), YEAR), journal.append, ids)
    journal.close()
    assert [segment.epoch for segment in segments(folder)] == [2]
    assert verification.verify(root).problems == []
    shutil.rmtree(root / "n1" / "1")


async def test_a_living_worker_is_left_alone(make_writer, monkeypatch, root: Path) -> None:
    monkeypatch.setattr("gateway.common.boot.reading", lambda: clocks(NOW))
    journal = make_writer()
    journal.append({"kind": "judged", "id": "x", "time": NOW, "verdict": "reject", "room": "r" * 5000})
    journal.flush()
    assert turn_dead(journal_of(root, NOW + 400 * DAY * 1_000_000), YEAR, Ids(1, 1)) == 0


def _unread(*_: object) -> NoReturn:
    raise AssertionError("a whole segment was decoded")


async def test_no_segment_is_decoded_for_what_its_first_line_or_its_owner_says(
    make_writer, monkeypatch, root: Path
) -> None:
    """Each hour it is asked of every folder, and a segment may have a gigabyte."""
    folder = await _years(make_writer, monkeypatch, 1)
    living = make_writer(1)
    living.append({"kind": "judged", "id": "x", "time": NOW, "verdict": "reject", "room": "r" * 5000})
    living.flush()
    ids = Ids(1, 2)
    much_later = NOW + 400 * DAY * 1_000_000
    monkeypatch.setattr("gateway.journal.retention.retention.lines", _unread)
    assert turn_dead(journal_of(root, NOW), YEAR, ids) == 0  # both are young
    with pytest.raises(AssertionError, match="decoded"):
        turn_dead(journal_of(root, much_later), YEAR, ids)  # the dead one
    shutil.rmtree(folder)
    assert turn_dead(journal_of(root, much_later), YEAR, ids) == 0  # the living one
