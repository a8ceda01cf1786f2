"""A backup of a node: whole, alone, bounded, and nothing of it where it did not come to its end."""

from __future__ import annotations

import errno
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.backup import checking, taking
from gateway.backup.backup_manifest import MANIFEST, BackupError
from gateway.backup.taking import complete, into_file, into_folder
from gateway.journal.read import verification
from gateway.journal.write.segments import COPIED, segments
from tests.gateway.backup.conftest import Site, everything

SECRET = "hunter2"


def test_all_of_a_node_is_in_it_and_verifies(site: Site, tmp_path: Path) -> None:
    taken = into_folder(site.places, tmp_path / "backups")
    found = checking.check(taken.path)
    assert found.problems == []
    assert found.journal is not None
    assert found.journal.problems == []
    assert {path.name for path in taken.path.iterdir()} == {"control.sqlite3", "journal", "config", MANIFEST}
    assert (taken.path / "config" / "files" / "lists" / "spam.txt").read_text() == "buy now\n"
    assert taken.manifest.database["act"] == 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in taken.path.rglob("*"))
    assert taken.manifest.named == ["state.password = env:STATE_PASSWORD"]


def test_segments_are_taken_once(site: Site, tmp_path: Path) -> None:
    first = into_folder(site.places, tmp_path / "backups")
    sealed = [name for name, saved in first.manifest.files.items() if saved.sealed]
    assert len(sealed) > 3
    shutil.copytree(first.path, tmp_path / "elsewhere" / first.path.name)  # another disk: no segment is linked there
    second = into_folder(site.places, tmp_path / "elsewhere")
    for name in sealed:
        assert (second.path / name).stat().st_ino == (tmp_path / "elsewhere" / first.path.name / name).stat().st_ino
    assert second.new < first.new
    assert checking.check(second.path).problems == []


def test_what_an_earlier_backup_lost_is_taken_anew(site: Site, tmp_path: Path) -> None:
    first = into_folder(site.places, tmp_path / "backups")
    sealed = [name for name, saved in first.manifest.files.items() if saved.sealed]
    (first.path / sealed[0]).unlink()
    assert checking.check(into_folder(site.places, tmp_path / "backups").path).problems == []


def test_the_newest_stay(site: Site, tmp_path: Path) -> None:
    for _ in range(4):
        last = into_folder(site.places, tmp_path / "backups", keep=2)
    kept = complete(tmp_path / "backups", 0)
    assert len(kept) == 2
    assert kept[-1][1] == last.path


def test_an_archive_holds_the_same(site: Site, tmp_path: Path) -> None:
    folder, archive = into_folder(site.places, tmp_path / "backups"), into_file(site.places, tmp_path / "one.tar")
    with tarfile.open(archive.path) as opened:
        assert opened.getnames()[-1] == MANIFEST
        assert {name: saved.sha256 for name, saved in archive.manifest.files.items() if saved.sealed} == {
            name: saved.sha256 for name, saved in folder.manifest.files.items() if saved.sealed
        }
    assert checking.check(archive.path).problems == []
    assert {path.name for path in tmp_path.iterdir()} == {"site", "backups", "one.tar"}


def test_the_open_segment_ends_with_a_whole_record(site: Site, tmp_path: Path) -> None:
    tail = segments(site.journal / "node-0" / "0")[-1].path
    whole = tail.stat().st_size
    with tail.open("ab") as file:
        file.write(b'{"v":1,"epoch":1,"seq":')  # a worker is writing
    taken = into_folder(site.places, tmp_path / "backups")
    assert taken.manifest.journal["node-0/0"] == (tail.name, whole)
    assert (taken.path / "journal/node-0/0" / tail.name).stat().st_size == whole


def test_a_segment_that_is_prepared_is_left_out(site: Site, tmp_path: Path) -> None:
    (site.journal / "node-0" / "0" / "000099-000001.jsonl").touch()
    taken = into_folder(site.places, tmp_path / "backups")
    assert not any(name.endswith("000099-000001.jsonl") for name in taken.manifest.files)
    assert checking.check(taken.path).problems == []


