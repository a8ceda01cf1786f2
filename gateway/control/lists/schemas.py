"""What is said of word lists over the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from gateway.control.calls.schemas import Given, Reasoned, Why, bounded, printable

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
