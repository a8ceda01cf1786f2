"""kill -9, torn tails at every byte, outcomes that nobody heard, folders of workers that are gone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import pytest

from gateway.common import boot
from gateway.common.boot import ClockReading
from gateway.journal.read import verification
from gateway.journal.write import encoding, recovery
from gateway.journal.write import segments as segments_module
from gateway.journal.write.errors import Locked
from gateway.journal.write.ids import Ids
from gateway.journal.write.record import onward, outcome
from gateway.journal.write.segments import Line, Owner, Synced, segments

Read = Callable[[Path], list[Line]]
WRITING = Path(__file__).with_name("writing.py")
KILLS = 8


def start(folder: Path) -> recovery.Recovered:
    """One epoch that begins and ends in order."""
    owner = Owner(folder)
    ids = Ids(1, 0)
    log, found = recovery.begin(folder, ids, always=False)
    recovery.end(log, ids)
    owner.release()
    return found


def open_ids(lines: list[Line]) -> set[str]:
    """The oracle: messages that were passed and have no outcome, over the whole of a folder."""
    found: set[str] = set()
    for line in lines:
        assert line.record is not None
        if line.record["kind"] == "judged":
            found.add(line.record["id"])
        elif line.record["kind"] == "outcome":
            found.discard(line.record["id"])
    return found


@pytest.mark.parametrize("fsync", ["no", "always"])
def test_kill_9_loses_nothing_that_was_answered(root: Path, read: Read, fsync: str) -> None:
    told: list[str] = []
    command = [str(WRITING), str(root), fsync]
    for kill in range(KILLS):
        with Popen([sys.executable, *command], stdout=PIPE, stderr=DEVNULL) as process:
            assert process.stdout is not None
            # Some way into its work, another way each time.
            told += [process.stdout.readline().decode().strip() for _ in range(3 + 17 * kill)]
            process.kill()
            told += process.stdout.read().decode().split()
    folder = root / "n1" / "0"
    start(folder)
    report = verification.verify(root)
    assert report.problems == []
    lines = read(folder)
    judged = {line.record["id"] for line in lines if line.record and line.record["kind"] == "judged"}
    assert len(told) == len(set(told)) > 100
    assert set(told) <= judged
    assert len({segment.epoch for segment in segments(folder)}) == KILLS + 1
    assert open_ids(lines) == set()
    unknown = [line.record for line in lines if line.record and line.record.get("state") == "unknown"]
    assert unknown
    assert {record["reason"] for record in unknown} == {"worker.lost"}


async def _some(make_writer, journalist, count: int = 3) -> tuple[Path, list[str]]:
    journal = make_writer()
    desk = journalist(journal)
    ids = []
    for number in range(count):
        ids.append(desk.judged(text="长" * number))
        await desk.told(number + 1)
    return journal.folder, ids


@pytest.mark.parametrize("turned", [False, True])
def test_what_waited_for_its_delay_has_not_left(tmp_path: Path, read: Read, turned: bool) -> None:
    """Whether it went on before its worker died, its record ``onward`` tells; ``turned``: in the segment after it."""
    folder = tmp_path / "n1" / "0"
    owner = Owner(folder)
    ids = Ids(1, 0)
    log, _ = recovery.begin(folder, ids, always=False)
    waiting, gone, plain, over = ids(), ids(), ids(), ids()
    there = {waiting, gone, over}
    log.waiting = lambda: there
    told = [{"kind": "judged", "id": one, "verdict": "pass", "delay": 5.0} for one in (waiting, gone, over)]
    log.write([encoding.fields(one) for one in (*told, {"kind": "judged", "id": plain, "verdict": "pass"})])
    log.open.update((waiting, gone, plain, over))
    if turned:
        log.leave("size")
    log.write([onward(gone), encoding.fields(outcome(over, "refused", reason="delay.refused"))])
    owner.release()
    assert len(segments(folder)) == 1 + turned
    for death in (1, 2):  # whoever recovers it may die of it
        found = recovery.recover(folder)
        assert (found.open, found.waiting, found.unknown) == ({waiting, gone, plain}, {waiting}, {gone, plain}), death
    start(folder)
    told = [line.record for line in read(folder) if line.record and line.record["kind"] == "outcome"]
    assert {one["id"]: (one["state"], one["reason"]) for one in told} == {
        waiting: ("failed", "worker.lost"),
        gone: ("unknown", "worker.lost"),
        plain: ("unknown", "worker.lost"),
        over: ("refused", "delay.refused"),
    }
    assert start(folder).open == frozenset()


async def test_a_torn_tail_is_cut_at_every_byte(
    make_writer, journalist, tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, ids = await _some(make_writer, journalist)
    for sync in ("fsync", "fdatasync"):  # hundreds of starts, and no power cut among them
        monkeypatch.setattr(f"gateway.journal.write.segments.os.{sync}", lambda fd: None)
    whole = segments(folder)[0].path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for size in range(last, len(whole) + 1):
        copy = tmp_path / f"at-{size}" / "n1" / "0"
        copy.mkdir(parents=True)
        (copy / "000001-000001.jsonl").write_bytes(whole[:size])
        found = start(copy)
        torn = size not in (last, len(whole))
        kept = ids if size == len(whole) else ids[:-1]
        assert [cut["bytes"] for cut in found.cuts] == ([size - last] if torn else [])
        assert found.open == set(kept)
        report = verification.verify(copy.parent.parent)
        assert report.problems == []
        assert report.cuts == torn
        records = [line.record for line in read(copy)]
        assert [record["id"] for record in records if record["kind"] == "judged"] == kept
        shutil.rmtree(copy)


async def test_a_torn_header_leaves_the_segment_before(make_writer, journalist, read: Read) -> None:
    folder, ids = await _some(make_writer, journalist)
    whole = segments(folder)[0].path.read_bytes()
    header = whole[: whole.index(b"\n") + 1]
    (folder / "owner").unlink()
    for size in (0, 1, len(header) - 1):
        (folder / "000001-000002.jsonl").write_bytes(header[:size])
        found = recovery.recover(folder)
        assert found.previous == ("000001-000001.jsonl", len(whole))
        assert found.open == set(ids)
        assert len(found.cuts) == (size > 0)
        assert not (folder / "000001-000002.jsonl").exists()


async def test_rubbish_at_the_end_is_cut_and_damage_in_the_middle_is_not(make_writer, journalist, read: Read) -> None:
    folder, ids = await _some(make_writer, journalist)
    path = segments(folder)[0].path
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(4096) + b"\n" + bytes(100))
    found = recovery.recover(folder)
    assert found.cuts == ({"segment": path.name, "at": len(whole), "bytes": 4197},)
    assert path.read_bytes() == whole
    damaged = bytearray(whole)
    damaged[whole.index(ids[1].encode())] ^= 1
    path.write_bytes(damaged)
    found = recovery.recover(folder)
    assert found.cuts == ()
    assert found.open == {ids[0], ids[2]}
    assert path.read_bytes() == damaged


async def test_only_the_last_segment_is_read(make_writer, journalist, root: Path, monkeypatch) -> None:
    journal = make_writer(segment_size=1500)
    desk = journalist(journal)
    first = desk.judged()
    count = 1
    while len(segments(journal.folder)) < 3:
        message = desk.judged()
        journal.append(outcome(message, "delivered", status=200))
        count += 1
        await desk.told(count)
    await desk.told(count)
    journal.flush()
    shutil.copytree(journal.folder, root / "n1" / "7")
    copy = root / "n1" / "7"
    used = [segment for segment in segments(copy) if segment.path.stat().st_size]
    for segment in used[:-1]:
        segment.path.write_bytes(b"nobody reads this")
    assert recovery.recover(copy).open == {first}


async def test_a_crash_in_the_middle_of_recovery_leaves_it_to_the_next(make_writer, journalist, read: Read) -> None:
    folder, ids = await _some(make_writer, journalist)
    recovered = folder.parent / "8"
    shutil.copytree(folder, recovered)
    start(recovered)
    second = segments(recovered)[1].path
    whole = second.read_bytes()
    for size in range(0, whole.index(b"closed"), 61):
        copy = folder.parent / "9"
        shutil.copytree(folder, copy)
        (copy / second.name).write_bytes(whole[:size])
        start(copy)
        unknown = [line.record["id"] for line in read(copy) if line.record and line.record["kind"] == "outcome"]
        assert sorted(unknown) == sorted(ids)
        shutil.rmtree(copy)


async def test_the_folders_of_workers_that_are_gone(make_writer, journalist, root: Path, read: Read) -> None:
    folder, ids = await _some(make_writer, journalist)
    for name in ("1", "2"):
        shutil.copytree(folder, root / "n1" / name)
    new_id = Ids(1, 0)
    assert recovery.recover_dead(root / "n1", {"0", "1"}, new_id) == len(ids)
    assert open_ids(read(root / "n1" / "2")) == set()
    assert open_ids(read(root / "n1" / "1")) == set(ids)
    before = len(segments(root / "n1" / "2"))
    assert recovery.recover_dead(root / "n1", {"0", "1"}, new_id) == 0
    assert len(segments(root / "n1" / "2")) == before  # closed in order: nothing to do, nothing written
    assert recovery.recover_dead(root / "n1", {"1"}, new_id) == 0  # 0 is alive: its owner looks after it
    assert recovery.recover_dead(root / "nowhere", set(), new_id) == 0


async def test_an_empty_folder_begins_the_chain(root: Path) -> None:
    found = start(root / "n1" / "0")
    assert found == recovery.Recovered(1, bytes(32), None, frozenset(), (), 0)
    assert verification.verify(root).problems == []


class Machine:
    """Both clocks, in seconds; a power cut starts it anew."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time, self.uptime, self.boot = 1_800_000_000.0, 100_000.0, "first"
        monkeypatch.setattr("gateway.common.boot.reading", self)

    def __call__(self) -> ClockReading:
        return ClockReading(int(self.time * 1e6), self.boot, int(self.uptime * 1e6))

    def after(self, seconds: float) -> None:
        self.time += seconds
        self.uptime += seconds

    def started_again(self, seconds: float) -> None:
        self.after(seconds)
        self.uptime, self.boot = 20.0, self.boot + "'"


