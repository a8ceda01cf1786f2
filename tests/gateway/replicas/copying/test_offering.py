"""What a node gives of its journal: whole lines of what is written, everything of what is ended, each in its turn."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.journal.write.segments import COPIED, name, segments
from gateway.replicas.copying.fetched import Differing, SegmentPlace, before
from gateway.replicas.copying.offering import Offering
from tests.gateway.replicas.copying.origin import Origin


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)


def place(origin: Origin, segment: int = -1, offset: int | None = None) -> SegmentPlace:
    path = segments(origin.folder)[segment].path
    data = path.read_bytes()[:offset]
    return SegmentPlace(path.name, len(data), before(data))


def test_a_line_that_is_being_written_is_not_given(origin: Origin) -> None:
    offering = Offering(origin.root, 2)
    assert offering.collect({}, 1 << 20).pieces == ()
    origin.write(["one"])
    there = place(origin)
    with segments(origin.folder)[0].path.open("ab") as file:
        file.write(b'{"v":1,')
    told = offering.collect({}, 1 << 20)
    assert [(len(piece.data), piece.final) for piece in told.pieces] == [(there.offset, False)]
    assert (told.complete, told.behind) == (True, 0)
    again = offering.collect({"0": [there]}, 1 << 20)
    assert again.pieces == ()  # more is there, and no whole line


def test_what_is_ended_is_given_as_it_stands_and_prepared_files_not_at_all(origin: Origin) -> None:
    origin.write(["one"])
    origin.rotate()
    first = segments(origin.folder)[0].path
    with first.open("ab") as file:
        file.write(b"beyond what counts")
    offering = Offering(origin.root, 2)
    assert [piece.final for piece in offering.collect({}, 1 << 20).pieces] == [False]
    (origin.folder / name(1, 2)).touch()
    assert [piece.final for piece in offering.collect({}, 1 << 20).pieces] == [False]
    (origin.folder / name(1, 2)).unlink()
    origin.write(["two"])
    pieces = offering.collect({}, 1 << 20).pieces
    assert [(piece.final, piece.data.endswith(b"beyond what counts")) for piece in pieces] == [
        (True, True),
        (False, False),
    ]


def test_bounds_hold_and_folders_take_turns(origin: Origin) -> None:
    other = Origin(origin.root, "1")
    for one in (origin, other):
        for _ in range(3):
            one.write(["x" * 3000 for _ in range(10)])
            one.rotate()
    offering = Offering(origin.root, 2)
    first = offering.collect({}, 10_000)
    second = offering.collect({}, 10_000)
    assert {piece.folder for piece in first.pieces} | {piece.folder for piece in second.pieces} == {"0", "1"}
    for told in (first, second):
        assert sum(len(piece.data) for piece in told.pieces) <= 10_000
        assert all(piece.data.endswith(b"\n") for piece in told.pieces)
        whole = sum(path.stat().st_size for path in origin.root.rglob("*.jsonl"))
        assert (told.complete, told.behind) == (False, whole - sum(len(piece.data) for piece in told.pieces))
    assert sum(len(piece.data) for piece in offering.collect({}, 100).pieces) > 100  # a longer line comes whole


def test_what_stands_otherwise_is_told(origin: Origin) -> None:
    origin.write(["one"])
    there = place(origin)
    offering = Offering(origin.root, 2)
    for asked, size in (
        (there._replace(before="0" * 32), there.offset),
        (there._replace(offset=there.offset + 1), there.offset),
        (there._replace(segment=name(9, 9)), -1),
    ):
        told = offering.collect({"0": [asked]}, 1 << 20)
        assert (told.pieces, told.differing) == ((), (Differing("0", asked.segment, size),))
        found = offering.collect({"0": [asked, there]}, 1 << 20)
        assert [(piece.offset, piece.data) for piece in found.pieces] == [(there.offset, b"")]
    origin.rotate()
    origin.write(["two"])
    segments(origin.folder)[0].path.unlink()
    os.utime(origin.folder)
    told = offering.collect({"0": [there]}, 1 << 20)  # what is older than all that is left was pruned
    assert [(piece.offset, piece.segment) for piece in told.pieces] == [(0, name(1, 2))]


def test_copies_are_never_given(origin: Origin) -> None:
    origin.write(["one"])
    (origin.folder.parent / COPIED).touch()
    assert Offering(origin.root, 2).collect({}, 1 << 20).pieces == ()
