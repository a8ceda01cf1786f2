"""What every endpoint may take and give: the models that validate are the models that OpenAPI describes.

A feature's own stand in its folder.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

T = TypeVar("T")

DAY = 86400

Seconds = Annotated[int, Field(ge=0, le=1 << 40)]

MOST: int = 1 << 53
"""Of a number or a moment that is named: what every reader of JSON can tell apart, and every database can hold."""


MAX_IDENT = 256


def is_printable(text: str) -> bool:
    """Whether it holds no control character, and no half of a surrogate pair."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def printable(text: str) -> str:
    if not is_printable(text):
        raise ValueError("must not hold control characters")
    return text


def bounded(most: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=most)


Reason = Annotated[
    str, bounded(256), AfterValidator(printable), Field(description="Why; goes on record with your name.")
]

Ground = Annotated[str, bounded(256), AfterValidator(printable), Field(description="Article or clause it rests on.")]

Ident = Annotated[str, StringConstraints(min_length=1, max_length=MAX_IDENT), AfterValidator(printable)]


class Given(BaseModel):
    """Something given to the API: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Reasoned(Given):
    """An act with nothing else to say."""

    reason: Reason


class NoQuery(Given):
    """No parameters."""


class Why(Given):
    """Query of an act that has no body."""

    reason: Reason


class Gone(BaseModel):
    """What was removed."""

    removed: bool = True


class ReloadAsk(Reasoned):
    may_shrink: list[str] = Field(
        [], description="Lists that are meant to be emptied, or to hold less than half of what is in force."
    )


class ListChange(BaseModel):
    """How one list changed against the generation before. ``first``: there was none to compare with."""

    list: str
    words: int
    added: int
    removed: int
    first: bool = False


class ReloadOut(BaseModel):
    ok: bool
    generation: int | None
    problems: list[str] = []
    warnings: list[str] = []
    lists: list[ListChange] = []


class Done(BaseModel, Generic[T]):
    """An act, committed. 200 where it is in force everywhere on this node, 202 where something is still on its way."""

    act: int
    id: str = Field(description="Its id in the journal.")
    in_force: bool
    journalled: bool
    projected: bool
    replicated: bool | None = Field(
        None,
        description="Whether a replica of the state server had it in time; null where there is none, or another node "
        "has projected it. What a primary takes with it is written again after the fail-over, whatever this says.",
    )
    workers: dict[str, bool] | None = Field(None, description="Who has the new snapshot, where one was needed.")
    reload: ReloadOut | None = Field(None, description="What became of the reload, where one was needed.")
    result: T


class ProblemDetails(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    errors: list[dict[str, Any]] = []
