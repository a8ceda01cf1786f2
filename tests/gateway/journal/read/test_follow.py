"""Following a journal through rotations, restarts and pruning."""

from __future__ import annotations

from pathlib import Path

from gateway.journal.read.follow import Follower, before, ends
from gateway.journal.read.reader import Flaw, LocatedRecord, merged
from gateway.journal.write.segments import name, segments


def never(flaw: Flaw) -> None:
    raise AssertionError(flaw)


def judged(entries: list[LocatedRecord]) -> list[str]:
    return [entry.record["id"] for entry in entries if entry.record["kind"] == "judged"]


async def test_each_record_once_and_in_order(make_writer, journalist, root: Path) -> None:
    follower = Follower(root, never)
    assert follower.read() == []
    ids: list[str] = []
    seen: list[str] = []
    for _ in range(3):
        journal = make_writer(segment_size=1000)
        desk = journalist(journal)
        for count in range(1, 30):
            ids.append(desk.judged(verdict="reject"))
            await desk.told(count)
            seen += judged(follower.read(limit=count % 5 + 1))
            follower = Follower(root, never, follower.positions)  # as after a restart of the follower
        journal.close()
    while entries := follower.read(limit=7):
        seen += judged(entries)
    assert seen == ids


async def test_a_young_line_is_waited_for(make_writer, journalist, root: Path) -> None:
    journal = make_writer()
    desk = journalist(journal)
    first = desk.judged()
    await desk.told(1)
    path = segments(journal.folder)[0].path
    whole = path.read_bytes()
    follower = Follower(root, never)
    path.write_bytes(whole[:-7])
    assert judged(follower.read()) == []
    path.write_bytes(whole)
    assert judged(follower.read()) == [first]
    assert follower.read() == []


async def test_a_prepared_file_does_not_end_the_segment_before_it(make_writer, journalist, root: Path) -> None:
    journal = make_writer()
    desk = journalist(journal)
    follower = Follower(root, never)
    (journal.folder / name(1, 99)).touch()
    one = desk.judged()
    await desk.told(1)
    assert judged(follower.read()) == [one]
    two = desk.judged()
    await desk.told(2)
    assert judged(follower.read()) == [two]


async def test_what_does_not_count_is_not_given(make_writer, journalist, root: Path) -> None:
    journal = make_writer()
    desk = journalist(journal)
    desk.judged()
    await desk.told(1)
    path = segments(journal.folder)[0].path
    journal.close()
    make_writer().close()
    path.write_bytes(path.read_bytes() + b"left by a write that failed\n")
    assert len(judged(Follower(root, never).read())) == 1


async def test_a_pruned_position_goes_on_with_what_is_there(make_writer, journalist, root: Path) -> None:
    ids = []
    for _ in range(3):
        journal = make_writer()
        desk = journalist(journal)
        ids.append(desk.judged())
        await desk.told(1)
        journal.close()
    follower = Follower(root, never)
    assert judged(follower.read(limit=2)) == ids[:1]
    for segment in segments(journal.folder)[:2]:
        segment.path.unlink()
    assert judged(follower.read()) == ids[2:]
    assert follower.positions["n1/0"].startswith(name(3, 1))


async def test_damage_is_told_once(make_writer, journalist, root: Path) -> None:
    journal = make_writer()
    desk = journalist(journal)
    desk.judged()
    await desk.told(1)
    with segments(journal.folder)[0].path.open("ab") as file:
        file.write(b"damage\n")
    after = desk.judged()
    await desk.told(2)
    flaws: list[Flaw] = []
    follower = Follower(root, flaws.append)
    assert judged(follower.read())[-1] == after
    follower.read()
    assert [flaw.code for flaw in flaws] == ["format"]


async def test_what_is_new_begins_behind_all_that_is_written(make_writer, journalist, root: Path) -> None:
    assert ends(root) == {}
    journal = make_writer(segment_size=1000)
    desk = journalist(journal)
    for count in range(1, 9):
        desk.judged(verdict="reject", text="x" * 90_000 if count == 8 else "x")
        await desk.told(count)
    positions = ends(root)
    old = list(merged(root, never))
    follower = Follower(root, never, positions)
    assert all(before(positions, entry) for entry in old)
    assert follower.read() == []
    path = segments(root / "n1" / "0")[-1].path
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"half a line')  # as while it is being written
    assert ends(root) == positions
    path.write_bytes(whole)
    new = desk.judged(verdict="reject")
    await desk.told(9)
    assert judged(follower.read()) == [new]
    assert judged([entry for entry in merged(root, never) if not before(positions, entry)]) == [new]
