"""Held messages at the desk: read by opening what is sealed, let through or refused as somebody decided.

Where nothing is sealed any more, the journal has what it kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Unit
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import ControlError
from gateway.control.cases import decisions
from gateway.control.cases.rows import Case
from gateway.control.holding import held, held_states, tickets
from gateway.control.holding.rows import Held
from gateway.control.review.neighbours import CaseText, CaseTexts
from gateway.control.takedowns.neighbours import HeldMessages
from gateway.journal.read.shown import shown_texts
from gateway.parking.parked import BadParking, ParkedRequest, decode
from gateway.parking.seal import Seal, SealBroken

SENT_AGAIN: Final = frozenset((held_states.REFUSED, held_states.EXPIRED, held_states.VOID, held_states.LAPSED))
"""States of what was not published, and which its sender may want to be."""
NOT_PUBLISHED: Final = SENT_AGAIN | {held_states.WITHDRAWN, held_states.SUPERSEDED}
REFUSED: Final = "review.refused"  # what a sender is told the sentence of
UNOPENED: Final = "sealed with a key that is not here"


class HeldTexts:
    """``seal``: as the configuration in force has its keys; ``otherwise``: reads what is not held."""

    def __init__(self, database: Database, seal: Callable[[], Seal | None], otherwise: CaseTexts) -> None:
        self._database = database
        self._seal = seal
        self._otherwise = otherwise

    async def read(self, rows: Sequence[Case]) -> dict[int, CaseText]:
        """By case. Opening is done in a thread."""
        names = [case.message_id for case in rows]
        sealed = await self._database.read(lambda session: _sealed(session, names))
        here = [case for case in rows if case.message_id in sealed]
        found = await asyncio.to_thread(self._opened, here, sealed)
        return found | await self._otherwise.read([case for case in rows if case.message_id not in sealed])

    def _opened(self, rows: Sequence[Case], sealed: Mapping[str, bytes]) -> dict[int, CaseText]:
        return {case.id: self._of(case.message_id, sealed[case.message_id]) for case in rows}

    def _of(self, message_id: str, sealed: bytes) -> CaseText:
        request = opened(self._seal(), message_id, sealed)
        if request is None:
            return CaseText(missing=UNOPENED)
        return CaseText(request.texts, request.masked_texts, request.findings)


class HeldEffect:
    """What a decision means for a held message. Called within an act.

    On a case that was reopened something has become of the message already: one that was not published can be sent
    again by its sender (a ticket), one that was, or can be sent again, is taken down. ``record``: the journal's of a
    message, None where it has none; ``gone``: takes down; ``within``: seconds that the platform has for it on a route.
    """

    def __init__(
        self,
        seal: Callable[[], Seal | None],
        record: Callable[[str], Mapping[str, Any] | None],
        gone: HeldMessages,
        within: Callable[[str], float],
    ) -> None:
        self._seal = seal
        self._record = record
        self._gone = gone
        self._within = within

    def __call__(self, unit: Unit, case: Case, now: int) -> None:
        """Raises ``ControlError`` where the message waits no more."""
        row = held.of(unit.session, case.message_id)
        if case.reopens is not None and row.state != held_states.HELD:
            self._again(unit, case, row, now)
            return
        if case.outcome == decisions.REFUSED:
            held.refuse(unit, case.message_id, REFUSED, case.ground, now)
            return
        texts = self._masked(unit, case) if case.outcome == decisions.MASKED else None
        held.approve(unit, case.message_id, texts, now, now)

    def _again(self, unit: Unit, case: Case, row: Held, now: int) -> None:
        published = row.state not in NOT_PUBLISHED or bool(
            tickets.is_open(unit.session, row.message_id) or tickets.spent_by(unit.session, row.message_id)
        )
        if case.outcome == decisions.REFUSED:
            try:
                if published:
                    self._gone.take_down(unit, row.message_id, f"case {case.id}", case.ground, self._within(row.route))
            except ControlError as error:
                if error.reason not in ("control.taken_down_already", "control.not_published"):
                    raise
        elif not published:
            texts = self._texts(case)
            if row.state not in SENT_AGAIN or not texts:
                raise ControlError(409, "review.decided", f"The message is {row.state}, and cannot be sent again.")
            tickets.give(
                unit, message_id=row.message_id, route=row.route, room=row.room, sender=row.sender, texts=texts, now=now
            )

    def _texts(self, case: Case) -> Sequence[str]:
        """As it may be sent again; none where the journal does not hold it."""
        record = self._record(case.message_id)
        if record is None:
            return ()
        return shown_texts(record if case.outcome == decisions.MASKED else {**record, "findings": ()})

    def _masked(self, unit: Unit, case: Case) -> Sequence[str]:
        row = held.of(unit.session, case.message_id)
        request = opened(self._seal(), row.message_id, row.sealed) if row.sealed is not None else None
        if request is None and row.sealed is not None:
            raise ControlError(409, "review.unopened", "The message cannot be opened: it waits to be decided anew.")
        if request is None or request.masked_texts is None:
            raise ControlError(409, "review.no_mask", "No rule masks anything in this message.")
        return request.masked_texts


def opened(seal: Seal | None, message_id: str, sealed: bytes) -> ParkedRequest | None:
    """What was parked; None where it cannot be opened."""
    if seal is None:
        return None
    try:
        return decode(seal.open(message_id, sealed))
    except (SealBroken, BadParking):
        return None


def _sealed(session: Session, names: Sequence[str]) -> dict[str, bytes]:
    rows = session.execute(
        select(Held.message_id, Held.sealed).where(Held.message_id.in_(names), Held.sealed.is_not(None))
    )
    return {name: sealed for name, sealed in rows if sealed is not None}
