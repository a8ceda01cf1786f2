"""How routes stand to articles: only what applies, and a sham is told."""

import pytest

from gateway.obligations.compliance import Standing, outside, standings, totals
from gateway.obligations.fulfilment import Known
from tests.gateway.obligations.conftest import Configured
from tests.gateway.obligations.test_rules import BEGIN

EVERYTHING = (
    'services = ["comments", "news", "groups", "microblog", "public-accounts", "forum", "audio-video", '
    '"beijing-microblog"]\n'
)
SHAM = (
    BEGIN["identity"].replace('on_error = "reject"', 'on_error = "pass"'),
    BEGIN["block"].replace('on_error = "reject"', 'on_error = "pass"'),
    BEGIN["room"].replace('on_error = "reject"', 'on_error = "pass"'),
    BEGIN["keywords"].replace('"reject", on_error = "reject"', '"mask", on_error = "pass"'),
    BEGIN["limit"].replace('on_error = "reject"', 'on_error = "pass"').replace("5/10s", "100000/1s"),
    BEGIN["repeats"].replace('on_error = "reject"', 'on_error = "pass"').replace("3/1m", "100000/1s"),
    BEGIN["credit"].replace('"reject", on_error = "reject"', '"label", on_error = "pass"').replace("40", "1"),
)


def find(rows: list[Standing], document: str, number: str) -> Standing:
    return next(row for row in rows if (row.article.document, row.article.number) == (document, number))


def test_a_sham_keeps_nothing(configured: Configured) -> None:
    for surface, more in (("comment", ""), ("group", ""), ("danmaku", 'page = "/videos/{room}"\n'), ("profile", "")):
        config = configured(*(f"{{ {rule} }}" for rule in SHAM), surface=surface, more=EVERYTHING + more)
        rows = standings(config, Known({"w": 1}))
        assert [row.article for row in rows if row.grade == "kept"] == []
        assert all(row.lacks for row in rows)


LOOKS = {
    # What each pretends, with the words that its list is said to hold.
    "shadow everywhere": (lambda rule: rule + ', mode = "shadow"', 1000),
    "passes on error": (lambda rule: rule.replace('on_error = "reject"', 'on_error = "pass"'), 1000),
    "labels only": (lambda rule: rule.replace('action = "reject"', 'action = "label"'), 1000),
    "limits of a million": (
        lambda rule: rule.replace("5/10s", "1000000/1d").replace("3/1m", "10/1ms").replace("below = 40", "below = 1"),
        1000,
    ),
    "one-word lists": (lambda rule: rule, 1),
}  # fmt: skip
BY_CHECK = (
    "check:identity",
    "check:block",
    "check:room",
    "check:keywords",
    "check:limit",
    "check:repeats",
    "blacklist",
)


@pytest.mark.parametrize("look", LOOKS)
def test_what_only_looks_compliant_keeps_no_row_by_it(look: str, configured: Configured) -> None:
    spoilt, words = LOOKS[look]
    rules = [f"{{ {spoilt(rule)} }}" for rule in BEGIN.values()]
    more = EVERYTHING + 'keep = ["ip"]\ncontent = "always"\nregistrant = "header:X-Registrant"\n'
    rows = standings(configured(*rules, more=more), Known({"w": words}))
    spoiled = {
        "limits of a million": {"check:limit", "check:repeats", "check:credit"},
        "one-word lists": {"check:keywords"},
    }
    touched = spoiled.get(look, {*BY_CHECK, "check:credit"})
    for row in rows:
        assert row.grade != "kept" or touched.isdisjoint(row.article.needs), (row.article.document, row.article.number)


def test_what_a_relayed_route_writes_below_the_address_keeps_nothing_by_a_check(configured: Configured) -> None:
    rule = f"{{ {BEGIN['identity']} }}"
    beside = '\n[[routes]]\nname = "edits"\nmatch = "{}"\nupstream = "platform"\n'
    for match, grade in (
        ("PUT /{room}/{message}", "partly"),
        ("POST /{room}/replies/{message}", "partly"),
        ("PUT other.example/{room}/{message}", "partly"),  # the judged route takes every host
        ("DELETE /{room}/{message}", "kept"),
        ("GET|HEAD /{room}/{message}", "kept"),
    ):
        config = configured(rule, more=beside.replace("{}", match))
        row = find(standings(config, Known({})), "comments-2017", "5(1)")
        assert row.grade == grade, match
    assert grade == "kept"


def test_every_check_done_well_keeps_what_is_the_gateways_alone(configured: Configured) -> None:
    more = EVERYTHING + 'keep = ["ip"]\ncontent = "always"\nregistrant = "header:X-Registrant"\n'
    rows = standings(configured(*(f"{{ {rule} }}" for rule in BEGIN.values()), more=more), Known({"w": 1000}))
    kept = {(row.article.document, row.article.number) for row in rows if row.grade == "kept"}
    assert {("comments-2017", "5(1)"), ("comments-2017", "9"), ("groups-2017", "13.2"), ("groups-2017", "10")} <= kept
    # What a means does not really do is never kept by it.
    for document, number in (
        ("groups-2017", "7.1"), ("microblog-2018", "9"), ("microblog-2018", "12"), ("audio-video-2019", "12.1"),
        ("comments-2017", "5(8)"),
    ):  # fmt: skip
        assert find(rows, document, number).grade == "partly"


def test_only_what_applies_and_duties_of_people_by_themselves(configured: Configured) -> None:
    config = configured()
    rows = standings(config, Known({}))
    documents = {row.article.document for row in rows}
    assert "groups-2017" not in documents
    assert not any(
        (row.article.document, row.article.number) == ("comments-2017", "5(4)") for row in rows
    )  # of bullets
    assert all(row.article.needs for row in rows)
    assert all(article.outside is not None for article in outside(config))
    assert any(article.number == "5(7)" for article in outside(config))


def test_what_several_means_lack_is_told_with_their_names(configured: Configured) -> None:
    rows = standings(configured(), Known({}))
    row = find(rows, "comments-2017", "5(6)")
    assert row.grade == "not"
    assert row.lacks[0].en == "texts held against word lists: no keywords rule"
    assert row.lacks[0].zh == "文本与词库比对：没有 keywords 规则"
    assert find(rows, "comments-2017", "5(1)").lacks[0].en == "no identity rule"


def test_a_route_that_relays_the_rest_unjudged_keeps_nothing_by_a_check(configured: Configured) -> None:
    rule = f"{{ {BEGIN['identity']} }}"
    assert find(standings(configured(rule), Known({})), "comments-2017", "5(1)").grade == "kept"
    row = find(standings(configured(rule, more='unjudged = "relay"\n'), Known({})), "comments-2017", "5(1)")
    assert (row.grade, row.lacks[0].en) == (
        "partly",
        "what is written to its address in another way is relayed unjudged",
    )


def test_review_before_publication_is_asked_of_news_only(configured: Configured) -> None:
    assert not any(row.article.number == "5(3)" for row in standings(configured(), Known({})))
    news = configured(more='services = ["comments", "news"]\n')
    assert find(standings(news, Known({})), "comments-2017", "5(3)").grade == "not"


def test_totals(configured: Configured) -> None:
    rows = standings(configured(), Known({}))
    assert sum(totals(rows).values()) == len(rows)
    assert list(totals(rows)) == ["kept", "partly", "not"]
