"""The nodes of a database as people see them, and taking one out that is gone for good."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.control.acts.acts import Intent, Unit, perform
from gateway.control.acts.database import Database
from gateway.control.acts.governance import Governance
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.nodes.database_clock import clock_us
from gateway.control.nodes.leading import LEADER
from gateway.control.nodes.registering import LIVING_US
from gateway.control.nodes.rows import Lease, NodeRow
from gateway.control.nodes.schemas import NodeOut

RETIRE = "node.retire"


def roll(session: Session, *, alone: bool) -> list[NodeOut]:
    """All of them by number. ``alone``: the one that there is lives, or nobody could ask."""
    now = clock_us(session)
    rows = session.scalars(select(NodeRow).order_by(NodeRow.number)).all()
    lease = session.get(Lease, LEADER)
    holder = lease.holder.partition(":")[0] if lease is not None and lease.until > now else ""
    newest = max((row for row in rows if alone or now - row.seen < LIVING_US), key=lambda row: row.since, default=None)
    return [
        NodeOut(
            number=row.number, place=row.place, address=row.address, version=row.version, generation=row.generation,
            since=row.since, older=newest is not None and row.compiled != newest.compiled, seen=row.seen,
            lives=alone or now - row.seen < LIVING_US, leads=alone or str(row.number) == holder,
        )
        for row in rows
    ]  # fmt: skip


def retire(unit: Unit, number: int, *, alone: bool) -> None:
    """Take a node out: its number is free for another data folder. Refused while it lives."""
    row = unit.session.get(NodeRow, number)
    if row is None:
        raise missing("node")
    if alone or clock_us(unit.session) - row.seen < LIVING_US:
        raise ControlError(409, "control.node_lives", f"Node {number} is there: stop it first.")
    unit.session.delete(row)


async def retired_offline(
    database: Database, uid: str, number: int, person: str, reason: str, tables: Governance
) -> int:
    """The same while no control process runs, as an act of ``person``; its number. Raises ``ControlError``."""
    intent = Intent(uid, person, reason, RETIRE, f"node:{number}")
    done = await database.run(
        lambda session: perform(session, intent, lambda unit: retire(unit, number, alone=False), tables)
    )
    return done.act
