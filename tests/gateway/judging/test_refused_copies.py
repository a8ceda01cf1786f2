"""A text that was taken down is known again, in force as long as its copy is, and free where none is."""

from __future__ import annotations

import pytest

from filters.lists.wordlist import of_words
from filters.model.message import Message
from filters.model.verdict import Facts, Scan
from filters.policy import Policy, judge
from filters.reading.keywords import Scanner
from gateway.appeals.appeal_address import NOWHERE
from gateway.journal.write.record import Basis, judged
from gateway.judging import answers, overlay
from gateway.judging.refused_copies import REMOVED, RefusedCopies, fingerprints
from gateway.state.model.snapshot import CopyRow, SnapshotRows
from gateway.words.files import folding_tables

NOW = 1_800_000_000
PRINTS = fingerprints(folding_tables())
POLICY = Policy("p", "d" * 64, [])


def said(*texts: str, at: int = NOW) -> Message:
    return Message("m", "comment", "comments", "r1", "bob", texts, at * 1_000_000)


def row(*texts: str, until: int = NOW + 60) -> CopyRow:
    return CopyRow(3, PRINTS.scan(texts).fingerprint.hex(), "rule 9", until)


def never(*_: object) -> Scanner:
    raise AssertionError("nothing is compiled where nothing is in force")


@pytest.mark.parametrize("text", ["Win a phone today", "WIN a phone  today!", "ｗｉｎ a ph\u200bone today"])
def test_a_copy_is_refused_and_says_why(text: str) -> None:
    built = overlay.build(SnapshotRows(7, copies=(row("win a phone today"),)), never, lambda: PRINTS)
    assert built is not None
    message = said(text)
    verdict = judge(POLICY, message, Scan(), Facts(), built.acts(message, Scan()))
    assert verdict.disposition == "reject"
    problem = answers.problem(verdict, message.id, NOWHERE)
    assert (problem.status, problem.reason, problem.ground) == (403, REMOVED, "rule 9")
    record = judged(message, verdict, Basis("comments", "comment", POLICY, {}))
    assert record["findings"][0]["detail"] == {"copy": 3}


def test_another_text_is_not() -> None:
    built = RefusedCopies([row("win a phone today")], PRINTS)
    for texts in (("win a phone tomorrow",), ("win a phone", "today"), ("",), ("😀",)):
        assert built.act(said(*texts), Scan()) is None


def test_it_ends_with_its_expiry() -> None:
    built = RefusedCopies([row("x y z", until=NOW + 5)], PRINTS)
    assert built.act(said("x y z", at=NOW + 4), Scan()) is not None
    assert built.act(said("x y z", at=NOW + 5), Scan()) is None


def test_the_scans_own_fingerprint_is_the_same_and_made_once() -> None:
    tables = folding_tables()
    scanner = Scanner([of_words(["nothing"], tables)], True, tables=tables)
    copies = RefusedCopies([row("代开 发票"), row("a", "b")], fingerprints(tables))
    copies._prints = None  # type: ignore[assignment]  # a use of it would raise
    for texts in (("代开发票",), ("a", "b")):
        assert copies.act(said(*texts), scanner.scan(texts)) is not None


def test_nothing_in_force_costs_nothing() -> None:
    assert overlay.build(SnapshotRows(1), never, never) is None


def test_long_and_padded_texts_are_read_whole() -> None:
    text = "x" + "\u200b" * 50_000 + "y" * 3
    assert RefusedCopies([row("xyyy")], PRINTS).act(said(text), Scan()) is not None
