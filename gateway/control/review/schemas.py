"""What is said of cases over the API. Inside a case the case is the reason: no endpoint of the desk asks for one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from gateway.control.calls.schemas import MOST, Given, Ground, Ident, Reasoned, printable
from gateway.control.cases.case_pages import MOST_TOGETHER

State = Literal["waiting", "claimed", "decided", "done", "void", "expired"]
DeskName = Literal["first", "second", "lead"]
Note = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=512), AfterValidator(printable),
    Field(description="For whoever has the case next."),
]  # fmt: skip
Number = Annotated[int, Field(ge=1, le=MOST)]
MOST_AT_ONCE = 50  # cases that are claimed or shown at once


class GroundOut(BaseModel):
    digit: int
    ground: str


class DeskOut(BaseModel):
    """The desk: how it works, and how much waits."""

    open: bool = Field(description="Whether the opening hours say that somebody is here.")
    opens_at: int = Field(description="Now, or when it opens next, in microseconds since the epoch.")
    claim: float = Field(description="Seconds that a claim lasts.")
    undo: float = Field(description="Seconds in which a decision can be taken back.")
    service: float = Field(description="Seconds of opening hours within which somebody should look at a case.")
    grounds: list[GroundOut]
    second: list[str] = Field(description="Categories of which two people decide.")
    grave: list[str] = Field(description="Categories whose texts the console hides until somebody asks for them.")
    waiting: dict[str, int] = Field(description="By desk.")
    claimed: int
    decided: int = Field(description="Decided, and not in effect.")
    overdue: int = Field(description="Waiting longer than service; at most 1000 are counted.")
    oldest: float = Field(description="Seconds that the first of the queue waits.")
    mine: int = Field(description="Cases that you hold, or that were taken from you and you have not seen.")


class PlaceWaiting(BaseModel):
    route: str
    room: str
    count: int


class WaitingOut(BaseModel):
    """Of the first 200 cases of each desk: those that you may claim."""

    count: int
    more: bool = Field(description="Whether a desk has more than were looked at.")
    oldest: float = Field(description="Seconds that the first of them waits.")
    places: list[PlaceWaiting] = Field(description="Where they stand; those with most first.")


class CasesQuery(Given):
    state: State = "waiting"
    desk: DeskName | None = None
    route: Ident | None = None
    sender: Ident | None = None
    message: Ident | None = Field(None, description="Our id of the message.")
    mine: bool = Field(False, description="What you hold, and what was taken from you, whatever its state.")
    words: bool = Field(False, description="With the words found, as they were written; that you read them is noted.")
    after: str | None = Field(None, pattern=r"^-?\d{1,18}:\d{1,18}$", description="The page behind this place: next.")
    limit: int = Field(50, ge=1, le=500)


class CauseOut(BaseModel):
    cause: str
    at: int
    reference: str
    category: str
    reason: str
    ground: str
    answer: str


class CaseOut(BaseModel):
    """Moments in microseconds since the epoch, 0 for none."""

    id: int
    kind: Literal["message", "appeal"]
    message_id: str
    route: str
    room: str
    sender: str | None = Field(
        description="Null where cases are listed: whose one is, is told with the case itself, which goes on record."
    )
    category: str
    causes: list[CauseOut]
    opened_at: int
    age: float = Field(description="Seconds since it came up.")
    due_at: int
    serve_by: int = Field(description="When the service time will have passed, by the opening hours.")
    overdue: bool
    expires_at: int
    state: State
    desk: DeskName
    version: int = Field(description="Rises with whatever has to be read before one decides.")
    claimed_by: str
    claimed_until: int
    proposed_by: str
    proposed_outcome: str
    proposed_ground: str
    outcome: str
    ground: str
    decided_by: str
    decided_at: int
    effective_at: int = Field(description="From when on the decision cannot be taken back.")
    taken_from_you: bool = Field(description="It ended, or somebody took it, while you had it: release it to say so.")
    reopens: int | None
    words: list[str] | None = Field(None, description="Words found, as they were written; null where not asked for.")


class CasesOut(BaseModel):
    cases: list[CaseOut]
    next: str | None = Field(None, description="Where the next page begins; null after the last one.")


class CaseEventOut(BaseModel):
    at: int
    event: str
    person: str
    note: str
    outcome: str


class TextOut(BaseModel):
    """What somebody wrote. ``missing``: why it is not there, empty where it is."""

    texts: list[str]
    masked: list[str] | None = Field(description="As it may appear, where a rule masks.")
    findings: list[dict[str, Any]]
    missing: str


class CaseShown(CaseOut):
    text: TextOut
    trace: list[CaseEventOut]


class ClaimAsked(Given):
    """The next ones of the queue (``count``), or these (``cases``)."""

    count: int | None = Field(None, ge=1, le=MOST_AT_ONCE)
    cases: list[Number] | None = Field(None, min_length=1, max_length=MOST_AT_ONCE)
    route: Ident | None = Field(None, description="With count: of this route only.")
    room: Ident | None = Field(None, description="With count: of this room only.")
    category: Ident | None = Field(None, description="With count: of this category only.")

    @model_validator(mode="after")
    def _one_of_them(self) -> ClaimAsked:
        if (self.count is None) == (self.cases is None):
            raise ValueError("say how many, or name them")
        if (self.route or self.room or self.category) and self.count is None:
            raise ValueError("route, room and category go with count")
        return self


class Unclaimed(BaseModel):
    case: int
    reason: str
    detail: str


class ClaimedOut(BaseModel):
    """With their texts: what is claimed this way counts as read."""

    cases: list[CaseShown]
    refused: list[Unclaimed]


class Deciding(Given):
    seen: Number | None = Field(
        None, description="The version of the case that you have read; left out: the one that you were shown last."
    )
    second: bool = Field(False, description="Ask for a second person, also where the category does not.")


class Grounded(Given):
    """What denies somebody something rests on a ground, as it is written or by its digit."""

    ground: Ground | None = None
    digit: int | None = Field(None, ge=1, le=9, description="Of desk.grounds, the first is 1.")


class ApproveAsked(Deciding):
    masked: bool = Field(False, description="With what a rule masks masked.")
    ground: Ground | None = None


class RefuseAsked(Deciding, Grounded):
    @model_validator(mode="after")
    def _one_ground(self) -> RefuseAsked:
        if (self.ground is None) == (self.digit is None):
            raise ValueError("name the ground, or its digit")
        return self


class LineDecided(Grounded):
    case: Number
    outcome: Literal["approved", "masked", "refused"]
    seen: Number | None = Field(None, description="The version of the case that you have read.")

    @model_validator(mode="after")
    def _one_ground(self) -> LineDecided:
        if self.outcome == "refused" and (self.ground is None) == (self.digit is None):
            raise ValueError("name the ground, or its digit")
        return self


class LinesDecided(Given):
    decisions: list[LineDecided] = Field(min_length=1, max_length=MOST_AT_ONCE)

    @model_validator(mode="after")
    def _each_once(self) -> LinesDecided:
        if len({one.case for one in self.decisions}) < len(self.decisions):
            raise ValueError("each case once")
        return self


class LineOut(BaseModel):
    """``came_to`` as for one case; empty where it was not decided, and ``reason`` says why."""

    case: int
    came_to: str = ""
    reason: str = ""
    detail: str = ""


class LinesOut(BaseModel):
    lines: list[LineOut]


class CaseLines(Given):
    cases: list[Number] = Field(min_length=1, max_length=MOST_AT_ONCE)


class UndoneOut(BaseModel):
    undone: list[int]
    refused: list[Unclaimed]


class SenderQuery(Given):
    identity: bool = Field(False, description="Who it is: goes on record.")


class CaseSender(BaseModel):
    """What is known of a sender. ``sender``: null where it was not asked for."""

    sender: str | None
    credit: int | None = Field(description="Null where the platform has said nothing.")
    verified: bool | None
    blocked: bool
    waiting: int = Field(description="Their other cases that are open.")
    refused: int = Field(description="Their messages that were refused by people, as long as cases are kept.")
    approved: int


class DecidedOut(BaseModel):
    """``came_to``: decided; proposed (a second person has to agree); agreed; disagreed (a lead decides)."""

    came_to: Literal["decided", "proposed", "agreed", "disagreed"]
    case: CaseOut


class EscalateAsked(Given):
    note: Note = Field(min_length=1)


class ReleaseAsked(Given):
    note: Note = ""


class ReleasedOut(BaseModel):
    released: int


class NothingElse(Given):
    """An empty object."""


class BulkAsked(Given):
    """All that wait of a sender, or with a text, of which you hold one; or, for leads, all that have something in
    common (``queue``)."""

    over: Literal["sender", "campaign", "queue"] = Field(
        description="The same sender and route; the same text as it folds; or what the fields below say."
    )
    case: Number | None = Field(None, description="Of sender and campaign: one of them, which you hold.")
    route: Ident | None = Field(None, description="Of queue, as all below: of this route.")
    room: Ident | None = None
    category: Ident | None = None
    held_for: Ground | None = Field(None, description="The ground of the rule that held them.")
    list: Ident | None = Field(None, description="In which a word of this list was found.")
    word: Number | None = Field(None, description="With list: this one, by its id (GET /v1/precision).")

    @model_validator(mode="after")
    def _of_one_kind(self) -> BulkAsked:
        common = (self.route, self.room, self.category, self.held_for, self.list)
        if (self.over == "queue") == (self.case is not None):
            raise ValueError("name a case you hold, or with over = queue what they have in common")
        if (self.over == "queue") != any(common):
            raise ValueError("what they have in common goes with over = queue, which needs some of it")
        if self.word is not None and self.list is None:
            raise ValueError("a word is one of a list")
        return self


class BulkPreview(BaseModel):
    """What a bulk act would decide, and what it leaves out."""

    count: int = Field(description=f"At most {MOST_TOGETHER} at once.")
    cases: list[CaseOut] = Field(description="The first fifty.")
    claimed: int = Field(description="Left out: somebody else has them.")
    desk: int = Field(description="Left out: they wait for a second person, or a lead.")
    kept: int = Field(description="Left out: you may not decide on them.")
    more: int = Field(description="Beyond that: to be decided by another act.")


class BulkDecided(BulkAsked, Grounded):
    outcome: Literal["approved", "refused"]
    count: int = Field(
        ge=1, le=MOST_TOGETHER, description="As the preview told; where it is another now, nothing is done."
    )

    @model_validator(mode="after")
    def _one_ground(self) -> BulkDecided:
        if self.outcome == "refused" and (self.ground is None) == (self.digit is None):
            raise ValueError("name the ground, or its digit")
        return self


class BulkOut(BaseModel):
    decided: int
    claimed: int
    desk: int
    kept: int
    more: int


class SenderNamed(Reasoned):
    """Outside of a case there is no case that could be the reason."""

    sender: Ident
    person: Ident | None = Field(None, description="Whose account it is; yours where left out. Others': for leads.")


class OwnSenderOut(BaseModel):
    sender: str
    person: str


class OwnSendersOut(BaseModel):
    senders: list[OwnSenderOut]
