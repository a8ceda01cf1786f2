"""What follows from an appeal that is upheld, once, in the act in which the decision takes effect.

A text that was refused for its words, or by a person, gets a re-send ticket (重发凭证): its sender may send it again,
and identity, blocks, limits and the room are asked anew. Where nobody kept the text that is the one that they entered
again, letter by letter. What was taken down comes back (``gateway.control.restoring``). Where there is nothing to send
again, the decision is corrected on record, and its appellant is told so. What the message cost its sender's credit is
given back (``gateway.control.accounts.credit_entries``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from gateway.control.accounts import credit_entries
from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError
from gateway.control.appeals.appeal_states import AppealState
from gateway.control.appeals.rows import Appeal
from gateway.control.appeals.standings import BY_A_PERSON
from gateway.control.holding import tickets

TICKET: Final = "ticket"
RESTORED: Final = "restored"
NONE: Final = "none"
OF_THE_TEXT: Final = frozenset({"keywords", "crowd", BY_A_PERSON})
"""Checks whose findings a ticket makes count no more."""


Restore = Callable[[Unit, Sequence[str]], str]
"""Brings back what was taken down, given its texts as they were entered again; by which way. Raises
``ControlError``."""


def redress(unit: Unit, row: Appeal, texts: Sequence[str] | None, restore: Restore | None, now: int) -> str:
    """Do it; a word for what was done (``appeal_words.REDRESS``). ``texts``: as the journal has them, or as they were
    entered again; ``restore``: None where nothing is to be restored; ``now`` in µs."""
    if row.state == AppealState.UPHELD:
        credit_entries.give_back(unit, row.message_id, now)
    if row.standing == "removed":
        if row.state != AppealState.UPHELD or restore is None:
            return NONE
        try:
            return RESTORED if restore(unit, texts or ()) == "publish" else TICKET
        except ControlError:  # the platform has not deleted it, or it has come back meanwhile
            return NONE
    if row.state != AppealState.UPHELD or row.standing != "refused" or row.check not in OF_THE_TEXT or texts is None:
        return NONE
    tickets.give(
        unit, message_id=row.message_id, route=row.route, room=row.room, sender=row.sender, texts=texts, now=now
    )
    return TICKET
