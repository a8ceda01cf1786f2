"""The snapshot: what every worker holds in memory, so that it is in force within a second and without state.

Switches, urgent words, removed texts and address ranges are whole, because what is left out would not be in force;
their tables are bounded instead (``MAX_…``). Blocks are the newest ones, a stand-in for the time when state cannot be
reached.
"""

from __future__ import annotations

import time

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import SNAPSHOT_VERSION
from gateway.control.acts.models import Block, Copy, Mark, Switch, UrgentWord
from gateway.control.ports.errors import ControlError
from gateway.state.model.snapshot import BlockRow, CopyRow, RangeRow, SnapshotRows, SwitchRow, UrgentRow

MAX_SWITCHES = 500
MAX_URGENT = 500
MAX_COPIES = 1000
MAX_RANGES = 2000
MAX_BLOCKS = 5000


def build(session: Session, now: float | None = None) -> SnapshotRows:
    """The snapshot as of ``now`` (seconds since the epoch)."""
    now = time.time() if now is None else now
    mark = session.get(Mark, SNAPSHOT_VERSION)
    unexpired = or_(Block.expires_at == 0, Block.expires_at > int(now))
    ranges = session.scalars(select(Block).where(Block.scope == "cidr", unexpired).order_by(Block.id))
    blocks = session.scalars(
        select(Block).where(Block.scope != "cidr", unexpired).order_by(Block.id.desc()).limit(MAX_BLOCKS)
    )
    return SnapshotRows(
        mark.value if mark is not None else 0,
        switches=tuple(
            SwitchRow(row.id, row.kind, row.scope, row.value, row.ground)
            for row in session.scalars(select(Switch).order_by(Switch.id))
        ),
        urgent=tuple(
            UrgentRow(row.id, row.word, row.ground)
            for row in session.scalars(select(UrgentWord).order_by(UrgentWord.id))
        ),
        copies=tuple(
            CopyRow(row.id, row.fingerprint, row.ground, row.expires_at)
            for row in session.scalars(select(Copy).where(Copy.expires_at > int(now)).order_by(Copy.id))
        ),
        ranges=tuple(RangeRow(row.value, row.reason, row.expires_at, row.limited) for row in ranges),
        blocks=tuple(BlockRow(row.scope, row.value, row.reason, row.expires_at, row.limited) for row in blocks),
    )


def has_room(session: Session, model: type[Switch] | type[UrgentWord] | type[Block] | type[Copy], limit: int) -> None:
    """Refuse one more row where the snapshot would outgrow its bound."""
    query = select(func.count()).select_from(model)
    if model is Block:
        query = query.where(Block.scope == "cidr")
    elif model is Copy:
        query = query.where(Copy.expires_at > int(time.time()))
    if session.scalar(query) >= limit:  # type: ignore[operator]  # a count is never null
        raise ControlError(409, "control.too_many", f"At most {limit} of these can be in force; lift one first.")
