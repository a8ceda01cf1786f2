"""What happened, as receivers are told it: read from the traces that were committed with it.

    held_events ──► message.*        appeal_events ──► appeal.*        acts on tickets of no held message ──► ticket.*

A trace is written in the transaction of what it tells, and its ids rise in the order of commits (all acts of a database
are in one line): so nothing is told that did not happen, and nothing that happened is missed, whoever dies when. Told
are ids, states, reasons and grounds, as the platform or its sender could be told them by any other way. Never told: a
text, what an appellant or a person at the desk wrote, anybody's name at the desk, an appeal's code (whoever has it may
withdraw the appeal), and an address in the place of a sender (``weak``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.control.acts.rows import Act
from gateway.control.appeals.appeal_states import BEGINNINGS, TRANSITIONS
from gateway.control.appeals.rows import Appeal, AppealEvent
from gateway.control.cases.decisions import MASKED
from gateway.control.cases.rows import Case
from gateway.control.holding import held_states
from gateway.control.holding.held import TRIED
from gateway.control.holding.rows import Held, HeldEvent, Release, Ticket

AT_ONCE: Final = 200  # events of one source in one transaction
OF_TICKETS: Final = ("ticket.spend", "ticket.lapse", "ticket.void")
"""Kinds of acts that end tickets."""
_MOVES = (*BEGINNINGS.items(), *((how, state) for (_, how), state in TRANSITIONS.items()))
AFTER_MOVE: Final[Mapping[str, str]] = {str(how): str(state) for how, state in _MOVES}
"""An appeal's state after each of its moves."""
UNTOLD: Final = (TRIED, held_states.RELEASING)
"""On the way, and nobody's business."""


class Happening(NamedTuple):
    """``number``: its id in its trace; ``event``: ``message.approved`` …; ``at`` in µs since the epoch; ``facts``: what
    is told of it, under ``kind`` (message, ticket, appeal). ``sender``: empty where it is nobody's account.
    ``category``: of a message that is held now, or again."""

    number: int
    event: str
    at: int
    kind: str
    subject: str
    sequence: int
    route: str
    facts: Mapping[str, Any]
    sender: str
    category: str = ""


class Read(NamedTuple):
    """``last``: the id behind which to read on; ``found``: what is told of what was read."""

    last: int
    found: Sequence[Happening]


def newest(session: Session) -> tuple[int, int, int]:
    """The last ids of the three sources."""

    def last(column: Any) -> int:
        return session.scalar(select(func.max(column))) or 0

    return last(HeldEvent.id), last(AppealEvent.id), last(Act.id)


def of_messages(session: Session, after: int, most: int = AT_ONCE) -> Read:
    rows = session.execute(
        select(HeldEvent, Held)
        .join(Held, Held.message_id == HeldEvent.message_id)
        .where(HeldEvent.id > after)
        .order_by(HeldEvent.id)
        .limit(most)
    ).all()
    told = [(event, row) for event, row in rows if event.event not in UNTOLD]
    return Read(rows[-1][0].id if rows else after, [_of_message(session, event, row) for event, row in told])


def of_appeals(session: Session, after: int, most: int = AT_ONCE) -> Read:
    rows = session.execute(
        select(AppealEvent, Appeal)
        .join(Appeal, Appeal.id == AppealEvent.appeal_id)
        .where(AppealEvent.id > after)
        .order_by(AppealEvent.id)
        .limit(most)
    ).all()
    return Read(rows[-1][0].id if rows else after, [_of_appeal(session, event, row) for event, row in rows])


def of_tickets(session: Session, after: int, most: int = AT_ONCE) -> Read:
    """Of tickets that an appeal led to; those of held messages are told as what became of the message."""
    acts = session.scalars(
        select(Act).where(Act.id > after, Act.kind.in_(OF_TICKETS)).order_by(Act.id).limit(most)
    ).all()
    found = [one for act in acts for one in _of_tickets(session, act)]
    last = acts[-1].id if len(acts) == most else session.scalar(select(func.max(Act.id))) or after
    return Read(last, found)


