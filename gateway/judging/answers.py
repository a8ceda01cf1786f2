"""From a verdict to what its sender is told: one table of reasons, used on every carrier.

The sentences are for the sender; none says which word of which list (DESIGN, section 10).
"""

from __future__ import annotations

from typing import NamedTuple

from filters.checks.limit import Options as LimitOptions
from filters.model.verdict import Decided, Verdict
from gateway.http.server.problem import Problem, RateLimit
from gateway.surfaces.input.decoded import Malformed


class Reason(NamedTuple):
    """``status``: of the HTTP answer; a socket's notice carries the reason alone."""

    status: int
    title: str
    detail: str


REASONS: dict[str, Reason] = {
    "identity.unknown": Reason(403, "Nobody is known by this name", "Log in with a registered account."),
    "identity.unverified": Reason(
        403, "Your identity is not verified", "Verify your identity with the platform first."
    ),
    "identity.expired": Reason(403, "Your verification has expired", "Renew it with the platform."),
    "block.sender": Reason(403, "You are blocked from writing", "The block's ground is named below."),
    "block.registrant": Reason(403, "You are blocked from writing", "The registrant of this account is blocked."),
    "block.device": Reason(403, "This device is restricted", "Messages from this device are restricted for a while."),
    "block.ip": Reason(403, "This address is restricted", "Messages from this network address are restricted."),
    "block.room": Reason(403, "This place is blocked", "Nobody can write here at the moment."),
    "room.slow": Reason(429, "This place is in slow mode", "Wait a little before the next message."),
    "room.muted": Reason(403, "This place is muted", "Nobody can write here at the moment."),
    "room.closed": Reason(403, "This place is closed", "It takes no more messages."),
    "limit.sender": Reason(429, "You write too fast", "Wait a little before the next message."),
    "limit.ip": Reason(429, "Too many messages from this address", "Wait a little before the next message."),
    "limit.device": Reason(429, "Too many messages from this device", "Wait a little before the next message."),
    "limit.room": Reason(429, "Too many messages here", "Wait a little before the next message."),
    "limit.route": Reason(429, "Too many messages", "Wait a little before the next message."),
    "limit.global": Reason(429, "Too many messages", "Wait a little before the next message."),
    "keyword.match": Reason(403, "The text breaks the rules", "It holds words that are not allowed here."),
    "keyword.urgent": Reason(403, "The text cannot be published now", "It holds words that are stopped at the moment."),
    "parts.unjudged": Reason(403, "The message cannot be checked", "It holds parts that are not allowed here."),
    "repeat.sender": Reason(429, "You have said this already", "The same text was sent too often."),
    "repeat.room": Reason(
        429, "This has been said already", "The same text was sent here too often by several people."
    ),
    "repeat.global": Reason(429, "This has been said already", "The same text was sent too often by several people."),
    "credit.low": Reason(403, "Your credit is too low", "Your credit level does not allow this."),
    "switch.frozen": Reason(403, "This place is frozen", "Nobody can write here at the moment."),
    "copy.removed": Reason(403, "This was taken down", "The same text was removed; it cannot be published again now."),
    "socket.muted": Reason(429, "You are muted here", "Too many of your messages were refused; wait a little."),
    "mirror.unavailable": Reason(503, "Bullets are paused", "Their static version cannot be kept now; try again."),
    "journal.unavailable": Reason(503, "Messages are paused", "They cannot be recorded now; try again."),
}
UNAVAILABLE = Reason(503, "The message could not be checked", "A check was not available; try again.")

RETRY_UNAVAILABLE = 2.0  # seconds: what state and journal usually need to come back


def reason_of(code: str) -> Reason:
    """The row of a reason; ``CHECK.unavailable`` for every check whose failure refuses (law 3)."""
    return REASONS.get(code, UNAVAILABLE)


def problem(verdict: Verdict, message_id: str, appeal: str) -> Problem:
    """What the sender of a refused message is told: its leading decision, and when to come back.

    ``appeal``: the policy's address, or empty where the policy says ``off``.
    """
    leading = verdict.leading
    assert leading is not None, "only a refusal has a problem"
    return _problem(leading, verdict, message_id, appeal)


def standing(decided: Decided, appeal: str) -> Problem:
    """What somebody is told whose messages are refused from now on, before they have sent one."""
    row = reason_of(decided.finding.reason)
    return Problem(
        row.status, decided.finding.reason, row.title, row.detail, ground=decided.rule.ground,
        appeal="" if "{id}" in appeal else appeal,
    )  # fmt: skip


def _problem(leading: Decided, verdict: Verdict, message_id: str, appeal: str) -> Problem:
    finding = leading.finding
    row = reason_of(finding.reason)
    retry_after = finding.retry_after
    limits: list[RateLimit] = []
    if row.status == 429:
        for decided in verdict.decided:
            told = decided.finding
            if told.check == "limit" and told.retry_after > 0 and isinstance(decided.rule.options, LimitOptions):
                scope = told.reason.partition(".")[2]
                window = told.detail.get("period_us", 0) / 1e6
                limits.append(RateLimit(scope, told.detail.get("quota", 0), window, 0, told.retry_after))
            retry_after = max(retry_after, told.retry_after if decided.effect == "reject" else 0.0)
    elif row.status == 503:
        retry_after = RETRY_UNAVAILABLE
    category = finding.hit.category if finding.hit is not None else ""
    return Problem(
        row.status, finding.reason, row.title, row.detail, message_id, leading.rule.ground, category, appeal,
        retry_after, limits,
    )  # fmt: skip


def malformed(decoded: Malformed) -> Problem:
    """What is told of a body or frame in which nothing could be judged; it has no message and no appeal."""
    return Problem(decoded.status, decoded.reason, decoded.detail, challenge=decoded.challenge)


def unrecorded(message_id: str) -> Problem:
    """What the sender is told of a message that could not be recorded, and so went nowhere (law 5)."""
    row = REASONS["journal.unavailable"]
    return Problem(row.status, "journal.unavailable", row.title, row.detail, message_id, retry_after=RETRY_UNAVAILABLE)
