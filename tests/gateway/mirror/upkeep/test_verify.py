"""Journal and pages compared in both directions, and made equal again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway.journal.write import record
from gateway.journal.write.ids import Ids
from gateway.journal.write.segments import segments
from gateway.mirror.pages.pages import Pages
from gateway.mirror.store import folder
from gateway.mirror.store.shelf import Shelf, read_room
from gateway.mirror.upkeep.importing import bullet_id
from gateway.mirror.upkeep.rebuild import rebuild
from gateway.mirror.upkeep.verify import MirrorReport, verify

OWN = "node-0/254"


def check(mirror: Any) -> MirrorReport:
    mirror.node.flush()
    return verify(mirror.root, mirror.node.root, OWN, near=mirror.root.parent / "near", others={"comments"})


def problems(mirror: Any) -> set[tuple[str, str]]:
    return {(problem.code, problem.id) for problem in check(mirror).problems}


def remake(mirror: Any) -> None:
    mirror.node.flush()
    made = rebuild(
        mirror.root, mirror.node.root, OWN, pages=Pages("en", "/mirror/"), others={"comments"}, on_flaw=_never
    )
    mirror.die()
    folder.swap(mirror.root, made)


def _never(flaw: Any) -> None:
    raise AssertionError(flaw)


@pytest.fixture
def busy(node: Any, mirror: Any) -> list[str]:
    """A mirror with two rooms, complete pages, late bullets, removals, an import, an unknown outcome."""
    late = node.judged("late")
    ids = node.bullets(25)
    node.bullets(3, "房间")
    mirror.turns()
    node.outcome(late)
    doubtful = node.judged("doubtful")
    node.outcome(doubtful, "unknown")
    node.outcome(node.judged("never came"), "failed")
    node.bullet("a comment", "a1", basis=node.comments)
    old = bullet_id("r1", "7", 10**15)
    node.append(record.imported(old, "r1", "old", 10**15, route="live", upstream_id="7"), 9)
    node.remove(ids[2])
    node.remove(ids[24])
    mirror.turns()
    kept = [one for one in ids if one not in (ids[2], ids[24])]
    return [*kept, late, doubtful, old]


def test_a_sound_mirror(busy, mirror) -> None:
    report = check(mirror)
    assert report.problems == []
    assert report.expected == report.shown == len(busy) + 3
    assert (report.rooms, report.waiting, report.older) == (2, 0, 0)
    assert report.pages == 4


def test_missing_from_a_page(busy, mirror, node) -> None:
    node.bullet("not yet rendered")
    assert [code for code, _ in problems(mirror)] == ["missing"]
    mirror.turns()
    assert problems(mirror) == set()


def test_a_lost_mirror_lacks_everything(busy, mirror) -> None:
    shutil.rmtree(mirror.root)
    report = check(mirror)
    assert {problem.code for problem in report.problems} == {"missing"}
    assert len(report.problems) == report.expected == len(busy) + 3


def forge(mirror: Any, change: Any) -> None:
    """Write a page as nobody of ours would."""
    from gateway.mirror.store.batch import Batch
    from gateway.mirror.store.mirrored_room import Closed

    shelf = mirror.life.shelf
    stored = shelf.page("r1", 1)
    bullets = tuple(change(list(stored.bullets)))
    batch = Batch(False)
    shelf.write_page(batch, "r1", Closed(1, bullets, len(bullets) + stored.removed, bullets[0].id, bullets[-1].id), {})
    batch.commit()


def test_surplus_changed_and_twice(busy, mirror) -> None:
    stranger = Ids(0, 3)()

    def change(bullets: list[Any]) -> list[Any]:
        first, _, *rest = bullets
        other = mirror.page(2).bullets[0]
        return [first._replace(text="another text"), *rest, other, first._replace(id=stranger)]

    missing = mirror.page(1).bullets[1].id
    twice = mirror.page(2).bullets[0].id
    changed = mirror.page(1).bullets[0].id
    forge(mirror, change)
    assert problems(mirror) == {("surplus", stranger), ("changed", changed), ("twice", twice), ("missing", missing)}
    remake(mirror)
    assert problems(mirror) == set()


def test_still_shown_after_removal(busy, mirror, node) -> None:
    gone = mirror.page(1).bullets[3].id
    node.remove(gone)
    assert problems(mirror) == {("removed", gone)}
    mirror.turns()
    assert problems(mirror) == set()


@pytest.mark.parametrize(
    "name", ["1.html", "1.json", "1.html.gz", "1.html.br", "1.json.br", ".index", ".routes", "3.html"]
)
@pytest.mark.parametrize("how", ["lost", "torn"])
def test_damaged_files_are_found_and_made_anew(busy, mirror, name: str, how: str) -> None:
    path = mirror.root / "r1" / name
    if how == "lost":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-20] + b"x")
    assert "page" in {code for code, _ in problems(mirror)} or name == "3.html"
    remake(mirror)
    mirror.turns()
    assert problems(mirror) == set()
    assert path.exists()


def test_the_open_page_must_show_what_its_room_has(busy, mirror) -> None:
    path = mirror.root / "r1" / "3.html"
    path.write_bytes(path.read_bytes().replace(b"<li data-id", b"<li data-no", 1))
    assert ("page", "") in problems(mirror)


def test_a_rebuild_makes_the_same_pages(busy, mirror, node) -> None:
    before = mirror.files()
    shutil.rmtree(mirror.root)
    remake(mirror)
    assert mirror.files() == before
    mirror.turns()
    assert mirror.files() == before
    assert problems(mirror) == set()
    node.bullets(9)
    mirror.turns()
    assert problems(mirror) == set()
    assert mirror.page(3).number == 3


def test_a_rebuild_goes_on_where_it_read(busy, mirror, node) -> None:
    under_way = node.judged("under way")
    remake(mirror)
    node.outcome(under_way)
    node.bullets(3)
    mirror.turns()
    assert problems(mirror) == set()
    assert "under way" in mirror.html("3.html")


def test_pages_recorded_while_it_was_rebuilt(busy, mirror, node) -> None:
    """The projector went on while the new mirror was made."""
    node.flush()
    made = rebuild(mirror.root, node.root, OWN, pages=Pages("en", "/mirror/"), others={"comments"}, on_flaw=_never)
    node.bullets(17)
    mirror.turns()
    before = mirror.files()
    mirror.die()
    folder.swap(mirror.root, made)
    mirror.turns()
    assert mirror.files() == before
    assert problems(mirror) == set()


def test_a_lost_room_that_began_again_is_put_in_order(busy, mirror, node) -> None:
    shutil.rmtree(mirror.root / "r1")
    mirror.die()  # the next life knows of no room of this name
    node.bullets(12)
    mirror.turns()
    assert "missing" in {code for code, _ in problems(mirror)}
    remake(mirror)
    mirror.turns()
    assert problems(mirror) == set()
    assert mirror.life.shelf.load("r1").number == 4


def prune(node: Any, worker: int) -> None:
    """All of a worker's segments but the last go, as past the ceiling."""
    node.flush()
    for segment in segments(node.root / "node-0" / str(worker))[:-1]:
        segment.path.unlink()


