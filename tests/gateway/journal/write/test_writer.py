"""Law 5, as the writer keeps it: order, once, after the write; slow, failing and full disks."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.read import verification
from gateway.journal.write import segments, writer
from gateway.journal.write.ids import Ids, parse
from gateway.journal.write.log import Log
from gateway.journal.write.record import outcome
from gateway.journal.write.upkeep import Upkeep


@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FIRST_PAUSE", 0.01)


class Disk:
    """Stands before ``os.write`` and ``os.fdatasync``; ``fail`` is asked before each of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes: list[int] = []
        self.threads: set[str] = set()
        self.before_write: Callable[[int, bytes], int | None] = lambda fd, data: None
        self.before_sync: Callable[[int], None] = lambda fd: None
        real_write, real_sync = os.write, os.fdatasync

        def write(fd: int, data: bytes) -> int:
            self.threads.add(threading.current_thread().name)
            short = self.before_write(fd, data)
            if short is not None:
                return real_write(fd, data[:short])
            self.writes.append(len(data))
            return real_write(fd, data)

        def sync(fd: int) -> None:
            self.before_sync(fd)
            real_sync(fd)

        monkeypatch.setattr(segments.os, "write", write)
        monkeypatch.setattr(segments.os, "fdatasync", sync)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def sound(root: Path) -> verification.JournalReport:
    report = verification.verify(root)
    assert report.problems == []
    return report


async def test_one_write_for_a_turn_and_answers_in_order(make_writer, journalist, disk: Disk, root: Path, read) -> None:
    journal = make_writer()
    desk = journalist(journal)
    disk.writes.clear()
    ids = [desk.judged() for _ in range(50)]
    assert desk.events == []  # never from inside append
    assert await desk.told(50) == [("written", one) for one in ids]
    assert len(disk.writes) == 1
    assert [line.record["id"] for line in read(journal.folder)][1:] == ids
    assert (journal.counters.records, journal.counters.batches) == (50, 1)
    assert sum(journal.counters.append_buckets) == 1
    journal.close()
    sound(root)


async def test_flush_writes_at_once_and_the_turn_then_has_nothing_to_do(make_writer, journalist, disk: Disk) -> None:
    journal = make_writer()
    desk = journalist(journal)
    disk.writes.clear()
    desk.judged()
    assert journal.lag() >= 0
    journal.flush()
    assert len(desk.events) == 1
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(disk.writes) == 1
    assert journal.lag() == 0


async def test_what_a_callback_appends_goes_with_the_next_batch(make_writer, journalist) -> None:
    journal = make_writer()
    desk = journalist(journal)
    order: list[str] = []

    def then() -> None:
        order.append("first")
        desk.judged()
        journal.flush()  # from inside a callback: waits for the rest of this batch

    journal.append({"kind": "act", "id": "a"}, then)
    journal.append({"kind": "act", "id": "b"}, lambda: order.append("second"))
    journal.flush()
    assert (order, desk.events) == (["first", "second"], [])
    assert len(await desk.told(1)) == 1


async def test_a_callback_that_raises_takes_no_other_answer(make_writer, journalist) -> None:
    journal = make_writer()
    desk = journalist(journal)
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))

    def fault() -> None:
        raise RuntimeError

    journal.append({"kind": "act", "id": "a"}, fault)
    desk.judged()
    journal.flush()
    assert [what for what, _ in desk.events] == ["written"]
    assert isinstance(reported[0]["exception"], RuntimeError)


async def test_a_fault_of_the_upkeep_takes_nobody_along(make_writer, journalist, monkeypatch) -> None:
    journal = make_writer()
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    def broken(upkeep: Upkeep, log: Log) -> None:
        raise TypeError("a fault of ours")

    monkeypatch.setattr(Upkeep, "tend", broken)
    desk = journalist(journal)
    for _ in range(2):
        desk.judged()
        journal.flush()
    await desk.told(2)
    assert [type(context["exception"]) for context in told[:2]] == [TypeError, TypeError]
    monkeypatch.undo()


async def test_what_is_not_json_leaves_nothing_behind(make_writer, journalist, root: Path) -> None:
    journal = make_writer()
    desk = journalist(journal)
    with pytest.raises(TypeError):
        journal.append({"kind": "judged", "id": "x", "verdict": "pass", "text": "\ud800"})
    with pytest.raises(KeyError):
        journal.append({"id": "x"})
    desk.judged()
    journal.flush()
    journal.close()
    assert sound(root).records == 3  # opened, judged, closed


