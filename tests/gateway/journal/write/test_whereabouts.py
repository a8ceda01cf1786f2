"""A journal that is taken away while it is written: noticed within a second, told, and gone on with where it can be."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.common import boot
from gateway.journal.read import verification
from gateway.journal.write import upkeep, writer
from gateway.journal.write.segments import segments, synced

Eventually = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(upkeep, "LOOK", 0.01)


class Bench:
    """A writer that has written something, and what is done to its folder."""

    def __init__(self, journal: Any, desk: Any, root: Path) -> None:
        self.journal = journal
        self.desk = desk
        self.root = root
        self.said = 0

    async def say(self) -> str:
        """Append; ``written`` or the reason why not."""
        self.desk.judged()
        self.said += 1
        await self.desk.told(self.said)
        event: str = self.desk.events[-1][0]
        return event

    async def until(self, available: bool) -> None:
        async with asyncio.timeout(10):
            while self.journal.available is not available:
                await asyncio.sleep(0.005)

    @property
    def segment(self) -> Path:
        return segments(self.journal.folder)[-1].path

    def problems(self) -> list[str]:
        return [problem.code for problem in verification.verify(self.root).problems]


@pytest.fixture
async def bench(make_writer, journalist, root: Path) -> Bench:
    journal = make_writer()
    made = Bench(journal, journalist(journal), root)
    assert await made.say() == "written"
    return made


def only_segments(bench: Bench) -> None:
    for segment in segments(bench.journal.folder):
        segment.path.unlink()


def worker_s_folder(bench: Bench) -> None:
    shutil.rmtree(bench.journal.folder)


def node_s_folder(bench: Bench) -> None:
    shutil.rmtree(bench.journal.folder.parent)


def everything_in_it(bench: Bench) -> None:
    for folder in bench.root.iterdir():
        shutil.rmtree(folder)


def folder_moved(bench: Bench) -> None:
    bench.journal.folder.rename(bench.root / "elsewhere")


def folder_replaced(bench: Bench) -> None:
    bench.journal.folder.rename(bench.root / "elsewhere")
    bench.journal.folder.mkdir()


def folder_replaced_by_an_older_copy(bench: Bench) -> None:
    shutil.copytree(bench.journal.folder, bench.root / "copy")
    shutil.rmtree(bench.journal.folder)
    (bench.root / "copy").rename(bench.journal.folder)


def segment_replaced(bench: Bench) -> None:
    path = bench.segment
    path.with_name("aside").write_bytes(path.read_bytes())
    path.with_name("aside").replace(path)


def truncated(bench: Bench) -> None:
    os.truncate(bench.segment, 10)


TAKEN = [
    only_segments,
    worker_s_folder,
    node_s_folder,
    everything_in_it,
    folder_moved,
    folder_replaced,
    folder_replaced_by_an_older_copy,
    segment_replaced,
    truncated,
]


@pytest.mark.parametrize("take", TAKEN, ids=lambda take: take.__name__)
@pytest.mark.parametrize("fsync", ["everysec", "always"])
async def test_what_is_taken_away_is_noticed_and_gone_on_with(
    make_writer, journalist, root: Path, take: Callable[[Bench], None], fsync: str
) -> None:
    journal = make_writer(fsync=fsync)
    bench = Bench(journal, journalist(journal), root)
    assert await bench.say() == "written"
    with capture_logs() as told:
        take(bench)
        await bench.until(False)
        assert await bench.say() == "journal.unavailable"
        await bench.until(True)
    events = [line["event"] for line in told if line["log_level"] == "error"]
    assert events.count("journal.segment_left") == 1
    assert events.count("journal.unavailable") == 1
    (cause,) = journal.counters.left
    assert cause in ("removed", "replaced", "truncated")
    # What is answered from here on is there.
    assert await bench.say() == "written"
    kept = bench.desk.events[-1][1]
    journal.close()
    assert kept.encode() in b"".join(segment.path.read_bytes() for segment in segments(journal.folder))
    # What went is told by whoever asks: a removed segment is missed, a shortened one found, a copy goes on.
    if take in (segment_replaced, folder_replaced_by_an_older_copy):
        assert bench.problems() == []
    else:
        assert {"missing", "size", "torn"} & set(bench.problems())


async def test_the_journal_s_own_folder_is_not_made_again(bench: Bench) -> None:
    """Where that is gone a disk is missing: a folder in its place would take records that nobody looks for."""
    aside = bench.root.with_name("aside")
    bench.root.rename(aside)
    await bench.until(False)
    for _ in range(3):
        assert await bench.say() == "journal.unavailable"
        await asyncio.sleep(0.02)
    assert not bench.root.exists()
    aside.rename(bench.root)
    await bench.until(True)
    assert await bench.say() == "written"
    bench.journal.close()
    assert bench.problems() == []  # nothing was lost, and the segment goes on where it was left


async def test_a_new_journal_may_be_put_in_its_place(bench: Bench) -> None:
    shutil.rmtree(bench.root)
    await bench.until(False)
    bench.root.mkdir()
    await bench.until(True)
    assert await bench.say() == "written"
    bench.journal.close()
    assert bench.problems() == ["missing"]


async def test_a_folder_where_nothing_can_be_made(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real_access, real_open = os.access, os.open
    writable = False

    def access(path: Any, mode: int) -> bool:
        return writable and real_access(path, mode)

    def opened(path: Any, flags: int, *more: Any) -> int:
        if flags & os.O_CREAT and not writable:
            raise OSError(30, "Read-only file system")
        return real_open(path, flags, *more)

    monkeypatch.setattr("gateway.journal.write.segments.os.access", access)
    monkeypatch.setattr("gateway.journal.write.segments.os.open", opened)
    await bench.until(False)
    assert bench.journal.counters.left == {"read-only": 1}
    assert await bench.say() == "journal.unavailable"
    writable = True
    await bench.until(True)
    assert await bench.say() == "written"
    bench.journal.close()
    assert bench.problems() == []


async def test_what_was_under_way_when_it_was_noticed_is_answered(
    make_writer, journalist, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is in the thread: the segment is left when it has landed, and what came meanwhile is refused."""
    journal = make_writer(fsync="always")
    bench = Bench(journal, journalist(journal), root)
    assert await bench.say() == "written"
    tail = journal._log.tail
    bench.desk.judged()
    await asyncio.sleep(0)  # its turn: the batch is with the thread
    assert journal._busy
    journal._misplaced(tail, "removed")
    assert journal.available
    bench.desk.judged()
    bench.said += 2
    await bench.desk.told(bench.said)
    assert [event for event, _ in bench.desk.events[-2:]] == ["written", "journal.unavailable"]
    await bench.until(True)
    assert await bench.say() == "written"


