"""How a route stands to an article: enforced, in shadow, absent, or none of the gateway's business.

``MEANS`` is the one table of what can answer an article. What a later version brings is in it too, as absent, so that
the report says what is missing instead of hiding it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from filters.checks import CHECKS
from gateway.obligations.regulations.articles import Article, documents
from gateway.surfaces import SURFACES

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.config.sections.routes import Route

Status = Literal["enforced", "shadow", "absent", "not applicable"]

_ORDER: Mapping[Status, int] = {"absent": 0, "shadow": 1, "enforced": 2}


class Standing(NamedTuple):
    """``how``: what answers it, or what is missing, in a few words."""

    status: Status
    how: str


class RouteStanding(NamedTuple):
    """One route and one article."""

    route: str
    article: Article
    standing: Standing


Means = Callable[["Config", "Route"], Standing]


def _check(name: str) -> Means:
    """A rule of this check. For checks that keep something out, a label is no answer."""
    counted = ("reject", "hold", "mask", "label") if CHECKS[name].grades else ("reject", "hold", "mask")

    def standing(config: Config, route: Route) -> Standing:
        rules = [rule for rule in config.policies[route.policy].rules if rule.check == name]
        told = [rule for rule in rules if rule.action in counted]
        enforced = [rule for rule in told if rule.mode == "enforce"]
        if enforced:
            safe = any(rule.on_error != "pass" for rule in enforced)
            return Standing("enforced", f"{name} rule" if safe else f"{name} rule, passes on error")
        if told:
            return Standing("shadow", f"{name} rule in shadow")
        return Standing("absent", f"{name} rule only labels" if rules else f"no {name} rule")

    return standing


def _hold(config: Config, route: Route) -> Standing:
    modes = {rule.mode for rule in config.policies[route.policy].rules if rule.action == "hold"}
    if "enforce" in modes:
        return Standing("enforced", "hold rule")
    return Standing("shadow", "hold rule in shadow") if modes else Standing("absent", "no hold rule")


def _mirror(config: Config, route: Route) -> Standing:
    if config.mirror is None or not route.page:
        return Standing("absent", "no mirror")
    return Standing("enforced", f"static version on {route.page}")


def _retention(config: Config, route: Route) -> Standing:
    return Standing("enforced", f"journal kept for at least {config.journal.keep_at_least / 86400:.0f} days")


def _content(config: Config, route: Route) -> Standing:
    if route.content_kept == "always":
        return Standing("enforced", "text in the journal")
    return Standing("absent", f"text kept: {route.content_kept}")


def _blacklist(config: Config, route: Route) -> Standing:
    blocks = _check("block")(config, route)
    if blocks.status != "absent" and not route.registrant:
        return Standing("absent", "registrant is not read: a new registration is a stranger")
    return blocks


def _takedown(config: Config, route: Route) -> Standing:
    return Standing("enforced", "takedown") if route.takedown else Standing("absent", "no takedown address")


def _minimal(config: Config, route: Route) -> Standing:
    more = [field for field in route.keep if field in {"device", "location"}]
    if more:
        return Standing("absent", f"keeps {', '.join(more)}: say elsewhere why it is necessary, or drop it")
    return Standing(
        "enforced", "no optional personal field is kept" if not route.keep else f"keeps {', '.join(route.keep)}"
    )


def _always(how: str) -> Means:
    return lambda config, route: Standing("enforced", how)


def _later(what: str) -> Means:
    return lambda config, route: Standing("absent", f"{what}: not in this version")


MEANS: Mapping[str, Means] = {
    **{f"check:{name}": _check(name) for name in CHECKS},
    "hold": _hold,
    "mirror": _mirror,
    "retention": _retention,
    "content": _content,
    "blacklist": _blacklist,
    "takedown": _takedown,
    "minimal": _minimal,
    "records": _always("disposition records"),
    "emergency": _always("emergency switches"),
    "optional": _always("a missing device or location refuses nobody"),
    "watching": _always("watching is never judged"),
    "complaints": _later("complaints"),
    "patrol": _later("patrol"),
    "rumours": _later("rumour notices"),
    "owners": _later("owner rights"),
    "groups": _later("the life of groups"),
    "synthetic": _later("marks on synthetic media"),
}


def standing(config: Config, route: Route, article: Article) -> Standing:
    """How one judged route stands to one article: the worst of what answers it."""
    assert route.surface is not None
    surface = route.surface
    kinds = frozenset(route.services or SURFACES[surface].services)
    if not article.concerns(kinds):
        return Standing("not applicable", f"speaks of services: {', '.join(article.services)}")
    if article.surfaces and surface not in article.surfaces:
        return Standing("not applicable", f"speaks of surfaces: {', '.join(article.surfaces)}")
    if not article.needs:
        return Standing("not applicable", f"outside the gateway: {article.outside}")
    told = [MEANS[need](config, route) for need in article.needs]
    worst = min(told, key=lambda one: _ORDER[one.status]).status
    return Standing(worst, "; ".join(dict.fromkeys(one.how for one in told if one.status == worst)))


def rows(config: Config) -> Iterator[RouteStanding]:
    """Every judged route and every article."""
    for route in config.routes:
        if route.judged:
            for document in documents():
                for article in document.articles:
                    yield RouteStanding(route.name, article, standing(config, route, article))