def test_segments_that_are_pruned_meanwhile_are_told_by_what_is_in_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest = segments(site.journal / "node-0" / "0")[0]
    linked = taking.linked
    seen: list[Path] = []

    def pruning(source: Path, target: Path) -> bool:
        if source.parent.name == "0" and not seen:
            seen.append(source)
            site.record([{"kind": "pruned", "id": site.ids(), "time": 1, "folder": "node-0/0",
                          "segments": [oldest.name], "newest": 1}])  # fmt: skip
            oldest.path.unlink()
        return linked(source, target)

    monkeypatch.setattr(taking, "linked", pruning)
    found = checking.check(into_folder(site.places, tmp_path / "backups").path)
    assert seen == [oldest.path]
    assert found.problems == []
    assert found.journal is not None
    assert found.journal.problems == []


def test_a_pruned_segment_stays_in_the_backup(site: Site, tmp_path: Path) -> None:
    """A link is a name of its own."""
    taken = into_folder(site.places, tmp_path / "backups")
    for segment in segments(site.journal / "node-0" / "0"):
        segment.path.unlink()
    assert checking.check(taken.path).problems == []


def test_no_secret_is_in_it_unless_asked_for(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_PASSWORD", SECRET)
    (site.etc / "password").write_text(SECRET, encoding="utf-8")
    (site.etc / "key.pem").write_text(SECRET, encoding="utf-8")
    (site.etc / "cert.pem").write_text("a certificate", encoding="utf-8")
    (site.folders.control / "first-token").write_text(SECRET, encoding="utf-8")
    site.folders.salt.write_text(SECRET, encoding="utf-8")
    in_force = site.folders.generation(1) / "tidegate.toml"
    text = in_force.read_text().replace("env:STATE_PASSWORD", "file:password")
    in_force.write_text(text + '[control]\ncertificate = "cert.pem"\nkey = "key.pem"\n', encoding="utf-8")
    taken = into_folder(site.places, tmp_path / "backups")
    assert not any(SECRET.encode() in data for data in everything(taken.path).values())
    assert taken.manifest.named == [
        f"control.key = {site.etc / 'key.pem'}", f"server.salt = {site.folders.salt}", "state.password = file:password",
    ]  # fmt: skip
    asked = into_folder(site.places, tmp_path / "backups", secrets=True)
    assert {name for name in asked.manifest.files if name.startswith("secrets")} == {
        "secrets/files/password", "secrets/files/key.pem", "secrets/first-token", "secrets/salt"
    }  # fmt: skip


def test_a_secret_in_the_configuration_itself_is_told(site: Site, tmp_path: Path) -> None:
    in_force = site.folders.generation(1) / "tidegate.toml"
    in_force.write_text(in_force.read_text().replace("env:STATE_PASSWORD", SECRET), encoding="utf-8")
    (told,) = into_folder(site.places, tmp_path / "backups").told
    assert "state.password" in told
    assert SECRET not in told


@pytest.mark.parametrize("place", ["data", "data/backups", "data/journal/x/y"])
def test_a_place_that_goes_with_the_node_is_refused(site: Site, place: str) -> None:
    with pytest.raises(BackupError, match="no place for a backup"):
        into_folder(site.places, site.data.parent / place)


def test_two_at_once_are_one_too_many(site: Site, tmp_path: Path) -> None:
    root = tmp_path / "backups"
    root.mkdir()
    with taking._alone(root / taking.LOCK), pytest.raises(BackupError, match="another backup"):
        into_folder(site.places, root)


@pytest.mark.parametrize("name", ["000001-000000.jsonl", "000001-000001.jsonl"])
def test_a_symbolic_link_in_the_journal_is_not_followed(site: Site, tmp_path: Path, name: str) -> None:
    link = site.journal / "node-0" / "0" / name
    link.unlink(missing_ok=True)
    (tmp_path / "other").write_text("secret", encoding="utf-8")
    link.symlink_to(tmp_path / "other")
    with pytest.raises((BackupError, OSError)):
        into_folder(site.places, tmp_path / "backups")
    assert complete(tmp_path / "backups", 0) == []


def test_a_device_in_the_journal_holds_nobody_up(site: Site, tmp_path: Path) -> None:
    os.mkfifo(site.journal / "node-0" / "0" / "notes")
    assert checking.check(into_folder(site.places, tmp_path / "backups").path).problems == []


STEPS = ("copy", "linked", "private", "sync_all", "sync_folder")


def failing(patch: pytest.MonkeyPatch, number: int) -> list[str]:
    """The disk is full from the n-th step on; the steps that were tried."""
    tried: list[str] = []

    def counted(name: str, what: Any) -> Any:
        def step(*arguments: Any) -> Any:
            tried.append(name)
            if len(tried) > number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x")
            return what(*arguments)

        return step

    for name in STEPS:
        patch.setattr(taking, name, counted(name, getattr(taking, name)))
    return tried


@pytest.mark.parametrize("take", [into_folder, into_file])
def test_a_full_disk_at_any_step_leaves_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, take: Callable[..., Any]
) -> None:
    to = tmp_path / "backups" if take is into_folder else tmp_path / "one.tar"
    for number in range(100):
        with monkeypatch.context() as patch:
            tried = failing(patch, number)
            try:
                take(site.places, to)
            except OSError as error:
                assert error.errno == errno.ENOSPC
            else:
                break
        # What has its name is whole, though the name itself may not be on disk yet.
        left = [name for name in everything(tmp_path) if not name.startswith("site/") and taking.LOCK not in name]
        if tried[-1] == "sync_folder":
            assert checking.check(to if take is into_file else complete(to, 0)[-1][1]).problems == []
        else:
            assert left == []
    else:
        pytest.fail("it never ended")
    assert len(tried) > 8


