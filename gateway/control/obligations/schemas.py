"""What is said of obligations over the API; texts in English, and beside them in Chinese."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

GradeName = Literal["kept", "partly", "not"]


class DocumentOut(BaseModel):
    """A regulation. ``version``: the day on which it came into force."""

    id: str
    title: str
    title_zh: str
    version: str


class MeansOut(BaseModel):
    """What keeps an article, as far as it does. ``test``: which of the project's tests holds it."""

    name: str
    grade: GradeName
    mechanism: str
    mechanism_zh: str
    settings: list[str] = Field(description="Keys of the configuration that make it so.")
    test: str


class StandingOut(BaseModel):
    """One route and one article. ``lacks``: all that keeps it from being kept."""

    route: str
    document: str
    article: str
    asks: str
    asks_zh: str
    grade: GradeName
    lacks: list[str]
    lacks_zh: list[str]
    means: list[MeansOut]


class OutsideOut(BaseModel):
    """What is for people and papers: no gateway can answer it."""

    document: str
    article: str
    asks: str
    asks_zh: str
    why: str
    why_zh: str


class ObligationsOut(BaseModel):
    """By the configuration in force; no legal advice, the texts of the regulations count."""

    generation: int
    totals: dict[GradeName, int]
    documents: list[DocumentOut]
    rows: list[StandingOut]
    outside: list[OutsideOut]
    unjudged: list[str] = Field(description="What is written through the gateway and judged by nobody.")
    unjudged_zh: list[str]
