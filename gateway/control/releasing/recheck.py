"""What is asked anew before a held message is published: identity, block, room, switches, copies, urgent words. Not
lists, limits, repeats and credit: a person has read it.

From control's own database, and with the very code that judges: the policy's rules on identity, block and room, and
what people have switched on (``gateway.judging.overlay``). A sender who is blocked and a room that is closed count
whatever the policy says.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from filters.lists.wordlist import of_words
from filters.model.verdict import Account as AccountFact
from filters.model.verdict import Block as BlockFact
from filters.model.verdict import Facts, RoomFact, Scan
from filters.policy import Policy, judge
from filters.reading.keywords import Scanner
from gateway.config import Config
from gateway.config.sections import policies as policy_sections
from gateway.control.accounts.rows import Account
from gateway.control.acts.governance import Governance
from gateway.control.blocks.rows import Block
from gateway.control.rooms.rows import Room
from gateway.judging import overlay
from gateway.judging.refused_copies import fingerprints
from gateway.parking.parked import ParkedRequest
from gateway.state.model.snapshot import SnapshotRows
from gateway.words.files import folding_tables

ASKED: Final = frozenset(("identity", "block", "room"))
PASSING: Final = frozenset(("switch.frozen", "room.muted", "room.slow"))
"""Reasons that somebody can be expected to end: what they keep from going waits."""


class KnownFacts(NamedTuple):
    """What the database says now."""

    account: AccountFact | None
    blocks: tuple[BlockFact, ...]
    room: str
    snapshot: SnapshotRows


def known(session: Session, parked: ParkedRequest, governance: Governance, now_us: int) -> KnownFacts:
    """Of the sender, the room, and what people have switched on. Blocks are asked by name: all of them, for each
    message of many, would keep everybody else from the database."""
    snapshot = governance.snapshot(session, now_us / 1e6, but=(Block.__tablename__,))
    account = None if parked.weak else session.get(Account, parked.sender)
    room = session.get(Room, parked.room)
    return KnownFacts(
        AccountFact(account.verified, account.verified_until, account.credit) if account is not None else None,
        tuple(_blocks(session, parked, now_us // 1_000_000)),
        room.status if room is not None else "open",
        snapshot,
    )


def obstacle(config: Config, parked: ParkedRequest, facts: KnownFacts, now_us: int) -> str:
    """The reason code of what stands against publishing now; empty where nothing does. ``PASSING`` ones end."""
    message = parked.held_as._replace(received_at=now_us)
    switched = overlay.build(facts.snapshot, _urgent, _prints)
    acts = switched.acts(message, Scan(fingerprint=parked.fingerprint)) if switched is not None else ()
    # The room's own state comes last: one that is muted, and whose sender is blocked, is not to be waited for.
    verdict = judge(
        _policy(config, parked.route), message, Scan(fingerprint=parked.fingerprint),
        Facts(facts.account, facts.blocks, room=RoomFact(facts.room)), acts,
    )  # fmt: skip
    reasons = [decided.finding.reason for decided in verdict.decided if decided.effect == "reject"]
    reasons += [f"block.{block.scope}" for block in facts.blocks if block.scope in ("sender", "room")]
    if facts.room in ("closed", "muted"):
        reasons.append(f"room.{facts.room}")
    return next((reason for reason in reasons if reason not in PASSING), next(iter(reasons), ""))


def _blocks(session: Session, parked: ParkedRequest, now_s: int) -> list[BlockFact]:
    names = {"device": parked.device, "registrant": parked.registrant, "ip": parked.address, "room": parked.room}
    if not parked.weak:
        names["sender"] = parked.sender
    named = [(Block.scope == scope) & (Block.value == value) for scope, value in names.items() if value]
    unexpired = or_(Block.expires_at == 0, Block.expires_at > now_s)
    rows = list(session.scalars(select(Block).where(or_(*named), unexpired)))
    if parked.address:
        address = ipaddress.ip_interface(parked.address).ip
        ranges = session.scalars(select(Block).where(Block.scope == "cidr", unexpired))
        rows += [row for row in ranges if address in ipaddress.ip_network(row.value)]
    # One that is a limit rather than a wall is not asked anew.
    return [
        BlockFact("ip" if row.scope == "cidr" else row.scope, row.reason, row.expires_at)
        for row in rows
        if not row.limited
    ]


def _policy(config: Config, route: str) -> Policy:
    """The rules of a route's policy that are asked anew; none where it is configured no more."""
    named = next((one for one in config.routes if one.name == route), None)
    if named is None or named.policy not in config.policies:
        return Policy("released", "", ())
    whole = policy_sections.build(config)[named.policy]
    return Policy(whole.name, whole.digest, [rule for rule in whole.rules if rule.check in ASKED])


def _urgent(words: Sequence[str]) -> Scanner:
    return Scanner([of_words(words, folding_tables())], markup="html")


def _prints() -> Scanner:
    return fingerprints(folding_tables())
