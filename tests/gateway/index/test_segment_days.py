"""Segments by node and day, and their records in order of time."""

from __future__ import annotations

from pathlib import Path

from gateway.index.segment_days import SegmentDays, left, merged
from tests.gateway.index.conftest import DAY, Recorded

TODAY, YESTERDAY = ("node-0", "2026-11-30"), ("node-0", "2026-11-29")


def read(days: SegmentDays, day: tuple[str, str], known: dict[tuple[str, str], int]) -> list[str]:
    found = []
    for line in merged(days.of[day], dict(known), lambda flaw: None):
        known[line.place] = line.until
        if line.entry is not None and line.entry.record["kind"] == "judged":
            found.append(line.entry.record["id"])
    return found


def test_the_day_is_that_of_the_first_record(journal: Recorded) -> None:
    days = SegmentDays(journal.root)
    assert not days.refresh()
    journal.at -= DAY
    journal.judged()
    journal.at += DAY
    late = journal.judged()  # still in yesterday's segment
    journal.turn()
    new = journal.judged()
    assert days.refresh()
    assert [one.last for one in days.of[YESTERDAY]] == [False]
    assert [one.last for one in days.of[TODAY]] == [True]
    assert days.of[YESTERDAY][0].end == days.of[YESTERDAY][0].path.stat().st_size
    known: dict[tuple[str, str], int] = {}
    assert read(days, YESTERDAY, known)[1:] == [late]
    assert read(days, TODAY, known) == [new]
    assert left(days.of[TODAY], known) == left(days.of[YESTERDAY], known) == 0


def test_folders_are_read_together_by_time(journal: Recorded) -> None:
    names = [journal.judged(worker=number % 3) for number in range(30)]
    journal.judged(node=1)
    days = SegmentDays(journal.root)
    days.refresh()
    assert read(days, TODAY, {}) == names
    assert len(read(days, ("node-1", "2026-11-30"), {})) == 1


def test_reading_goes_on_where_it_was(journal: Recorded) -> None:
    days = SegmentDays(journal.root)
    first = journal.judged()
    days.refresh()
    known: dict[tuple[str, str], int] = {}
    assert read(days, TODAY, known) == [first]
    path = days.of[TODAY][0].path
    with path.open("ab") as file:  # a line that is being written
        file.write(b'{"v":1,"epoch":1,')
    assert read(days, TODAY, known) == []
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"\n") + 1])
    second = journal.judged()
    assert read(days, TODAY, known) == [second]


def test_a_damaged_line_is_passed_over_once(journal: Recorded) -> None:
    one, two = journal.judged("one"), journal.judged("two")
    path = next(journal.root.glob("*/*/*.jsonl"))
    path.write_bytes(path.read_bytes().replace(b'"plain":["one"]', b'"plain":["eno"]'))
    days = SegmentDays(journal.root)
    days.refresh()
    flaws: list[object] = []
    known: dict[tuple[str, str], int] = {}
    for line in merged(days.of[TODAY], {}, flaws.append):
        known[line.place] = line.until
    assert len(flaws) == 1
    assert read(days, TODAY, {}) == [two]
    assert one != two
    assert left(days.of[TODAY], known) == 0


def test_readings_by_people_are_no_messages(journal: Recorded, tmp_path: Path) -> None:
    journal.judged()
    folder = journal.root / "desk" / "query"
    folder.mkdir(parents=True)
    source = next((journal.root / "node-0" / "0").glob("*.jsonl"))
    (folder / source.name).write_bytes(source.read_bytes())
    imports = journal.root / "desk" / "import"
    imports.mkdir()
    (imports / source.name).write_bytes(source.read_bytes())
    days = SegmentDays(journal.root)
    days.refresh()
    assert set(days.of) == {TODAY, ("desk", "2026-11-30")}
    assert [one.place[0] for one in days.of["desk", "2026-11-30"]] == ["desk/import"]
