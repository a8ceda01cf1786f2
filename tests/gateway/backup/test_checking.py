"""A backup that is not what was taken is told, whatever happened to it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from gateway.backup.backup_manifest import MANIFEST, BackupError
from gateway.backup.checking import check
from gateway.backup.taking import into_file, into_folder
from tests.gateway.backup.conftest import Site


def _sound(path: Path) -> bool:
    try:
        found = check(path)
    except BackupError:
        return False
    return not found.problems


def test_an_archive_that_was_cut_short_anywhere_is_none(site: Site, tmp_path: Path) -> None:
    whole = into_file(site.places, tmp_path / "one.tar").path.read_bytes()
    short = tmp_path / "short.tar"
    last = whole.rindex(b"manifest.json\0")
    end = last + 512 + len(whole[last + 512 :].rstrip(b"\0"))
    for length in (*range(0, end, 509), end - 1):
        short.write_bytes(whole[:length])
        assert not _sound(short), length
    assert _sound(tmp_path / "one.tar")


def test_a_flipped_bit_anywhere_is_told(site: Site, tmp_path: Path) -> None:
    taken = into_folder(site.places, tmp_path / "backups")
    draw = random.Random(5)
    for name in (*taken.manifest.files, MANIFEST):
        path = taken.path / name
        whole = path.read_bytes()
        for _ in range(4):
            data = bytearray(whole)
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
            path.unlink()  # a segment is a link of the journal's own
            path.write_bytes(data)
            assert not _sound(taken.path), name
        path.write_bytes(whole)
    assert _sound(taken.path)


@pytest.mark.parametrize("what", ["missing", "short", "long", "extra"])
def test_a_file_that_is_not_as_it_was_is_named(site: Site, tmp_path: Path, what: str) -> None:
    taken = into_folder(site.places, tmp_path / "backups")
    name = next(name for name in taken.manifest.files if name.startswith("journal/"))
    data = (taken.path / name).read_bytes()
    (taken.path / name).unlink()
    if what == "extra":
        (taken.path / name).write_bytes(data)
        name = "journal/node-0/0/000077-000001.jsonl"
    if what != "missing":
        (taken.path / name).write_bytes({"short": data[:-1], "long": data + b"x", "extra": b""}[what])
    assert [problem for problem in check(taken.path).problems if name in problem]


def test_no_manifest_is_no_backup(site: Site, tmp_path: Path) -> None:
    taken = into_folder(site.places, tmp_path / "backups")
    (taken.path / MANIFEST).unlink()
    with pytest.raises(BackupError, match="cut short"):
        check(taken.path)
    with pytest.raises(BackupError, match="cannot be read"):
        check(tmp_path / "nothing")
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    with pytest.raises(BackupError, match="no archive"):
        check(tmp_path / "text")


def test_a_newer_versions_backup_is_refused(site: Site, tmp_path: Path) -> None:
    taken = into_folder(site.places, tmp_path / "backups")
    document = orjson.loads((taken.path / MANIFEST).read_bytes())
    (taken.path / MANIFEST).write_bytes(orjson.dumps(document | {"v": 2, "program": "9.0"}))
    with pytest.raises(BackupError, match=r"newer version \(9\.0\)"):
        check(taken.path)


@pytest.mark.parametrize("place", ["file", "folder"])
def test_a_symbolic_link_in_a_backup_is_not_followed(site: Site, tmp_path: Path, place: str) -> None:
    taken = into_folder(site.places, tmp_path / "backups")
    moved = taken.path / "config" / "files" / ("lists" if place == "folder" else "lists/spam.txt")
    moved.rename(tmp_path / "moved")
    moved.symlink_to(tmp_path / "moved")
    try:
        assert check(taken.path).problems
    except BackupError as error:
        assert "symbolic link" in str(error)


def test_nothing_can_make_it_name_what_lies_outside(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_site: Callable[..., Site]
) -> None:
    from gateway.backup import backup_manifest as manifest

    taken = into_folder(site.places, tmp_path / "backups")
    for name in ("../../etc/x", "/etc/x", "journal/../../x", "manifest.json", "other/x", "journal", "config/./x"):
        files = taken.manifest.files | {name: manifest.SavedFile(1, "")}
        (taken.path / MANIFEST).write_bytes(manifest.encode(taken.manifest._replace(files=files)))
        with pytest.raises(BackupError, match="outside of it"):
            check(taken.path)
