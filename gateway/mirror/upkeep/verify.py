"""Journal and pages, compared in both directions.

Every bullet that the journal says was delivered, and not removed, stands on exactly one page, with its text; and every
bullet on a page is one of these. Both are asked while the gateway runs: what is not yet on its page is waited for, and
what came after the journal was read is looked up again.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import brotli

from gateway.journal.read.reader import Flaw
from gateway.mirror.pages.bullet import Bullet
from gateway.mirror.store import index
from gateway.mirror.store.sealed import Damaged
from gateway.mirror.store.shelf import Shelf, read_page, read_room, read_routes
from gateway.mirror.upkeep.expected import Expected, Horizon

Code = Literal["missing", "surplus", "removed", "changed", "twice", "page", "journal", "collision"]
"""missing: not on a page; surplus: on a page, unknown to the journal; removed: still shown; changed: another text than
was delivered; twice: on two pages; page: a page's files are damaged or disagree; journal: a line that cannot be read;
collision: two different bullets have one id."""

_IDS = re.compile(rb'<li data-id="([^"]*)">').findall
OPEN_TRIES, OPEN_PAUSE = 5, 0.2  # looks at an open page, and seconds between them
_MAX_INFLATED = 256 * 1024 * 1024


class MirrorProblem(NamedTuple):
    """``where``: a room's folder and file, or a journal segment. ``id``: of the bullet, where it is about one."""

    code: Code
    where: str
    id: str = ""
    detail: str = ""


@dataclass(slots=True)
class MirrorReport:
    """``expected``: bullets that should be shown; ``shown``: bullets found; ``older``: of these, ones older than what
    the journal retains, which nothing can be said of; ``waiting``: passed, and their outcome not known yet."""

    expected: int = 0
    shown: int = 0
    older: int = 0
    waiting: int = 0
    rooms: int = 0
    pages: int = 0
    problems: list[MirrorProblem] = field(default_factory=list)


def verify(
    root: Path,
    journal: Path,
    own: str,
    *,
    near: Path,
    others: Collection[str] = (),
    caught_up: Callable[[float], object] = lambda moment: None,
    on_progress: Callable[[str, int], object] = lambda what, count: None,
) -> MirrorReport:
    """Compare. ``caught_up(moment)`` returns once the projector has come to ``moment`` (seconds of the monotonic
    clock), or will not. ``near``: a folder for a temporary database. Raises OSError, sqlite3.Error."""
    report = MirrorReport()

    def on_flaw(flaw: Flaw) -> None:
        where = f"{flaw.folder}/{flaw.segment}"
        report.problems.append(MirrorProblem("journal", where, detail=f"byte {flaw.offset}: {flaw.code}"))

    near.mkdir(mode=0o700, parents=True, exist_ok=True)
    expected = Expected(journal, own, on_flaw, near, others)
    try:
        expected.read(lambda count: on_progress("records", count))
        before = set(expected.intake.waiting_ids())
        report.expected = expected.count()
        caught_up(time.monotonic())
        doubtful: list[tuple[str, str, Bullet]] = []
        walk = _Walk(report, expected)
        if root.is_dir():
            for path in Shelf.rooms_in(root):
                doubtful.extend(walk.room(path))
                on_progress("rooms", 1)
        missing = list(expected.unseen())
        expected.read()  # what was recorded meanwhile: bullets that arrived, bullets that went
        _settle(report, expected, expected.horizon(), doubtful, before)
        report.problems.extend(
            MirrorProblem("missing", room, one) for room, one in missing if not expected.is_gone(one)
        )
        report.problems.extend(MirrorProblem("twice", room, one) for room, one in expected.seen_twice())
        if expected.intake.twice:
            report.problems.append(MirrorProblem("collision", "journal", detail=f"{expected.intake.twice} ids"))
        report.waiting = expected.intake.waiting
    finally:
        expected.close()
    return report


def _settle(
    report: MirrorReport,
    expected: Expected,
    horizon: Horizon,
    doubtful: list[tuple[str, str, Bullet]],
    waiting: Collection[str],
) -> None:
    """Judge what was on a page and not known, or removed, when the page was read."""
    waiting = set(waiting) | set(expected.intake.waiting_ids())
    for where, room, bullet in doubtful:
        known = expected.known(room, bullet.id)
        if known is None:
            if expected.is_gone(bullet.id) and horizon.hides(bullet.id):
                report.problems.append(MirrorProblem("removed", where, bullet.id))
            elif horizon.hides(bullet.id):
                report.older += 1
            elif bullet.certain or bullet.id not in waiting:  # overdue ones are shown before they are settled
                report.problems.append(MirrorProblem("surplus", where, bullet.id))
        else:
            was, gone = known
            if gone:
                report.problems.append(MirrorProblem("removed", where, bullet.id))
            elif was._replace(certain=bullet.certain) != bullet:
                report.problems.append(MirrorProblem("changed", where, bullet.id))


