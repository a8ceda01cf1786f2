"""What is said of word lists over the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from gateway.control.calls.schemas import MOST, Given, Ident, Reasoned, Why, bounded, printable

Line = Annotated[str, bounded(1024), AfterValidator(printable)]


class WordNew(Reasoned):
    line: Line = Field(description="A line as the list's file would hold it: the word and what stands beside it.")


class WordGone(Why):
    line: Line


class WordOut(BaseModel):
    list: str
    line: str
    effect: Literal["added", "removed"]


class ListOut(BaseModel):
    """A list of the generation in force; ``changes`` are made on top of the operator's file."""

    name: str
    kind: str
    digest: str
    words: int
    changes: list[WordOut]


class ListsOut(BaseModel):
    lists: list[ListOut]


class PrecisionQuery(Given):
    list: Ident | None = Field(None, description="With the words of this list.")
    since: int = Field(0, ge=0, le=MOST, description="Cases opened from then on, in microseconds since the epoch.")
    limit: int = Field(50, ge=1, le=500, description="Words, those found most often first.")


class PrecisionOut(BaseModel):
    """What became of cases in which it was found. ``decided``: those that are done, of which ``upheld`` were refused on
    a ground, ``masked`` approved with what was found masked, ``passed`` approved as they were."""

    list: str
    hits: int
    decided: int
    upheld: int
    masked: int
    passed: int
    share: float | None = Field(description="Upheld of decided; null where nothing is.")


class WordPrecisionOut(PrecisionOut):
    word_id: int
    word: str | None = Field(description="As the list in force has it; null for one that left it.")


class PrecisionsOut(BaseModel):
    lists: list[PrecisionOut]
    words: list[WordPrecisionOut]
    complete: bool = Field(description="Whether all hits since then were looked at: the newest 20000 are.")


class TryText(Given):
    text: str = Field(max_length=65536)


class HitOut(BaseModel):
    word_id: int
    category: str
    severity: int
    spans: list[tuple[int, int]] = Field(description="Half-open ranges of code points of the text.")
    matched: list[str]


class TryOut(BaseModel):
    name: str
    digest: str
    hits: list[HitOut]
    failed: str = Field("", description="Why the text could not be read with this list; empty where it could.")
