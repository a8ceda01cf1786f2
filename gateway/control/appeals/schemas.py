"""What is said of appeals over the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from gateway.control.calls.schemas import MOST, Given, Ground, Reason, printable

State = Literal["explained", "waiting", "overdue", "upheld", "partly", "rejected", "withdrawn"]

Answer = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=1000), AfterValidator(printable),
    Field(description="The reasons, for the appellant, in the appellant's language."),
]  # fmt: skip


class AppealsQuery(Given):
    state: State | None = None
    mine: bool = Field(False, description="Only those that the caller has claimed.")
    after: int = Field(0, ge=0, le=MOST, description="Only appeals with a higher number.")
    limit: int = Field(100, ge=1, le=500)


class AppealShow(Given):
    reason: Reason | None = Field(
        None, description="Why; needed by whoever has not claimed it: for those who have, the case is the reason."
    )


class AppealDecide(Given):
    """``upheld`` and ``partly`` correct the decision; ``rejected`` needs a ground and reasons."""

    outcome: Literal["upheld", "partly", "rejected"]
    ground: Ground | None = None
    answer: Answer = ""
    seen: int | None = Field(
        None, ge=0, le=MOST, description="The version of the case that was read; the last one shown if left out."
    )

    @model_validator(mode="after")
    def _rejection_has_reasons(self) -> AppealDecide:
        if self.outcome == "rejected" and not (self.ground and self.answer):
            raise ValueError("whoever is rejected is told why: give ground and answer")
        return self


class AppealGiveBack(Given):
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=512), AfterValidator(printable)] = Field(
        "", description="For whoever has it next."
    )


class AppealOut(BaseModel):
    """No personal data: neither who appeals nor what they say. Times in microseconds since the epoch."""

    id: int
    state: State
    route: str
    reason: str = Field(description="The code of what was appealed.")
    ground: str
    category: str
    filed_at: int
    due_at: int = Field(description="When it has to be answered; 0 where it was only explained.")
    language: str
    claimed_by: str = ""
    decided_by: str = ""
    outcome: str = Field("", description="Of a decision that can still be taken back, or has taken effect.")
    same_person: bool = False
    redress: str = ""


class AppealsOut(BaseModel):
    appeals: list[AppealOut]


class AppealEventOut(BaseModel):
    at: int
    event: str
    person: str


class AppealRead(AppealOut):
    """With everything that somebody needs to decide it."""

    message_id: str
    room: str
    sender: str
    at: int = Field(description="When the message came.")
    standing: str = Field(description="What had become of it: refused, masked, expired.")
    check: str
    statement: str
    texts: list[str] | None = Field(
        description="The message: as the journal has it, or as its sender entered it again."
    )
    proved: bool = Field(description="Whether texts are known to be what was sent.")
    parties: list[str] = Field(description="People who had a part in what is appealed, and so do not decide.")
    answer: str
    version: int = Field(description="Of its case; to be given back with a decision.")
    trace: list[AppealEventOut]
