"""What became of a judged message, and who had a part in that: from its record, its case and the acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.rows import Act
from gateway.control.appeals.admissibility import AppealedDecision, Standing
from gateway.control.appeals.appealed_messages import JudgedMessage
from gateway.control.cases import cases, decisions
from gateway.control.cases.case_states import CaseState, Move
from gateway.control.cases.rows import Case, CaseEvent
from gateway.control.holding import held_states, tickets
from gateway.control.holding.rows import Held
from gateway.control.restoring.coming_back import CAME_TO_NOTHING
from gateway.control.takedowns.rows import Copy, Takedown

TAKEDOWN: Final = "takedown"
"""The check of what was published and taken down."""
TAKEN_DOWN: Final = "message.taken_down"
REFUSED: Final = "review.refused"
EXPIRED: Final = "review.expired"
VOID: Final = "review.void"
BY_A_PERSON: Final = "review"
"""The check of what people decided, in the place of a finding's."""
DECIDING: Final = (Move.DECIDE, Move.PROPOSE, Move.AGREE, Move.DISAGREE, Move.ESCALATE, Move.OVERRULE)
_ACTS_LOOKED_AT: Final = 200  # newest acts of a kind in which a word's author is looked for


def weighed(session: Session, told: JudgedMessage) -> AppealedDecision:
    """The decision on a message, as it stands now."""
    findings = told.findings
    leading: dict[str, Any] = dict(findings[0]) if findings else {}
    case = cases.last_of(session, told.id) if told.verdict == "hold" else None
    gone = taken_down(session, told.id) if not told.stopped else None  # what never left is refused
    standing = _standing(session, told, case) if gone is None else "removed"
    check, reason, ground = leading.get("check", ""), leading.get("reason", ""), leading.get("ground", "")
    degraded, decided_at = bool(leading.get("degraded")), 0
    if told.stopped:
        check, reason, ground, degraded = BY_A_PERSON, told.stopped, _taken_down_for(session, told.id), False
    parties = {*_deciders(session, told.id), *_authors(session, told, findings)}
    if case is not None and standing == "refused":
        # Why it was held, and which check could not be made then, is not why a person refused it.
        check, reason, ground, degraded, decided_at = BY_A_PERSON, REFUSED, case.ground or ground, False, case.closed_at
    elif case is not None and standing == "expired":
        reason, decided_at = _ended_as(session, case), case.closed_at
    elif gone is not None:
        check, reason, ground, degraded, decided_at = TAKEDOWN, TAKEN_DOWN, gone.ground, False, gone.created_at
        parties = {*session.scalars(select(Act.person).where(Act.uid == gone.act_uid))}
    return AppealedDecision(
        told.id, told.at, told.route, told.room, told.sender, standing, check, reason, ground,
        "" if gone is not None else leading.get("category", ""), degraded, told.texts, told.print,
        tuple(sorted(parties)), decided_at,
    )  # fmt: skip


def taken_down(session: Session, message_id: str) -> Takedown | None:
    """The takedown of a message that was published, under its own id or, where it was held, under that of its release
    or of what was sent with its ticket; None where there is none, or it has come back."""
    row = session.get(Held, message_id)
    shown = [message_id]
    if row is not None:
        shown = [name for name in (row.release, tickets.spent_by(session, message_id)) if name]
    wanted = select(Takedown).where(Takedown.message_id.in_(shown)).order_by(Takedown.id.desc()).limit(1)
    found = session.scalar(wanted)
    back = session.get(Held, found.restoration) if found is not None and found.restoration else None
    if found is None or (found.restoration and (back is None or back.state not in CAME_TO_NOTHING)):
        return None
    return found


def _ended_as(session: Session, case: Case) -> str:
    """The sentence for what was not published, and which nobody refused."""
    row = session.get(Held, case.message_id)
    void = case.state == CaseState.VOID if row is None else row.state == held_states.VOID
    return VOID if void else EXPIRED


