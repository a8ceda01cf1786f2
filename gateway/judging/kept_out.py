"""Who is kept out by the newest blocks, and where nobody may write, as the snapshot has it: for those whom state is not
asked about, or not again. Each counts only where the route's policy enforces it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from filters.model.verdict import Decided, Finding

if TYPE_CHECKING:
    from filters.model.rule import Rule
    from filters.model.verdict import Block
    from gateway.judging.route import Route
    from gateway.state.model.snapshot import Snapshot


def blocked(route: Route, sender: str, room: str, ip: str, snapshot: Snapshot) -> Decided | None:
    """A block that is a wall, of the sender, the room or the address."""
    rule = _enforced(route, "block")
    block = _block(sender, room, ip, snapshot) if rule is not None else None
    if rule is None or block is None:
        return None
    return Decided(rule, Finding("block", f"block.{block.scope}"), "reject")


def closed(route: Route, room: str, snapshot: Snapshot) -> Decided | None:
    """A room in which nobody may write; slow mode is none."""
    rule = _enforced(route, "room")
    found = snapshot.rooms.get(room) if rule is not None else None
    if rule is None or found is None or found.pace is not None:
        return None
    return Decided(rule, Finding("room", f"room.{found.fact.status}"), "reject")


def _enforced(route: Route, check: str) -> Rule | None:
    for rule in route.policy.rules:
        if rule.check == check and rule.mode == "enforce" and rule.action == "reject":
            return rule
    return None


def _block(sender: str, room: str, ip: str, snapshot: Snapshot) -> Block | None:
    found = [snapshot.blocks.get(key) for key in (("sender", sender), ("room", room), ("ip", ip)) if key[1]]
    if ip:
        found += (held.block for held in snapshot.ranges.all(ip))
    now = time.time()
    for block in found:
        if block is not None and not block.limited and (not block.expires_at or block.expires_at > now):
            return block
    return None
