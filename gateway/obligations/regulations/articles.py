"""The table of articles: data, so that a newer regulation is a matter of adding lines."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from gateway.obligations.regulations.sentence import Sentence

EVERY = "*"


class Article(NamedTuple):
    """One thing that is asked. ``needs`` is empty where ``outside`` says why no gateway can answer it; ``lacks`` is
    what the article asks for besides and what is needed does not do."""

    document: str
    number: str
    asks: Sentence
    services: tuple[str, ...]
    surfaces: tuple[str, ...]
    needs: tuple[str, ...]
    outside: Sentence | None
    lacks: Sentence | None

    def concerns(self, kinds: frozenset[str]) -> bool:
        """Whether it speaks of services of these kinds."""
        return EVERY in self.services or not kinds.isdisjoint(self.services)


class Document(NamedTuple):
    """``version`` is the day on which it came into force."""

    id: str
    title: Sentence
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
        Sentence(data["title"], data["title_zh"]),
        data["version"],
        own,
        tuple(
            Article(
                data["id"],
                one["article"],
                Sentence(one["en"], one["zh"]),
                tuple(one.get("services", own)),
                tuple(one.get("surfaces", ())),
                tuple(one.get("needs", ())),
                _sentence(one, "outside"),
                _sentence(one, "lacks"),
            )
            for one in data["articles"]
        ),
    )


def _sentence(data: dict[str, Any], name: str) -> Sentence | None:
    return Sentence(data[name], data[f"{name}_zh"]) if name in data else None