async def test_slow_writes_move_to_the_thread_and_back(make_writer, journalist, disk: Disk, monkeypatch, root) -> None:
    """A fake clock makes each write slow or fast."""
    clock = [0.0]
    cost = [0.0061]

    def now() -> float:
        clock[0] += cost[0] / 2
        return clock[0]

    monkeypatch.setattr(writer, "perf_counter", now)
    journal = make_writer()
    desk = journalist(journal)
    for count in range(1, writer.SLOW_WRITES + 1):
        assert not journal.threaded
        desk.judged()
        await desk.told(count)
    assert journal.threaded
    disk.threads.clear()
    told = len(desk.events)
    cost[0] = 0.0001
    for count in range(1, writer.CALM_WRITES + 1):
        assert journal.threaded
        desk.judged()
        journal.flush()
        assert len(desk.events) == told + count - 1  # the answer waits for the thread
        await desk.told(told + count)
    assert disk.threads == {"journal-append"}
    assert not journal.threaded
    assert journal.counters.slow_writes == writer.SLOW_WRITES
    journal.close()
    assert sound(root).records == len(desk.events) + 2


async def test_records_that_come_while_the_thread_writes_go_together(make_writer, journalist, disk: Disk) -> None:
    journal = make_writer(fsync="always")
    desk = journalist(journal)
    gate = threading.Event()
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(fd: int, data: bytes) -> None:
        loop.call_soon_threadsafe(started.set)
        assert gate.wait(10)

    disk.before_write = hold
    first = desk.judged()
    journal.flush()
    await started.wait()
    later = [desk.judged() for _ in range(20)]
    journal.flush()
    await asyncio.sleep(0)
    assert desk.events == []
    assert journal.lag() > 0
    gate.set()
    assert await desk.told(21) == [("written", one) for one in [first, *later]]
    assert journal.counters.batches == 2


async def test_the_queue_is_bounded_and_says_so(make_writer, journalist, disk: Disk, root: Path) -> None:
    journal = make_writer(fsync="always", max_waiting=1000)
    desk = journalist(journal)
    gate = threading.Event()
    disk.before_write = lambda fd, data: None if gate.wait(10) else 0
    desk.judged()
    journal.flush()
    for _ in range(20):
        desk.judged()
    gate.set()
    events = await desk.told(21)
    refused = [what for what, _ in events if what == "journal.queue"]
    assert 0 < len(refused) < 20
    assert journal.counters.refused == len(refused)
    assert journal.available
    journal.close()
    assert sound(root).records == 21 - len(refused) + 2


async def test_always_answers_after_the_sync(make_writer, journalist, disk: Disk) -> None:
    synced: list[int] = []
    journal = make_writer(fsync="always")
    desk = journalist(journal)
    disk.before_sync = synced.append
    journal.append({"kind": "act", "id": "a"}, lambda: synced.append(-1))
    desk.judged()
    await desk.told(1)
    assert synced[1:] == [-1]


async def test_a_short_write_goes_to_another_segment(make_writer, journalist, disk: Disk, root: Path, read) -> None:
    journal = make_writer()
    desk = journalist(journal)
    first = desk.judged()
    await desk.told(1)
    cuts = iter([100])
    disk.before_write = lambda fd, data: next(cuts, None)
    rest = [desk.judged() for _ in range(5)]
    assert await desk.told(6) == [("written", one) for one in [first, *rest]]
    journal.close()
    found = segments.segments(journal.folder)
    assert len(found) == 2
    assert segments.header(found[1].path)["why"] == "write failed"
    assert [line.record["id"] for line in read(journal.folder) if line.record["kind"] == "judged"] == [first, *rest]
    assert journal.counters.write_failures == 1
    assert sound(root).beyond == 0


async def test_what_a_failed_write_left_does_not_count(make_writer, journalist, disk, root, monkeypatch) -> None:
    """Not even a cut works: the next header says where the segment ended."""
    journal = make_writer()
    desk = journalist(journal)
    cuts = iter([450])
    disk.before_write = lambda fd, data: next(cuts, None)

    def no_cut(fd: int, size: int) -> None:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(segments.os, "ftruncate", no_cut)
    for _ in range(5):
        desk.judged()
    await desk.told(5)
    journal.close()
    report = sound(root)
    assert report.beyond == 450
    assert report.records == 5 + 2 + 1


