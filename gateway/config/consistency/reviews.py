"""What a hold needs around it: ``[review]``, and on news a rule that nothing gets past; who is told of decisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from gateway.config.consistency.document import Found, Path, named, seconds, table, tables, text, texts
from gateway.config.consistency.translation import nearest
from gateway.obligations.regulations.sentence import Sentence

if TYPE_CHECKING:
    from gateway.config.sections.file import Config
    from gateway.config.sections.routes import Route

ALWAYS: Final = "review"
"""The check that finds every message."""


def problems(document: dict[str, Any]) -> Found:
    """Holds without ``[review]``; news that could appear without a person's approval."""
    review = table(document, "review")
    if "review" not in document:
        for name, policy in named(document, "policies"):
            for place, rule in tables(policy, "rules"):
                for key in ("action", "on_error"):
                    if text(rule, key) == "hold":
                        yield (
                            ("policies", name, "rules", place, key),
                            "holds, and there is no [review] table: add one with a key and on_cap, or write “reject”",
                        )
        for place, route in tables(document, "routes"):
            if seconds(route, "delay"):
                yield (
                    ("routes", place, "delay"),
                    "lets messages wait, and there is no [review] table, which says how many and what one more is "
                    "worth: add one with a key and on_cap",
                )
    news = [(place, route) for place, route in tables(document, "routes") if route.get("news") is True]
    for place, route in news:
        yield from _news(document, route, ("routes", place))
    yield from _receivers(document)
    if news and text(review, "on_cap") in ("pass", "label"):
        yield (
            ("review", "on_cap"),
            f"lets through what nobody has reviewed, and route “{text(news[0][1], 'name')}” is news: write “reject”",
        )


def _news(document: dict[str, Any], route: dict[str, Any], path: Path) -> Found:
    """Nothing but a person's approval publishes: comment provisions, article 5(3)."""
    if not text(route, "surface"):
        return  # which is told of every key that is for judged routes
    judged = [(path, route)]
    kinds = [((*path, "messages", at), kind) for at, kind in tables(route, "messages") if kind.get("relay") is not True]
    policies = table(document, "policies")
    for where, one in (*judged, *kinds):
        name = text(one, "policy") or text(route, "policy")
        if name in policies and not any(_always(rule) for _, rule in tables(policies[name], "rules")):
            yield (
                (*where, "policy") if "policy" in one else (*path, "policy"),
                f"is “{name}”, which does not hold every message, and this route is news: give it a rule with "
                "check = “review”, action = “hold” and on_error = “hold” or “reject”, in force",
            )
    if seconds(route, "delay"):
        yield (*path, "delay"), "publishes by time what nobody has reviewed, and this route is news: leave it out"
    if text(route, "unjudged") == "relay":
        yield (*path, "unjudged"), "relays what nobody has reviewed, and this route is news: write “refuse”"


def _always(rule: dict[str, Any]) -> bool:
    return (
        text(rule, "check") == ALWAYS
        and text(rule, "action") == "hold"
        and text(rule, "on_error") in ("hold", "reject")
        and text(rule, "mode", "enforce") == "enforce"
    )


def doubts(routes: Iterable[Route]) -> Iterator[Sentence]:
    """What goes through a news route and is no message."""
    for route in routes:
        if route.news and (route.relay_when or (route.messages and route.otherwise == "relay")):
            yield Sentence(
                f"routes[{route.name}].relay_when: is news, and what it relays unread no person has approved; make "
                "sure that nothing of it is published",
                f"routes[{route.name}].relay_when：这是新闻路由，未读即转发的内容没有经过人工审核；请确保其中没有内容会被发布",
            )


def _receivers(document: dict[str, Any]) -> Found:
    """Two of one name, and routes that there are not."""
    names: dict[str, int] = {}
    routes = [text(route, "name") for _, route in tables(document, "routes")]
    for place, receiver in tables(document, "callbacks"):
        name = text(receiver, "name")
        if name in names:
            yield ("callbacks", place, "name"), f"is the name of receiver {names[name] + 1} as well: give each its own"
        elif name:
            names[name] = place
        for at, route in enumerate(texts(receiver, "routes")):
            if route not in routes:
                yield ("callbacks", place, "routes", at), f"is no route{nearest(route, routes)}"


def in_clear(config: Config) -> Iterator[Sentence]:
    """Calls to others that go out in clear: what is signed is not hidden."""
    called = [(f"callbacks[{one.name}].url", one.url) for one in config.callbacks]
    if config.desk.on_call is not None:
        called.append(("desk.on_call.url", config.desk.on_call.url))
    for key, url in called:
        if _in_clear(url):
            yield Sentence(
                f"{key}: speaks in clear to another machine, where it can be read; use https://",
                f"{key}：以明文发往另一台机器，途中可被读取；请使用 https://",
            )


def _in_clear(url: str) -> bool:
    found = urlsplit(url)
    host = found.hostname or ""
    try:
        return found.scheme == "http" and not ip_address(host).is_loopback
    except ValueError:
        return found.scheme == "http" and host != "localhost"
