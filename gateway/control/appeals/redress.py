"""What follows from an appeal that is upheld, once, in the act in which the decision takes effect.

A text that was refused for its words, or by a person, gets a re-send ticket (重发凭证): its sender may send it again,
and identity, blocks, limits and the room are asked anew. Where there is nothing to send again, or nobody knows the text
letter by letter, the decision is corrected on record, and its appellant is told so. No change of credit names a refusal
as its cause, so there is none to take back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from gateway.control.acts.acts import Unit
from gateway.control.appeals.appeal_states import AppealState
from gateway.control.appeals.rows import Appeal
from gateway.control.appeals.standings import BY_A_PERSON
from gateway.control.holding import tickets
from gateway.control.holding.rows import Ticket

TICKET: Final = "ticket"
NONE: Final = "none"
OF_THE_TEXT: Final = frozenset({"keywords", "crowd", BY_A_PERSON})
"""Checks whose findings a ticket makes count no more."""


def redress(unit: Unit, row: Appeal, texts: Sequence[str] | None, now: int) -> str:
    """Do it; a word for what was done (``appeal_words.REDRESS``). ``texts``: as the journal has them; ``now`` in µs."""
    if row.state != AppealState.UPHELD or row.standing != "refused" or row.check not in OF_THE_TEXT or texts is None:
        return NONE
    if unit.session.scalar(select(Ticket.id).where(Ticket.message_id == row.message_id)) is None:
        tickets.give(
            unit, message_id=row.message_id, route=row.route, room=row.room, sender=row.sender, texts=texts, now=now
        )
    return TICKET
