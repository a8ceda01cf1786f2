"""From records to pages: order, completeness, removal, and a death at every possible moment."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from filters.model.verdict import Verdict
from gateway.journal.write import record
from gateway.journal.write.ids import Ids
from gateway.mirror.pages.intake import OVERDUE_MS
from gateway.mirror.projector import bullet_projection as projections
from gateway.mirror.store import batch as batches
from gateway.mirror.store.sealed import Damaged
from gateway.mirror.upkeep.importing import bullet_id


def pages_of(node: Any) -> list[tuple[int, list[str]]]:
    """What the journal says of pages."""
    from gateway.journal.read.reader import records

    found = [entry.record for entry in records(node.root / "node-0" / "254", lambda flaw: None)]
    return [(made["number"], made["members"]) for made in found if made["kind"] == "page"]


def test_what_was_delivered_stands_in_order_on_pages(node, mirror) -> None:
    first = node.bullets(7)
    mirror.turn()
    assert mirror.ids() == []
    assert [bullet.id for bullet in mirror.life._rooms["r1"].open_bullets()] == first
    ids = first + node.bullets(16)
    mirror.turn()
    assert mirror.ids() == ids[:20]
    assert [one.count('<li data-id="') for one in map(mirror.html, ("1.html", "2.html", "3.html"))] == [10, 10, 3]
    assert pages_of(node) == [(1, ids[:10]), (2, ids[10:20])]
    assert mirror.html("index.html") == mirror.html("3.html")


@pytest.mark.parametrize(
    ("state", "shown"), [("delivered", True), ("unknown", True), ("refused", False), ("failed", False)]
)
def test_only_what_may_be_shown_has_a_static_version(node, mirror, state: str, shown: bool) -> None:
    message = node.judged("look here")
    mirror.turn()
    assert not (mirror.root / "r1").exists()
    node.outcome(message, state)
    mirror.turn()
    assert (mirror.root / "r1" / "1.html").exists() is shown
    if shown:
        assert "look here" in mirror.html()


def test_other_surfaces_and_refusals_are_no_bullets(node, mirror) -> None:
    node.bullet("a comment", basis=node.comments)
    node.outcome(node.judged("never heard of"), "held")
    node.append(record.outcome(Ids(0, 9)(), "delivered"))
    mirror.turns()
    assert list(mirror.life.shelf.rooms()) == []


def test_masks_labels_playback_and_platform_ids(node, mirror, make_mask: Callable[[str, str], Verdict]) -> None:
    verdict = make_mask("you idiot there", "idiot")._replace(labels=("synthetic",))
    message = node.judged("you idiot there", verdict=verdict, playback_ms=3_723_000)
    node.outcome(message, upstream_id="77")
    mirror.turn()
    html = mirror.html()
    assert "you ***** there" in html
    assert "idiot" not in html
    assert "1:02:03" in html
    assert "synthetic" in html
    (bullet,) = mirror.life._rooms["r1"].open_bullets()
    assert bullet.platform_id == "77"


def test_an_outcome_that_nobody_tells_makes_a_bullet_uncertain(node, mirror) -> None:
    node.judged("who knows")
    mirror.turn()
    assert not (mirror.root / "r1").exists()
    now = mirror.life._now
    mirror.life._now = lambda: now() + OVERDUE_MS / 1000 + 1
    mirror.turn()
    (bullet,) = mirror.life._rooms["r1"].open_bullets()
    assert (bullet.text, bullet.certain) == ("who knows", False)


def test_a_bullet_that_an_incident_held_while_it_was_delayed_waits_for_its_release(node, mirror) -> None:
    node.outcome(node.judged("who knows"), "held")
    mirror.turn()
    now = mirror.life._now
    mirror.life._now = lambda: now() + OVERDUE_MS / 1000 + 1
    mirror.turn()
    assert list(mirror.life.shelf.rooms()) == []


def test_bullets_over_workers_are_in_order_of_their_ids(node, mirror) -> None:
    ids = [node.bullet(str(number), worker=number % 3) for number in range(30)]
    mirror.turns()
    assert mirror.ids() == sorted(ids)


def test_what_comes_late_stands_on_the_open_page(node, mirror) -> None:
    late = node.judged("late")
    ids = node.bullets(12)
    mirror.turn()
    assert mirror.ids() == ids[:10]
    node.outcome(late)
    more = node.bullets(8)
    mirror.turns()
    assert mirror.ids() == ids[:10] + [late, *ids[10:], *more][:10]
    node.outcome(late)  # told twice
    node.bullets(20)
    mirror.turns()
    assert mirror.ids().count(late) == 1


def test_one_id_twice_is_one_bullet_and_is_told(node, mirror) -> None:
    message = node.judged("first")
    made = dict(record.judged(_message(message, "second"), Verdict("pass", "digest"), node.basis))
    node.append(made, worker=0)
    node.outcome(message)
    node.outcome(message)
    mirror.turns()
    (bullet,) = mirror.life._rooms["r1"].open_bullets()
    assert bullet.text == "first"
    assert mirror.life.intake.twice == 1
    node.append(made, worker=0)  # again, once it is on a complete page
    node.bullets(12)
    mirror.turns()
    node.outcome(message)
    mirror.turns()
    assert mirror.ids().count(message) == 1


def _message(message_id: str, text: str) -> Any:
    from filters.model.message import Message

    return Message(message_id, "danmaku", "live", "r1", "u1", (text,), 1)


# -- removal


def test_removed_from_the_open_page(node, mirror) -> None:
    keep, gone = node.bullet("stays"), node.bullet("goes away")
    mirror.turn()
    node.remove(gone)
    mirror.turn()
    assert "goes away" not in mirror.html()
    assert "stays" in mirror.html()
    assert mirror.life.changed == [("r1", 0)]
    for path in (mirror.root / "r1").iterdir():  # nothing of it is left in private files either
        assert b"goes away" not in path.read_bytes()
    node.bullets(9)
    mirror.turn()
    assert mirror.page(1).removed == 1
    assert len(mirror.page(1).bullets) == 9
    assert mirror.page(1).bullets[0].id == keep


def test_removed_from_a_complete_page_nobody_moves_up(node, mirror) -> None:
    ids = node.bullets(25)
    mirror.turns()
    before = mirror.files()
    node.remove(ids[3])
    mirror.turn()
    after = mirror.files()
    assert mirror.ids() == ids[:3] + ids[4:20]
    assert mirror.page(1).removed == 1
    changed = {name for name in after if after[name] != before.get(name)}
    # The open page says how many bullets there are.
    assert changed == {f"r1/1.{kind}" for kind in ("html", "html.gz", "html.br", "json", "json.gz", "json.br")} | {
        "r1/3.html",
        "r1/index.html",
    }
    assert 'data-total="24"' in mirror.html("3.html")
    assert ("r1", 1) in mirror.life.changed
    node.remove(ids[3])  # told again: requested, then confirmed
    mirror.turn()
    assert 'data-total="24"' in mirror.html("3.html")


def test_removed_before_it_arrived(node, mirror) -> None:
    message = node.judged("never shown")
    mirror.turn()
    node.remove(message)
    mirror.turn()
    mirror.die()
    node.outcome(message)
    node.bullets(10)
    mirror.turns()
    assert message not in mirror.ids()
    assert len(mirror.ids()) == 9
    assert mirror.page(1).removed == 1


def test_removed_without_saying_where(node, mirror) -> None:
    ids = node.bullets(12, "r1")
    other = node.bullets(3, "房间")
    mirror.turns()
    node.append(record.removal(ids[2], "erasure", "seen"))
    node.append(record.removal(other[0], "erasure", "seen"))
    mirror.turn()
    assert ids[2] not in mirror.ids("r1")
    assert other[0] not in mirror.html("1.html", "房间")


def test_what_is_removed_elsewhere_concerns_no_room(node, mirror) -> None:
    message = node.bullet()
    mirror.turn()
    node.append(record.removal(message, "platform", "seen", route="comments", room="r1"))
    node.append(record.removal(Ids(0, 3)(), "platform", "seen", room="nowhere"))
    mirror.turn()
    assert message in mirror.html()
    assert not (mirror.root / "nowhere").exists()


# -- death


class Killed(BaseException):
    """The process is gone."""


def killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> list[int]:
    """Die at the ``step``-th thing that reaches the disk."""
    count = [0]

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **more: Any) -> Any:
            count[0] += 1
            if count[0] == step:
                raise Killed
            return call(*args, **more)

        return wrapped

    for name in ("replace", "pwrite", "symlink", "truncate"):
        monkeypatch.setattr(batches.os, name, dying(getattr(os, name)))
    monkeypatch.setattr(batches.Batch, "abandon", lambda self: self._close())  # kill -9 cleans nothing up
    return count


def test_killed_at_every_step_nothing_is_lost_or_doubled(node, mirror, tmp_path: Path) -> None:
    """The same turn, killed at its first, second, third … step until it comes through, each time with a new life."""
    late = node.judged("late")
    ids = node.bullets(8)
    mirror.turns()
    removed = ids[4]
    step = 0
    while True:
        step += 1
        ids += node.bullets(13, worker=step % 2)
        if step == 3:
            node.outcome(late)
        if step == 5:
            node.remove(removed)
        with pytest.MonkeyPatch.context() as patch:
            count = killed_at(patch, step)
            try:
                mirror.turn()
            except Killed:
                mirror.die()
        if count[0] < step:
            break
    assert step > 15
    mirror.turns()
    mirror.die()
    mirror.turns()
    wanted = {*ids, late} - {removed}
    shown = mirror.ids()
    open_page = [bullet.id for bullet in mirror.life.shelf.load("r1").open_bullets()]
    assert len(shown) + len(open_page) == len(wanted)
    assert set(shown) | set(open_page) == wanted
    recorded = pages_of(node)
    assert [number for number, _ in recorded] == list(range(1, len(recorded) + 1))
    for number, members in recorded:
        assert [bullet.id for bullet in mirror.page(number).bullets] == [one for one in members if one != removed]


def test_a_page_that_was_recorded_and_not_written_is_made_as_recorded(node, mirror) -> None:
    late = node.judged("late")
    ids = node.bullets(12)
    node.flush()
    life = mirror.life
    life.read()
    mirror.record(life.propose(Ids(0, 254)))
    mirror.die()
    node.outcome(late)  # the next life reads it before it makes the page
    mirror.turns()
    assert mirror.ids() == ids[:10]
    assert pages_of(node) == [(1, ids[:10])]
    node.bullets(9)
    mirror.turns()
    assert mirror.ids()[10] == late


def test_a_recorded_page_is_learnt_again_by_each_life(node, mirror, monkeypatch) -> None:
    ids = node.bullets(30)
    node.flush()
    life = mirror.life
    life.read()
    mirror.record(life.propose(Ids(0, 254)))
    mirror.die()
    monkeypatch.setattr(projections, "READ_AT_ONCE", 4)  # so that one turn does not reach the end
    for _ in range(40):
        mirror.turn()
        mirror.die()
    mirror.turns()
    assert mirror.ids() == ids
    assert [number for number, _ in pages_of(node)] == [1, 2, 3]


def test_what_a_recorded_page_lacks_does_not_hold_up_the_rest(node, mirror) -> None:
    mirror.turn()
    ids = node.bullets(4)
    ghost = Ids(0, 7)()
    node.append(record.page(Ids(0, 254)(), "r1", 1, [ids[0], ghost, ids[1]]), worker=254)
    node.flush()
    mirror.die()
    mirror.turns()
    assert [bullet.id for bullet in mirror.page(1).bullets] == ids[:2]
    assert mirror.life.missing == 1


def test_a_killed_worker(node, mirror) -> None:
    sure = node.bullet("sure")
    doubtful = node.judged("doubtful")
    mirror.turn()
    node.restart(0)
    node.writer(0)  # its recovery writes the unknown outcome
    mirror.turns()
    assert [(b.id, b.certain) for b in mirror.life._rooms["r1"].open_bullets()] == [(sure, True), (doubtful, False)]


def test_a_torn_tail_is_waited_for_and_then_passed_over(node, mirror) -> None:
    node.bullets(3)
    mirror.turn()
    path = max((node.root / "node-0" / "0").glob("*.jsonl"))
    node.restart(0)
    with path.open("ab") as file:
        file.write(b'{"v":1,"epoch":1,"seq":99,"kind":"judged","id":"')
    mirror.turn()
    assert mirror.life.caught_up
    node.bullet("after")
    mirror.turns()
    assert mirror.html().count("<li") == 4


# -- failures of the disk


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_fails_holds_the_watermark_and_nothing_is_lost(node, mirror, number: int) -> None:
    ids = node.bullets(12)
    mirror.turn()
    before = mirror.life.watermark
    ids += node.bullets(15)
    calls = [0]

    def failing(*args: Any) -> int:
        calls[0] += 1
        if calls[0] > 3:
            raise OSError(number, os.strerror(number))
        return real(*args)

    real = os.pwrite
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches.os, "pwrite", failing)
        for _ in range(3):
            with pytest.raises(OSError, match=os.strerror(number)):
                mirror.turn()
            assert mirror.life.watermark == before
    assert not list(mirror.root.rglob(".new.*"))
    mirror.turns()
    assert mirror.life.watermark > before
    assert mirror.ids() == ids[:20]
    assert len(pages_of(node)) == 2


def test_removal_that_fails_half_way_is_counted_once(node, mirror) -> None:
    ids = node.bullets(12)
    mirror.turns()
    node.remove(ids[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches.os, "replace", _full)
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                mirror.turn()
    mirror.turn()
    assert 'data-total="11"' in mirror.html("2.html")
    mirror.die()
    mirror.turn()
    node.bullet()
    mirror.turn()
    assert 'data-total="12"' in mirror.html("2.html")


def _full(*args: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_lost_folder_is_damage_not_a_new_beginning(node, mirror) -> None:
    import shutil

    node.bullets(12)
    mirror.turns()
    shutil.rmtree(mirror.root / "r1")
    node.bullet()
    with pytest.raises(Damaged):
        mirror.turn()
    mirror.die()
    shutil.rmtree(mirror.root)
    with pytest.raises(Damaged):
        mirror.turn()


# -- bounds


def test_what_is_held_in_memory_is_bounded(node, mirror, monkeypatch) -> None:
    monkeypatch.setattr(projections, "MAX_ROOMS", 20)
    for number in range(100):
        node.bullet("hello", f"room-{number}")
    mirror.turns()
    assert mirror.life.held[0] <= 20
    node.bullet("again", "room-1")
    mirror.turn()
    assert mirror.html("1.html", "room-1").count("<li") == 2
    monkeypatch.setattr(projections, "MAX_HELD", 15)
    for number in range(30):
        node.bullet("hello", f"room-{number}")
    mirror.turns()
    assert mirror.life.held[1] <= 15


def test_too_many_waiting_hold_the_watermark(node, mirror, monkeypatch) -> None:
    mirror.turn()
    before = mirror.life.watermark
    monkeypatch.setattr(projections, "MAX_WAITING", 5)
    waiting = [node.judged() for _ in range(6)]
    mirror.turn()
    assert mirror.life.watermark == before
    node.outcome(waiting[0])
    node.outcome(waiting[1])
    mirror.turn()
    assert mirror.life.watermark > before


def test_idle_turns_write_nothing(node, mirror) -> None:
    node.bullets(3)
    mirror.turns()
    before = {path: path.stat().st_mtime_ns for path in mirror.root.rglob("*")}
    for _ in range(5):
        mirror.turn()
    assert {path: path.stat().st_mtime_ns for path in mirror.root.rglob("*")} == before


def test_the_watermark_lags_while_there_is_more_to_read(node, mirror, monkeypatch) -> None:
    monkeypatch.setattr(projections, "READ_AT_ONCE", 10)
    node.bullets(40)
    mirror.turn()
    assert not mirror.life.caught_up
    seen = []
    while not mirror.life.caught_up:
        seen.append(mirror.life.watermark)
        mirror.turn()
    assert seen == sorted(seen)
    assert len(mirror.ids()) == 40


def test_the_watermark_moves_on_though_there_is_always_more_to_read(node, mirror, monkeypatch) -> None:
    """By what was read, not by what records say of the time: here they say that it is a year later."""
    monkeypatch.setattr(projections, "READ_AT_ONCE", 10)
    later = time.time_ns() + 365 * 86_400 * 10**9
    monkeypatch.setattr("gateway.journal.write.record.time.time_ns", lambda: later)
    seen = []
    for _ in range(12):
        node.bullets(6)
        mirror.turn()
        assert not mirror.life.caught_up
        seen.append(mirror.life.watermark)
    assert seen == sorted(seen)
    assert len({mark for mark in seen if mark}) >= 3
    assert seen[-1] < time.monotonic()


@pytest.mark.parametrize("step", [3600, -3600, 400 * 86_400])
def test_a_clock_that_is_set_makes_no_bullet_uncertain_and_keeps_none_waiting(node, mirror, monkeypatch, step) -> None:
    known, never = node.judged("known"), node.judged("never told")
    mirror.turn()
    there = time.time_ns() + step * 10**9
    monkeypatch.setattr("time.time_ns", lambda: there)
    monkeypatch.setattr("time.time", lambda: there / 1e9)
    mirror.turn()
    assert mirror.life.watermark > 0
    assert mirror.life.intake.waiting == 2
    node.outcome(known)
    now = mirror.life._now
    mirror.life._now = lambda: now() + OVERDUE_MS / 1000 + 1
    mirror.turn()
    assert {one.id: one.certain for one in mirror.life._rooms["r1"].open_bullets()} == {known: True, never: False}


# -- imports


def test_imported_bullets_sort_by_when_they_were_sent(node, mirror) -> None:
    made = []
    for number in range(12):
        sent_at = 1_500_000_000_000_000 + number * 1_000_000
        one = bullet_id("r1", str(number), sent_at)
        made.append(one)
        node.append(record.imported(one, "r1", f"old {number}", sent_at, route="live", upstream_id=str(number)), 9)
    assert made == sorted(made)
    new = node.bullets(10)
    mirror.turns()
    assert mirror.ids() == [*made, *new][:20]
    assert "2017-07-14" in mirror.html()
