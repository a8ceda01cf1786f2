"""Grounds and categories as the configuration says them, and the names that forms offer."""

from __future__ import annotations

from gateway.config import Config
from gateway.config.sections.lists import ListFile
from gateway.config.sections.review.desk import Desk
from gateway.config.sections.sentences import Sentences
from gateway.control.console.shell.console_terms import ConsoleTerms

SAID = Sentences.model_validate({"terms": {"agreement 3.2": {"zh": "用户协议 3.2"}, "gold": {"zh": "倒卖金币"}}})


def terms() -> ConsoleTerms:
    lists = {"spam": ListFile.model_construct(category="spam"), "other": ListFile.model_construct(category="")}
    desk = Desk(grounds=("agreement 3.2",), grave=("grave",))
    config = Config.model_construct(desk=desk, lists=lists, policies={}, routes=(), sentences=SAID)
    return ConsoleTerms(lambda: config)


def test_a_term_in_the_readers_language_else_as_it_is_written() -> None:
    told = terms().told
    assert told("agreement 3.2", "zh") == "用户协议 3.2"
    assert told("agreement 3.2", "en") == "agreement 3.2"
    assert told("article 9", "zh") == "article 9"


def test_what_forms_offer() -> None:
    assert terms().grounds == ["agreement 3.2"]
    assert terms().categories == ["gold", "grave", "spam"]
    assert terms().lists == ["other", "spam"]
