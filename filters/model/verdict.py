"""What was found, what state said, and what follows from both."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from filters.model.rule import Rule

Action = Literal["label", "mask", "hold", "reject"]
Effect = Literal["pass", "label", "mask", "hold", "reject"]
Disposition = Literal["pass", "hold", "reject"]
OnError = Literal["pass", "label", "hold", "reject"]

TICKET: Final = "ticket"
"""In the place of a check: a person approved the text, and its sender sends it again."""

INCIDENT: Final = "incident"
"""In the place of a check: people have begun an incident, and what would pass waits, or is refused."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Hit(NamedTuple):
    """A word or pattern of one list, found in one field.

    ``spans`` are half-open ranges of code points of the original text, in order and not overlapping; a compound
    rule has one for each of its parts. ``messages``: how many consecutive messages of the sender were read as one text
    to find it; the spans are then those within the newest of them.
    """

    list: str
    digest: str
    word_id: int
    category: str
    severity: int
    field: int
    spans: tuple[tuple[int, int], ...]
    messages: int = 1


class Scan(NamedTuple):
    """What reading the text gave, before anything was asked of state.

    ``hits`` and ``failed`` are keyed by list name; a list in ``failed`` could not be applied, and its value is the
    cause (``fold.bound``, ``match.bound``). ``fingerprint`` is empty where the text folds to nothing;
    ``folded_length`` is in code points. ``crowd``: what the message completes of what others said in the room.
    """

    hits: Mapping[str, tuple[Hit, ...]] = NOTHING
    failed: Mapping[str, str] = NOTHING
    fingerprint: bytes = b""
    folded_length: int = 0
    crowd: Mapping[str, tuple[Hit, ...]] = NOTHING


class Finding(NamedTuple):
    """What one check found. It does not know what that will cost (law 2). ``detail`` is for records only."""

    check: str
    reason: str
    hit: Hit | None = None
    retry_after: float = 0.0  # seconds; 0 where trying again makes no sense
    detail: Mapping[str, Any] = NOTHING


class Missing(NamedTuple):
    """A check could not decide, and why: ``state.deadline``, ``state.unavailable``, ``state.epoch``, ``fold.bound``."""

    cause: str


class Account(NamedTuple):
    """``verified_until``: seconds since the epoch, 0 for no end. ``credit``: 0 to 100. ``approved``: messages that a
    person approved, as far as they are counted."""

    verified: bool
    verified_until: int = 0
    credit: int = 100
    approved: int = 0


class Block(NamedTuple):
    """``scope``: sender, registrant, device, ip or room. ``expires_at``: seconds since the epoch, 0 for never.

    ``retry_after`` (seconds) is set where the block is a limit rather than a wall: campuses share addresses.
    """

    scope: str
    reason: str
    expires_at: int = 0
    limited: bool = False
    retry_after: float = 0.0


class RoomFact(NamedTuple):
    """``status``: open, slow, muted or closed. ``retry_after``: seconds the sender still has to wait in slow mode."""

    status: str = "open"
    retry_after: float = 0.0


class RepeatFact(NamedTuple):
    """How often the fingerprint was seen within the period, this time included, and from how many senders."""

    seen: int
    senders: int = 1
    retry_after: float = 0.0


OPEN = RoomFact()


class Facts(NamedTuple):
    """What state said in one round trip.

    ``limits`` and ``repeats`` stand in the order of ``Asks.limits`` and ``Asks.repeats``; a limit's value is 0 when
    it is kept, otherwise the microseconds until it would be. ``account`` is None for a sender nobody knows.
    ``missing`` names the facts nobody could tell (``account``, ``blocks``, ``limits``, ``repeats``, ``room``) and
    why. ``fallback`` names those that were told by a stand-in, such as ``limits:local`` or ``blocks:snapshot``.
    ``verified``: what state said of the sender's identity a short while ago, where its answer came too late; it stands
    in for that alone, and ``account`` is missing all the same.
    """

    account: Account | None = None
    blocks: tuple[Block, ...] = ()
    limits: tuple[int, ...] = ()
    repeats: tuple[RepeatFact, ...] = ()
    room: RoomFact = OPEN
    missing: Mapping[str, str] = NOTHING
    fallback: tuple[str, ...] = ()
    verified: Account | None = None


class Decided(NamedTuple):
    """One finding and what the policy makes of it. ``effect`` differs from the rule's action when the check failed;
    ``pass`` is that of a re-send ticket alone."""

    rule: Rule
    finding: Finding
    effect: Effect
    degraded: bool = False


class Verdict(NamedTuple):
    """The end of judging. ``decided`` is in order of weight: reject, hold, mask, label, pass; within one weight what
    was found before what could not be checked, then in the policy's order.

    ``texts`` are the texts to relay where masking changed them, else None. ``degraded`` names every failure that
    counted, including those whose ``on_error`` is pass (law 3).
    """

    disposition: Disposition
    policy: str  # digest
    decided: tuple[Decided, ...] = ()
    shadow: tuple[Decided, ...] = ()
    labels: tuple[str, ...] = ()
    texts: tuple[str, ...] | None = None
    degraded: tuple[str, ...] = ()

    @property
    def leading(self) -> Decided | None:
        """The decision that an answer explains: the weightiest, or None for a plain pass."""
        return self.decided[0] if self.decided else None
