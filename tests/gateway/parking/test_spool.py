"""What is parked is on disk before anybody hears of it, in as few files as the disk allows."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gateway.parking import spool as spools
from gateway.parking.seal import Seal
from gateway.parking.spool import ENDING, Spool, tidied, write
from gateway.parking.spooled import read

SEAL = Seal(bytes(32))


class Waiting:
    """Writes down what it hears, and when it does."""

    def __init__(self, name: str, told: list[tuple[str, str, str]]) -> None:
        self.name = name
        self.told = told
        self.over = asyncio.get_running_loop().create_future()

    def on_parked(self, file: str) -> None:
        self.told.append((self.name, "parked", file))
        self.over.set_result(None)

    def on_unparked(self, cause: str) -> None:
        self.told.append((self.name, "unparked", cause))
        self.over.set_result(None)


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


async def test_a_turn_is_one_file_and_all_of_it_is_there(tmp_path: Path) -> None:
    told: list[tuple[str, str, str]] = []
    spool = Spool(tmp_path / "park" / "1", SEAL, asyncio.get_running_loop())
    both = [Waiting("a", told), Waiting("b", told)]
    spool.park("m1", b"one", both[0])
    spool.park("m2", b"two", both[1])
    assert told == []  # never from inside
    await asyncio.gather(*[each.over for each in both])
    assert told == [("a", "parked", f"m1{ENDING}"), ("b", "parked", f"m1{ENDING}")]
    assert files(spool.folder) == [f"m1{ENDING}"]
    found = read(spool.folder / f"m1{ENDING}")
    assert [(each.message_id, SEAL.open(*each)) for each in found.frames] == [("m1", b"one"), ("m2", b"two")]
    assert (spool.folder / f"m1{ENDING}").stat().st_mode & 0o777 == 0o600
    spool.close()


async def test_what_comes_while_a_file_is_written_goes_into_the_next(tmp_path: Path) -> None:
    told: list[tuple[str, str, str]] = []
    spool = Spool(tmp_path, SEAL, asyncio.get_running_loop())
    first = Waiting("a", told)
    spool.park("m1", b"1", first)
    await asyncio.sleep(0)  # its turn: the thread has it
    later = [Waiting(str(n), told) for n in range(2, 9)]
    for n, each in enumerate(later, 2):
        spool.park(f"m{n}", b"x", each)
        await asyncio.sleep(0)
    await asyncio.gather(first.over, *[each.over for each in later])
    assert [name for name, _, _ in told] == ["a", *[each.name for each in later]]
    assert 2 <= len(files(tmp_path)) <= 1 + len(later)
    spool.close()


async def test_what_cannot_be_written_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str, str]] = []
    spool = Spool(tmp_path, SEAL, asyncio.get_running_loop())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spools.os, "fsync", full)
    lost = Waiting("lost", told)
    spool.park("m1", b"1", lost)
    await lost.over
    monkeypatch.undo()
    assert files(tmp_path) == []
    kept = Waiting("kept", told)
    spool.park("m2", b"2", kept)
    await kept.over
    assert told == [("lost", "unparked", "disk"), ("kept", "parked", f"m2{ENDING}")]
    spool.close()


async def test_a_folder_that_cannot_be_synced_promises_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync
    calls: list[int] = []

    def second_fails(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(spools.os, "fsync", second_fails)
    with pytest.raises(OSError, match="Input/output"):
        write(tmp_path, f"m1{ENDING}", [("m1", b"x")])
    assert files(tmp_path) == []


async def test_what_waits_is_bounded_and_a_closed_spool_takes_nothing(tmp_path: Path) -> None:
    told: list[tuple[str, str, str]] = []
    spool = Spool(tmp_path, SEAL, asyncio.get_running_loop(), most=100)
    waiting = [Waiting("a", told), Waiting("b", told), Waiting("c", told)]
    spool.park("m1", b"x" * 60, waiting[0])
    spool.park("m2", b"x" * 60, waiting[1])
    spool.close()
    spool.park("m3", b"x", waiting[2])
    await asyncio.gather(*[each.over for each in waiting])
    assert told == [("b", "unparked", "queue"), ("a", "parked", f"m1{ENDING}"), ("c", "unparked", "closed")]


async def test_one_callers_fault_takes_no_answer_of_another(tmp_path: Path) -> None:
    told: list[tuple[str, str, str]] = []
    loop = asyncio.get_running_loop()
    faults: list[object] = []
    loop.set_exception_handler(lambda _, context: faults.append(context["exception"]))

    class Faulty(Waiting):
        def on_parked(self, file: str) -> None:
            raise RuntimeError("a fault")

    spool = Spool(tmp_path, SEAL, loop)
    spool.park("m1", b"1", Faulty("a", told))
    sound = Waiting("b", told)
    spool.park("m2", b"2", sound)
    await sound.over
    assert len(faults) == 1
    spool.close()


def test_what_a_crash_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "m1.spool.part").write_bytes(b"half")
    os.utime(tmp_path / "m1.spool.part", (1, 1))
    (tmp_path / "m2.spool.part").write_bytes(b"young")
    (tmp_path / "m0.spool").write_bytes(b"whole")
    assert tidied(tmp_path) == 1
    assert files(tmp_path) == ["m0.spool", "m2.spool.part"]
    assert tidied(tmp_path / "none") == 0
