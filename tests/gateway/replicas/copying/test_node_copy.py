"""A whole node's copy: marked before anything is in it, never in a folder of our own, and what was heard is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.common.boot import ClockReading
from gateway.journal.write.errors import Locked
from gateway.journal.write.segments import copied, owned
from gateway.replicas.copying.fetched import Differing, Garbled, JournalFetched, SegmentPiece
from gateway.replicas.copying.node_copy import Heard, NodeCopy, NotACopy, heard, size
from gateway.replicas.copying.offering import Offering
from tests.gateway.replicas.copying.origin import Origin, contents

HERE, THERE = ClockReading(5, "here", 50), ClockReading(7, "there", 70)


def test_a_copy_of_all_folders(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    origins = [Origin(tmp_path / "there", worker) for worker in ("0", "255")]
    for origin in origins:
        origin.write(["x"])
    copy = NodeCopy(tmp_path / "here", 2, lambda: HERE)
    added = copy.take(Offering(tmp_path / "there", 2, lambda: THERE).collect({}, 1 << 20))
    copy.sync()
    with pytest.raises(Locked):
        NodeCopy(tmp_path / "here", 2)
    assert copied(copy.path) and owned(copy.path / "0")
    assert added == size(tmp_path / "here") > 0
    assert heard(copy.path) == Heard(2, HERE, THERE, HERE, 0)
    for origin in origins:
        assert contents(copy.path / origin.folder.name) == contents(origin.folder)
        origin.stop()
    copy.close()


def test_what_was_left_out_is_known(tmp_path: Path) -> None:
    copy = NodeCopy(tmp_path, 2, lambda: HERE)
    assert heard(copy.path) is None
    copy.take(JournalFetched(2, THERE, False, 9, (), ()))
    copy.sync()
    assert heard(copy.path) == Heard(2, HERE, THERE, None, 9)
    copy.take(JournalFetched(2, THERE, True, 0, (), ()))
    copy.take(JournalFetched(2, THERE, False, 3, (), ()))
    assert copy.heard == Heard(2, HERE, THERE, HERE, 3)
    copy.close()


def test_a_folder_of_our_own_is_never_written(tmp_path: Path) -> None:
    ours = Origin(tmp_path)
    ours.write(["x"])
    before = contents(ours.folder)
    with pytest.raises(NotACopy):
        NodeCopy(tmp_path, 2)
    assert contents(ours.folder) == before and not copied(ours.folder.parent)
    with pytest.raises(FileNotFoundError):  # the journal itself is never made: a disk is missing there
        NodeCopy(tmp_path / "nowhere", 2)
    ours.stop()


def test_what_was_not_asked_for_is_refused(tmp_path: Path) -> None:
    copy = NodeCopy(tmp_path, 2)
    with pytest.raises(Garbled):
        copy.take(JournalFetched(2, THERE, True, 0, (), (Differing("0", "000001-000001.jsonl", 1),)))
    many = tuple(SegmentPiece(str(n), "000001-000001.jsonl", 0, 0, False, b"") for n in range(301))
    with pytest.raises(Garbled):
        copy.take(JournalFetched(2, THERE, True, 0, many, ()))
    copy.close()
