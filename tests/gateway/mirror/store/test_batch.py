"""Many files as one, and the room's two slots."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.mirror.store import batch as batches
from gateway.mirror.store import index, slots
from gateway.mirror.store.batch import Batch
from gateway.mirror.store.index import PageRow
from gateway.mirror.store.sealed import Damaged, read, seal


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("count", [2, batches.MANY + 10])
def test_all_or_nothing(tmp_path: Path, durable: bool, count: int) -> None:
    batch = Batch(durable)
    for number in range(count):
        batch.put(tmp_path / f"{number}.html", b"x" * number)
    batch.link(tmp_path / "index.html", "1.html")
    batch.patch(tmp_path / "table", 4, b"row")
    batch.put_last(tmp_path / "last", b"end")
    before = len(names(Path("/proc/self/fd")))
    assert all(name.startswith(".new.") for name in names(tmp_path))
    batch.commit()
    assert names(tmp_path) == sorted([*(f"{number}.html" for number in range(count)), "index.html", "last", "table"])
    assert (tmp_path / "index.html").read_bytes() == b"x"
    assert (tmp_path / "table").read_bytes() == b"\0\0\0\0row"
    assert (tmp_path / "last").stat().st_mode & 0o777 == 0o600
    assert len(names(Path("/proc/self/fd"))) <= before


def test_given_up(tmp_path: Path) -> None:
    batch = Batch()
    batch.put(tmp_path / "a", b"a")
    batch.abandon()
    assert names(tmp_path) == []


def test_what_failed_leaves_no_traces_and_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        batch = Batch()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batches.os, "fdatasync", _fails)
            batch.put(tmp_path / "a", b"a")
            with pytest.raises(OSError, match="broken"):
                batch.commit()
    assert names(tmp_path) == []
    batch = Batch()
    batch.put(tmp_path / "a", b"a")
    batch.commit()
    assert names(tmp_path) == ["a"]


def _fails(descriptor: int) -> None:
    raise OSError("broken")


def test_the_last_file_comes_after_all(tmp_path: Path) -> None:
    batch = Batch(False)
    batch.patch(tmp_path / "nowhere" / "table", 0, b"x")
    batch.put_last(tmp_path / "last", b"end")
    with pytest.raises(FileNotFoundError):
        batch.commit()
    assert names(tmp_path) == []


def write(folder: Path, sequence: int, document: object, *, alone: bool = False) -> None:
    batch = Batch(False)
    slots.put(batch, folder, sequence, document, alone=alone)
    batch.commit()


def test_the_newest_whole_slot_counts(tmp_path: Path) -> None:
    assert slots.load(tmp_path) is None
    for sequence in range(1, 6):
        write(tmp_path, sequence, {"n": sequence, "pad": "x" * (1000 // sequence)})
        assert slots.load(tmp_path) == (sequence, {"n": sequence, "pad": "x" * (1000 // sequence)})
    newest = tmp_path / slots.SLOTS[1]
    data = newest.read_bytes()
    for torn in (data[:10], data[:40], b"", data[:30] + b"?" + data[31:]):
        newest.write_bytes(torn)
        found = slots.load(tmp_path)
        assert found is not None
        assert found[0] == 4


def test_both_slots_damaged(tmp_path: Path) -> None:
    write(tmp_path, 1, {})
    for name in slots.SLOTS:
        (tmp_path / name).write_bytes(b"garbage that is long enough to be a head")
    with pytest.raises(Damaged):
        slots.load(tmp_path)


def test_alone_leaves_nothing_of_the_past(tmp_path: Path) -> None:
    write(tmp_path, 1, {"text": "secret" * 50})
    write(tmp_path, 2, {"text": "secret" * 50})
    write(tmp_path, 3, {"text": ""}, alone=True)
    assert slots.load(tmp_path) == (3, {"text": ""})
    assert b"secret" not in b"".join((tmp_path / name).read_bytes() for name in slots.SLOTS)


def test_sealed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert read(path) is None
    path.write_bytes(seal({"a": [1, "弹"]}))
    assert read(path) == {"a": [1, "弹"]}
    for damage in (b"", b"{}", seal({})[:-1], b"x" + seal({})):
        path.write_bytes(damage)
        with pytest.raises(Damaged):
            read(path)


def an_id(number: int) -> str:
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def test_the_index_finds_pages(tmp_path: Path) -> None:
    batch = Batch(False)
    for number in range(1, 101):
        first = 15 if number == 60 else number * 10  # the sixtieth has something that came late
        index.put(batch, tmp_path, PageRow(number, an_id(first), an_id(number * 10 + 9), 10, number % 3))
    batch.commit()
    assert [row.number for row in index.candidates(tmp_path, 100, an_id(505))] == [50, 60]
    assert [row.number for row in index.candidates(tmp_path, 55, an_id(505))] == [50]
    assert index.candidates(tmp_path, 100, an_id(5)) == []
    assert index.candidates(tmp_path, 100, an_id(5000)) == []
    assert index.candidates(tmp_path, 0, an_id(505)) == []
    assert sum(row.removed for row in index.rows(tmp_path, 100)) == sum(number % 3 for number in range(1, 101))
    assert index.row(tmp_path, 60).first == an_id(15).replace("-", "")


def test_a_damaged_index(tmp_path: Path) -> None:
    with pytest.raises(Damaged):
        index.row(tmp_path, 1)
    batch = Batch(False)
    index.put(batch, tmp_path, PageRow(1, an_id(1), an_id(2), 2, 0))
    batch.commit()
    with pytest.raises(Damaged):
        index.row(tmp_path, 2)
    (tmp_path / index.NAME).write_bytes(b"?" * index.ROW)
    with pytest.raises(Damaged):
        index.row(tmp_path, 1)
    with pytest.raises(ValueError, match="UUID"):
        index.digits("abcd")