def life(folder: Path, *, ended: bool = False, synced: bool = True, always: bool = False) -> None:
    owner = Owner(folder)
    ids = Ids(1, 0)
    log, _ = recovery.begin(folder, ids, always=always)
    if synced:
        assert log.tail is not None
        owner.note(Synced(log.tail.segment.name, log.tail.size, boot.reading().time))
    if ended:
        recovery.end(log, ids)
    elif log.tail is not None:
        log.tail.close()
    owner.release()


def told(read: Read, folder: Path, kind: str) -> list[dict[str, Any]]:
    return [line.record for line in read(folder) if line.record is not None and line.record["kind"] == kind]


@pytest.mark.parametrize("synced", [True, False])
def test_a_power_cut_is_told_with_the_time_of_what_may_be_missing(
    root: Path, read: Read, monkeypatch: pytest.MonkeyPatch, synced: bool
) -> None:
    machine, folder = Machine(monkeypatch), root / "n1" / "0"
    began = machine().time
    life(folder, synced=synced)
    machine.started_again(300)
    start(folder)
    (stop,) = told(read, folder, "unclean")
    assert (stop["machine"], stop["from"], stop["to"]) == ("restarted", began, began + 280_000_000)
    assert (stop["synced"] is not None) is synced
    report = verification.verify(root)
    assert report.problems == []
    assert [(one.since, one.until, one.machine) for one in report.unclean] == [(stop["from"], stop["to"], "restarted")]
    start(folder)  # that one ended in order
    assert len(told(read, folder, "unclean")) == 1