def test_pages_outlive_the_journal(node, mirror) -> None:
    old = node.bullets(25)
    mirror.turns()
    node.restart(0)
    new = node.bullets(7)
    node.restart(254)
    node.writer(254)
    mirror.turns()
    prune(node, 0)
    prune(node, 254)
    report = check(mirror)
    assert report.problems == []
    assert report.older == 25
    before = {name: data for name, data in mirror.files().items() if name.endswith((".html", ".json"))}
    remake(mirror)
    mirror.turns()
    assert {name: data for name, data in mirror.files().items() if name.endswith((".html", ".json"))} == before
    assert mirror.ids() == [*old, *new][:30]
    node.remove(old[3])
    mirror.turns()
    assert old[3] not in mirror.ids()
    assert check(mirror).problems == []


def test_a_removal_in_a_pruned_journal_is_still_a_removal(node, mirror) -> None:
    old = node.bullets(25)
    mirror.turns()
    node.restart(0)
    node.bullets(1)
    prune(node, 0)
    node.remove(old[3])
    assert ("removed", old[3]) in problems(mirror)
    mirror.turns()
    assert problems(mirror) == set()


def test_journal_damage_is_told(busy, mirror, node) -> None:
    path = segments(node.root / "node-0" / "0")[0].path
    node.restart(0)
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"bullet 3"', b'"bullet 4"', 1))
    found = problems(mirror)
    assert ("journal", "") in found


