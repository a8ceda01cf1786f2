"""What is said of samples over the API: decisions that somebody else makes once more, unseen."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from gateway.control.calls.schemas import Given, Ident
from gateway.control.review.schemas import Grounded, Number, TextOut

Outcome = Literal["approved", "masked", "refused"]


class SampleAsked(Given):
    """The next one that you had no part in."""

    route: Ident | None = None
    category: Ident | None = None


class SampleCause(BaseModel):
    """Why a person was asked, the first time."""

    cause: str
    category: str
    reason: str


class SampleShown(BaseModel):
    """What there is to decide on. Whose it is, which case, and what was decided are not told."""

    id: int
    route: str
    room: str
    category: str
    causes: list[SampleCause]
    text: TextOut
    words: list[str] = Field(description="Words found, as they were written.")
    claimed_until: int


class SampleDecided(Grounded):
    outcome: Outcome

    @model_validator(mode="after")
    def _one_ground(self) -> SampleDecided:
        if self.outcome == "refused" and (self.ground is None) == (self.digit is None):
            raise ValueError("name the ground, or its digit")
        return self


class SampleNoted(BaseModel):
    """Noted. Nothing of the message changes, and whether the first person decided so is not told."""

    id: int


class SamplesQuery(Given):
    state: Literal["disagreed", "waiting", "claimed", "decided", "void"] = Field(
        "disagreed", description="disagreed: those that wait for a lead to look."
    )
    before: Number | None = Field(None, description="Only those with a lower number.")
    limit: int = Field(50, ge=1, le=200)


class SampleOut(BaseModel):
    """Both decisions. ``differs``: in what, empty where they agree. Moments in microseconds since the epoch."""

    id: int
    case: int
    message_id: str
    route: str
    room: str
    category: str
    drawn_at: int
    state: Literal["waiting", "claimed", "decided", "void"]
    first_by: str
    first_outcome: str
    first_ground: str
    outcome: str
    ground: str
    decided_by: str
    decided_at: int
    differs: Literal["", "outcome", "ground"]
    settled_by: str
    settled_at: int


class SamplesOut(BaseModel):
    samples: list[SampleOut]
    waiting: int = Field(description="How many wait for somebody.")
    disagreed: int = Field(description="How many wait for a lead to look.")


class AgreementQuery(Given):
    since: int = Field(0, ge=0, le=1 << 53, description="Decided from then on, in microseconds since the epoch.")
    until: int = Field(1 << 53, ge=0, le=1 << 53, description="And before.")


class GroundAgreementOut(BaseModel):
    """``outcome`` and, of refusals, ``ground``: how many the ``first`` and the ``second`` person decided so, and how
    many of these ``both``."""

    outcome: str
    ground: str
    first: int
    second: int
    both: int
    share: float = Field(description="Twice both over first and second together: 1 where nobody differs.")


class AgreementOut(BaseModel):
    """How far two people who do not know of each other decide alike. No person is told of."""

    decided: int = Field(description="Samples decided in the span.")
    alike: int = Field(description="With the same outcome and ground.")
    outcomes: int = Field(description="With the same outcome.")
    kappa: float | None = Field(description="Cohen's: beyond what chance would make alike; null where it says nothing.")
    grounds: list[GroundAgreementOut]
