"""The demo's pages are in both languages, whole."""

import pytest

from gateway.demo.page import PAGES, whole
from gateway.demo.words import CHINESE_WORDS, ERRORS, chosen, error, said

TEXTS = {name: whole(name) for name in PAGES}
ENGLISH_WORDS = (
    "Send<", "connecting", '"Published', "Comments<", ">All bullets", "verified", '["message"', "try:",
    '"Your', "still in", "did not answer", "You may",
)  # fmt: skip


@pytest.mark.parametrize("english", sorted(CHINESE_WORDS))
def test_every_piece_stands_on_a_page(english: str) -> None:
    """One that is gone from the pages would leave English among the Chinese, silently."""
    assert any(english in text for text in TEXTS.values())


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_page_says_nothing_in_english(name: str) -> None:
    page = said(TEXTS[name], "zh")
    assert '<html lang="zh-CN">' in page
    assert 'href="?lang=en"' in page
    for word in ENGLISH_WORDS:
        assert word not in page


@pytest.mark.parametrize("name", PAGES)
def test_an_english_page_is_as_it_is_written(name: str) -> None:
    before, _, after = said(TEXTS[name], "en").partition("<nav ")
    assert before + after.partition("</nav>\n")[2] == TEXTS[name]


def test_the_query_goes_before_the_browsers_language() -> None:
    assert chosen("zh", "en") == "zh"
    assert chosen("", "zh-CN,zh;q=0.9") == "zh"
    assert chosen("fr", "de") == chosen("", "") == "en"


def test_what_the_platform_says_itself_is_in_both() -> None:
    for what in ERRORS:
        assert error(what, "en").isascii() or what == "name"
        assert not error(what, "zh").replace("WebSocket", "").isascii()
    assert (error(418, "en"), error(502, "zh")) == (ERRORS[400][0], ERRORS[500][1])
