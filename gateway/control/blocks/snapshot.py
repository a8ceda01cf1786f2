"""Blocks in the snapshot: ranges whole, which workers look up by themselves; of all others the newest, which workers
ask beside state, and in its stead while it cannot be reached."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.control.blocks.rows import Block
from gateway.state.model.snapshot import MAX_BLOCKS, BlockRow, RangeRow, SnapshotRows

MAX_RANGES = 2000  # what is left out would not be in force: the table is bounded instead


def blocks(session: Session, now: int, into: SnapshotRows) -> SnapshotRows:
    """Those that have not expired. As plain columns: thousands of objects would hold up the database's thread, and
    whatever waits for it, for a tenth of a second."""
    unexpired = or_(Block.expires_at == 0, Block.expires_at > now)
    told = (Block.value, Block.reason, Block.expires_at, Block.limited)
    ranges = session.execute(select(*told).where(Block.scope == "cidr", unexpired).order_by(Block.id))
    newest = session.execute(
        select(Block.scope, *told)
        .where(Block.scope != "cidr", unexpired)
        .order_by(Block.id.desc())
        .limit(MAX_BLOCKS + 1)
    ).all()
    return into._replace(
        ranges=tuple(RangeRow(*row) for row in ranges),
        blocks=tuple(BlockRow(*row) for row in newest[:MAX_BLOCKS]),
        blocks_whole=len(newest) <= MAX_BLOCKS,
    )
