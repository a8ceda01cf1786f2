"""From the journal's records to what a mirror does: a bullet arrives, a bullet goes.

A bullet arrives once its outcome is ``delivered``, or ``unknown``: where nobody heard whether the platform took it, it
may be shown, and what may be shown has a static version. For the same reason a passed bullet whose outcome is not heard
within ``OVERDUE_MS`` arrives as uncertain. ``refused`` and ``failed`` ones were never shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from gateway.mirror.pages.bullet import Bullet, of_imported, of_judged, read
from gateway.surfaces import MIRRORED

OVERDUE_MS = 15 * 60 * 1000
MAX_WAITING = 200_000
"""Bullets waiting for their outcome, beyond which a mirror does not say that it is up to date (law 10)."""


class Arrival(NamedTuple):
    """A bullet belongs on a page of ``room``. ``route`` let it in."""

    room: str
    route: str
    bullet: Bullet


class Departure(NamedTuple):
    """A message is shown no more. ``room`` is empty where the record did not know it."""

    room: str
    id: str


class Intake:
    """Takes the records of each folder in the order of writing. ``others`` are the routes that carry no bullets.

    ``twice`` counts ids that two different bullets had; the first of them keeps it. ``now_ms``: the caller's time, of a
    clock that is never set; a bullet waits from when it was read here, whatever its record says of the time.
    """

    __slots__ = ("_heard", "_waiting", "now_ms", "others", "twice")

    def __init__(self, others: Collection[str] = ()) -> None:
        self.others = frozenset(others)
        self.twice = 0
        self.now_ms = 0
        self._waiting: dict[str, Arrival] = {}
        self._heard: dict[str, int] = {}  # of each that waits: since when

    def take(self, record: Mapping[str, Any]) -> Arrival | Departure | None:
        """What follows from one record."""
        kind = record["kind"]
        if kind == "outcome":
            state = record["state"]  # held: an incident began while it was delayed
            waiting = self._waiting.pop(record["id"], None)
            self._heard.pop(record["id"], None)
            if waiting is None or state not in ("delivered", "unknown"):
                return None
            platform_id = record.get("upstream_id", "")
            if platform_id or state == "unknown":
                bullet = waiting.bullet._replace(platform_id=platform_id, certain=state != "unknown")
                return waiting._replace(bullet=bullet)
            return waiting
        if kind == "judged":
            if record["surface"] in MIRRORED and record["verdict"] == "pass":
                self._expect(Arrival(record["room"], record["route"], of_judged(record)))
        elif kind == "removal":
            if record["id"] and record.get("route", "") not in self.others:
                return Departure(record.get("room", ""), record["id"])
        elif kind == "imported":
            return Arrival(record["room"], record["route"], of_imported(record))
        return None

    def overdue(self) -> list[Arrival]:
        """Bullets whose outcome nobody told in time; they wait no longer."""
        names = []
        for name, heard in self._heard.items():
            if heard > self.now_ms - OVERDUE_MS:
                break  # in order of arrival
            names.append(name)
        late = [self._waiting.pop(name) for name in names]
        for name in names:
            del self._heard[name]
        return [waiting._replace(bullet=waiting.bullet._replace(certain=False)) for waiting in late]

    @property
    def waiting(self) -> int:
        """How many bullets wait for their outcome."""
        return len(self._waiting)

    def told(self) -> list[list[Any]]:
        """What waits, as JSON, for a checkpoint."""
        return [[waiting.room, waiting.route, waiting.bullet.told()] for waiting in self._waiting.values()]

    def restore(self, told: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """What ``told`` gave, in a later life."""
        for room, route, bullet in told:
            self._expect(Arrival(room, route, read(bullet)))

    def waiting_ids(self) -> Iterable[str]:
        """Ids of the bullets that wait."""
        return self._waiting.keys()

    def _expect(self, arrival: Arrival) -> None:
        known = self._waiting.setdefault(arrival.bullet.id, arrival)
        self._heard.setdefault(arrival.bullet.id, self.now_ms)
        if known is not arrival and known != arrival:
            self.twice += 1
