"""Into an empty folder, whole or not at all, with every act that the journal has."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.backup import restoring
from gateway.backup.backup_manifest import BackupError
from gateway.backup.restoring import Restored, again, configured, journals, restore, unused
from gateway.backup.source import opened
from gateway.backup.taking import into_file, into_folder
from gateway.control.acts.database import Database
from gateway.control.features import GOVERNANCE
from gateway.journal.read import verification
from gateway.senders.salt import SaltUnreadable, kept
from tests.gateway.backup.conftest import Site, everything


def bring_back(backup: Path, site: Site, *acts_from: Path, **more: Any) -> Restored:
    with opened(backup) as (source, manifest):
        return restore(source, manifest, site.target, acts_from, GOVERNANCE, **more)


def free(site: Site) -> bool:
    """Nothing was left there, and the node may start."""
    left = [name for name in everything(site.data) if not name.startswith("run/")] if site.data.exists() else []
    return left == []


@pytest.fixture(params=["folder", "archive"])
def backup(site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    if request.param == "folder":
        return into_folder(site.places, tmp_path / "backups").path
    return into_file(site.places, tmp_path / "one.tar").path


def test_the_node_is_as_it_was(site: Site, backup: Path) -> None:
    lost = site.wiped()
    restored = bring_back(backup, site)
    assert restored.journal.problems == []
    assert restored.acts == (0, [])
    assert site.standing() == ["bob", "carol"]
    for name, data in everything(lost / "journal").items():
        if name.endswith(".jsonl"):
            assert (site.journal / name).read_bytes() == data
            assert (site.journal / name).stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in site.journal.rglob("*"))
    assert verification.verify(site.journal).problems == []
    assert not site.folders.restoring.exists()


def test_acts_since_come_back_from_the_journal(site: Site, backup: Path) -> None:
    site.blocked("dora", "eve")
    lost = site.wiped()
    assert bring_back(backup, site, lost / "journal").acts == (2, [])
    assert site.standing() == ["bob", "carol", "dora", "eve"]


def test_acts_that_the_database_was_too_early_for_come_back_from_its_own_backup(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is read first; what is done meanwhile stands in the journal that is read after it."""
    from gateway.backup import taking

    note = taking._Taking._note
    done: list[str] = []

    def meanwhile(self: Any, name: str, *arguments: Any, **more: Any) -> None:
        note(self, name, *arguments, **more)
        if not done:
            done.extend(site.blocked("dora"))

    monkeypatch.setattr(taking._Taking, "_note", meanwhile)
    taken = into_folder(site.places, tmp_path / "b")
    site.wiped()
    assert bring_back(taken.path, site).acts == (1, [])
    assert site.standing() == ["bob", "carol", "dora"]


def test_with_the_journal_in_place_the_database_alone_comes_back(site: Site, backup: Path) -> None:
    site.blocked("dora")
    site.database.unlink()
    with pytest.raises(BackupError, match="holds something"):
        bring_back(backup, site)
    before = everything(site.journal)
    assert bring_back(backup, site, database_only=True).acts == (1, [])
    assert site.standing() == ["bob", "carol", "dora"]
    assert everything(site.journal) == before


def test_without_any_backup_the_journal_has_every_act(site: Site) -> None:
    site.database.unlink()
    assert again(site.target, [site.journal], GOVERNANCE).acts == 2
    assert site.standing() == ["bob", "carol"]
    assert again(site.target, [site.journal], GOVERNANCE).acts == 0


def test_a_node_that_runs_is_left_alone(site: Site, backup: Path) -> None:
    site.wiped()
    with unused(site.folders), pytest.raises(BackupError, match="a node runs"):
        bring_back(backup, site)
    assert free(site)


@pytest.mark.parametrize(
    "name", ["journal/node-0/0/x", "control/control.sqlite3", "control/first-token", "generations/1/x", "state/x"]
)
def test_a_folder_with_data_is_left_alone(site: Site, backup: Path, name: str) -> None:
    site.wiped()
    (site.data / name).parent.mkdir(parents=True)
    (site.data / name).write_text("mine", encoding="utf-8")
    with pytest.raises(BackupError, match="holds something"):
        bring_back(backup, site)
    assert (site.data / name).read_text() == "mine"


def test_a_disk_of_its_own_is_empty_though_its_file_system_has_a_folder_there(site: Site, backup: Path) -> None:
    site.wiped()
    (site.journal / "lost+found").mkdir(parents=True)
    bring_back(backup, site)
    assert (site.journal / "lost+found").is_dir()


def test_another_nodes_backup_is_refused(site: Site, backup: Path, make_site: Callable[..., Site]) -> None:
    other = make_site("other", 3)
    other.wiped()
    with pytest.raises(BackupError, match=r"node 0, .* is of node 3"):
        bring_back(backup, other)
    assert free(other)


