"""What is asked anew before a held message goes, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway import config as configuration
from gateway.control.accounts.rows import Account
from gateway.control.blocks.rows import Block
from gateway.control.releasing import recheck
from gateway.control.rooms.rows import Room
from gateway.control.switches.rows import Switch, UrgentWord
from gateway.control.takedowns.rows import Copy
from gateway.judging.refused_copies import fingerprints
from gateway.parking.parked import ParkedRequest
from gateway.words.files import folding_tables

NOW = 1_800_000_000
TEXT = "buy this"
PRINT = fingerprints(folding_tables()).scan((TEXT,)).fingerprint
TOML = """
[upstreams.platform]
servers = ["http://127.0.0.1:9"]

[lists.spam]
path = "spam.txt"

[policies.p]
appeal = "off"
rules = [
  { check = "identity", action = "reject", on_error = "reject", ground = "g" },
  { check = "block", action = "reject", on_error = "reject", ground = "g" },
  { check = "keywords", lists = ["spam"], action = "reject", on_error = "reject", ground = "g" },
  { check = "limit", limits = ["sender 1/1h"], action = "reject", on_error = "reject", ground = "g" },
  { check = "credit", below = 90, action = "reject", on_error = "reject", ground = "g" },
]

[[routes]]
name = "comments"
match = "POST /api/{room}/comments"
surface = "comment"
upstream = "platform"
policy = "p"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""
PARKED = ParkedRequest(
    "m", (NOW - 600) * 1_000_000, "comments", "comment", "r1", "alice", (TEXT,), "keyword.match", "g", (), "d", "POST",
    "/api/r1/comments", (), b"", fingerprint=PRINT, address="192.0.2.7", device="d1", registrant="reg1",
)  # fmt: skip
KNOWN: dict[str, Any] = {"verified": True, "verified_until": 0, "credit": 20}


class Asked:
    """``reason`` with these rows in the database."""

    def __init__(self, plant: Any, config: Any) -> None:
        self.plant = plant
        self.config = config

    async def reason(self, *rows: Any, parked: ParkedRequest = PARKED) -> str:
        def work(unit: Any) -> None:
            for row in rows:
                unit.add(row)

        await self.plant.ledger.act("li", "r", "x", "y", work, settle=False)
        governance = self.plant.ledger.governance
        facts = self.plant.database.now(lambda session: recheck.known(session, parked, governance, NOW * 1_000_000))
        return recheck.obstacle(self.config, parked, facts, NOW * 1_000_000)


@pytest.fixture
async def asked(plant: Any, tmp_path: Path) -> Asked:
    (tmp_path / "spam.txt").write_text("buy\n")
    path = tmp_path / "tidegate.toml"
    path.write_text(TOML)
    return Asked(plant, configuration.load(path))


def account(**changed: Any) -> Account:
    return Account(sender="alice", **(KNOWN | changed))


def block(scope: str, value: str, **changed: Any) -> Block:
    return Block(scope=scope, value=value, reason="x", ground="g", created_at=1, **changed)


def switch(scope: str, value: str) -> Switch:
    return Switch(kind="freeze", scope=scope, value=value, ground="g", created_at=1)


async def test_lists_limits_and_credit_are_not_asked_anew(asked: Asked) -> None:
    assert await asked.reason(account()) == ""


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "identity.unknown"),
        ([lambda: account(verified=False)], "identity.unverified"),
        ([lambda: account(verified_until=NOW - 1)], "identity.expired"),
        ([account, lambda: block("sender", "alice")], "block.sender"),
        ([account, lambda: block("device", "d1")], "block.device"),
        ([account, lambda: block("registrant", "reg1")], "block.registrant"),
        ([account, lambda: block("ip", "192.0.2.7")], "block.ip"),
        ([account, lambda: block("cidr", "192.0.2.0/24")], "block.ip"),
        ([account, lambda: block("room", "r1")], "block.room"),
        ([account, lambda: Room(room="r1", status="closed")], "room.closed"),
        ([account, lambda: Room(room="r1", status="muted")], "room.muted"),
        ([account, lambda: Room(room="r1", status="slow", interval_ms=1000)], ""),
        ([account, lambda: switch("room", "r1")], "switch.frozen"),
        ([account, lambda: switch("route", "comments")], "switch.frozen"),
        ([account, lambda: UrgentWord(word="this", ground="g", created_at=1)], "keyword.urgent"),
        (
            [
                account,
                lambda: Copy(fingerprint=PRINT.hex(), message_id="o", ground="g", expires_at=NOW + 60, created_at=1),
            ],
            "copy.removed",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_asked_anew(asked: Asked, rows: list[Any], reason: str) -> None:
    assert await asked.reason(*(make() for make in rows)) == reason


@pytest.mark.parametrize(
    "row",
    [
        lambda: block("sender", "bob"),
        lambda: block("sender", "alice", expires_at=NOW - 1),
        lambda: block("ip", "192.0.2.7", limited=True),
        lambda: block("cidr", "198.51.100.0/24"),
        lambda: switch("room", "r2"),
        lambda: Room(room="r2", status="closed"),
    ],
)
async def test_what_concerns_others_is_no_obstacle(asked: Asked, row: Any) -> None:
    assert await asked.reason(account(), row()) == ""


async def test_what_a_front_vouched_for_counts_as_it_did_while_it_lasts(asked: Asked) -> None:
    assert await asked.reason(parked=PARKED._replace(vouched=(True, 0, -1))) == ""
    assert await asked.reason(parked=PARKED._replace(vouched=(True, NOW - 1, -1))) == "identity.expired"


async def test_what_lasts_comes_before_what_somebody_will_end(asked: Asked) -> None:
    assert await asked.reason(account(), switch("room", "r1"), block("sender", "alice")) == "block.sender"


async def test_a_sender_who_is_no_person_has_no_account_and_no_block(asked: Asked) -> None:
    weak = PARKED._replace(weak=True, vouched=(True, 0, -1))
    assert await asked.reason(block("sender", "alice"), parked=weak) == ""
