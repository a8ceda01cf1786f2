"""What is said of calls to others over the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from gateway.control.calls.schemas import MOST, Given, Ident, Reasoned

CallState = Literal["waiting", "sent", "dead"]
Called = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class CallbacksQuery(Given):
    state: CallState | None = None
    receiver: Called | None = None
    message: Ident | None = Field(None, description="Only those about this message of ours.")
    after: int = Field(0, ge=0, le=MOST, description="Only calls with a higher number.")
    limit: int = Field(100, ge=1, le=500)


class CallbackOut(BaseModel):
    """Times in microseconds since the epoch."""

    id: int
    uid: str = Field(description="By which its receiver knows one that it has had.")
    receiver: str
    event: str
    subject: str
    sequence: int
    state: CallState
    at: int = Field(description="When what it tells happened.")
    changed_at: int
    due_at: int = Field(description="When it is tried next; 0 where it is not.")
    tries: int
    status: int | None = Field(description="Of the last answer.")
    problem: str = Field(description="Why it was not taken, as a code.")


class CallbacksOut(BaseModel):
    callbacks: list[CallbackOut]


class CallbackRead(CallbackOut):
    body: dict[str, Any] = Field(description="What is sent, without the sender.")


class ResendMany(Reasoned):
    receiver: Called
    state: Literal["dead", "sent"] = "dead"
    event: Annotated[str, StringConstraints(max_length=32)] | None = Field(None, description="Only of this event.")
    since: int = Field(0, ge=0, le=MOST, description="Only of what happened since, microseconds since the epoch.")


class Resent(BaseModel):
    count: int
    more: bool = Field(description="Whether there are more: at most 1000 are sent again at once.")


class ReceiverTrial(Reasoned):
    receiver: Called
