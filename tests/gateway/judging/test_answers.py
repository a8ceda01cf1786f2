"""Every refusal has words for its sender, and they give nothing of a list away."""

import pytest

from filters.checks import CHECKS, limit
from filters.model.limits import Limit
from filters.model.meaning import LANGUAGES
from filters.model.rule import Rule
from filters.model.verdict import Decided, Finding, Hit, Verdict
from gateway.appeals.appeal_address import NOWHERE, AppealAddress
from gateway.appeals.codes import Codes
from gateway.journal.write.ids import Ids
from gateway.judging import answers

RULE = Rule("keywords", "reject", "reject", None, "agreement 3.1")


def refused(*decided: Decided) -> Verdict:
    return Verdict("reject", "digest", decided)


@pytest.mark.parametrize("code", sorted(answers.REASONS))
def test_every_reason_is_a_refusal_with_words(code: str) -> None:
    row = answers.reason_of(code)
    assert row.status in (403, 429, 503) or code == "review.decided"  # told where a sender asks, and not as a refusal
    for language in LANGUAGES:
        title, detail = row.told(language)
        assert title
        assert detail.endswith((".", "。"))


def test_every_reason_of_every_check_is_answered_in_its_own_words() -> None:
    for check in CHECKS.values():
        assert check.reasons.items() <= answers.REASONS.items()


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_every_check_that_fails_has_an_answer(check: str) -> None:
    verdict = refused(Decided(RULE, Finding(check, f"{check}.unavailable"), "reject", degraded=True))
    problem = answers.problem(verdict, "id", NOWHERE)
    assert (problem.status, problem.reason) == (503, f"{check}.unavailable")
    assert problem.retry_after > 0


def test_a_word_is_not_told() -> None:
    hit = Hit("secret-list", "digest", 7, "gambling", 9, 0, ((0, 4),))
    problem = answers.problem(
        refused(Decided(RULE, Finding("keywords", "keyword.match", hit), "reject")), "id", AppealAddress("/a")
    )
    assert (problem.category, problem.ground, problem.appeal) == ("gambling", "agreement 3.1", "/a")
    assert "secret-list" not in str(problem)


def test_limits_are_told_as_the_ratelimit_fields_want_them() -> None:
    options = limit.Options((Limit("sender", 5, 10_000_000), Limit("room", 500, 1_000_000)))
    rule = Rule("limit", "reject", "pass", options, "agreement 4.2")
    findings = [
        Finding("limit", "limit.sender", retry_after=1.5, detail={"quota": 5, "period_us": 10_000_000}),
        Finding("limit", "limit.room", retry_after=0.2, detail={"quota": 500, "period_us": 1_000_000}),
    ]
    problem = answers.problem(refused(*(Decided(rule, finding, "reject") for finding in findings)), "id", NOWHERE)
    assert (problem.status, problem.retry_after) == (429, 1.5)
    assert [(one.name, one.quota, one.window) for one in problem.limits] == [("sender", 5, 10.0), ("room", 500, 1.0)]


def test_a_refusal_has_the_code_of_its_message_and_an_address_with_it() -> None:
    codes = Codes(b"k" * 32)
    one = Ids(0, 0)()
    verdict = refused(Decided(RULE, Finding("limit", "limit.sender"), "reject"))
    problem = answers.problem(verdict, one, AppealAddress("/appeals?code={code}", codes))
    assert problem.appeal_code == codes.code(one)
    assert problem.appeal == f"/appeals?code={codes.code(one)}"


def test_what_stands_beyond_one_message_has_no_code() -> None:
    decided = Decided(RULE, Finding("block", "block.sender"), "reject")
    told = answers.standing(decided, AppealAddress("/appeals?code={code}", Codes(b"k" * 32)))
    assert (told.appeal, told.appeal_code) == ("", "")
