"""Whatever is changed, verify finds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.journal.read import verification
from gateway.journal.write import encoding
from gateway.journal.write.segments import segments


@pytest.fixture
async def written(make_writer, journalist, root: Path) -> Path:
    """Three segments of several batches, closed."""
    for _ in range(3):
        journal = make_writer()
        desk = journalist(journal)
        for batch in range(4):
            for _ in range(2):
                desk.judged(text="some text")
            await desk.told(2 * batch + 2)
        journal.close()
    assert verification.verify(root).problems == []
    return root / "n1" / "0"


def codes(folder: Path) -> set[str]:
    return {problem.code for problem in verification.verify(folder.parent.parent).problems}


def test_the_report_counts(written: Path) -> None:
    report = verification.verify(written.parent.parent)
    assert (report.records, report.segments, report.beyond) == (8 * 3 + 3 + 3 + 2 * 8, 3, 0)
    assert report.bytes == verification.size(written.parent.parent)


def test_every_flipped_bit_is_found(written: Path) -> None:
    path = segments(written)[1].path
    whole = path.read_bytes()
    for place in range(0, len(whole), 23):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert codes(written), place
    path.write_bytes(whole)


def _resum(line: bytes) -> bytes:
    return encoding.sealed(re.sub(rb',"crc":"[0-9a-f]{8}"}\n$', b"", line))


def test_an_edit_with_a_new_sum_breaks_the_chain(written: Path) -> None:
    path = segments(written)[1].path
    lines = path.read_bytes().splitlines(keepends=True)
    for place, line in enumerate(lines):
        edited = lines.copy()
        edited[place] = _resum(line.replace(b'"time":1', b'"time":2'))
        assert edited[place] != line
        path.write_bytes(b"".join(edited))
        assert codes(written) == {"chain"}, place


def test_a_removed_line_breaks_the_sequence(written: Path) -> None:
    path = segments(written)[1].path
    lines = path.read_bytes().splitlines(keepends=True)
    for place in range(len(lines)):
        path.write_bytes(b"".join(lines[:place] + lines[place + 1 :]))
        assert codes(written) & {"sequence", "header", "size"}, place


def test_a_swap_breaks_sequence_and_chain(written: Path) -> None:
    path = segments(written)[0].path
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-3], lines[-4] = lines[-4], lines[-3]
    path.write_bytes(b"".join(lines))
    assert codes(written) == {"sequence", "chain"}


def test_an_added_line_is_found(written: Path) -> None:
    path = segments(written)[1].path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], lines[3], *lines[4:]]))
    assert {"sequence", "chain"} <= codes(written)


def test_a_removed_segment_is_missed(written: Path) -> None:
    first, second, _ = segments(written)
    kept = second.path.read_bytes()
    second.path.unlink()
    assert codes(written) == {"missing"}
    second.path.write_bytes(kept)
    first.path.unlink()
    assert codes(written) == {"missing"}


def test_a_shortened_segment_is_found(written: Path) -> None:
    path = segments(written)[0].path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert "size" in codes(written)


def test_a_torn_tail_is_found_where_nobody_writes(written: Path) -> None:
    path = segments(written)[-1].path
    path.write_bytes(path.read_bytes()[:-5])
    assert codes(written) == {"torn"}


async def test_a_living_writer_s_last_line_is_not_torn(make_writer, journalist, root: Path) -> None:
    journal = make_writer()
    desk = journalist(journal)
    desk.judged()
    await desk.told(1)
    path = segments(journal.folder)[0].path
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert verification.verify(root).problems == []
    path.write_bytes(whole)


def test_progress_adds_up(written: Path) -> None:
    seen: list[int] = []
    verification.verify(written.parent.parent, seen.append)
    assert sum(seen) == verification.size(written.parent.parent)
