"""Bullets from before the gateway."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from gateway.journal.read.reader import records
from gateway.journal.write.ids import parse
from gateway.journal.write.segments import IMPORTS, Owner
from gateway.mirror.upkeep import importing
from gateway.mirror.upkeep.importing import BadLine, ImportRefused, Old, bring_in, bullet_id, read

ROUTE: Any = SimpleNamespace(name="live", playback_unit="s")


def line(**members: Any) -> bytes:
    return orjson.dumps({"id": "7", "room": "r1", "text": "hello", "at": 1_500_000_000, **members}) + b"\n"


def kept(journal: Path) -> list[dict[str, Any]]:
    folder = journal / IMPORTS
    found = [entry.record for entry in records(folder, lambda flaw: None)]
    return [made for made in found if made["kind"] == "imported"]


def test_what_a_line_may_say() -> None:
    lines = [line(time=12.5), b"\n", line(id=8, at="2017-07-14T10:40:00+08:00", text="弹幕"), line(id="x", time=None)]
    assert list(read(lines, ROUTE)) == [
        Old("7", "r1", "hello", 12_500, 1_500_000_000_000_000),
        Old("8", "r1", "弹幕", -1, 1_500_000_000_000_000),
        Old("x", "r1", "hello", -1, 1_500_000_000_000_000),
    ]
    (one,) = read([line(time=12)], SimpleNamespace(playback_unit="ms"))  # type: ignore[arg-type]
    assert isinstance(one, Old)
    assert one.playback_ms == 12


@pytest.mark.parametrize(
    "bad",
    [
        b"nonsense\n",
        b"[]\n",
        b"\xff\n",
        line(id=""),
        line(id=None),
        line(id=True),
        line(id="a\nb"),
        line(room="r" * 257),
        line(room=5),
        line(text=""),
        line(text=5),
        line(time="soon"),
        line(time=-1),
        line(time=1e9),
        line(at=None),
        line(at="yesterday"),
        line(at="2017-07-14T10:40:00"),
        line(at=-5),
        line(at=10**12),
        line(at=True),
        line(user="alice"),
        line(text="x" * 70_000),
    ],
)
def test_what_it_may_not(bad: bytes) -> None:
    (fault,) = read([bad], ROUTE)
    assert isinstance(fault, BadLine)
    assert "alice" not in fault.why
    assert "hello" not in fault.why


def test_all_or_nothing(tmp_path: Path) -> None:
    source = tmp_path / "old.ndjson"
    source.write_bytes(line() + b"nonsense\n" + line(id="8") + line(at="never"))
    with pytest.raises(ImportRefused) as refused:
        bring_in(source, tmp_path / "journal", ROUTE)
    assert [fault.line for fault in refused.value.faults] == [2, 4]
    assert not (tmp_path / "journal").exists()


def test_the_same_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 7)
    monkeypatch.setattr(importing, "SEGMENT", 4000)
    source = tmp_path / "old.ndjson"
    source.write_bytes(b"".join(line(id=str(number), at=1_500_000_000 + number) for number in range(50)))
    assert bring_in(source, tmp_path / "journal", ROUTE) == (50, 0)
    assert bring_in(source, tmp_path / "journal", ROUTE) == (0, 50)
    with source.open("ab") as file:
        file.write(line(id="new") + line(id="new"))
    assert bring_in(source, tmp_path / "journal", ROUTE) == (1, 51)
    found = kept(tmp_path / "journal")
    assert len(found) == len({made["id"] for made in found}) == 51
    from gateway.journal.read.verification import verify

    assert verify(tmp_path / "journal").problems == []


def test_killed_half_way_the_rest_comes_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 10)
    source = tmp_path / "old.ndjson"
    source.write_bytes(b"".join(line(id=str(number)) for number in range(35)))
    told: list[int] = []

    def die(count: int) -> None:
        told.append(count)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring_in(source, tmp_path / "journal", ROUTE, die)
    assert bring_in(source, tmp_path / "journal", ROUTE) == (15, 20)
    assert len(kept(tmp_path / "journal")) == 35


def test_one_import_at_a_time(tmp_path: Path) -> None:
    source = tmp_path / "old.ndjson"
    source.write_bytes(line())
    owner = Owner(tmp_path / "journal" / IMPORTS)
    with pytest.raises(OSError, match="another process"):
        bring_in(source, tmp_path / "journal", ROUTE)
    owner.release()


def test_ids_sort_by_time_and_name_their_bullet() -> None:
    one = bullet_id("r1", "7", 1_500_000_000_000_000)
    assert one == bullet_id("r1", "7", 1_500_000_000_000_000)
    assert one[14] == "8"
    assert one[19] in "89ab"
    assert one < bullet_id("r1", "7", 1_500_000_000_001_000)
    assert len({bullet_id("r1", "23", 5), bullet_id("r12", "3", 5), bullet_id("r", "123", 5)}) == 3
    with pytest.raises(ValueError, match="version 7"):
        parse(one)
