"""What fits is appended, what does not is refused, damage is asked for twice, and nothing is thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.journal.write.segments import Synced, name, segments, synced
from gateway.replicas.copying.fetched import Differing, Garbled, SegmentPiece, SegmentPlace, before
from gateway.replicas.copying.folder_copy import Doubted, FolderCopy
from tests.gateway.replicas.copying.origin import Origin, contents


def lines_of(tmp_path: Path, count: int = 3) -> list[bytes]:
    origin = Origin(tmp_path / "origin")
    origin.write([f"text {number}" for number in range(count)])
    origin.stop()
    return segments(origin.folder)[0].path.read_bytes().splitlines(keepends=True)


def piece(data: bytes, offset: int = 0, number: int = 1, final: bool = False) -> SegmentPiece:
    return SegmentPiece("0", name(1, number), offset, offset + len(data), final, data)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    first, second, *_ = lines_of(tmp_path)
    copy = FolderCopy(tmp_path / "node-2" / "0")
    assert copy.places() == []
    with pytest.raises(Garbled):
        copy.take(piece(first, offset=4))
    assert copy.take(piece(first)) == len(first)
    for wrong in (piece(first), piece(second, offset=1), piece(first, number=0), piece(second, len(first), number=2)):
        with pytest.raises(Garbled):
            copy.take(wrong)
    assert copy.places() == [SegmentPlace(name(1, 1), len(first), before(first))]
    assert copy.take(piece(second, len(first))) == len(second)
    with pytest.raises(Garbled):
        copy.differs(Differing("0", name(7, 7), 0))
    copy.close()


def test_a_damaged_line_is_fetched_once_more_and_then_believed(tmp_path: Path) -> None:
    first, second, third, *_ = lines_of(tmp_path)
    broken = second.replace(b"text", b"texx")
    copy = FolderCopy(tmp_path / "node-2" / "0")
    with pytest.raises(Doubted):
        copy.take(piece(first + broken))
    assert copy.take(piece(first)) == len(first)  # it was whole this time, and less
    with pytest.raises(Doubted):
        copy.take(piece(broken, len(first)))
    with pytest.raises(Doubted):
        copy.take(piece(second.replace(b"text", b"tuxt"), len(first)))  # otherwise broken: not the same
    with pytest.raises(Doubted):
        copy.take(piece(broken, len(first)))
    assert copy.flaws == 0
    assert copy.take(piece(broken + third, len(first))) == len(broken + third)
    assert copy.flaws == 1
    copy.close()
    assert segments(tmp_path / "node-2" / "0")[0].path.read_bytes() == first + broken + third


def test_a_start_believes_what_was_synced_and_reads_the_rest(tmp_path: Path) -> None:
    first, second, third, *_ = lines_of(tmp_path)
    folder = tmp_path / "node-2" / "0"
    copy = FolderCopy(folder)
    copy.take(piece(first + second))
    copy.sync()
    noted = synced(folder)
    assert noted is not None and noted[:2] == (name(1, 1), len(first + second))
    copy.take(piece(third, len(first + second)))
    copy.close()
    path = segments(folder)[0].path
    path.write_bytes(first + second + third[:-9] + b"\x00" * 9)  # the power failed
    copy = FolderCopy(folder)
    assert (copy.size, path.read_bytes()) == (len(first + second), first + second)
    copy.close()
    path.write_bytes(first + b"\x00" * len(second))  # the disk forgot what it had synced: told by verification
    copy = FolderCopy(folder)
    assert copy.size == len(first + second)
    copy._owner.note(Synced(name(1, 9), 1 << 40, 0))  # a note of another segment says nothing
    copy.close()
    assert FolderCopy(folder).size == len(first)


def test_a_hole_is_counted(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin")
    for _ in range(3):
        origin.write(["x"])
        origin.rotate()
    data = [one.path.read_bytes() for one in segments(origin.folder)]
    copy = FolderCopy(tmp_path / "node-2" / "0")
    copy.take(piece(data[0]))
    copy.take(piece(data[2], number=3))
    assert copy.holes == 1
    copy.close()


def test_what_the_other_side_has_otherwise_goes_aside(tmp_path: Path) -> None:
    first, second, third, *_ = lines_of(tmp_path)
    folder = tmp_path / "node-2" / "0"
    copy = FolderCopy(folder)
    copy.take(piece(first + second, final=True))
    copy.take(piece(first + third, number=2))
    held = contents(folder)
    size = len(first + second)
    copy.places()
    copy.differs(Differing("0", name(1, 2), len(first)))
    assert copy.places() == [
        SegmentPlace(name(1, 2), len(first), before(first)), SegmentPlace(name(1, 1), size, before(first + second)),
    ]  # fmt: skip
    copy.take(piece(b"", len(first), number=2))
    assert (copy.size, copy.put_aside) == (len(first), 1)
    assert (folder.with_name("0~1") / name(1, 2)).read_bytes() == third
    copy.take(piece(second, len(first), number=2))
    copy.places()  # nothing at all is common any more
    copy.differs(Differing("0", name(1, 2), -1))
    assert [one.segment for one in copy.places()] == [name(1, 1)]
    copy.differs(Differing("0", name(1, 1), -1))
    assert copy.places() == []
    assert sorted(contents(folder)) == [name(1, 1), name(1, 2)]
    assert contents(folder)[name(1, 1)] == held[name(1, 1)]
    copy.take(piece(third))
    copy.close()
    # It begins anew beside: whoever reads a folder on would take the same names for what was read.
    assert contents(folder.with_name("0+1")).keys() == {name(1, 1)}
    again = FolderCopy(folder)
    assert (again.segment, again.size) == (name(1, 1), len(third))
    again.close()


def test_behind_a_common_segment_it_goes_on_beside(tmp_path: Path) -> None:
    first, second, *_ = lines_of(tmp_path)
    folder = tmp_path / "node-2" / "0"
    copy = FolderCopy(folder)
    for number in (1, 2):
        copy.take(piece(first, number=number))
    copy.places()
    copy.differs(Differing("0", name(1, 2), -1))
    assert copy.places() == [SegmentPlace(name(1, 1), len(first), before(first))]
    copy.take(piece(second, number=3))
    assert contents(folder.with_name("0+1")).keys() == {name(1, 3)}
    assert contents(folder).keys() == {name(1, 1), name(1, 2)}
    copy.close()
    # Where the common segment itself goes on, there is nothing to append it to: all is copied anew.
    copy = FolderCopy(tmp_path / "node-2" / "1")
    for number in (1, 2):
        copy.take(piece(first, number=number)._replace(folder="1"))
    copy.places()
    copy.differs(Differing("1", name(1, 2), -1))
    assert copy.take(piece(second, len(first))._replace(folder="1")) == 0
    assert copy.places() == []
    copy.close()


def test_what_cannot_be_written_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = lines_of(tmp_path)
    copy = FolderCopy(tmp_path / "node-2" / "0")
    copy.take(piece(first))
    real = __import__("os").write

    def short(fd: int, data: memoryview) -> int:
        if len(data) < len(second):
            raise OSError(28, "No space left on device")
        return int(real(fd, data[:10]))

    monkeypatch.setattr("gateway.replicas.copying.folder_copy.os.write", short)
    with pytest.raises(OSError, match="No space"):
        copy.take(piece(second, len(first)))
    monkeypatch.undo()
    assert segments(tmp_path / "node-2" / "0")[0].path.read_bytes() == first
    assert copy.take(piece(second, len(first))) == len(second)
    copy.close()
