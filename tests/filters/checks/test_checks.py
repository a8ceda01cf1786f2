"""What every check's file says of itself, for all rows of the table."""

import re

import pytest

from filters.checks import CHECKS
from filters.model.meaning import LANGUAGES
from tests import samples

CODES = [(name, code) for name, check in CHECKS.items() for code in check.reasons]


@pytest.mark.parametrize(("name", "code"), CODES)
def test_every_reason_has_words_for_its_sender(name: str, code: str) -> None:
    meaning = CHECKS[name].reasons[code]
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", code)
    assert not code.endswith(".unavailable"), "said by judge of a check that could not decide"
    assert meaning.status in (403, 429)
    assert set(meaning.words) == set(LANGUAGES)
    for title, detail in meaning.words.values():
        assert title
        assert not title.endswith((".", "。"))
        assert detail.endswith((".", "。"))


def test_no_two_checks_give_one_code() -> None:
    assert len({code for _, code in CODES}) == len(CODES)


@pytest.mark.parametrize("name", CHECKS)
def test_every_sample_is_a_rule_of_its_check(name: str) -> None:
    assert samples.rule(name).check == name
    assert isinstance(samples.options(name), CHECKS[name].options)