async def test_a_worker_that_lost_its_folder_does_not_take_another_s(bench: Bench) -> None:
    """Somebody else owns the folder that stands there now: it is waited for, not shared."""
    from gateway.journal.write.segments import Owner

    shutil.rmtree(bench.journal.folder)
    other = Owner(bench.journal.folder)
    await bench.until(False)
    await asyncio.sleep(0.05)
    assert await bench.say() == "journal.unavailable"
    other.release()
    await bench.until(True)
    assert await bench.say() == "written"


async def test_how_far_a_sync_went_is_noted_for_a_start_after_a_power_cut(bench: Bench, root: Path) -> None:
    """Each second; a worker that is killed leaves it behind."""
    bench.journal._upkeep._tick()
    async with asyncio.timeout(10):
        while (noted := synced(bench.journal.folder)) is None or not noted.size:
            await asyncio.sleep(0.01)
    assert (noted.segment, noted.size) == (bench.segment.name, bench.segment.stat().st_size)


async def test_a_clock_that_is_set_under_a_living_writer_is_recorded(bench: Bench, read: Any) -> None:
    now = boot.reading()
    bench.journal.clock._look = lambda: now._replace(time=now.time + 3_600_000_000)
    with capture_logs() as told:
        bench.journal._upkeep._tick()
        bench.journal._upkeep._tick()
        bench.journal.flush()
    assert [line["seconds"] for line in told if line["event"] == "clock.leapt"] == [pytest.approx(3600, abs=5)]
    leaps = [line.record for line in read(bench.journal.folder) if line.record["kind"] == "leap"]
    assert [(leap["seen"], round(leap["by"] / 1e6 / 60)) for leap in leaps] == [("running", 60)]
    assert (bench.journal.clock.leaps, round(bench.journal.clock.total / 1e6 / 60)) == (1, 60)
