"""What is said of takedowns, copies and removals over the API."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from gateway.control.calls.schemas import DAY, MOST, Given, Ground, Ident, Reasoned

MAX_REFUSE = 366 * DAY


class MessageNamed(Reasoned):
    """A message: by our ``id``, or by the platform's ``upstream_id`` and the route that it was sent on."""

    id: Ident | None = Field(None, description="Our id of the message, as in Tidegate-Message-Id.")
    upstream_id: Ident | None = Field(None, description="The platform's id; with route.")
    route: Ident | None = None

    @model_validator(mode="after")
    def _named_once(self) -> MessageNamed:
        if (self.id is None) == (self.upstream_id is None) or (self.upstream_id is None) != (self.route is None):
            raise ValueError("name the message by id, or by upstream_id and route")
        return self


class TakedownAsked(MessageNamed):
    since: int = Field(DAY, ge=1, le=MAX_REFUSE, description="Copies are looked for so many seconds back.")


class TakedownNew(MessageNamed):
    ground: Ground | None = Field(None, description="Article or clause it rests on; needed to refuse copies.")
    refuse_copies: int | None = Field(
        None, ge=60, le=MAX_REFUSE, description="Refuse the same text for so many seconds. Left out: it is not refused."
    )

    @model_validator(mode="after")
    def _denial_has_ground(self) -> TakedownNew:
        if self.refuse_copies is not None and self.ground is None:
            raise ValueError("refusing copies denies people something: it needs a ground")
        return self


class TakedownEventOut(BaseModel):
    """One line of a takedown's trace. ``problem``: why the platform gave no answer."""

    at: int = Field(description="Microseconds since the epoch.")
    event: Literal["requested", "tried", "confirmed", "unconfirmed", "restored"]
    status: int | None
    problem: str


class TakedownOut(BaseModel):
    """A deletion cannot be undone; that copies are refused can be (``copy_id``), and a message can be restored."""

    id: int
    message_id: str
    upstream_id: str
    route: str
    room: str
    reason: str
    ground: str
    created_at: int
    state: Literal["requested", "confirmed", "unconfirmed"]
    tries: int
    copy_id: int | None = Field(None, description="The copy that refuses the same text, while there is one.")
    restored: str | None = Field(
        None, description="How far it is with coming back, as a held message is; null where it does not."
    )
    appeal_code: str = Field("", description="The code by which its sender appeals, to be told to them.")
    restoration: str = Field("", description="The id under which it comes back.")


class TakedownTraced(TakedownOut):
    trace: list[TakedownEventOut]


class TakedownsQuery(Given):
    state: Literal["requested", "confirmed", "unconfirmed"] | None = None
    before: int | None = Field(None, ge=1, le=MOST, description="Takedowns with a lower number only.")
    limit: int = Field(50, ge=1, le=500)


class TakedownsOut(BaseModel):
    takedowns: list[TakedownOut]


class MessageOut(BaseModel):
    """A message without its text and without its sender."""

    id: str
    route: str
    room: str
    at: int = Field(description="When it was received, in microseconds since the epoch.")
    verdict: str


class TakedownPreview(BaseModel):
    """What a takedown would do, and which other messages have the same text."""

    message: MessageOut
    upstream_id: str
    deletable: bool = Field(description="Whether the route says how the platform is asked to delete.")
    comparable: bool = Field(description="Whether the text is known, so that copies can be found and refused.")
    copies: list[MessageOut]
    senders: int = Field(description="How many different senders the copies have.")
    more: int = Field(description="Copies beyond those listed.")
    complete: bool = Field(description="Whether everything since then was looked at.")


class CopyNew(Reasoned):
    """Refuse a text that was sent before."""

    id: Ident = Field(description="Our id of a message with this text.")
    ground: Ground
    refuse_copies: int = Field(ge=60, le=MAX_REFUSE, description="For so many seconds.")


class CopyOut(BaseModel):
    id: int
    message_id: str
    ground: str
    expires_at: int = Field(description="Seconds since the epoch.")
    created_at: int


class CopiesOut(BaseModel):
    copies: list[CopyOut]


class RemovalNew(MessageNamed):
    """A deletion that no removal route saw."""

    by: Literal["user", "platform", "erasure"]


class RemovalOut(BaseModel):
    message_id: str
