"""What words and lists are worth by what reviewers made of the messages that they held."""

from __future__ import annotations

from typing import Any

from gateway.control.cases import cases, decisions, precision
from gateway.control.cases.cases import ListWord
from gateway.control.cases.precision import Precision
from tests.gateway.control.cases.conftest import UNDO, Desk, S


def held(desk: Desk, message: str, outcome: str, *words: int, name: str = "spam", **more: Any) -> None:
    """A message that these words held, and what became of it; ``""``: it waits."""
    case = desk.open(message, hits=frozenset(ListWord(name, word) for word in words), **more)
    if outcome:
        desk.claim(case)
        desk.decide(case, outcome)
        desk.now += UNDO
        decisions.finish(desk.session, case, now=desk.now)


def test_upheld_masked_and_passed_by_word_and_by_list(desk: Desk) -> None:
    held(desk, "m1", "refused", 1, 2)
    held(desk, "m2", "refused", 1)
    held(desk, "m3", "approved", 1, 3)
    held(desk, "m4", "masked", 2)
    held(desk, "m5", "", 1)
    held(desk, "m6", "approved", 9, name="abuse")
    words = precision.by_word(desk.session, "spam", 0, 50)
    assert words == [
        Precision("spam", 1, 4, 2, 0, 1), Precision("spam", 2, 2, 1, 1, 0), Precision("spam", 3, 1, 0, 0, 1),
    ]  # fmt: skip
    assert [(one.decided, one.share) for one in words] == [(3, 2 / 3), (2, 0.5), (1, 0.0)]
    lists, complete = precision.by_list(desk.session, 0)
    assert lists == [Precision("abuse", 0, 1, 0, 0, 1), Precision("spam", 0, 5, 2, 1, 1)]  # a message once
    assert complete
    assert precision.by_word(desk.session, "spam", 0, 1) == words[:1]
    assert precision.by_word(desk.session, "spam", desk.now + S, 50) == []
    assert Precision("spam", 1, 1, 0, 0, 0).share is None


def test_no_more_is_looked_at_than_said(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr(precision, "LOOKED_AT", 2)
    for number in range(3):
        held(desk, f"m{number}", "", 1)
        desk.now += S
    lists, complete = precision.by_list(desk.session, 0)
    assert (lists[0].hits, complete) == (2, False)


def test_hits_follow_an_edit_and_go_with_the_case(desk: Desk) -> None:
    held(desk, "m1", "", 1)
    held(desk, "m2", "", 2)
    cases.supersede(desk.session, "m1", "m2", now=desk.now)
    assert [one.word for one in precision.by_word(desk.session, "spam", 0, 50)] == [2]
    cases.void(desk.session, "m2", "withdrawn", now=desk.now)
    assert cases.prune(desk.session, desk.now + S) == 2
    assert precision.by_word(desk.session, "spam", 0, 50) == []
