"""What its sender is told of a message that was held, or waits for its delay, when a worker asks for them: a word, and
on which ground it was refused, and nothing of who decided. Of held ones the database knows, of those that are delayed
the journal: they are nowhere else but in the memory of a worker. And what they say of a held one: that they withdraw
it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.common.channel import Handler
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.holding import held, held_states, tickets
from gateway.control.holding.rows import Held, Ticket
from gateway.journal.read import lookup

WORDS: Final = {
    **dict.fromkeys(held_states.STATES, "approved"),
    held_states.HELD: "held",
    held_states.REFUSED: "refused",
    held_states.EXPIRED: "expired",
    held_states.LAPSED: "expired",
    held_states.WITHDRAWN: "withdrawn",
    held_states.SUPERSEDED: "withdrawn",
    held_states.VOID: "void",
    held_states.TICKETED: "resend",
}
"""By state. How far the platform is with what was approved is nobody's business but ours."""


DELAYED: Final = "delayed"


class SenderTold:
    """Answers ``review.status`` and ``review.withdraw`` on control's socket. ``journal``: its root; ``clock`` in
    nanoseconds since the epoch."""

    def __init__(self, database: Database, journal: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock

    def commands(self) -> Mapping[str, Handler]:
        """By name."""
        return {"review.status": self._status, "review.withdraw": self._withdraw}

    async def _status(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """``{"state", "route", "ground"}``: empty where nobody has taken the message over, or not yet."""
        name = str(command.get("id", ""))
        try:
            told = await self._database.read(lambda session: _told(session, name))
        except DatabaseUnavailable:  # told by the database itself, once and not for everybody who asks
            return {"error": "database"}
        return told if told["state"] else {"state": await asyncio.to_thread(_delayed, self._journal, name)}

    async def _withdraw(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """The same; what can be withdrawn is, and whoever holds its case is told. Of what is delayed nothing can."""
        name, now = str(command.get("id", "")), self._clock() // 1000

        def work(session: Session) -> dict[str, Any]:
            row = session.get(Held, name)
            if row is not None and held_states.after(row.state, "withdraw") is not None:
                held.withdraw(session, name, now)
            return _told(session, name)

        try:
            told = await self._database.run(work)
        except DatabaseUnavailable:
            return {"error": "database"}
        return told if told["state"] else {"state": await asyncio.to_thread(_delayed, self._journal, name)}


def _told(session: Session, name: str) -> dict[str, Any]:
    row = session.get(Held, name)
    if row is None:
        return {"state": ""}
    state = WORDS[row.state]
    ticket = session.scalar(select(Ticket.state).where(Ticket.message_id == name))
    if ticket in (tickets.OPEN, tickets.SPENT):  # also where an appeal was upheld, or the case decided again
        state = WORDS[held_states.TICKETED if ticket == tickets.OPEN else held_states.DELIVERED]
    ground = held.trace(session, name)[-1].ground if state == WORDS[held_states.REFUSED] else ""
    return {"state": state, "route": row.route, "ground": ground}


def _delayed(journal: Path, message_id: str) -> str:
    """Empty where no such message waited for its delay."""
    try:
        told = lookup.find(journal, message_id)
    except OSError:
        return ""
    if told is None or "delay" not in told.first:
        return ""
    if told.state in ("delivered", "unknown"):
        return "passed"
    if told.stopped:
        return "refused"
    if told.state == held_states.HELD:  # while its delay ran, a moment ago
        return WORDS[held_states.HELD]
    return "failed" if told.state else DELAYED