def _standing(session: Session, told: JudgedMessage, case: Case | None) -> Standing:
    if told.verdict == "reject":
        return "refused"
    if told.stopped:
        return "refused"
    if told.verdict == "pass":
        return "masked" if any(one["effect"] == "mask" for one in told.findings) else "published"
    if case is None or case.open_as is not None:
        return "waiting"
    row = session.get(Held, told.id)
    ended = row is not None and row.state in (held_states.EXPIRED, held_states.VOID, held_states.LAPSED)
    if case.state in (CaseState.EXPIRED, CaseState.VOID) or ended:  # also where it was approved before that
        return "expired"
    return "refused" if case.outcome == decisions.REFUSED else "published"


def _deciders(session: Session, message_id: str) -> Iterable[str]:
    """Whoever said something of it in its cases."""
    wanted = (
        select(CaseEvent.person)
        .join(Case, Case.id == CaseEvent.case_id)
        .where(Case.message_id == message_id, Case.kind == cases.MESSAGE, CaseEvent.event.in_(DECIDING))
        .distinct()
    )
    return [person for person in session.scalars(wanted) if person]


def _authors(session: Session, told: JudgedMessage, findings: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Whoever did the act on which the refusal rests: blocked, froze, took the text down, or wrote the word that
    decided alone."""
    if told.stopped:
        yield from _newest(session, ("takedown.create",), f"message:{told.id}")
        return
    refusing = [one for one in findings if one["effect"] in ("reject", "hold", "mask")]
    if len({one["reason"] for one in refusing}) != 1:
        return
    finding = refusing[0]
    match finding["check"]:
        case "block":
            value = {"block.sender": told.sender, "block.room": told.room}.get(finding["reason"])
            if value is not None:
                yield from _newest(session, ("block.create",), f"{finding['reason'].partition('.')[2]}:{value}")
        case "switch":
            for scope, value in finding.get("detail", {}).items():
                yield from _newest(session, ("switch.freeze",), f"{scope}:{value}")
        case "copy":
            copy = session.get(Copy, finding.get("detail", {}).get("copy", 0))
            if copy is not None:
                yield from _newest(session, ("copy.refuse", "takedown.create"), f"message:{copy.message_id}")
        case "keywords" | "urgent":
            yield from _wrote(session, told, refusing)


def _taken_down_for(session: Session, message_id: str) -> str:
    """The ground; empty where it was no takedown that stopped it, or one without."""
    return session.scalar(select(Takedown.ground).where(Takedown.message_id == message_id)) or ""


def _newest(session: Session, kinds: tuple[str, ...], subject: str) -> Iterator[str]:
    wanted = select(Act.person).where(Act.kind.in_(kinds), Act.subject == subject).order_by(Act.id.desc()).limit(1)
    yield from session.scalars(wanted)


def _wrote(session: Session, told: JudgedMessage, findings: list[dict[str, Any]]) -> Iterator[str]:
    """Of words that people added by acts, as they stand in the text; those of an operator's files have no author."""
    words = {word for one in findings for word in _matched(told, one)}
    if len(words) != 1:
        return
    (word,) = words
    kind = "urgent.add" if findings[0]["check"] == "urgent" else "word.add"
    acts = session.scalars(select(Act).where(Act.kind == kind).order_by(Act.id.desc()).limit(_ACTS_LOOKED_AT))
    for act in acts:
        for change in act.changes:
            row = change["after"] or {}
            line = row.get("word") or row.get("line", "").partition(" | ")[0]
            if line.strip().casefold() == word:
                yield act.person
                return


def _matched(told: JudgedMessage, finding: dict[str, Any]) -> Iterator[str]:
    texts = told.texts
    for begin, end in finding.get("spans", ()) if texts is not None else ():
        assert texts is not None
        if finding.get("field", 0) < len(texts):
            yield texts[finding.get("field", 0)][begin:end].strip().casefold()
