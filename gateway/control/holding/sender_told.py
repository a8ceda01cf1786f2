"""What its sender is told of a held message, when a worker asks for them: a word, and nothing of who decided why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.common.channel import Handler
from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.holding import held_states
from gateway.control.holding.rows import Held

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


class SenderTold:
    """Answers ``review.status`` on control's socket."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        return {"state": WORDS[row.state] if row is not None else ""}