@pytest.mark.parametrize("fsync", ["no", "always"])
async def test_nothing_can_be_written_for_a_while(make_writer, journalist, disk, root, fsync) -> None:
    journal = make_writer(fsync=fsync)
    desk = journalist(journal)
    before = desk.judged()
    await desk.told(1)

    def full(fd: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "full")

    disk.before_write = full
    lost = [desk.judged() for _ in range(3)]
    assert await desk.told(4) == [("written", before), *(("journal.unavailable", one) for one in lost)]
    assert not journal.available
    assert not journal.ready
    late = desk.judged()
    assert len(desk.events) == 4
    assert (await desk.told(5))[-1] == ("journal.unavailable", late)
    disk.before_write = lambda fd, data: None
    async with asyncio.timeout(10):
        while not journal.available:
            await asyncio.sleep(0.005)
    after = desk.judged()
    assert (await desk.told(6))[-1] == ("written", after)
    assert journal.awaiting() == 2
    assert journal.counters.refused == 4
    journal.close()
    assert sound(root).records == 2 + 2 + 1  # the records, two headers, closed
    last = segments.segments(journal.folder)[-1]
    assert segments.header(last.path)["refused"] == 4
    assert segments.header(last.path)["open"] == [before]


async def test_what_has_already_happened_waits_for_its_record(make_writer, journalist, disk, root, read) -> None:
    """An outcome cannot be refused: it is written as soon as anything can be, once, and in order."""
    journal = make_writer(fsync="no")
    desk = journalist(journal)
    passed = [desk.judged() for _ in range(3)]
    await desk.told(3)

    def full(fd: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "full")

    disk.before_write = full
    for message in passed[:2]:
        journal.insist(outcome(message, "delivered", status=201))
    desk.judged()
    await desk.told(4)
    assert not journal.available
    journal.insist(outcome(passed[2], "failed", reason="upstream.refused"))
    disk.before_write = lambda fd, data: None
    async with asyncio.timeout(10):
        while journal.awaiting():
            await asyncio.sleep(0.005)
    journal.close()
    sound(root)
    told = [line.record for line in read(journal.folder) if line.record["kind"] == "outcome"]
    assert [(one["id"], one["state"]) for one in told] == [
        (passed[0], "delivered"), (passed[1], "delivered"), (passed[2], "failed")
    ]  # fmt: skip


async def test_what_has_already_happened_outlasts_a_full_queue(make_writer, journalist, root, read) -> None:
    journal = make_writer(fsync="no", max_waiting=200)
    desk = journalist(journal)
    ids = [desk.judged(text="x" * 300)]
    journal.insist(outcome(ids[0], "delivered", status=201))
    async with asyncio.timeout(10):
        while not any(line.record["kind"] == "outcome" for line in read(journal.folder)):
            await asyncio.sleep(0.01)


async def test_a_full_disk(make_writer, journalist, small_disk: Path, read) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(200_000))
    journal = make_writer(folder=small_disk, fsync="no")
    desk = journalist(journal)
    assert journal.ready
    while journal.available:
        desk.judged(text="x" * 5000)
        await desk.told(len(desk.events) + 1)
    assert desk.events[-1][0] == "journal.unavailable"
    ballast.unlink()
    async with asyncio.timeout(10):
        while not journal.available:
            await asyncio.sleep(0.005)
    after = desk.judged()
    assert (await desk.told(len(desk.events) + 1))[-1] == ("written", after)
    journal.close()
    sound(small_disk)
    assert [line.record["id"] for line in read(journal.folder) if line.record["kind"] == "judged"] == [
        one for what, one in desk.events if what == "written"
    ]


async def test_a_read_only_disk(make_writer, journalist, small_disk: Path, read_only_disk) -> None:
    read_only_disk(True)
    journal = make_writer(folder=small_disk)
    desk = journalist(journal)
    assert not journal.available
    desk.judged()
    assert (await desk.told(1))[0][0] == "journal.unavailable"
    read_only_disk(False)
    async with asyncio.timeout(10):
        while not journal.available:
            await asyncio.sleep(0.005)
    desk.judged()
    assert (await desk.told(2))[1][0] == "written"
    journal.close()
    sound(small_disk)


