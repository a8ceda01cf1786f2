"""With a ticket the same text of the same sender passes its findings, once; nothing else does."""

from __future__ import annotations

import pytest

from filters.lists.wordlist import of_words
from filters.model.message import Message
from filters.model.rule import Rule
from filters.model.verdict import Account, Block, Decided, Facts, Finding, RoomFact, Verdict
from filters.policy import Policy, judge
from filters.reading.keywords import Scanner
from gateway.journal.write.record import Basis, judged
from gateway.judging import overlay
from gateway.judging.refused_copies import fingerprints
from gateway.judging.resending import USED, digest
from gateway.state.model.snapshot import CopyRow, SnapshotRows, SwitchRow, TicketRow, UrgentRow, decode, encode
from gateway.words.files import folding_tables

NOW = 1_800_000_000
TEXT = "win a phone today"
PRINTS = fingerprints(folding_tables())
WORDS = Scanner([of_words(["phone"], folding_tables(), "spam", "spam")])
HOLD = Decided(Rule("review", "hold", "hold", None, "rule 1"), Finding("review", "review.always"), "hold")


def options(check: str) -> object:
    from filters.checks import CHECKS

    made = CHECKS[check].options
    return made(lists=("spam",)) if check == "keywords" else made()


def rule(check: str, action: str = "reject") -> Rule:
    return Rule(check, action, "reject", options(check), "agreement 1")  # type: ignore[arg-type]


POLICY = Policy("p", "d" * 64, [rule("identity"), rule("block"), rule("room"), rule("keywords")])
KNOWN = Facts(account=Account(True))


def said(text: str = TEXT, *, sender: str = "bob", room: str = "r1", route: str = "comments", at: int = NOW) -> Message:
    return Message("m1", "comment", route, room, sender, (text,), at * 1_000_000)


def ticket(number: int = 3, **changed: object) -> TicketRow:
    return TicketRow(number, "comments", "r1", "bob", digest((TEXT,)), NOW + 60)._replace(**changed)  # type: ignore[arg-type]


def weighed(message: Message, facts: Facts = KNOWN, used: dict[int, str] | None = None, **rows: object) -> Verdict:
    rows = {"tickets": (ticket(),), **rows}
    built = overlay.build(
        SnapshotRows(7, **rows),  # type: ignore[arg-type]
        lambda words: Scanner([of_words(words, folding_tables())]), lambda: PRINTS, {} if used is None else used,
    )  # fmt: skip
    assert built is not None
    scan = WORDS.scan(message.texts)
    return judge(POLICY, message, scan, facts, built.acts(message, scan))


def test_without_one_the_text_is_refused() -> None:
    assert weighed(said(), tickets=(ticket(sender="carol"),)).disposition == "reject"


def test_with_one_it_passes_and_the_record_says_so() -> None:
    verdict = weighed(said())
    assert (verdict.disposition, verdict.texts, verdict.labels) == ("pass", None, ())
    record = judged(said(), verdict, Basis("comments", "comment", POLICY, {"spam": "d"}))
    assert record["findings"] == [
        {"check": "ticket", "reason": USED, "effect": "pass", "ground": "", "detail": {"ticket": 3}}
    ]


def test_what_is_held_without_it_passes_and_what_failed_does_not() -> None:
    acts = (HOLD, *_acts())
    assert judge(POLICY, said(), WORDS.scan((TEXT,)), KNOWN, acts).disposition == "pass"
    failed = HOLD._replace(degraded=True)
    assert judge(POLICY, said(), WORDS.scan((TEXT,)), KNOWN, (failed, *_acts())).disposition == "hold"


def _acts() -> tuple[Decided, ...]:
    built = overlay.build(SnapshotRows(7, tickets=(ticket(),)), lambda words: WORDS, lambda: PRINTS, {})
    assert built is not None
    return built.acts(said(), WORDS.scan((TEXT,)))


@pytest.mark.parametrize(
    "message",
    [said("win a phone now"), said(sender="eve"), said(room="r2"), said(route="live"), said(at=NOW + 60)],
    ids=["text", "sender", "room", "route", "late"],
)
def test_it_is_good_for_its_sender_place_text_and_time_alone(message: Message) -> None:
    assert weighed(message).disposition == "reject"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(account=Account(False)), "identity.unverified"),
        (KNOWN._replace(blocks=(Block("sender", "spam"),)), "block.sender"),
        (KNOWN._replace(room=RoomFact("closed")), "room.closed"),
        (Facts(missing={"account": "state.deadline"}), "identity.unavailable"),
    ],
)
def test_identity_block_and_room_count_as_always(facts: Facts, reason: str) -> None:
    verdict = weighed(said(), facts)
    assert verdict.leading is not None
    assert (verdict.disposition, verdict.leading.finding.reason) == ("reject", reason)


@pytest.mark.parametrize(
    "rows",
    [
        {"switches": (SwitchRow(1, "freeze", "room", "r1", "g"),)},
        {"urgent": (UrgentRow(1, "today", "g"),)},
        {"copies": (CopyRow(1, PRINTS.scan((TEXT,)).fingerprint.hex(), "g", NOW + 60),)},
    ],
    ids=["switch", "urgent word", "copy"],
)
def test_switches_urgent_words_and_copies_count_as_always(rows: dict[str, object]) -> None:
    assert weighed(said(), **rows).disposition == "reject"


def test_it_is_good_once_and_again_where_the_message_did_not_go_on() -> None:
    used: dict[int, str] = {}
    assert weighed(said(), used=used).disposition == "pass"
    assert used == {3: "m1"}
    assert weighed(said(), used=used).disposition == "reject"
    built = overlay.build(SnapshotRows(8, tickets=(ticket(),)), lambda words: WORDS, lambda: PRINTS, used)
    assert built is not None
    assert built.tickets is not None
    built.tickets.unused("m1")
    assert weighed(said(), used=used).disposition == "pass"


def test_what_control_has_ended_is_forgotten() -> None:
    used = {2: "m0", 3: "m1"}
    overlay.build(SnapshotRows(8, tickets=(ticket(),)), lambda words: WORDS, lambda: PRINTS, used)
    assert used == {3: "m1"}


def test_nothing_is_switched_on_where_there_are_none() -> None:
    assert overlay.build(SnapshotRows(8), lambda words: WORDS, lambda: PRINTS, {}) is None


def test_the_snapshot_brings_them_whole() -> None:
    rows = SnapshotRows(8, tickets=(ticket(), ticket(4, room="回")))
    assert decode(encode(rows)) == rows


def test_texts_are_told_apart_by_where_they_end() -> None:
    assert len({digest(texts) for texts in (("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""))}) == 4
