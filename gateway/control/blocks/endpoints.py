"""Blocks: stops a sender, a registrant, a device, an address, a range or a room."""

from __future__ import annotations

import time

from sqlalchemy import select

from gateway.control.acts.acts import Unit
from gateway.control.acts.refusal import ControlError, missing
from gateway.control.blocks import snapshot
from gateway.control.blocks.rows import Block
from gateway.control.blocks.schemas import SHARED, BlockNew, BlockOut, Blocks, BlocksQuery, subject
from gateway.control.calls.call import Call, done
from gateway.control.calls.schemas import DAY, Done, Gone, NoQuery, Why


async def listed(call: Call[None, BlocksQuery]) -> Blocks:
    query = call.query
    await call.reads(query.reason, "block.list", f"{query.scope or 'block'}:{query.value or '*'}")
    wanted = select(Block).where(Block.id > query.after).order_by(Block.id).limit(query.limit)
    scope, value = query.scope, query.value
    if scope is not None and value is not None:
        scope, value = subject(scope, value, call.services.ipv6_prefix())
    if scope is not None:
        wanted = wanted.where(Block.scope == scope)
    if value is not None:
        wanted = wanted.where(Block.value == value)
    rows = await call.services.database.read(lambda session: session.scalars(wanted).all())
    return Blocks(blocks=[BlockOut(**row.as_row()) for row in rows])


async def create(call: Call[BlockNew, NoQuery]) -> Done[BlockOut]:
    """The newest block of a subject replaces an older one; the act keeps both."""
    body = call.body
    scope, value = subject(body.scope, body.value, call.services.ipv6_prefix())
    now = int(time.time())
    shared = body.scope in SHARED
    expires_at = body.expires_at if body.expires_at is not None else now + DAY if shared else 0
    if 0 < expires_at <= now:
        raise ControlError(400, "control.expired", "expires_at lies in the past.")
    values = {
        "reason": body.reason,
        "ground": body.ground,
        "expires_at": expires_at,
        "limited": shared if body.limited is None else body.limited,
        "created_at": time.time_ns() // 1000,
    }

    def work(unit: Unit) -> Block:
        held = unit.session.scalar(select(Block).where(Block.scope == scope, Block.value == value))
        if held is not None:
            return unit.change(held, **values)
        if scope == "cidr":
            unit.has_room(Block, snapshot.MAX_RANGES, Block.scope == "cidr")
        return unit.add(Block(scope=scope, value=value, **values))

    outcome = await call.act(body.reason, "block.create", f"{scope}:{value}", work)
    return done(outcome, BlockOut(**outcome.result.as_row()))


async def delete(call: Call[None, Why]) -> Done[Gone]:
    number = call.number("id")

    def work(unit: Unit) -> None:
        row = unit.get(Block, number)
        if row is None:
            raise missing("block")
        unit.remove(row)

    return done(await call.act(call.query.reason, "block.delete", f"block:{number}", work), Gone())