def _of_message(session: Session, event: HeldEvent, row: Held) -> Happening:
    state = event.event
    case = session.get(Case, row.case_id) if row.case_id is not None else None
    release = session.get(Release, row.release) if row.release else None
    facts: dict[str, Any] = {
        "id": row.message_id, "route": row.route, "room": row.room, "edit": row.edit, "sent_at": row.at,
        "state": state,
        "reason": (row.reason if state == held_states.HELD else event.problem) or None,
        "ground": event.ground or None,
        "status": event.status,
        "masked": state == held_states.APPROVED and case is not None and case.outcome == MASKED,
        "release": None, "upstream_id": None, "ticket_until": None, "sent_again_as": None,
    }  # fmt: skip
    if state in (held_states.DELIVERED, held_states.UNDELIVERABLE, held_states.UNKNOWN) and release is not None:
        facts |= {"release": release.id, "upstream_id": release.upstream_id or None}
    if state in (held_states.TICKETED, held_states.DELIVERED):
        ticket = session.scalar(select(Ticket).where(Ticket.message_id == row.message_id))
        if ticket is not None and state == held_states.TICKETED:
            facts |= {"ticket_until": ticket.expires_at * 1_000_000}
        elif ticket is not None:
            facts |= {"sent_again_as": ticket.spent_by or None}
    sequence = session.scalar(
        select(func.count())
        .select_from(HeldEvent)
        .where(
            HeldEvent.message_id == row.message_id, HeldEvent.id <= event.id, HeldEvent.event.not_in(UNTOLD)
        )
    )  # fmt: skip
    return Happening(
        event.id, f"message.{state}", event.at, "message", f"message:{row.message_id}", sequence or 1, row.route, facts,
        "" if row.weak else row.sender,
        case.category if case is not None and state == held_states.HELD else "",
    )  # fmt: skip


def _of_appeal(session: Session, event: AppealEvent, row: Appeal) -> Happening:
    state = AFTER_MOVE[event.event]
    decided = row.closed_at > 0 and state == row.state
    facts = {
        "id": row.id, "message_id": row.message_id, "route": row.route, "room": row.room, "sent_at": row.at,
        "state": state, "against": row.standing, "reason": row.reason or None, "ground": row.ground or None,
        "answer_by": row.due_at or None, "answer_ground": (row.answer_ground if decided else "") or None,
        "redress": (row.redress if decided else "") or None,
    }  # fmt: skip
    sequence = session.scalar(
        select(func.count()).where(AppealEvent.appeal_id == row.id, AppealEvent.id <= event.id)
    )  # fmt: skip
    return Happening(
        event.id, f"appeal.{event.event}", event.at, "appeal", f"appeal:{row.id}", sequence or 1, row.route, facts,
        _account(row.sender),
    )  # fmt: skip


def _of_tickets(session: Session, act: Act) -> Iterator[Happening]:
    for change in act.changes:
        row = change["after"]
        if change["table"] != Ticket.__tablename__ or row is None or session.get(Held, row["message_id"]) is not None:
            continue
        facts = {
            "message_id": row["message_id"], "route": row["route"], "room": row["room"], "state": row["state"],
            "reason": act.reason if act.kind == "ticket.void" else None,
            "sent_again_as": row["spent_by"] or None, "ticket_until": row["expires_at"] * 1_000_000,
        }  # fmt: skip
        yield Happening(
            act.id, f"ticket.{row['state']}", act.at, "ticket", f"ticket:{row['id']}", 1, row["route"], facts,
            _account(row["sender"]),
        )  # fmt: skip


def _account(sender: str) -> str:
    """A sender where it is no address: of a message that did not wait only the journal knows whether it is one."""
    try:
        ip_network(sender, strict=False)
    except ValueError:
        return sender
    return ""