def test_another_configuration_says_where_things_go(site: Site, backup: Path, tmp_path: Path) -> None:
    site.wiped()
    text = site.config.read_text(encoding="utf-8")
    site.config.write_text(
        text + f'[journal]\ndir = "{tmp_path}/j"\n[control]\ndatabase = "{tmp_path}/d/c.db"\n', encoding="utf-8"
    )
    bring_back(backup, site)
    assert verification.verify(tmp_path / "j").records > 60
    assert (tmp_path / "d" / "c.db").is_file()


def test_a_newer_versions_database_is_refused(site: Site, tmp_path: Path) -> None:
    with sqlite3.connect(site.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    taken = into_folder(site.places, tmp_path / "b")
    site.wiped()
    with pytest.raises(BackupError, match="newer version"):
        bring_back(taken.path, site)
    assert free(site)


def test_what_was_cut_short_or_changed_leaves_nothing(site: Site, tmp_path: Path) -> None:
    taken = into_folder(site.places, tmp_path / "b")
    site.wiped()
    for name in taken.manifest.files:
        if name.startswith("config/"):
            continue  # the operator's own is used
        path = taken.path / name
        whole = path.read_bytes()
        changed = bytearray(whole)
        changed[len(whole) // 2] ^= 4
        for data in (whole[:-1], bytes(changed), None):
            path.unlink(missing_ok=True)
            if data is not None:
                path.write_bytes(data)
            with pytest.raises((BackupError, OSError)):
                bring_back(taken.path, site)
            assert free(site), (name, data is None)
        path.write_bytes(whole)
    bring_back(taken.path, site)


def _steps(patch: pytest.MonkeyPatch, number: int, fail: Callable[[], None]) -> list[str]:
    """``fail`` is called at the n-th step that touches the disk; the steps so far."""
    done: list[str] = []

    def counted(name: str, what: Any) -> Any:
        def step(*arguments: Any, **more: Any) -> Any:
            done.append(name)
            if len(done) > number:
                fail()
            return what(*arguments, **more)

        return step

    for name in ("copy", "sync_all", "sync_folder", "private_folder", "private", "unsound", "replay", "_alone"):
        patch.setattr(restoring, name, counted(name, getattr(restoring, name)))
    for name in ("rename", "rmdir"):
        patch.setattr(Path, name, counted(name, getattr(Path, name)))
    return done


def test_a_full_disk_at_any_step_leaves_nothing(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = into_folder(site.places, tmp_path / "b")
    site.wiped()

    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x")

    for number in range(200):
        failed = False
        with monkeypatch.context() as patch:
            done = _steps(patch, number, full)
            try:
                bring_back(taken.path, site)
            except OSError:
                failed = True
        if not failed:
            break
        if site.database.exists():  # the last step of all: everything is in its place
            assert done[-1] == "sync_folder"
            assert site.standing() == ["bob", "carol"]
            shutil.rmtree(site.data)
        assert free(site), done
    assert len(done) > 15
    assert site.standing() == ["bob", "carol"]


def test_killed_at_any_step_it_is_done_again_and_no_node_starts_before(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = into_folder(site.places, tmp_path / "b")
    lost = site.wiped()
    (lost / "journal").rename(tmp_path / "journal")
    outcomes = set()
    for number in range(200):
        shutil.rmtree(site.data, ignore_errors=True)
        child = os.fork()
        if not child:
            try:
                with monkeypatch.context() as patch:
                    _steps(patch, number, lambda: os.kill(os.getpid(), signal.SIGKILL))
                    bring_back(taken.path, site, tmp_path / "journal")
                os._exit(0)
            finally:
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 0:
            break
        assert status == -signal.SIGKILL
        began, whole = site.folders.restoring.exists(), site.database.exists()
        outcomes.add((began, whole))
        assert began or whole or free(site), number
        if began or not whole:
            bring_back(taken.path, site, tmp_path / "journal")
        assert site.standing() == ["bob", "carol"]
        assert verification.verify(site.journal).problems == []
        assert not site.folders.restoring.exists()
    assert number > 15
    assert {(False, False), (True, False), (True, True)} <= outcomes


def test_the_configuration_goes_into_a_folder_of_its_own(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere.txt"
    outside.write_text("sell\n", encoding="utf-8")
    in_force = site.folders.generation(1) / "tidegate.toml"
    in_force.write_text(in_force.read_text() + f'[lists.other]\npath = "{outside}"\n', encoding="utf-8")
    taken = into_folder(site.places, tmp_path / "b")
    with opened(taken.path) as (source, manifest):
        (told,) = configured(source, manifest, tmp_path / "new")
        assert str(outside) in told
        assert (tmp_path / "new" / "lists" / "spam.txt").read_text() == "buy now\n"
        assert (tmp_path / "new" / "tidegate.toml").read_text() == in_force.read_text()
        # A restore that was killed behind it is said again; what a person changed there is not written over.
        (tmp_path / "new" / "lists" / "spam.txt").unlink()
        (tmp_path / "new" / "lists" / "spam.txt.restoring").write_text("buy", encoding="utf-8")
        configured(source, manifest, tmp_path / "new")
        assert [path.name for path in (tmp_path / "new" / "lists").iterdir()] == ["spam.txt"]
        for name, text in (("lists/spam.txt", "buy later\n"), ("lists/more.txt", "mine")):
            (tmp_path / "new" / name).write_text(text, encoding="utf-8")
            with pytest.raises(BackupError, match="holds something"):
                configured(source, manifest, tmp_path / "new")
            assert (tmp_path / "new" / name).read_text() == text
            (tmp_path / "new" / "lists" / "spam.txt").write_text("buy now\n", encoding="utf-8")


def _killed(patch: pytest.MonkeyPatch, backup: Path, site: Site, **more: Any) -> None:
    """A restore ends amid its work, before anything of it was cleared."""
    child = os.fork()
    if not child:
        try:
            patch.setattr(restoring, "_alone", lambda database: os.kill(os.getpid(), signal.SIGKILL))
            bring_back(backup, site, **more)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert site.folders.restoring.exists()


def test_after_a_killed_one_of_the_database_alone_the_journal_is_not_cleared(
    site: Site, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever says it again without the option would lose all records since."""
    site.blocked("dora")
    site.database.unlink()
    before = everything(site.journal)
    _killed(monkeypatch, backup, site, database_only=True)
    with pytest.raises(BackupError, match="holds something"):
        bring_back(backup, site)
    assert everything(site.journal) == before
    bring_back(backup, site, database_only=True)
    assert everything(site.journal) == before
    assert site.standing() == ["bob", "carol", "dora"]


def test_after_a_killed_one_another_configurations_journal_is_not_cleared(
    site: Site, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survived = tmp_path / "survived"
    shutil.copytree(site.journal, survived)
    site.wiped()
    _killed(monkeypatch, backup, site)
    text, before = site.config.read_text(encoding="utf-8"), everything(survived)
    site.config.write_text(text + f'[journal]\ndir = "{survived}"\n', encoding="utf-8")
    with pytest.raises(BackupError, match="survived holds something"):
        bring_back(backup, site)
    assert everything(survived) == before
    assert free(site), "what the first had put there is gone"
    site.config.write_text(text, encoding="utf-8")
    bring_back(backup, site)
    assert site.standing() == ["bob", "carol"]


def test_after_a_killed_one_of_everything_a_journal_that_is_to_stay_stays(
    site: Site, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = site.wiped()
    _killed(monkeypatch, backup, site)
    shutil.rmtree(site.journal)
    shutil.copytree(lost / "journal", site.journal)
    before = everything(site.journal)
    with pytest.raises(BackupError, match="without --database-only"):
        bring_back(backup, site, database_only=True)
    assert everything(site.journal) == before


def test_what_is_no_journal_is_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="is no journal"):
        journals([tmp_path])
    assert journals([site.journal]) == [site.journal]


@pytest.fixture(autouse=True)
def no_lock_left(site: Site) -> Iterator[None]:
    yield
    if site.database.exists() and site.database.read_bytes()[:6] == b"SQLite":
        Database(site.database).close()  # nobody holds it


def test_digests_mean_what_they_meant(site: Site, tmp_path: Path) -> None:
    """Blocks name people by them, so their salt comes back, in the place of one that was made meanwhile."""
    site.folders.salt.write_text("ours", encoding="utf-8")
    backup = into_folder(site.places, tmp_path / "backups", secrets=True).path
    site.wiped()
    site.folders.root.mkdir(exist_ok=True)
    site.folders.salt.write_text("another", encoding="utf-8")
    bring_back(backup, site)
    assert site.folders.salt.read_text(encoding="utf-8") == "ours"
    assert site.folders.salt.stat().st_mode & 0o077 == 0


def test_without_its_salt_a_node_of_digests_knows_that_it_has_none(site: Site, tmp_path: Path) -> None:
    """Its database names people who could never be known again, so it does not begin with another salt."""
    in_force = site.folders.generation(1) / "tidegate.toml"
    in_force.write_text(
        in_force.read_text(encoding="utf-8").replace('"header:X-User-Id"', '"hash:header:X-User-Id"'), encoding="utf-8"
    )
    kept(site.folders.salt)
    known = site.folders.salt_known.read_bytes()
    backup = into_folder(site.places, tmp_path / "backups").path
    site.wiped()
    site.folders.root.mkdir(exist_ok=True)
    kept(site.folders.salt)  # made meanwhile, with a fingerprint of its own
    bring_back(backup, site)
    assert site.folders.salt_known.read_bytes() == known
    with pytest.raises(SaltUnreadable):
        kept(site.folders.salt)


def test_who_uses_no_digests_may_lose_the_salt(site: Site, tmp_path: Path) -> None:
    kept(site.folders.salt)
    backup = into_folder(site.places, tmp_path / "backups").path
    site.wiped()
    bring_back(backup, site)
    assert len(kept(site.folders.salt)) > 0
