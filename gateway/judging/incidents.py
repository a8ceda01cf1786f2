"""What stands against messages while an incident does (应急处置): everywhere, on its routes or in its rooms.

    freeze    nothing is published                                               refused
    members   only who has an account of that credit level writes                refused
    pace      a message of a sender on a route every so many seconds             refused, with when to come back
    hold      what would pass waits for a person                                 held

Laws:

* an incident ends at its time by the worker's own clock, whoever can be reached then; its end lets nothing go on that
  it held;
* of several that stand at once each counts: the widest decides;
* whoever cannot be known to be a member while only members write is refused, and told to come back;
* where none stands, nothing here is asked (``Overlay.incidents`` is None).

Rate and level are asked of state together with what the route's policy asks: with one question, and charged all
together or not at all.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, NamedTuple

from filters.model.limits import Limit
from filters.model.rule import Asks, Rule
from filters.model.verdict import INCIDENT, Action, Decided, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filters.model.message import Message
    from filters.model.verdict import Facts, Verdict
    from filters.policy import Policy
    from gateway.state.model.snapshot import IncidentRow

FROZEN: Final = "switch.frozen"
HELD: Final = "incident.held"
UNHELD: Final = "incident.unheld"
SLOW: Final = "incident.slow"
MEMBERS: Final = "incident.members"
UNAVAILABLE: Final = "incident.unavailable"
ANYBODY: Final = -1
"""Of ``IncidentRow.level``: members and others write."""


class Incident(NamedTuple):
    """One that may stand. ``until``: µs since the epoch; the decisions are None where it has no such measure, ``pace``
    0 and ``level`` ``ANYBODY``. ``pace``: µs between two messages."""

    id: int
    until: int
    frozen: Decided | None
    held: Decided | None
    pace: int
    level: int
    ground: str


class IncidentGate(NamedTuple):
    """What is asked of state beside a policy's own questions, where incidents want it: ``paced``, each with the place
    of its limit in ``Facts.limits``; ``members``."""

    asks: Asks
    paced: tuple[tuple[int, Incident], ...]
    members: tuple[Incident, ...]

    def found(self, message: Message, facts: Facts) -> tuple[Decided, ...]:
        """What of it stands against the message."""
        return tuple(
            [one for one in [_member(each, message, facts) for each in self.members] if one is not None]
            + [one for one in [_paced(each, place, facts) for place, each in self.paced] if one is not None]
        )


class Incidents:
    """Those of one snapshot, by where they stand. Immutable but for the gates that it has made."""

    __slots__ = ("_everywhere", "_gates", "_rooms", "_routes")

    def __init__(self, rows: Iterable[IncidentRow]) -> None:
        self._everywhere: list[Incident] = []
        self._routes: dict[str, list[Incident]] = {}
        self._rooms: dict[str, list[Incident]] = {}
        self._gates: dict[tuple[int, tuple[int, ...]], tuple[Policy, IncidentGate]] = {}
        for row in rows:
            made = _made(row)
            if row.scope == "all":
                self._everywhere.append(made)
            else:
                places = self._routes if row.scope == "routes" else self._rooms
                for place in row.places:
                    places.setdefault(place, []).append(made)

    def standing(self, route: str, room: str, now_us: int) -> Sequence[Incident]:
        """Those that stand in this place at this time (µs since the epoch)."""
        found = [*self._everywhere, *self._routes.get(route, ()), *self._rooms.get(room, ())]
        return [one for one in found if now_us < one.until]

    def frozen(self, route: str, room: str, now_us: int) -> Decided | None:
        """The freeze that stands against every message to this place, if any."""
        return next((one.frozen for one in self.standing(route, room, now_us) if one.frozen is not None), None)

    def holding(self, route: str, room: str, now_us: int) -> Decided | None:
        """The hold under which every message to this place waits for a person, if any."""
        return next((one.held for one in self.standing(route, room, now_us) if one.held is not None), None)

    def against(self, route: str, room: str, now_us: int) -> list[Decided]:
        """The first freeze and the first hold that stand against every message to this place."""
        return [
            one
            for one in (self.frozen(route, room, now_us), self.holding(route, room, now_us))
            if one is not None
        ]  # fmt: skip

    def gate(self, message: Message, policy: Policy, now_us: int) -> IncidentGate | None:
        """What else is to be asked for this message; None where no incident in its place wants anything."""
        wanting = [
            one
            for one in self.standing(message.route, message.room, now_us)
            if one.pace or one.level > ANYBODY
        ]  # fmt: skip
        if not wanting:
            return None
        key = (id(policy), tuple(one.id for one in wanting))
        known = self._gates.get(key)  # holds its policy, so that its identity is nobody else's
        if known is None:
            known = self._gates[key] = (policy, _gate(policy, wanting))
        return known[1]


def by_incident(verdict: Verdict) -> bool:
    """Whether a message is held because of an incident alone: it would have passed."""
    leading = verdict.leading
    return leading is not None and leading.rule.check == INCIDENT


def _made(row: IncidentRow) -> Incident:
    return Incident(
        row.id,
        row.ends_at,
        _decided("switch", Finding("switch", FROZEN, detail={"incident": row.id}), row.ground) if row.freeze else None,
        _decided(INCIDENT, Finding(INCIDENT, HELD, detail={"incident": row.id}), row.ground, "hold")
        if row.hold
        else None,
        row.pace_ms * 1000,
        row.level,
        row.ground,
    )


def _decided(check: str, finding: Finding, ground: str, effect: Action = "reject") -> Decided:
    return Decided(Rule(check, effect, "reject", None, ground), finding, effect)


def _gate(policy: Policy, wanting: Sequence[Incident]) -> IncidentGate:
    asks = policy.asks
    paces = sorted({one.pace for one in wanting if one.pace})
    places = {pace: len(asks.limits) + number for number, pace in enumerate(paces)}
    members = tuple(one for one in wanting if one.level > ANYBODY)
    return IncidentGate(
        dataclasses.replace(
            asks,
            limits=[*asks.limits, *(Limit("sender", 1, pace) for pace in paces)],
            account=asks.account or bool(members),
        ),
        tuple((places[one.pace], one) for one in wanting if one.pace),
        members,
    )


def _paced(incident: Incident, place: int, facts: Facts) -> Decided | None:
    if facts.missing and "limits" in facts.missing:
        return _refused(incident, UNAVAILABLE, {"cause": facts.missing["limits"]})
    wait = facts.limits[place]
    return _refused(incident, SLOW, {}, wait / 1e6) if wait else None


def _member(incident: Incident, message: Message, facts: Facts) -> Decided | None:
    level: int | None = None
    if message.weak:  # nobody, whatever the name
        pass
    elif message.vouched is not None and message.vouched.level >= 0:
        level = message.vouched.level
    elif facts.account is not None:
        level = facts.account.credit
    elif "account" in facts.missing:
        if facts.verified is None:
            return _refused(incident, UNAVAILABLE, {"cause": facts.missing["account"]})
        level = facts.verified.credit
    if level is not None and level >= incident.level:
        return None
    return _refused(incident, MEMBERS, {} if level is None else {"credit": level})


def _refused(incident: Incident, reason: str, detail: dict[str, object], retry_after: float = 0.0) -> Decided:
    finding = Finding(INCIDENT, reason, None, retry_after, {"incident": incident.id, **detail})
    return _decided(INCIDENT, finding, incident.ground)
