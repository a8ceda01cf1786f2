"""The table of articles: data, so that a newer regulation is a matter of adding lines."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

EVERY = "*"


class Article(NamedTuple):
    """One thing that is asked. ``needs`` is empty where ``outside`` says why no gateway can answer it."""

    document: str
    number: str
    en: str
    zh: str
    services: tuple[str, ...]
    surfaces: tuple[str, ...]
    needs: tuple[str, ...]
    outside: str

    def concerns(self, kinds: frozenset[str]) -> bool:
        """Whether it speaks of services of these kinds."""
        return EVERY in self.services or not kinds.isdisjoint(self.services)


class Document(NamedTuple):
    """``version`` is the day on which it came into force."""

    id: str
    title: str
    title_zh: str
    version: str
    services: tuple[str, ...]
    articles: tuple[Article, ...]


@cache
def documents() -> tuple[Document, ...]:
    """Every document, in the order of the data."""
    text = files("gateway.obligations.regulations").joinpath("articles.toml").read_text(encoding="utf-8")
    return tuple(_document(one) for one in tomllib.loads(text)["documents"])


@cache
def services() -> frozenset[str]:
    """The kinds of service that the data knows."""
    named = {service for one in documents() for article in one.articles for service in article.services}
    return frozenset(named | {service for one in documents() for service in one.services}) - {EVERY}


def _document(data: dict[str, Any]) -> Document:
    own = tuple(data["services"])
    return Document(
        data["id"],
        data["title"],
        data["title_zh"],
        data["version"],
        own,
        tuple(
            Article(
                data["id"],
                one["article"],
                one["en"],
                one["zh"],
                tuple(one.get("services", own)),
                tuple(one.get("surfaces", ())),
                tuple(one.get("needs", ())),
                one.get("outside", ""),
            )
            for one in data["articles"]
        ),
    )
