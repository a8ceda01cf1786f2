"""What is said of word lists over the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from gateway.control.calls.schemas import MOST, Given, Ident, Reason, Reasoned, Why, bounded, printable

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


class DraftLines(Given):
    """Lines more and lines less, in force nowhere until they are applied."""

    add: list[Line] = Field([], max_length=200)
    leave_out: list[Line] = Field([], max_length=200)

    @model_validator(mode="after")
    def _each_once(self) -> DraftLines:
        lines = [*self.add, *self.leave_out]
        if not lines or len(set(lines)) < len(lines):
            raise ValueError("name a line to add or to leave out, each once")
        return self


class BackTestAsked(DraftLines):
    days: int = Field(7, ge=1, le=366)
    messages: int = Field(10_000, ge=1, le=100_000, description="The newest so many are looked at.")


class HitMessage(BaseModel):
    """``words``: those that hit, as the list has them. ``at`` in microseconds since the epoch."""

    id: str
    route: str
    room: str
    at: int
    verdict: str
    words: list[str]


class BackTestOut(BaseModel):
    """Of each kind the newest fifty messages are told. Only texts that the journal keeps can be read."""

    looked_at: int
    complete: bool = Field(description="Whether all of the span was looked at.")
    newly: int
    no_longer: int
    newly_hit: list[HitMessage]
    no_longer_hit: list[HitMessage]


class DraftApplied(DraftLines):
    reason: Reason


class DraftOut(BaseModel):
    list: str
    changed: int


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
