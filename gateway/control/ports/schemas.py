"""What the admin API takes and gives: the models that validate are the models that OpenAPI describes."""

from __future__ import annotations

import ipaddress
import unicodedata
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

T = TypeVar("T")

Seconds = Annotated[int, Field(ge=0, le=1 << 40)]


def _printable(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError("must not hold control characters")
    return text


def _text(most: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=most)


Reason = Annotated[
    str, _text(256), AfterValidator(_printable), Field(description="Why; goes on record with your name.")
]
Ground = Annotated[str, _text(256), AfterValidator(_printable), Field(description="Article or clause it rests on.")]
Ident = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_printable)]
Line = Annotated[str, _text(1024), AfterValidator(_printable)]


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


class AccountGiven(Given):
    verified: bool
    verified_until: Seconds = Field(0, description="Seconds since the epoch; 0: no end.")
    credit: int = Field(100, ge=0, le=100)


class AccountPut(AccountGiven):
    reason: Reason


class AccountLine(AccountGiven):
    """One line of an import."""

    sender: Ident


class AccountOut(BaseModel):
    sender: str
    verified: bool
    verified_until: int
    credit: int


class Gone(BaseModel):
    """What was removed."""

    removed: bool = True


BlockScope = Literal["sender", "registrant", "device", "ip", "room", "cidr"]
SHARED = ("device", "ip", "cidr")  # families and campuses share them: by default a limit, and for a day
DAY = 86400


class BlockNew(Reasoned):
    scope: BlockScope
    value: Ident
    ground: Ground
    expires_at: Seconds | None = Field(
        None, description="Seconds since the epoch, 0: never. Left out: never, or in a day for device, ip and cidr."
    )
    limited: bool | None = Field(
        None, description="A limit rather than a wall. Left out: true for device, ip and cidr, which people share."
    )

    @model_validator(mode="after")
    def _address(self) -> BlockNew:
        if self.scope == "ip":
            try:
                address = ipaddress.ip_address(self.value)
            except ValueError:
                raise ValueError("value must be an IPv4 or IPv6 address") from None
            mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
            self.value = str(mapped or address)
        elif self.scope == "cidr":
            try:
                self.value = str(ipaddress.ip_network(self.value, strict=False))
            except ValueError:
                raise ValueError("value must be a range such as 192.0.2.0/24") from None
        return self


class BlockOut(BaseModel):
    id: int
    scope: BlockScope
    value: str
    reason: str
    ground: str
    expires_at: int
    limited: bool
    created_at: int = Field(description="Microseconds since the epoch.")


class BlocksQuery(Why):
    scope: BlockScope | None = None
    value: Ident | None = None
    after: int = Field(0, ge=0, description="Blocks with a higher id only.")
    limit: int = Field(100, ge=1, le=1000)


class Blocks(BaseModel):
    blocks: list[BlockOut]


class RoomPut(Reasoned):
    status: Literal["open", "slow", "muted", "closed"]
    interval: float = Field(0, ge=0, le=86400, description="Seconds between two messages of one sender, slow mode.")

    @model_validator(mode="after")
    def _slow(self) -> RoomPut:
        if (self.status == "slow") != (self.interval > 0):
            raise ValueError("interval belongs to the status slow, and slow needs one above 0")
        return self


class RoomOut(BaseModel):
    room: str
    status: str
    interval: float = 0


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


class SwitchNew(Reasoned):
    scope: Literal["room", "route"]
    value: Ident
    ground: Ground


class SwitchOut(BaseModel):
    id: int
    kind: str
    scope: str
    value: str
    ground: str
    created_at: int


class SwitchesOut(BaseModel):
    switches: list[SwitchOut]


class UrgentNew(Reasoned):
    word: Annotated[str, _text(128), AfterValidator(_printable)]
    ground: Ground


class UrgentOut(BaseModel):
    id: int
    word: str
    ground: str
    created_at: int


class UrgentsOut(BaseModel):
    words: list[UrgentOut]


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
    event: Literal["requested", "tried", "confirmed", "unconfirmed"]
    status: int | None
    problem: str


class TakedownOut(BaseModel):
    """A deletion cannot be undone; that copies are refused can be (``copy``)."""

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


class TakedownTraced(TakedownOut):
    trace: list[TakedownEventOut]


class TakedownsQuery(Given):
    state: Literal["requested", "confirmed", "unconfirmed"] | None = None
    before: int | None = Field(None, ge=1, description="Takedowns with a lower number only.")
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


class PersonNew(Reasoned):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]


class PersonOut(BaseModel):
    name: str
    created_at: int


class PersonMade(PersonOut):
    token: str = Field(description="Shown this once.")


class PeopleOut(BaseModel):
    people: list[PersonOut]


class ReloadOut(BaseModel):
    ok: bool
    generation: int | None
    problems: list[str] = []
    warnings: list[str] = []


class Rebuilt(BaseModel):
    subjects: int = Field(description="Accounts, blocks and rooms written.")
    version: int = Field(description="Version of the snapshot that was published.")


class ActsQuery(Why):
    before: int | None = Field(None, ge=1, description="Acts with a lower number only.")
    kind: str | None = None
    limit: int = Field(50, ge=1, le=500)


class ActOut(BaseModel):
    act: int = Field(validation_alias="id")
    id: str = Field(validation_alias="uid", description="Its id in the journal.")
    person: str
    reason: str
    at: int = Field(description="Microseconds since the epoch.")
    kind: str
    subject: str
    changes: list[dict[str, Any]]
    undoes: int | None
    undone_by: int | None


class ActsOut(BaseModel):
    acts: list[ActOut]


class Undone(BaseModel):
    undone: int
    lasting: list[str] = Field([], description="What such an act changed and nobody can undo.")


class Imported(BaseModel):
    """The last line of an import's answer; the lines before it are ``{"lines": N, "accepted": N, "refused": N}``."""

    done: bool
    lines: int
    accepted: int
    refused: int
    errors: list[dict[str, Any]] = Field(description="The first refused lines: number and problem, never the content.")
    stopped: str = Field("", description="Why the import ended before its body did; empty where it did not.")
    in_force: bool = Field(True, description="False where some of it is still on its way to journal or state.")


class Done(BaseModel, Generic[T]):
    """An act, committed. 200 where it is in force everywhere on this node, 202 where something is still on its way."""

    act: int
    id: str = Field(description="Its id in the journal.")
    in_force: bool
    journalled: bool
    projected: bool
    workers: dict[str, bool] | None = Field(None, description="Who has the new snapshot, where one was needed.")
    reload: ReloadOut | None = Field(None, description="What became of the reload, where one was needed.")
    result: T


class Check(BaseModel):
    ok: bool
    detail: str = ""


class Ready(BaseModel):
    ready: bool
    checks: dict[str, Check]


class Alive(BaseModel):
    status: Literal["ok"] = "ok"


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    errors: list[dict[str, Any]] = []
