"""A database that was put back from yesterday knows of messages that wait, and were published today: the journal tells.

What control has written of each message (``review``) is compared with its row, before anything is answered from it:
where the journal is further, its word counts. What ended stays ended and its request is destroyed again; what was on
its way is ``unknown``, and a person looks, because nothing is sent twice on the word of an old database; what was
approved and not sent waits again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.control.acts.database import Database
from gateway.control.holding import held_states
from gateway.control.holding.rows import Held, HeldEvent, Release
from gateway.journal.read import reader

log = structlog.get_logger()

RESTORED: Final = "database.restored"
NEEDLE: Final = b'"kind":"review"'
MOVED: Final = frozenset((held_states.RELEASING, held_states.UNDELIVERABLE, held_states.UNKNOWN))


class Reconciling:
    """``folder``: control's own journal."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    async def begin(self) -> None:
        """Once the database is there, and again whenever it was away."""
        since = await self._database.read(
            lambda session: session.scalar(select(func.min(Held.at)).where(Held.state.in_(held_states.OPEN)))
        )
        if since is None:
            return
        told = await asyncio.to_thread(_last, self._folder, since)
        moved = await self._database.run(partial(_take, told=told)) if told else 0
        if moved:
            log.warning("held.reconciled", messages=moved)


def _last(folder: Path, since: int) -> dict[str, Mapping[str, Any]]:
    """The last that the journal says of each message."""
    found: dict[str, Mapping[str, Any]] = {}
    if folder.is_dir():
        for entry in reader.records(folder, lambda flaw: None, since_us=since, needle=NEEDLE):
            if entry.record["kind"] == "review":
                found[entry.record["id"]] = entry.record
    return found


def _take(session: Session, told: Mapping[str, Mapping[str, Any]]) -> int:
    moved = 0
    for row in session.scalars(select(Held).where(Held.state.in_(held_states.OPEN))).all():
        record = told.get(row.message_id)
        if record is None or record["time"] <= row.changed_at or record["state"] == row.state:
            continue
        state = held_states.UNKNOWN if record["state"] in MOVED else str(record["state"])
        if state in (held_states.HELD, held_states.APPROVED):
            continue
        row.state, row.changed_at, row.due_at = state, record["time"], 0
        if state in held_states.GONE:
            row.sealed = row.texts = None
        release = str(record.get("release", ""))
        if release and session.get(Release, release) is None:
            row.release = release
            outcome = "delivered" if state == held_states.DELIVERED else "unknown"
            session.add(
                Release(
                    id=release, message_id=row.message_id, at=record["time"], state=outcome, doubted=True, shown=True,
                    told=True,
                )
            )  # fmt: skip
        session.add(
            HeldEvent(
                message_id=row.message_id, at=record["time"], event=state, problem=RESTORED, journalled=True
            )
        )  # fmt: skip
        moved += 1
    return moved
