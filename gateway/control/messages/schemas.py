"""What is said of messages over the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from gateway.control.calls.schemas import Ident, Reasoned, Why, printable
from gateway.control.people.schemas import ActOut

MOST = 200  # messages on a page
Micros = Annotated[int, Field(ge=0, le=1 << 53)]
Piece = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(printable)
]
Came = Literal[
    "", "delivered", "failed", "refused", "held", "unknown", "approved", "releasing", "undeliverable", "ticketed",
    "lapsed", "expired", "withdrawn", "superseded", "void", "removed",
]  # fmt: skip


class MessagesWanted(Reasoned):
    """What is left out asks nothing."""

    id: Ident | None = Field(None, description="Our id of one message.")
    code: Annotated[str, StringConstraints(min_length=10, max_length=40)] | None = Field(
        None, description="The code with which its sender may appeal."
    )
    sender: Ident | None = None
    room: Ident | None = None
    route: Ident | None = None
    verdict: Literal["pass", "hold", "reject", "mask", "label"] | None = None
    reason_code: Ident | None = Field(None, description="Of a finding or of an outcome, such as keyword.match.")
    state: Came | None = Field(
        None, description="What it came to; empty: nothing is known yet, as of all that was refused here."
    )
    text: Piece | None = Field(None, description="A piece of its text, where the journal keeps that.")
    since: Micros | None = Field(None, description="From this moment on, in microseconds since the epoch.")
    until: Micros | None = Field(None, description="Before this moment.")
    identity: bool = Field(False, description="Tell whose they are.")
    cursor: Annotated[str, StringConstraints(max_length=4096)] | None = Field(None, description="Of the page before.")
    limit: int = Field(50, ge=1, le=MOST)

    @model_validator(mode="after")
    def _in_order(self) -> MessagesWanted:
        if self.id is not None and self.code is not None:
            raise ValueError("name the message by id or by code")
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError("until must lie after since")
        return self


class BecameOut(BaseModel):
    """What became of a message, beside a plain delivery."""

    at: int = Field(description="Microseconds since the epoch.")
    kind: Literal["outcome", "review", "removal"]
    state: str


class MessageFound(BaseModel):
    id: str
    at: int = Field(description="When it came, in microseconds since the epoch; of a release when it was released.")
    sent_at: int = Field(description="When its sender sent it.")
    route: str
    surface: str
    room: str
    sender: str | None = Field(description="Null where it was not asked for.")
    verdict: str
    reasons: list[str] = Field(description="Of what was found, the weightiest first.")
    effects: list[str]
    categories: list[str] = Field(description="Of the words found.")
    texts: list[str] | None = Field(description="Null where they are not kept.")
    edit: bool
    releases: str = Field(description="The held message that is published by it; empty where it is none.")
    state: Came
    became: list[BecameOut]


class MessagesFound(BaseModel):
    """The newest first. ``complete``: all of this page was looked for; else its time was over, and ``cursor`` goes
    on."""

    messages: list[MessageFound]
    cursor: str | None = Field(description="Where the next page begins; null after the last one.")
    complete: bool
    behind: int = Field(description="Bytes of the journal that the index has not read yet.")
    since: str = Field(description="From this day on (UTC) all is indexed.")
    problem: str = Field(description="Why the index stands still; empty where it does not.")


class StoryQuery(Why):
    identity: bool = Field(False, description="Tell whose it is, and the personal fields that are kept.")


class MessageStory(BaseModel):
    """A message and all that is known of it. ``whole``: everything that became of it is here; without an index only
    its outcome is."""

    message: MessageFound
    personal: dict[str, Any] | None
    findings: list[dict[str, Any]]
    shadow: list[dict[str, Any]]
    degraded: list[str]
    labels: list[str]
    policy: str
    lists: dict[str, str]
    trail: list[dict[str, Any]] = Field(description="The journal's records of what became of it, oldest first.")
    whole: bool
    acts: list[ActOut] = Field(description="What people did with it, the newest first; at most 100.")
