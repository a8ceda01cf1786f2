"""What the sender of a held message is told of it, in the words of ``gateway.parking.status_site``.

An approval that can still be taken back is not told yet, and how the platform takes what is on its way is its own
business: it was approved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from gateway.control.acts.database import Database
from gateway.control.acts.refusal import DatabaseUnavailable
from gateway.control.holding import held_states as states
from gateway.control.holding.rows import Held

TOLD: Final = {
    states.HELD: "held",
    states.APPROVED: "held",
    states.REFUSED: "refused",
    states.EXPIRED: "expired",
    states.WITHDRAWN: "withdrawn",
    states.SUPERSEDED: "void",
    states.VOID: "void",
    states.RELEASING: "approved",
    states.DELIVERED: "approved",
    states.UNDELIVERABLE: "approved",
    states.UNKNOWN: "approved",
    states.TICKETED: "resend",
    states.LAPSED: "expired",
}


async def told(database: Database, command: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to the command ``review.status``: its state, empty where the message was not taken over yet."""

    def state(session: Session) -> str:
        row = session.get(Held, str(command.get("id", "")))
        return "" if row is None else TOLD[row.state]

    try:
        return {"ok": True, "state": await database.read(state)}
    except DatabaseUnavailable:
        return {"error": "database"}