async def test_a_folder_with_an_owner_is_waited_for(make_writer, root: Path) -> None:
    first = make_writer()
    second = make_writer()
    assert first.available
    assert not second.available
    first.close()
    async with asyncio.timeout(10):
        while not second.available:
            await asyncio.sleep(0.005)
    second.close()
    sound(root)


async def test_a_failed_fsync_is_never_retried_always(make_writer, journalist, disk: Disk, root: Path) -> None:
    journal = make_writer(fsync="always")
    desk = journalist(journal)
    first = desk.judged()
    await desk.told(1)
    faults = iter([OSError(errno.EIO, "no")])
    synced: list[str] = []

    def sync(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        for fault in faults:
            raise fault

    disk.before_sync = sync
    second = desk.judged()
    assert await desk.told(2) == [("written", first), ("written", second)]
    assert synced == ["000001-000001.jsonl", "000001-000002.jsonl"]
    assert journal.counters.sync_failures == 1
    assert segments.header(segments.segments(journal.folder)[-1].path)["why"] == "sync failed"
    journal.close()
    sound(root)


async def test_a_failed_fsync_is_never_retried_everysec(make_writer, journalist, disk: Disk, root: Path, read) -> None:
    journal = make_writer(fsync="everysec")
    desk = journalist(journal)
    desk.judged()
    await desk.told(1)
    synced: list[str] = []
    faults = iter([OSError(errno.EIO, "no")])

    def sync(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        for fault in faults:
            raise fault

    disk.before_sync = sync
    async with asyncio.timeout(10):
        while not journal.counters.sync_failures:
            await asyncio.sleep(0.01)
    desk.judged()
    await desk.told(2)
    journal.close()
    assert synced == ["000001-000001.jsonl", "000001-000002.jsonl"]
    kinds = [line.record["kind"] for line in read(journal.folder)]
    assert kinds == ["opened", "judged", "opened", "unsynced", "judged", "closed"]
    doubt = read(journal.folder)[3].record
    assert (doubt["segment"], doubt["from"], doubt["error"]) == ("000001-000001.jsonl", 0, "EIO")
    sound(root)


async def test_segments_follow_one_another_by_size(make_writer, journalist, root: Path, read) -> None:
    journal = make_writer(segment_size=2000)
    desk = journalist(journal)
    ids = []
    async with asyncio.timeout(20):
        while len(segments.segments(journal.folder)) < 4:
            ids.append(desk.judged())
            journal.append(outcome(ids[-1], "delivered", status=200))
            await desk.told(len(ids))
            await asyncio.sleep(0.001)
    journal.close()
    assert sound(root).segments == len(segments.segments(journal.folder))
    assert [line.record["seq"] for line in read(journal.folder) if line.record["kind"] != "opened"] == list(
        range(1, 2 * len(ids) + 2)
    )


async def test_segments_follow_one_another_by_age(make_writer, journalist, root: Path) -> None:
    journal = make_writer(segment_age=0.0)
    desk = journalist(journal)
    async with asyncio.timeout(10):
        while journal.counters.segments < 2:
            desk.judged()
            await desk.told(len(desk.events) + 1)
            await asyncio.sleep(0.01)
    assert segments.header(segments.segments(journal.folder)[1].path)["why"] == "age"
    journal.close()
    sound(root)


async def test_low_disk_is_not_ready(make_writer) -> None:
    assert make_writer(worker=1, low_disk=1 << 60, full_disk=0).ready
    low = make_writer(worker=2, low_disk=1 << 60, full_disk=1 << 60)
    assert low.available
    assert not low.ready
    assert low.space.level == "low"


async def test_ids_go_on_from_what_is_recorded(root: Path, make_writer, journalist) -> None:
    journal = make_writer()
    desk = journalist(journal)
    newest = desk.judged()
    await desk.told(1)
    journal.close()
    ids = Ids(1, 0, clock=lambda: 1_000_000_000)
    again = writer.Writer(root, "n1", 0, ids=ids, settings=journal._settings, loop=asyncio.get_running_loop())
    again.start()
    assert parse(ids()).time_ms >= parse(newest).time_ms
    assert ids() > newest
    again.close()


async def test_after_close_everything_is_refused(make_writer, journalist) -> None:
    journal = make_writer()
    desk = journalist(journal)
    desk.judged()
    journal.close()
    assert desk.events[0][0] == "written"
    desk.judged()
    assert (await desk.told(2))[1][0] == "journal.closed"
    journal.close()
