"""Incidents over the API: begun, extended, ended; what they held is released or let expire once they are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.control.access.roles import LEAD
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.acts.rows import Act
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import Done, NoQuery, Reasoned
from gateway.control.cases import claims
from gateway.control.cases.claims import Claimant
from gateway.control.incidents import incident_held, incident_states
from gateway.control.incidents.incident_held import HeldByIncident
from gateway.control.incidents.incident_settings import IncidentDesk
from gateway.control.incidents.rows import Incident
from gateway.control.incidents.schemas import (
    HeldCounts,
    HeldDecided,
    HeldDone,
    IncidentAct,
    IncidentAsked,
    IncidentExtended,
    IncidentNew,
    IncidentOut,
    IncidentPreview,
    IncidentShown,
    IncidentsOut,
    IncidentsQuery,
    RouteTouched,
)
from gateway.control.review.review_desk import ReviewDesk

KINDS = ("incident.extend", "incident.end", "incident.over", "incident.release", "incident.expire")
MOST_LOGGED = 200


async def preview(call: Call[IncidentAsked, NoQuery]) -> IncidentPreview:
    """What it would touch; nothing is changed."""
    body, desk = call.body, call.service(IncidentDesk)
    _known(call, body)
    routes = [one for one in desk.routes() if body.scope != "routes" or one[0] in body.places]
    now = call.service(IncidentDesk).now()
    stand = await call.services.database.read(
        lambda session: [row.id for row in incident_states.standing(session, now)]
    )
    counted = {metric.name: series for metric, series in call.services.totals.series()}
    delayed = counted.get("tidegate_delayed", {}).get((), 0)
    return IncidentPreview(
        routes=[RouteTouched(route=name, holds=holds) for name, holds in routes],
        unheld=[name for name, holds in routes if not holds] if body.hold else [],
        delayed=int(delayed),  # type: ignore[arg-type]  # a gauge, no histogram
        longest=desk.longest(),
        standing=stand,
    )


async def begin(call: Call[IncidentNew, NoQuery]) -> Done[IncidentOut]:
    """In force in every worker at once, until its end."""
    body = call.body
    _known(call, body)
    _bounded(call, body.seconds)
    now = call.service(IncidentDesk).now()

    def work(unit: Unit) -> Incident:
        unit.has_room(Incident, incident_states.MAX_INCIDENTS, Incident.ended_at == 0)
        row = unit.add(
            Incident(
                scope=body.scope, places=sorted(set(body.places)), hold=body.hold, freeze=body.freeze,
                pace_ms=round(body.pace * 1000), level=body.level if body.level is not None else -1,
                ground=body.ground, reason=body.reason, opened_by=unit.person, act_uid=unit.uid, begun_at=now,
                ends_at=now + body.seconds * 1_000_000, ended_at=0, ended_by="",
            )
        )  # fmt: skip
        unit.session.flush()
        return row

    outcome = await call.act(body.reason, "incident.begin", f"incident:{body.scope}", work)
    return done(outcome, _told(outcome.result, now, 0))


async def extend(call: Call[IncidentExtended, NoQuery]) -> Done[IncidentOut]:
    """It stands longer than it would have."""
    number, body = call.number("id"), call.body
    _bounded(call, body.seconds)
    now = call.service(IncidentDesk).now()
    until = now + body.seconds * 1_000_000

    def work(unit: Unit) -> tuple[Incident, int]:
        row = incident_states.of_standing(unit.session, number, now)
        if until <= row.ends_at:
            raise ControlError(409, "control.incident_longer", "It stands as long already; end it instead.")
        return unit.change(row, ends_at=until), incident_states.waiting(unit.session, number)

    outcome = await call.act(body.reason, "incident.extend", f"incident:{number}", work)
    return done(outcome, _told(outcome.result[0], now, outcome.result[1]))


async def end(call: Call[Reasoned, NoQuery]) -> Done[IncidentOut]:
    """It stands no more; what it held waits."""
    number, now = call.number("id"), call.service(IncidentDesk).now()

    def work(unit: Unit) -> tuple[Incident, int]:
        row = incident_states.of_standing(unit.session, number, now)
        return unit.change(row, ended_at=now, ended_by=unit.person), incident_states.waiting(unit.session, number)

    outcome = await call.act(call.body.reason, "incident.end", f"incident:{number}", work)
    return done(outcome, _told(outcome.result[0], now, outcome.result[1]))


async def listed(call: Call[None, IncidentsQuery]) -> IncidentsOut:
    """Those that stand in the order of their ends; those that are over, from the newest on."""
    query, now = call.query, call.service(IncidentDesk).now()

    def work(session: Session) -> list[IncidentOut]:
        rows: list[Incident] = []
        if query.state != "over":
            rows += incident_states.standing(session, now)
        if query.state != "standing":
            over = or_(Incident.ended_at > 0, Incident.ends_at <= now)
            rows += session.scalars(select(Incident).where(over).order_by(Incident.id.desc()).limit(query.limit)).all()
        return [_told(row, now, incident_states.waiting(session, row.id)) for row in rows[: query.limit]]

    return IncidentsOut(incidents=await call.services.database.read(work))


async def get(call: Call[None, NoQuery]) -> IncidentShown:
    """With what it held, what became of that, and who did what. No text, and no sender."""
    number, now = call.number("id"), call.service(IncidentDesk).now()
    second = call.service(ReviewDesk).settings.second

    def work(session: Session) -> IncidentShown:
        row = incident_states.get(session, number)
        counted = incident_held.counted(session, number, _asking(call, session), second)
        told = _told(row, now, incident_states.waiting(session, number)).model_dump()
        return IncidentShown(
            **told, held=_counts(counted), became=incident_held.became(session, number), log=_log(session, row)
        )

    return await call.services.database.read(work)


async def release(call: Call[HeldDecided, NoQuery]) -> Done[HeldDone]:
    """Approve what it held, once it is over, as many as one act may; each is asked anew before it appears."""
    desk = call.service(ReviewDesk)
    undo_us = round(desk.settings.undo * 1e6)

    def work(unit: Unit, number: int, who: Claimant) -> int:
        return incident_held.release(unit, number, who, desk.settings.second, now=desk.now(), undo_us=undo_us)

    return await _decided(call, "incident.release", work)


async def expire(call: Call[HeldDecided, NoQuery]) -> Done[HeldDone]:
    """Let what it held expire, once it is over, as many as one act may: their senders may send them again."""
    desk = call.service(ReviewDesk)

    def work(unit: Unit, number: int, who: Claimant) -> int:
        return incident_held.expire(unit, number, who, desk.settings.second, now=desk.now())

    return await _decided(call, "incident.expire", work)


async def _decided(call: Call[HeldDecided, NoQuery], kind: str, decide: Any) -> Done[HeldDone]:
    number, body, now = call.number("id"), call.body, call.service(IncidentDesk).now()
    second = call.service(ReviewDesk).settings.second

    def work(unit: Unit) -> tuple[int, HeldByIncident]:
        row = incident_states.get(unit.session, number)
        if not incident_states.is_over(row, now):
            raise ControlError(409, "control.incident_stands", "This incident stands still; end it first.")
        who = _asking(call, unit.session)
        ready = incident_held.counted(unit.session, number, who, second).ready
        if ready != body.count:
            raise ControlError(409, "review.changed", f"These are {ready} now, not {body.count}; look again.")
        decided = decide(unit, number, who)
        unit.session.flush()
        return decided, incident_held.counted(unit.session, number, who, second)

    outcome = await call.act(body.reason, kind, f"incident:{number}", work)
    decided, left = outcome.result
    if not call.service(ReviewDesk).settings.undo:
        await call.service(ReviewDesk).look()
    return done(outcome, HeldDone(done=decided, left=_counts(left)))


def _known(call: Call[Any, Any], body: IncidentAsked) -> None:
    if body.scope == "routes" and not set(body.places) <= call.services.route_names():
        raise missing("route")


def _bounded(call: Call[Any, Any], seconds: int) -> None:
    longest = call.service(IncidentDesk).longest()
    if seconds > longest:
        raise ControlError(
            409, "control.incident_long", f"desk.longest_incident allows {longest:g} seconds; somebody can extend it."
        )


def _asking(call: Call[Any, Any], session: Session) -> Claimant:
    """The caller as they are now."""
    caller = call.anew(session, call.caller)
    return claims.claimant(session, caller.person, lead=bool(caller.roles & LEAD))


def _told(row: Incident, now: int, waits: int) -> IncidentOut:
    over = incident_states.is_over(row, now)
    return IncidentOut.model_validate(
        {
            **{name: getattr(row, name) for name in _SAME},
            "state": "over" if over else "standing",
            "pace": row.pace_ms / 1000,
            "level": row.level if row.level >= 0 else None,
            "ended_at": (row.ended_at or row.ends_at) if over else None,
            "waiting": waits,
        }
    )


_SAME = (
    "id", "scope", "places", "hold", "freeze", "ground", "reason", "opened_by", "begun_at", "ends_at", "ended_by",
)  # fmt: skip


def _counts(counted: HeldByIncident) -> HeldCounts:
    return HeldCounts(**counted._asdict())


def _log(session: Session, row: Incident) -> list[IncidentAct]:
    """Who did what, in order."""
    own = (Act.uid == row.act_uid) | (Act.kind.in_(KINDS) & (Act.subject == f"incident:{row.id}"))
    undone: Sequence[Act] = session.scalars(select(Act).where(own).order_by(Act.id).limit(MOST_LOGGED)).all()
    return [
        IncidentAct(
            act=act.id, at=act.at, person=act.person, kind=act.kind, reason=act.reason,
            undone=act.undone_by is not None,
        )
        for act in undone
    ]  # fmt: skip
