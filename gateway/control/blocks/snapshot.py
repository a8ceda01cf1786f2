"""Blocks in the snapshot: ranges whole, which workers look up by themselves; of all others the newest, which workers
ask beside state, and in its stead while it cannot be reached."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.control.blocks.rows import Block
from gateway.state.model.snapshot import MAX_BLOCKS, BlockRow, RangeRow, SnapshotRows

MAX_RANGES = 2000  # what is left out would not be in force: the table is bounded instead


def blocks(session: Session, now: int, into: SnapshotRows) -> SnapshotRows:
    """Those that have not expired."""
    unexpired = or_(Block.expires_at == 0, Block.expires_at > now)
    ranges = session.scalars(select(Block).where(Block.scope == "cidr", unexpired).order_by(Block.id))
    newest = session.scalars(
        select(Block).where(Block.scope != "cidr", unexpired).order_by(Block.id.desc()).limit(MAX_BLOCKS + 1)
    ).all()
    return into._replace(
        ranges=tuple(RangeRow(row.value, row.reason, row.expires_at, row.limited) for row in ranges),
        blocks=tuple(
            BlockRow(row.scope, row.value, row.reason, row.expires_at, row.limited) for row in newest[:MAX_BLOCKS]
        ),
        blocks_whole=len(newest) <= MAX_BLOCKS,
    )
