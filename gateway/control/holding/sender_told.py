"""What its sender is told of a message that was held, or waits for its delay, when a worker asks for them: a word, and
nothing of who decided why. Of held ones the database knows, of those that are delayed the journal: they are nowhere
else but in the memory of a worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gateway.common.channel import Handler
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.holding import held_states
from gateway.control.holding.rows import Held
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
    """Answers ``review.status`` on control's socket. ``journal``: its root."""

    def __init__(self, database: Database, journal: Path) -> None:
        self._database = database
        self._journal = journal

    def commands(self) -> Mapping[str, Handler]:
        """By name."""
        return {"review.status": self._status}

    async def _status(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """``{"state"}``: empty where nobody has taken the message over, or not yet."""
        name = str(command.get("id", ""))
        try:
            row = await self._database.read(lambda session: session.get(Held, name))
        except DatabaseUnavailable:  # told by the database itself, once and not for everybody who asks
            return {"error": "database"}
        if row is not None:
            return {"state": WORDS[row.state]}
        return {"state": await asyncio.to_thread(_delayed, self._journal, name)}


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
    return "failed" if told.state else DELAYED
