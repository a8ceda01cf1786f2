"""kill -9, torn tails at every byte, outcomes that nobody heard, folders of workers that are gone."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import pytest

from gateway.journal.read import verification
from gateway.journal.write import recovery
from gateway.journal.write.errors import Locked
from gateway.journal.write.ids import Ids
from gateway.journal.write.record import outcome
from gateway.journal.write.segments import Line, Owner, segments

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


def test_one_owner(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    with pytest.raises(Locked):
        Owner(tmp_path)
    owner.release()
    Owner(tmp_path).release()