class _Walk:
    """Reads rooms; what cannot be said at once is given back: where, room, bullet."""

    def __init__(self, report: MirrorReport, expected: Expected) -> None:
        self._report = report
        self._expected = expected

    def room(self, folder: Path) -> Iterator[tuple[str, str, Bullet]]:
        try:
            named = read_routes(folder)
            room = read_room(folder)
            if room is None or named is None or named[0] != room.name:
                raise Damaged("the folder does not say whose it is")
            self._report.rooms += 1
            number = 1
            while True:  # the open page may become complete while the others are read
                while number < room.number:
                    yield from self._page(folder, room.name, number)
                    number += 1
                found = self._open_page(folder, number)
                if found is not None:
                    yield from self._bullets(f"{folder.name}/{number}", room.name, found)
                    return
                room = read_room(folder) or room
        except (Damaged, OSError) as error:
            self._report.problems.append(MirrorProblem("page", folder.name, detail=_told(error)))

    def _open_page(self, folder: Path, number: int) -> list[Bullet] | None:
        """The open page's bullets; None where it has become complete."""
        html = folder / f"{number}.html"
        for attempt in range(OPEN_TRIES):
            if attempt:
                time.sleep(OPEN_PAUSE)  # page and room are written one after the other
            room = read_room(folder)
            if room is None or room.number != number:
                return None
            bullets = room.open_bullets()
            try:
                shown = sorted(_IDS(html.read_bytes()))
            except FileNotFoundError:
                continue
            if shown == [bullet.id.encode() for bullet in bullets]:
                break
        else:
            self._report.problems.append(
                MirrorProblem("page", f"{folder.name}/{number}.html", detail="it shows other bullets than its room has")
            )
        self._report.pages += 1
        return bullets

    def _page(self, folder: Path, name: str, number: int) -> Iterator[tuple[str, str, Bullet]]:
        where = f"{folder.name}/{number}"
        report = self._report
        report.pages += 1
        try:
            stored = read_page(folder, number)
            row = index.row(folder, number)
            if stored.room != name or stored.number != number or row.removed != stored.removed:
                report.problems.append(MirrorProblem("page", where, detail="page and index disagree"))
            yield from self._bullets(where, name, list(stored.bullets))
            self._html(folder, number, [bullet.id for bullet in stored.bullets])
        except (Damaged, OSError) as error:
            report.problems.append(MirrorProblem("page", where, detail=_told(error)))

    def _bullets(self, where: str, name: str, bullets: list[Bullet]) -> Iterator[tuple[str, str, Bullet]]:
        report = self._report
        report.shown += len(bullets)
        known = []
        for bullet in bullets:
            found = self._expected.known(name, bullet.id)
            if found is None or found[1] or found[0] != bullet:
                yield where, name, bullet
            if found is not None:
                known.append(bullet.id)
        self._expected.see(name, known)

    def _html(self, folder: Path, number: int, ids: list[str]) -> None:
        """What people read holds the same bullets, in each encoding."""
        where = f"{folder.name}/{number}"
        problems = self._report.problems
        if [one.decode() for one in _IDS((folder / f"{number}.html").read_bytes())] != ids:
            problems.append(MirrorProblem("page", f"{where}.html", detail="it shows other bullets than its JSON"))
        for kind in ("html", "json"):
            plain = (folder / f"{number}.{kind}").read_bytes()
            for suffix, undo in _ENCODINGS.items():
                try:
                    same = undo((folder / f"{number}.{kind}{suffix}").read_bytes()) == plain
                except (zlib.error, brotli.error):
                    same = False
                if not same:
                    problems.append(
                        MirrorProblem("page", f"{where}.{kind}{suffix}", detail="it is not the page compressed")
                    )


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj(wbits=31).decompress(data, _MAX_INFLATED)


_ENCODINGS: dict[str, Callable[[bytes], bytes]] = {".gz": _inflated, ".br": brotli.decompress}


def _told(error: Any) -> str:
    return str(error) if isinstance(error, Damaged) else type(error).__name__
