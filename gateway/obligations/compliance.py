"""How each judged route stands to each article that concerns it: kept, partly with what is missing, or not.

An article is kept where every means that it needs is, and where nothing that it asks for is left to people
(``Article.lacks``). What is a matter of people and papers alone (``Article.outside``) has no grade.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.config.consistency.unjudged import below, unread
from gateway.obligations.fulfilment import GRADES, Fulfilment, Grade, Known, together
from gateway.obligations.means import MEANS
from gateway.obligations.regulations.articles import Article, documents
from gateway.obligations.regulations.sentence import Sentence
from gateway.surfaces import SURFACES

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.config.sections.routes import Route


AROUND: Final = Sentence(
    "what is written to its address in another way is relayed unjudged", "以其他方式写入该地址的内容未经审核即转发"
)


class Standing(NamedTuple):
    """One route and one article. ``lacks``: all that keeps it from being kept."""

    route: str
    article: Article
    grade: Grade
    answers: tuple[Fulfilment, ...]
    lacks: tuple[Sentence, ...]


def concerns(route: Route, article: Article) -> bool:
    """Whether the article speaks of what the route carries."""
    assert route.surface is not None
    kinds = frozenset(route.services or SURFACES[route.surface].services)
    return article.concerns(kinds) and (not article.surfaces or route.surface in article.surfaces)


def standing(config: Config, route: Route, article: Article, known: Known) -> Standing:
    """How one judged route stands to an article that needs something."""
    answers = tuple(MEANS[need](config, route, known) for need in article.needs)
    grade = together([one.grade for one in answers])
    lacks = [lack for one in answers if one.grade != "kept" for lack in _named(one, len(answers))]
    if any(need.startswith("check:") or need == "blacklist" for need in article.needs):
        lacks += _beside(config, route)
    if article.lacks is not None:
        lacks.append(article.lacks)
    if lacks and grade == "kept":
        grade = "partly"
    return Standing(route.name, article, grade, answers, tuple(dict.fromkeys(lacks)))


def _beside(config: Config, route: Route) -> Iterator[Sentence]:
    """What is written at or below the route's address and judged by nobody. Deleting publishes nothing."""
    if route.unjudged == "relay" or (route.messages and route.otherwise == "relay"):
        yield AROUND
    for other in config.routes:
        if not other.judged and unread(other) - {b"DELETE"} and below(other.template, route.template):
            yield Sentence(
                f"what route {other.name} carries at its address or below is relayed unjudged",
                f"路由 {other.name} 在该地址及其下级写入的内容未经审核即转发",
            )


def _named(answer: Fulfilment, of: int) -> Iterator[Sentence]:
    """What a means lacks, with its name where there are several."""
    for lack in answer.lacks:
        if of == 1:
            yield lack
        else:
            yield Sentence(f"{answer.mechanism.en}: {lack.en}", f"{answer.mechanism.zh}：{lack.zh}")


def standings(config: Config, known: Known) -> list[Standing]:
    """Every judged route and every article that concerns it and that a gateway can answer."""
    return [
        _worst([standing(config, kind, article, known) for kind in route.kinds or (route,)])
        for route in config.routes
        if route.judged
        for document in documents()
        for article in document.articles
        if article.needs and concerns(route, article)
    ]


def _worst(several: list[Standing]) -> Standing:
    """A route stands as the kind of its messages that stands worst, and lacks what any of them does."""
    if len(several) == 1:
        return several[0]
    worst = max(several, key=lambda one: GRADES.index(one.grade))
    return worst._replace(lacks=tuple(dict.fromkeys(lack for one in several for lack in one.lacks)))


def outside(config: Config) -> list[Article]:
    """What concerns some route and no gateway can answer: duties of the operator's people and papers."""
    judged = [route for route in config.routes if route.judged]
    return [
        article
        for document in documents()
        for article in document.articles
        if not article.needs and any(concerns(route, article) for route in judged)
    ]


def totals(rows: list[Standing]) -> dict[Grade, int]:
    """How many rows have which grade."""
    return {grade: sum(row.grade == grade for row in rows) for grade in GRADES}
