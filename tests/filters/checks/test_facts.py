"""Every check that weighs facts: what it finds, what it misses, what it cannot say."""

from typing import Any

import pytest

from filters.checks import CHECKS, block, credit, identity, keywords, limit, parts, repeats, room
from filters.model.limits import Limit
from filters.model.message import Message, Vouched
from filters.model.rule import Asks, Repeat, Rule
from filters.model.verdict import Account, Block, Facts, Hit, Missing, RepeatFact, RoomFact, Scan

MESSAGE = Message("id", "comment", "route", "room", "alice", ("text",), 10_000_000)
HIT = Hit("spam", "digest", 1, "spam", 5, 0, ((0, 4),))


def found(check: str, options: object, facts: Facts, scan: Scan = Scan(), message: Message = MESSAGE) -> Any:  # noqa: B008
    """What the check says: reason codes, or the cause of a Missing."""
    rule = Rule(check, "reject", "reject", options, "ground")
    result = CHECKS[check].bind(rule, Asks())(message, scan, facts)
    return result.cause if isinstance(result, Missing) else [finding.reason for finding in result]


@pytest.mark.parametrize(
    ("account", "reasons"),
    [
        (None, ["identity.unknown"]),
        (Account(False), ["identity.unverified"]),
        (Account(True, verified_until=9), ["identity.expired"]),
        (Account(True, verified_until=10), ["identity.expired"]),
        (Account(True, verified_until=11), []),
        (Account(True), []),
    ],
)
def test_identity(account: Account | None, reasons: list[str]) -> None:
    assert found("identity", identity.Options(), Facts(account=account)) == reasons


def test_a_front_that_vouches_needs_no_account() -> None:
    facts = Facts(missing={"account": "state.unavailable"})
    assert found("identity", identity.Options(), facts, message=MESSAGE._replace(vouched=Vouched(True))) == []
    unsure = MESSAGE._replace(vouched=Vouched(False))
    assert found("identity", identity.Options(), facts, message=unsure) == ["identity.unverified"]


def test_blocks_of_every_scope() -> None:
    blocks = (Block("sender", "spam"), Block("ip", "flood", 99, True, 3.5))
    assert found("block", block.Options(), Facts(blocks=blocks)) == ["block.sender", "block.ip"]
    assert found("block", block.Options(), Facts()) == []


def test_a_block_told_by_a_stand_in_counts_while_the_rest_is_missing() -> None:
    missing = {"blocks": "state.deadline"}
    assert found("block", block.Options(), Facts(missing=missing)) == "state.deadline"
    assert found("block", block.Options(), Facts(blocks=(Block("sender", "x"),), missing=missing)) == ["block.sender"]


@pytest.mark.parametrize(
    ("status", "wait", "reasons"),
    [("open", 0.0, []), ("slow", 0.0, []), ("slow", 2.5, ["room.slow"]), ("muted", 0.0, ["room.muted"]),
     ("closed", 0.0, ["room.closed"])],
)  # fmt: skip
def test_rooms(status: str, wait: float, reasons: list[str]) -> None:
    assert found("room", room.Options(), Facts(room=RoomFact(status, wait))) == reasons


def test_limits_say_which_of_them_is_used_up() -> None:
    options = limit.Options((Limit("sender", 5, 10_000_000), Limit("room", 500, 1_000_000)))
    assert found("limit", options, Facts(limits=(0, 0))) == []
    assert found("limit", options, Facts(limits=(0, 700))) == ["limit.room"]
    assert found("limit", options, Facts(limits=(5, 700))) == ["limit.sender", "limit.room"]


def test_each_rule_reads_its_own_limits() -> None:
    asks = Asks()
    first = CHECKS["limit"].bind(
        Rule("limit", "reject", "pass", limit.Options((Limit("sender", 1, 1),)), "g"), asks
    )  # fmt: skip
    second = CHECKS["limit"].bind(
        Rule("limit", "label", "pass", limit.Options((Limit("ip", 1, 1),)), "g", "shadow"), asks
    )  # fmt: skip
    facts = Facts(limits=(0, 2_500_000))
    assert first(MESSAGE, Scan(), facts) == ()
    (finding,) = second(MESSAGE, Scan(), facts)  # type: ignore[misc]
    assert (finding.reason, finding.retry_after) == ("limit.ip", 2.5)
    assert asks.shadow_limits == {1}


def test_keywords_of_a_severity() -> None:
    scan = Scan({"spam": (HIT, HIT._replace(severity=2))})
    assert found("keywords", keywords.Options(("spam",)), Facts(), scan) == ["keyword.match"] * 2
    assert found("keywords", keywords.Options(("spam",), severity=3), Facts(), scan) == ["keyword.match"]
    assert found("keywords", keywords.Options(("abuse",)), Facts(), scan) == []
    assert found("keywords", keywords.Options(("spam",)), Facts(), Scan(failed={"spam": "fold.bound"})) == "fold.bound"
    assert found("keywords", keywords.Options(("abuse",)), Facts(), Scan(failed={"spam": "fold.bound"})) == []


def test_parts() -> None:
    assert found("parts", parts.Options(), Facts()) == []
    assert found("parts", parts.Options(), Facts(), message=MESSAGE._replace(parts=("/image",))) == ["parts.unjudged"]


def test_repeats_across_people_need_length_and_several_of_them() -> None:
    options = repeats.Options(Repeat("room", 3, 60_000_000, min_length=8, senders=3))
    long, short = Scan(fingerprint=b"12345678", folded_length=12), Scan(fingerprint=b"12345678", folded_length=3)
    many = Facts(repeats=(RepeatFact(9, 5, 1.0),))
    assert found("repeats", options, many, long) == ["repeat.room"]
    assert found("repeats", options, many, short) == [], "666 and 哈哈哈 are no campaign"
    assert found("repeats", options, Facts(repeats=(RepeatFact(9, 2),)), long) == [], "two friends are no campaign"
    assert found("repeats", options, Facts(repeats=(RepeatFact(3, 3),)), long) == []
    assert found("repeats", options, Facts(missing={"repeats": "state.busy"}), long) == "state.busy"
    assert found("repeats", options, Facts(missing={"repeats": "state.busy"}), Scan()) == [], "nothing to repeat"


def test_credit() -> None:
    options = credit.Options(40)
    assert found("credit", options, Facts(account=Account(True, credit=39))) == ["credit.low"]
    assert found("credit", options, Facts(account=Account(True, credit=40))) == []
    assert found("credit", options, Facts()) == [], "nobody's credit is a matter of identity"
    assert found("credit", options, Facts(missing={"account": "state.epoch"})) == "state.epoch"
    vouched = MESSAGE._replace(vouched=Vouched(True, level=20))
    assert found("credit", options, Facts(account=Account(True, credit=90)), message=vouched) == ["credit.low"]
