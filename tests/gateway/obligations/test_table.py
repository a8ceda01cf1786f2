"""The table as JSON and as a page: both languages, nothing loaded from elsewhere, nothing unescaped."""

import re
from html.parser import HTMLParser

import pytest

from gateway.obligations.compliance import outside, standings
from gateway.obligations.fulfilment import Known
from gateway.obligations.node_evidence import observed
from gateway.obligations.regulations.sentence import Sentence
from gateway.obligations.table import WORDS, Obligations, page, plain
from tests.gateway.obligations.conftest import Configured
from tests.gateway.obligations.test_rules import BEGIN

VOID = {"meta", "br", "input"}


@pytest.fixture
def table(configured: Configured) -> Obligations:
    config = configured(f"{{ {BEGIN['keywords']} }}", f"{{ {BEGIN['identity']} }}")
    evidence = observed("", config.server.data_dir / "journal", {"w": 1}, {})
    return Obligations(
        standings(config, Known({"w": 1})),
        outside(config),
        [Sentence("POST /<b>: by route x", "POST /<b>：由路由 x")],
        {"r": ("w",)},
        evidence,
    )


def test_json_says_everything_in_both_languages(table: Obligations) -> None:
    told = plain(table)
    assert list(told) == ["totals", "unjudged", "unjudged_zh", "rows", "outside"]
    row = next(row for row in told["rows"] if row["article"] == "5(1)")
    assert (row["grade"], row["lacks"]) == ("kept", [])
    (means,) = row["means"]
    assert means["settings"] == ["policies.p.rules[2 identity]"]
    assert means["test"] == "tests/filters/checks/test_identity.py"
    assert len(means["live"]) == len(means["live_zh"]) == 1
    assert all(len(row["lacks"]) == len(row["lacks_zh"]) for row in told["rows"])
    assert all(one["why"] and one["why_zh"] for one in told["outside"])


class Balance(HTMLParser):
    """Opened tags, and what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_one_file_in_two_languages(language: str, table: Obligations) -> None:
    told = page(table, language)
    balance = Balance()
    balance.feed(told)
    assert balance.open == []
    assert balance.fetched == []
    assert "&lt;b&gt;" in told
    assert "<b>:" not in told
    assert re.search(rf'id="show-{language}" checked', told)
    spans = re.findall(r'<span lang="en">(.*?)</span><span lang="zh-CN">(.*?)</span>', told)
    assert len(spans) == told.count('<span lang="en">') == told.count('<span lang="zh-CN">')
    assert all(en and any("一" <= letter <= "鿿" for letter in zh) for en, zh in spans)


def test_without_a_node_nothing_is_shown_of_one(table: Obligations) -> None:
    assert all(not means["live"] for row in plain(table._replace(evidence=None))["rows"] for means in row["means"])
    assert all(words.en and words.zh for words in WORDS.values())
