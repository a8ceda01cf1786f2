"""Which files there are, and which may not be made any more."""

from __future__ import annotations

from gateway.index.store.day_file import DayFile
from gateway.index.store.day_files import DayFiles, thrown_away

OLD, NEW, OTHER = ("node-0", "2026-11-01"), ("node-0", "2026-11-02"), ("node-1", "2026-11-02")


def make(files: DayFiles, *days: tuple[str, str]) -> None:
    for day in days:
        DayFile(files.path(day)).close()


def test_the_newest_come_first(files: DayFiles) -> None:
    assert files.days() == []
    make(files, OLD, NEW, OTHER)
    (files.root / "node-0" / "notes.sqlite3").touch()
    assert files.days() == [OTHER, NEW, OLD]
    assert files.size(OLD) > 4096
    assert files.free() > 0


def test_marks(files: DayFiles) -> None:
    make(files, OLD, NEW)
    files.drop(OLD, "gone")
    files.drop(NEW, "too-much")
    assert (files.days(), files.marked()) == ([], {OLD: "gone", NEW: "too-much"})
    files.unmark(OLD)
    assert files.marked() == {NEW: "too-much"}
    files.unmark(NEW)
    assert not (files.root / "node-0").exists()


def test_all_of_a_day_is_thrown_away(files: DayFiles) -> None:
    make(files, OLD, NEW, OTHER)
    files.drop(OLD, "gone")
    assert thrown_away(files, ["2026-11-02"]) == 2
    assert (files.days(), files.marked()) == ([], {OLD: "gone"})
    assert thrown_away(files) == 0
    assert files.marked() == {}
