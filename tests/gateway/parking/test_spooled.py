"""What control reads: every writer's files, oldest first; gone when they are done; a torn end is kept for a person."""

from __future__ import annotations

from pathlib import Path

from gateway.parking.spool import write
from gateway.parking.spool_frames import framed
from gateway.parking.spooled import done, read, waiting


def test_every_writers_files_the_oldest_first(tmp_path: Path) -> None:
    assert list(waiting(tmp_path / "park")) == []
    for writer, name in (("1", "b.spool"), ("0", "c.spool"), ("1", "a.spool")):
        write(tmp_path / writer, name, [(name, b"sealed")])
    (tmp_path / "1" / "d.spool.part").write_bytes(b"half")
    (tmp_path / "note").write_bytes(b"")
    found = [read(each) for each in waiting(tmp_path)]
    assert [(each.writer, each.path.name) for each in found] == [("0", "c.spool"), ("1", "a.spool"), ("1", "b.spool")]
    assert [each.frames[0].message_id for each in found] == ["c.spool", "a.spool", "b.spool"]
    done([found[1]])
    done([found[1]])  # whoever died between commit and this meets it again
    assert [each.name for each in waiting(tmp_path)] == ["c.spool", "b.spool"]


def test_a_torn_end_is_set_aside_without_what_was_read(tmp_path: Path) -> None:
    whole = framed([("m1", b"first-sealed")])
    file = tmp_path / "1" / "m1.spool"
    file.parent.mkdir()
    file.write_bytes(framed([("m1", b"first-sealed"), ("m2", b"second")])[:-2])
    spooled = read(file)
    assert [each.message_id for each in spooled.frames] == ["m1"]
    assert spooled.torn == len(framed([("m1", b"first-sealed"), ("m2", b"second")])) - 2 - len(whole)
    done([spooled])
    assert list(waiting(tmp_path)) == []
    (left,) = file.parent.iterdir()
    assert b"first-sealed" not in left.read_bytes()
    assert left.stat().st_size == spooled.torn
