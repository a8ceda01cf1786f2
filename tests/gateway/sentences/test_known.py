"""Every sentence that a sender reads is there in both languages."""

import re

import pytest

from filters.model.meaning import CHINESE, ENGLISH, LANGUAGES, Meaning
from gateway.judging import reason_codes
from gateway.sentences.known import known
from gateway.sentences.own import TERMS
from gateway.websocket import endings, frames

ALL = {**known(), **frames.REASONS, **endings.ENDINGS}
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("code", sorted(ALL))
def test_every_reason_has_its_words_in_both_languages(code: str) -> None:
    row: Meaning = ALL[code]
    assert set(row.words) == set(LANGUAGES)
    english, chinese = row.words[ENGLISH], row.words[CHINESE]
    assert bool(english[1]) == bool(chinese[1]), "a detail in one language alone"
    for one, other in zip(english, chinese, strict=True):
        assert one != other or not one
    assert all(english[0].strip() == english[0] and words[0] for words in (english, chinese))
    assert not HAN.search("".join(english))
    assert HAN.search(chinese[0])
    assert not english[0].endswith(".")
    assert not chinese[0].endswith("。")
    assert not english[1] or english[1].endswith(".")
    assert not chinese[1] or (chinese[1].endswith("。") and HAN.search(chinese[1]))
    # Full-width punctuation between Han: half-width commas are the mark of a text that nobody has read.
    assert not re.search(r"[\u4e00-\u9fff][,.;:!?()]|[,;:!?()][\u4e00-\u9fff]", "".join(chinese))
    # A space between Han and Latin letters, as everywhere in these texts.
    assert not re.search(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]", "".join(chinese))


def test_every_code_on_the_page_has_its_sentences_here() -> None:
    assert {code for chapter in reason_codes.chapters() for code, *_ in chapter.rows} == set(ALL)


def test_the_gateways_own_grounds_have_their_words() -> None:
    for english, others in TERMS.items():
        assert not HAN.search(english)
        assert HAN.search(others[CHINESE])
