"""Reading in order, streamed, past damage."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateway.journal.read.reader import SLACK_US, Flaw, merged, records
from gateway.journal.write.segments import segments

HOUR = 3_600_000_000
NOW = time.time_ns() // 1000 + HOUR


def judged(message: str, at: int) -> dict[str, object]:
    return {"kind": "judged", "id": message, "time": at, "verdict": "reject"}


def never(flaw: Flaw) -> None:
    raise AssertionError(flaw)


async def test_workers_are_merged_by_time(make_writer, root: Path) -> None:
    writers = [make_writer(number) for number in range(3)]
    for at in range(30):
        writers[at * 7 % 3].append(judged(str(at), NOW + at))
    for journal in writers:
        journal.flush()
    found = [entry for entry in merged(root, never) if entry.record["kind"] == "judged"]
    assert [entry.record["id"] for entry in found] == [str(at) for at in range(30)]
    assert {entry.folder for entry in found} == {"n1/0", "n1/1", "n1/2"}


async def test_a_clock_set_back_does_not_turn_a_worker_s_records_around(make_writer, root: Path) -> None:
    journal = make_writer()
    for name, at in (("a", 10), ("b", 5), ("c", 11)):
        journal.append(judged(name, NOW + at))
    journal.flush()
    found = [entry.record["id"] for entry in merged(root, never) if entry.record["kind"] == "judged"]
    assert found == ["a", "b", "c"]


async def test_damage_is_told_and_passed_over(make_writer, root: Path) -> None:
    journal = make_writer()
    for name in "abc":
        journal.append(judged(name, NOW))
    journal.close()
    path = segments(journal.folder)[0].path
    whole = path.read_bytes()
    place = whole.index(b'"b"')
    path.write_bytes(whole[:place] + b'"B"' + whole[place + 3 :] + b'{"v":1')
    flaws: list[Flaw] = []
    found = [entry.record["kind"] for entry in records(journal.folder, flaws.append)]
    assert found == ["opened", "judged", "judged", "closed"]
    assert [flaw.code for flaw in flaws] == ["crc", "torn"]
    start = whole.rindex(b"\n", 0, place) + 1
    assert (flaws[0].offset, flaws[0].size) == (start, whole.index(b"\n", start) + 1 - start)


async def test_what_is_outside_the_time_is_not_opened(make_writer, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Damage in a segment far outside is not even seen."""
    for epoch in range(3):
        monkeypatch.setattr("gateway.journal.write.log.time.time_ns", lambda at=epoch: (NOW + at * 10 * HOUR) * 1000)
        journal = make_writer()
        journal.append(judged(str(epoch), NOW + epoch * 10 * HOUR))
        journal.close()
    for place in (0, 2):
        path = segments(journal.folder)[place].path
        path.write_bytes(path.read_bytes() + b"damage\n")
    inside = records(journal.folder, never, since_us=NOW + 10 * HOUR + SLACK_US + 1, until_us=NOW + 11 * HOUR)
    assert [entry.record["id"] for entry in inside if entry.record["kind"] == "judged"] == ["1"]


async def test_the_needle_passes_over_other_lines(make_writer, root: Path) -> None:
    journal = make_writer()
    for name in "abc":
        journal.append(judged(name, NOW))
    journal.flush()
    assert [entry.record["id"] for entry in records(journal.folder, never, needle=b'"id":"b"')] == ["b"]


def test_no_journal_has_no_records(tmp_path: Path) -> None:
    assert list(merged(tmp_path / "nothing", never)) == []