def test_swapping_keeps_the_old_one_until_the_end(tmp_path: Path) -> None:
    root, made = tmp_path / "mirror", tmp_path / "mirror.rebuilt"
    made.mkdir()
    (made / "new").touch()
    folder.swap(root, made)
    assert (root / "new").exists()
    made.mkdir()
    (made / "newer").touch()
    folder.swap(root, made)
    assert [path.name for path in root.iterdir()] == ["newer"]
    assert not made.exists()


def test_a_mark_notices(tmp_path: Path) -> None:
    (tmp_path / "mirror" / ".projector").mkdir(parents=True)
    mark = folder.FolderIdentity(tmp_path / "mirror")
    assert not mark.gone()
    (tmp_path / "mirror").rename(tmp_path / "elsewhere")
    assert mark.gone()
    (tmp_path / "mirror" / ".projector").mkdir(parents=True)
    assert mark.gone()


def release(node: Any, held: str, text: str, sent_at: int) -> str:
    """Control publishes a bullet that was held: its judged record; the id of that."""
    writer = node.writer(255)
    made = node.ids[255]()
    writer.append(
        {
            "kind": "judged", "id": made, "time": sent_at + 600_000_000, "sent_at": sent_at, "route": "live",
            "surface": "danmaku", "room": "r1", "sender": "u1", "verdict": "pass", "policy": "d", "lists": {},
            "findings": [{"check": "keywords", "reason": "keyword.match", "effect": "hold", "ground": "g"}],
            "releases": held, "approved_by": "a1", "content": {"key": "", "plain": [text]},
        }
    )  # fmt: skip
    return str(made)


def test_released_bullets_stand_once_in_the_order_of_their_releases(mirror, node) -> None:
    before = node.bullet("before")
    second = release(node, "held-2", "second", 10**15 + 5_000_000)
    node.outcome(second, worker=255, status=201)
    first = release(node, "held-1", "first", 10**15)
    node.outcome(first, worker=255, status=201)
    mirror.turns()
    room = read_room(next(Shelf.rooms_in(mirror.root)))
    assert room is not None
    bullets = room.open_bullets()
    assert [bullet.id for bullet in bullets] == sorted([before, second, first])
    assert [bullet.at for bullet in bullets if bullet.id in (second, first)] == [(10**15 + 5_000_000) // 1000, 10**12]
    assert problems(mirror) == set()
    remake(mirror)
    assert problems(mirror) == set()


def test_a_release_that_was_cut_off_stands_once_whatever_became_of_it(mirror, node) -> None:
    taken, refused = release(node, "held-1", "taken", 10**15), release(node, "held-2", "refused", 10**15)
    for one in (taken, refused):
        node.outcome(one, "unknown", worker=255, reason="worker.lost")
    mirror.turns()
    node.outcome(taken, worker=255, status=201)
    node.outcome(refused, "refused", worker=255, status=403, reason="release.refused")
    node.append(record.removal(refused, "platform", "seen", route="live", room="r1"))
    mirror.turns()
    report = check(mirror)
    assert (report.problems, report.expected, report.shown) == ([], 1, 1)
    remake(mirror)
    assert problems(mirror) == set()