def test_what_a_killed_one_left_goes(site: Site, tmp_path: Path) -> None:
    root = tmp_path / "backups"
    (root / "2020-01-01T000000.000000Z-node-0.part" / "journal").mkdir(parents=True)
    taken = into_folder(site.places, root)
    assert [path.name for path in root.iterdir() if path.is_dir()] == [taken.path.name]


def test_what_others_have_begun_there_stays(site: Site, tmp_path: Path) -> None:
    """An archive that was killed, or is being made, beside the folders; somebody's download."""
    root = tmp_path / "backups"
    (root / "one.tar.gathered.part").mkdir(parents=True)
    (root / "one.tar.part").write_bytes(b"half")
    (root / "photos.part").mkdir()
    (root / "2020-01-01T000000.000000Z-node-0.part").write_bytes(b"no folder")
    before = {path.name for path in root.iterdir()}
    taken = into_folder(site.places, root)
    assert {path.name for path in root.iterdir()} == before | {taken.path.name, taking.LOCK}


def test_a_damaged_journal_is_taken_as_it_is(site: Site, tmp_path: Path) -> None:
    """Better a record with a hole than none; its own verification tells of it."""
    segment = segments(site.journal / "node-0" / "0")[1].path
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    found = checking.check(into_folder(site.places, tmp_path / "backups").path)
    assert found.problems == []
    assert found.journal is not None
    assert {problem.segment for problem in found.journal.problems} >= {segment.name}
    assert verification.verify(site.journal).problems == found.journal.problems


def test_a_folder_of_no_node_is_refused(tmp_path: Path) -> None:
    from gateway.backup.node import in_force
    from gateway.common.folders import Folders

    with pytest.raises(BackupError, match="not a gateway's data folder"):
        in_force(Folders(tmp_path))


def test_copies_of_other_nodes_are_left_to_those(site: Site, tmp_path: Path) -> None:
    whole = into_folder(site.places, tmp_path / "backups").manifest.files
    copy = site.places.journal / "node-9"
    shutil.copytree(next(site.places.journal.glob("node-*")), copy)
    (copy / COPIED).touch()
    assert into_folder(site.places, tmp_path / "backups").manifest.files.keys() == whole.keys()
