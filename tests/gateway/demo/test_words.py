"""The demo's pages are in both languages, whole."""

from importlib import resources

import pytest

from gateway.demo.platform import PAGES
from gateway.demo.words import CHINESE_WORDS, chosen, said

TEXTS = {
    name: resources.files("gateway.demo").joinpath("pages", f"{name}.html").read_text(encoding="utf-8")
    for name in PAGES
}


@pytest.mark.parametrize("english", sorted(CHINESE_WORDS))
def test_every_piece_stands_on_a_page(english: str) -> None:
    """One that is gone from the pages would leave English among the Chinese, silently."""
    assert any(english in text for text in TEXTS.values())


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_page_says_nothing_in_english(name: str) -> None:
    page = said(TEXTS[name], "zh")
    assert '<html lang="zh-CN">' in page
    assert 'href="?lang=en"' in page
    for word in ("Send<", "connecting", "Published", "Comments<", "bullets", "verified", '["message"', "try:"):
        assert word not in page


@pytest.mark.parametrize("name", PAGES)
def test_an_english_page_is_as_it_is_written(name: str) -> None:
    before, _, after = said(TEXTS[name], "en").partition("<nav>")
    assert before + after.partition("</nav>\n")[2] == TEXTS[name]


def test_the_query_goes_before_the_browsers_language() -> None:
    assert chosen("zh", "en") == "zh"
    assert chosen("", "zh-CN,zh;q=0.9") == "zh"
    assert chosen("fr", "de") == chosen("", "") == "en"
