from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import config
from gateway.obligations.compliance import Standing, rows

IDENTITY = '{ check = "identity", action = "reject", on_error = "reject", ground = "g" }'
ROUTE = """
[upstreams.platform]
servers = ["http://127.0.0.1:9000"]

[mirror]

[policies.p]
appeal = "off"
rules = [RULES]

[[routes]]
name = "r"
match = "POST /{room}"
surface = "SURFACE"
upstream = "platform"
policy = "p"
sender = "header:X-User-Id"
trust = ["127.0.0.0/8"]
text = "json:/content"
"""

Stand = Callable[..., Standing]


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    """How the route stands to one article."""

    def told(document: str, number: str, rules: str = "", surface: str = "comment", more: str = "") -> Standing:
        file = tmp_path / "tidegate.toml"
        file.write_text(ROUTE.replace("RULES", rules).replace("SURFACE", surface) + more, encoding="utf-8")
        found = rows(config.load(file, environ={}))
        return next(row.standing for row in found if (row.article.document, row.article.number) == (document, number))

    return told


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        (IDENTITY, "enforced"),
        (IDENTITY.replace(" }", ', mode = "shadow" }'), "shadow"),
        (IDENTITY.replace('action = "reject"', 'action = "label"'), "absent"),
        ("", "absent"),
        (IDENTITY.replace(" }", ', mode = "shadow" }') + ", " + IDENTITY, "enforced"),
    ],
)
def test_a_check_answers_as_its_rule_is(rules: str, status: str, stand: Stand) -> None:
    assert stand("comments-2017", "5(1)", rules).status == status


def test_a_rule_that_passes_on_error_says_so(stand: Stand) -> None:
    rule = IDENTITY.replace('on_error = "reject"', 'on_error = "pass"')
    assert stand("comments-2017", "5(1)", rule).how == "identity rule, passes on error"


def test_the_worst_of_what_is_needed_counts(stand: Stand) -> None:
    credit = '{ check = "credit", action = "label", on_error = "pass", below = 40 }'
    block = '{ check = "block", action = "reject", on_error = "reject", ground = "g", mode = "shadow" }'
    assert stand("comments-2017", "9", f"{credit}, {block}").status == "absent"  # nobody reads the registrant
    read = 'registrant = "header:X-Registrant"\n'
    assert stand("comments-2017", "9", f"{credit}, {block}", more=read) == Standing("shadow", "block rule in shadow")


def test_other_services_and_duties_of_people_are_none_of_its_business(stand: Stand) -> None:
    assert stand("groups-2017", "10").status == "not applicable"
    assert stand("comments-2017", "5(7)").how == "outside the gateway: the operator's staff"
    assert stand("comments-2017", "5(4)").how == "speaks of surfaces: danmaku"


def test_the_mirror_answers_for_bullets(stand: Stand) -> None:
    told = stand("comments-2017", "5(4)", surface="danmaku", more='page = "/videos/{room}"\n')
    assert told == Standing("enforced", "static version on /videos/{room}")


def test_review_before_publication_is_asked_of_news_only_and_absent(stand: Stand) -> None:
    assert stand("comments-2017", "5(3)").status == "not applicable"
    news = 'services = ["comments", "news"]\n'
    assert stand("comments-2017", "5(3)", more=news) == Standing("absent", "no hold rule")


def test_services_widen_what_applies(stand: Stand) -> None:
    more = 'services = ["public-accounts"]\ncontent = "never"\n'
    assert stand("public-accounts-2017", "16.2", more=more) == Standing("absent", "text kept: never")
    assert stand("microblog-2018", "16", more='services = ["microblog"]\n').status == "enforced"


def test_more_personal_data_than_is_necessary(stand: Stand) -> None:
    assert stand("comments-2017", "5(2)").status == "enforced"
    assert stand("comments-2017", "5(2)", more='keep = ["ip", "location"]\n').status == "absent"


def test_takedown(stand: Stand) -> None:
    rules = (
        '{ check = "keywords", action = "reject", on_error = "reject", ground = "g", lists = ["w"] }, '
        '{ check = "block", action = "reject", on_error = "reject", ground = "g" }'
    )
    more = 'upstream_id = "json:/id"\ntakedown = { match = "DELETE /c/{id}" }\n'
    lists = f'[lists.w]\npath = "{Path(__file__).parents[3] / "examples" / "lists" / "spam.txt"}"\n'
    assert stand("comments-2017", "8", rules, more=f"{more}{lists}").status == "enforced"
    assert stand("comments-2017", "8", rules, more=lists).how == "no takedown address"
