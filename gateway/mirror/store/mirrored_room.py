"""One room's static version in memory: its open page, and what is ready to become a complete one.

Ids stand in order on a page, and pages follow each other in order, but for what comes late: a bullet whose outcome was
heard after the page that it belongs to was complete stands on the page that is open then. A complete page changes only
by removal; so a removed bullet keeps its place in the size (None in ``open``), and nobody moves up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.mirror.pages.bullet import Bullet, read

NO_ID = "00000000-0000-0000-0000-000000000000"

Place = tuple[str, int]
"""Where a record stands in its folder: segment and offset."""


class Page(NamedTuple):
    """Which ids are on a page that is to be closed."""

    number: int
    members: tuple[str, ...]


class Closed(NamedTuple):
    """A page to be written. ``size`` includes removed bullets, ``bullets`` does not. ``first``: its least id;
    ``until``: the greatest on it or on a page before."""

    number: int
    bullets: tuple[Bullet, ...]
    size: int
    first: str
    until: str


class MirroredRoom:
    """``applied`` is the last record of each journal folder that changed the room. ``departed``: ids to be taken from
    complete pages. ``fresh`` until it was written once."""

    __slots__ = (
        "adjusted",
        "applied",
        "closed",
        "departed",
        "fresh",
        "items",
        "name",
        "number",
        "open",
        "routes",
        "routes_changed",
        "scrub",
        "sequence",
        "total",
        "until",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 1
        self.until = ""
        self.open: dict[str, Bullet | None] = {}
        self.closed: list[Closed] = []
        self.total = 0  # bullets on all pages
        self.adjusted = 0  # how many of them a write took off that was not committed yet
        self.routes: set[str] = set()
        self.routes_changed = False
        self.applied: dict[str, Place] = {}
        self.departed: set[str] = set()
        self.fresh = True
        self.sequence = 0  # how often it was written
        self.scrub = False  # a text that it held must not be found in its files any more
        self.items: dict[str, str] = {}  # bullets that were rendered, by id

    def knows(self, folder: str, place: Place) -> bool:
        """Whether the record at this place has been applied already."""
        return self.applied.get(folder, ("", -1)) >= place

    def add(self, bullet: Bullet, route: str) -> None:
        self.open[bullet.id] = bullet
        self.total += 1
        if route and route not in self.routes:
            self.routes.add(route)
            self.routes_changed = True

    def reserve(self, bullet_id: str) -> None:
        """Count a bullet that was removed before it arrived: a page that is recorded counts it."""
        self.open[bullet_id] = None

    def depart(self, bullet_id: str) -> bool:
        """Remove a bullet. False where it is not on the open page: then complete pages are looked through later."""
        self.scrub = True
        self.items.pop(bullet_id, None)
        if bullet_id in self.open:
            if self.open[bullet_id] is not None:
                self.open[bullet_id] = None
                self.total -= 1
            return True
        self.departed.add(bullet_id)
        return False

    def next_page(self, size: int) -> Page:
        """The page that comes of the ``size`` smallest ids of the open one."""
        return Page(self.number, tuple(sorted(self.open)[:size]))

    def recorded_page(self, record: Mapping[str, Any]) -> tuple[Page, int]:
        """The page that a ``page`` record speaks of, and how many of its bullets are not there."""
        members = tuple(member for member in record["members"] if member in self.open)
        return Page(self.number, members), len(record["members"]) - len(members)

    def close(self, page: Page) -> None:
        """The page is recorded: its bullets leave the open one."""
        taken = [self.open.pop(member) for member in page.members]
        bullets = tuple(bullet for bullet in taken if bullet is not None)
        first = page.members[0] if page.members else self.until or NO_ID
        self.until = max([self.until, *page.members[-1:]]) or NO_ID
        self.closed.append(Closed(page.number, bullets, len(taken), first, self.until))
        self.number = page.number + 1

    def open_bullets(self) -> list[Bullet]:
        """What stands on the open page, in order."""
        return [bullet for _, bullet in sorted(self.open.items()) if bullet is not None]

    def told(self) -> dict[str, Any]:
        """As JSON, all that a later life needs."""
        return {
            "v": 1,
            "room": self.name,
            "number": self.number,
            "until": self.until,
            "routes": sorted(self.routes),
            "applied": self.applied,
            "open": [bullet.told() for bullet in self.open.values() if bullet is not None],
            "gone": [bullet_id for bullet_id, bullet in self.open.items() if bullet is None],
        }


def restored(told: Mapping[str, Any]) -> MirroredRoom:
    """What ``told`` gave; ``total`` is of the open page alone, the index knows of the others."""
    room = MirroredRoom(told["room"])
    room.number = told["number"]
    room.until = told["until"]
    room.routes = set(told["routes"])
    room.applied = {folder: (segment, offset) for folder, (segment, offset) in told["applied"].items()}
    room.open = {bullet["id"]: read(bullet) for bullet in told["open"]}
    room.total = len(room.open)
    room.open |= dict.fromkeys(told["gone"])
    room.fresh = False
    return room
