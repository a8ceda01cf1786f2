"""What is said of hand-overs over the API. Moments in microseconds since the epoch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from gateway.control.calls.schemas import MOST, Given

LISTED = 20  # of each kind, the most pressing first; counts go to MOST_COUNTED
MOST_COUNTED = 1000


def _lines(text: str) -> str:
    """A note may have lines; nothing else that commands a terminal."""
    if any(not character.isprintable() for character in text.replace("\n", "")):
        raise ValueError("must not hold control characters other than line ends")
    return text


NoteText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_lines),
    Field(description="For whoever leads next; it is the act's reason as well."),
]  # fmt: skip


class HandoverQuery(Given):
    since: int | None = Field(
        None, ge=0, le=MOST, description="From when on; left out: since the last note, or for twelve hours."
    )


class NoteGiven(Given):
    note: NoteText


class NoteOut(BaseModel):
    id: int
    at: int
    person: str
    note: str


class CaseBrief(BaseModel):
    """``note``: what was last written for whoever has it next."""

    id: int
    route: str
    room: str
    category: str
    opened_at: int
    state: Literal["waiting", "claimed"]
    claimed_by: str
    note: str


class AppealBrief(BaseModel):
    id: int
    route: str
    reason: str
    state: str
    filed_at: int
    due_at: int


class WordChange(BaseModel):
    """A line of a list, or an urgent word. ``undone``: somebody took it back since."""

    act: int
    at: int
    person: str
    list: str = Field(description="Empty for urgent words.")
    line: str
    effect: Literal["added", "left-out", "taken-back"]
    reason: str
    undone: bool


class IncidentBrief(BaseModel):
    """One that stands. ``ends_at``: the end that a person gave; ``places``: none where it is everywhere."""

    id: int
    scope: str
    places: list[str]
    reason: str
    opened_by: str
    begun_at: int
    ends_at: int


class ReleaseBrief(BaseModel):
    message_id: str
    route: str
    room: str
    state: Literal["unknown", "undeliverable"]
    changed_at: int


class CallbackBrief(BaseModel):
    id: int
    receiver: str
    event: str
    problem: str
    changed_at: int


class TakedownBrief(BaseModel):
    id: int
    message_id: str
    route: str
    created_at: int


class Counted(BaseModel):
    """How many there are, at most 1000 counted."""

    escalated: int
    overdue: int
    appeals: int
    incidents: int
    words: int
    unknown: int
    undeliverable: int
    callbacks: int
    takedowns: int
    disagreed: int = Field(description="Decisions that two people see differently, and no lead has looked at.")


class HandoverOut(BaseModel):
    """What is open now, and what changed since. Of each kind at most twenty are told, the most pressing first."""

    since: int
    at: int
    notes: list[NoteOut] = Field(description="Since then, and the last before it; the newest first.")
    counts: Counted
    escalated: list[CaseBrief]
    overdue: list[CaseBrief]
    appeals: list[AppealBrief]
    incidents: list[IncidentBrief] = Field(description="That stand; the one that ends first, first.")
    words: list[WordChange] = Field(description="Since then; the newest first.")
    releases: list[ReleaseBrief] = Field(description="Of which nobody knows whether they appeared, or which cannot.")
    callbacks: list[CallbackBrief] = Field(description="Calls that were given up.")
    takedowns: list[TakedownBrief] = Field(description="That the platform has not confirmed in time.")