def test_a_killed_process_is_told_from_a_power_cut(root: Path, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, folder = Machine(monkeypatch), root / "n1" / "0"
    life(folder)
    machine.after(5)
    life(folder, ended=True)
    (stop,) = told(read, folder, "unclean")
    assert (stop["machine"], stop["to"] - stop["from"]) == ("same", 5_000_000)


def test_where_each_record_was_on_disk_nothing_before_the_last_is_missing(
    root: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, folder = Machine(monkeypatch), root / "n1" / "0"
    owner = Owner(folder)
    log, _ = recovery.begin(folder, Ids(1, 0), always=True)
    machine.after(60)
    log.write([encoding.fields({"kind": "act", "id": "a", "time": machine().time})])
    last = machine().time
    owner.release()
    machine.started_again(60)
    start(folder)
    (stop,) = told(read, folder, "unclean")
    assert (stop["from"], stop["last"]) == (last, last)


def test_an_unclean_stop_that_no_start_has_told_of_yet(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch)
    life(root / "n1" / "0")
    report = verification.verify(root)
    assert [(one.folder, one.until) for one in report.unclean] == [("n1/0", 0)]
    owner = Owner(root / "n1" / "0")
    assert verification.verify(root).unclean == []  # somebody writes it
    owner.release()


def test_a_journal_of_the_version_before_is_read_and_gone_on_with(root: Path, read: Read) -> None:
    """Its first records tell no clock of the machine, its lock nothing at all."""
    folder = root / "n1" / "0"
    folder.mkdir(parents=True)
    opened = {
        "kind": "opened", "id": Ids(1, 0)(), "time": 1_700_000_000_000_000, "node": "n1", "worker": "0", "why": "start",
        "previous": None, "open": [],
    }  # fmt: skip
    line = encoding.chained(encoding.body(encoding.prefix(1), 0, encoding.fields(opened)), encoding.GENESIS)
    (folder / "000001-000001.jsonl").write_bytes(line)
    (folder / "owner").touch()
    start(folder)
    assert verification.verify(root).problems == []
    (stop,) = told(read, folder, "unclean")
    assert (stop["machine"], stop["synced"], stop["from"]) == ("unknown", None, 1_700_000_000_000_000)


@pytest.mark.parametrize("note", [b"", b"{}", b"[1]", b"x" * 500, b'{"segment":1}'])
def test_a_note_that_says_nothing_is_none(tmp_path: Path, note: bytes) -> None:
    (tmp_path / "owner").write_bytes(note)
    assert segments_module.synced(tmp_path) is None


@pytest.mark.parametrize(
    ("step", "restarted", "by"),
    [
        (3600, False, 3600),
        (-3600, False, -3600),
        (1, False, 0),
        (-3600, True, -3600 + 30),  # behind what was recorded: surely set
        (3600, True, 0),  # it may have been off for so long
        (400 * 86_400, True, 400 * 86_400 + 30),  # nobody leaves it off for so long
    ],
)
def test_a_clock_that_was_set_between_two_lives_is_told(
    root: Path, read: Read, monkeypatch: pytest.MonkeyPatch, step: float, restarted: bool, by: int
) -> None:
    machine, folder = Machine(monkeypatch), root / "n1" / "0"
    life(folder, ended=True)
    if restarted:
        machine.started_again(30)
    else:
        machine.after(30)
    machine.time += step
    assert start(folder).leap == by * 1_000_000
    assert [leap["by"] for leap in told(read, folder, "leap")] == ([by * 1_000_000] if by else [])
    assert start(folder).leap == 0  # told once
    assert verification.verify(root).leaps == bool(by)


def test_one_owner(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    with pytest.raises(Locked):
        Owner(tmp_path)
    owner.release()
    Owner(tmp_path).release()
