"""May this decision be appealed, and by what: pure, from what is known of it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from filters.model.errors import TidegateError
from gateway.control.appeals.appeal_states import AppealMove

Standing = Literal["refused", "masked", "waiting", "expired", "published", "removed"]

BY_RULE_OF_TIME: Final = frozenset({"limit", "repeats", "mute", "mirror"})
"""Checks whose refusals end by themselves: there is nothing in them that a person weighs."""


class AppealedDecision(NamedTuple):
    """What was decided on one message. ``at``: when it came (µs since the epoch), ``decided_at``: when it was decided
    on, where that was later, else 0; ``check``, ``reason``, ``ground`` and
    ``category`` of its leading finding; ``degraded``: a check could not be made; ``texts``: None where the journal does
    not hold them (any more); ``print``: a keyed digest of them, where it holds that instead; ``parties``: people who
    decided, approved or escalated, or whose act it rested on."""

    message_id: str
    at: int
    route: str
    room: str
    sender: str
    standing: Standing
    check: str
    reason: str
    ground: str
    category: str
    degraded: bool
    texts: tuple[str, ...] | None
    print: str
    parties: tuple[str, ...] = ()
    decided_at: int = 0

    def file_until(self, within_us: int) -> int:
        """Until when somebody can appeal."""
        return max(self.at, self.decided_at) + within_us


class AppealRefused(TidegateError):
    """An appeal that is not taken. ``reason``: a code of ``appeal_words.REASONS``."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


def admitted(decision: AppealedDecision | None, now: int, within_us: int) -> AppealMove:
    """How the appeal begins. Raises ``AppealRefused`` where it is inadmissible. What was published, and a code that
    stands for nothing, are told alike: nobody learns which codes there are."""
    if decision is None or decision.standing == "published":
        raise AppealRefused("appeal.unknown")
    if decision.standing == "waiting":
        raise AppealRefused("appeal.undecided")
    if now > decision.file_until(within_us):
        raise AppealRefused("appeal.late")
    if decision.standing == "expired" or decision.degraded or decision.check in BY_RULE_OF_TIME:
        return AppealMove.EXPLAIN
    return AppealMove.FILE
