"""The page in both languages: the same words, and nothing that a person wrote is markup."""

from __future__ import annotations

import pytest

from gateway.control.appeals import appeal_words
from gateway.control.appeals.appeal_page import page, sheet
from gateway.control.appeals.appeal_site import _refusal
from gateway.control.appeals.appeal_states import AppealState
from gateway.control.appeals.filing import AppealGiven, Filed
from gateway.http.server.problem import Problem
from gateway.sentences.appealing import REASONS
from gateway.sentences.own import NOTICES
from tests.gateway.control.appeals.conftest import NOW

EVIL = '"><script>alert(1)</script>'
REFUSAL = Problem(403, "keyword.match", EVIL, EVIL, ground=EVIL, category=EVIL)


@pytest.mark.parametrize("words", [appeal_words.PAGE, appeal_words.STATES, appeal_words.REDRESS])
def test_both_languages_have_the_same_words(words: dict[str, dict[str, object]]) -> None:
    assert words["en"].keys() == words["zh"].keys()
    assert all(words["en"].values())


def test_every_state_has_words() -> None:
    assert set(appeal_words.STATES["en"]) == set(AppealState)


def test_every_reason_has_sentences_in_both() -> None:
    for row in REASONS.values():
        assert row.told("en") != row.told("zh")
        assert all(row.told("en") + row.told("zh"))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", ["", *AppealState])
def test_nothing_that_a_person_wrote_is_markup(language: str, state: str) -> None:
    filed = Filed(
        "0123456789", state, NOW, "keyword.match", EVIL, EVIL, text_needed=True, filed_at=NOW, answer_by=NOW,
        answer=EVIL, answer_ground=EVIL, same_person=True, redress="none",
    )  # fmt: skip
    given = AppealGiven(EVIL, EVIL, EVIL, EVIL, language)
    problem = Problem(409, "appeal.ambiguous", EVIL, EVIL)
    for told in (
        page("/appeals", language, given, filed, REFUSAL, problem),
        page("/appeals", language, given, None, None, problem),
    ):
        text = told.decode()
        assert "<script" not in text
        assert EVIL not in text
        assert "://" not in text  # nothing of anybody else's


def test_the_policy_lets_nothing_run() -> None:
    assert "script-src" not in sheet().policy
    assert sheet().policy.startswith("default-src 'none'")


@pytest.mark.parametrize("reason", ["review.refused", "review.expired", "review.void"])
def test_what_became_of_a_held_message_has_its_own_sentence(reason: str) -> None:
    told = _refusal(Filed("7K2M9QXF3T", "", 1, reason, "article 5", ""))
    assert (told.title, told.detail) == NOTICES[reason].told()
