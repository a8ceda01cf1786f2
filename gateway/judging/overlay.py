"""What people have switched on right now: frozen routes and rooms, incidents, urgent words, copies of what was taken
down; and what they approved and its sender may send again.

Built whenever a snapshot arrives, swapped as one reference, and weighed by ``judge`` like the findings of enforced
rules. Nothing here outlives its snapshot: a switch is undone by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from filters.model.message import Message
from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding, Scan
from filters.reading.keywords import Scanner
from gateway.judging.incidents import Incidents
from gateway.judging.refused_copies import RefusedCopies
from gateway.judging.resending import Tickets
from gateway.sentences import own

if TYPE_CHECKING:
    from gateway.state.model.snapshot import SnapshotRows

FREEZE = "freeze"  # the one kind of switch there is; another, of a newer control, is passed over
FROZEN = "switch.frozen"
URGENT = "keyword.urgent"
MIRROR = "mirror.unavailable"


def _decided(check: str, finding: Finding, ground: str) -> Decided:
    return Decided(Rule(check, "reject", "reject", None, ground), finding, "reject")


STALE = _decided("mirror", Finding("mirror", MIRROR), own.MIRROR)
"""Nobody switched this on: the mirror does not keep up, so no bullet goes on (law 6)."""


class Overlay:
    """``acts`` tells what is in force for one message; with nothing switched on, the worker has no overlay at all."""

    __slots__ = ("_copies", "_grounds", "_rooms", "_routes", "_urgent", "incidents", "tickets", "version")

    def __init__(
        self,
        version: int,
        routes: Mapping[str, Decided],
        rooms: Mapping[str, Decided],
        urgent: Scanner | None,
        grounds: Mapping[int, str],
        copies: RefusedCopies | None = None,
        tickets: Tickets | None = None,
        incidents: Incidents | None = None,
    ) -> None:
        self.version = version
        self._routes = routes
        self._rooms = rooms
        self._urgent = urgent
        self._grounds = grounds
        self._copies = copies
        self.tickets = tickets
        self.incidents = incidents

    def switch(self, route: str, room: str, now_us: int) -> Decided | None:
        """The freeze that stands against every message to this place now (µs since the epoch), if any."""
        switch = self._routes.get(route) or self._rooms.get(room)
        if switch is None and self.incidents is not None:
            switch = self.incidents.frozen(route, room, now_us)
        return switch

    def acts(self, message: Message, scan: Scan) -> tuple[Decided, ...]:
        """Everything that stands against this message, then the ticket that is for it, if any."""
        acts = self.against(message, scan, message.received_at)
        if self.tickets is not None:
            ticket = self.tickets.act(message)
            if ticket is not None:
                acts = (*acts, ticket)
        return acts

    def against(self, message: Message, scan: Scan, now_us: int) -> tuple[Decided, ...]:
        """Every switch, urgent word and removed text that stands against this message at a time (µs since the
        epoch)."""
        switches = (self._routes.get(message.route), self._rooms.get(message.room))
        acts = [switch for switch in switches if switch is not None]
        if self.incidents is not None:
            acts += self.incidents.against(message.route, message.room, now_us)
        if self._urgent is not None:
            for hits in self._urgent.scan(message.texts).hits.values():
                for hit in hits:
                    ground = self._grounds.get(hit.word_id, own.EMERGENCY)
                    acts.append(_decided("urgent", Finding("urgent", URGENT, hit), ground))
        if self._copies is not None:
            copy = self._copies.act(message, scan)
            if copy is not None:
                acts.append(copy)
        return tuple(acts)


def build(
    snapshot: SnapshotRows,
    compile_words: Callable[[Sequence[str]], Scanner],
    prints: Callable[[], Scanner],
    used: dict[int, str] | None = None,
) -> Overlay | None:
    """The overlay of a snapshot, or None where nothing is switched on.

    ``compile_words`` makes a scanner of a few words whose ids are their places in the sequence; ``prints`` makes one
    that reads texts for their fingerprint. ``used``: the worker's tickets in use; None where nobody sends again.
    """
    routes: dict[str, Decided] = {}
    rooms: dict[str, Decided] = {}
    for switch in snapshot.switches:
        if switch.kind == FREEZE and switch.scope:
            finding = Finding("switch", FROZEN, detail={switch.scope: switch.value})
            frozen = routes if switch.scope == "route" else rooms
            frozen[switch.value] = _decided("switch", finding, switch.ground)
    urgent = compile_words([row.word for row in snapshot.urgent]) if snapshot.urgent else None
    copies = RefusedCopies(snapshot.copies, prints()) if snapshot.copies else None
    tickets = Tickets(snapshot.tickets, used) if snapshot.tickets and used is not None else None
    incidents = Incidents(snapshot.incidents) if snapshot.incidents else None
    if not routes and not rooms and urgent is None and copies is None and tickets is None and incidents is None:
        return None
    grounds = {place: row.ground for place, row in enumerate(snapshot.urgent)}
    return Overlay(snapshot.version, routes, rooms, urgent, grounds, copies, tickets, incidents)
