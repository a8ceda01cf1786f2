"""From a verdict to what its sender is told: one table of reasons, used on every carrier.

A check's own reasons and sentences stand in its file, the gateway's own in ``gateway/sentences/own.py``. None says
which word of which list. Here they are English: who puts them on the wire says them in the reader's language
(``gateway/http/server/sentences.py``).
"""

from __future__ import annotations

from filters.checks import CHECKS
from filters.checks.limit import Options as LimitOptions
from filters.model.meaning import Meaning
from filters.model.verdict import Decided, Verdict
from gateway.appeals.appeal_address import AppealAddress
from gateway.http.server.problem import DELAYED, Problem, RateLimit
from gateway.sentences.own import NOTICES, OWN, UNAVAILABLE
from gateway.surfaces.input.decoded import Malformed
from gateway.surfaces.input.reasons import REASONS as MALFORMED

REASONS: dict[str, Meaning] = {
    **{code: meaning for check in CHECKS.values() for code, meaning in check.reasons.items()},
    **OWN,
}
"""What the checks find, as each one's file says it, and what people and the gateway itself refuse."""

HELD = "review.held"

RETRY_UNAVAILABLE = 2.0  # seconds: what state and journal usually need to come back


def reason_of(code: str) -> Meaning:
    """The row of a reason; ``CHECK.unavailable`` for every check whose failure refuses (law 3)."""
    return REASONS.get(code, UNAVAILABLE)


def problem(verdict: Verdict, message_id: str, appeal: AppealAddress) -> Problem:
    """What the sender of a refused message is told: its leading decision, when to come back, and how to appeal."""
    leading = verdict.leading
    assert leading is not None, "only a refusal has a problem"
    return _problem(leading, verdict, message_id, appeal)


def standing(decided: Decided, appeal: AppealAddress) -> Problem:
    """What somebody is told whose messages are refused from now on, before they have sent one."""
    row = reason_of(decided.finding.reason)
    title, detail = row.told()
    return Problem(
        row.status, decided.finding.reason, title, detail, ground=decided.rule.ground, appeal=appeal.standing
    )


def _problem(leading: Decided, verdict: Verdict, message_id: str, appeal: AppealAddress) -> Problem:
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
    title, detail = row.told()
    address, code = appeal.of(message_id)
    return Problem(
        row.status, finding.reason, title, detail, message_id, leading.rule.ground, category, address,
        retry_after, limits, appeal_code=code,
    )  # fmt: skip


def held(message_id: str, status_url: str) -> Problem:
    """What the sender of a message is told that waits for a person. Why it does is between them and who reviews it."""
    row = NOTICES[HELD]
    return Problem(row.status, HELD, *row.told(), message_id, status_url=status_url)


def delayed(message_id: str, status_url: str, seconds: float) -> Problem:
    """What the sender of a message is told that passed, and appears so many seconds later."""
    row = NOTICES[DELAYED]
    return Problem(row.status, DELAYED, *row.told(), message_id, status_url=status_url, retry_after=seconds)


def malformed(decoded: Malformed) -> Problem:
    """What is told of a body or frame in which nothing could be judged; it has no message and no appeal."""
    return Problem(
        decoded.status, decoded.reason, *MALFORMED[decoded.reason].told(), challenge=decoded.challenge,
        retry_after=RETRY_UNAVAILABLE if decoded.status == 503 else 0.0,
    )  # fmt: skip


def unrecorded(message_id: str) -> Problem:
    """What the sender is told of a message that could not be recorded, and so went nowhere (law 5)."""
    row = REASONS["journal.unavailable"]
    title, detail = row.told()
    return Problem(row.status, "journal.unavailable", title, detail, message_id, retry_after=RETRY_UNAVAILABLE)


def withheld(message_id: str) -> Problem:
    """What is told of a message that was in one request with a refused one, and of an element that is none."""
    row = REASONS["batch.refused"]
    title, detail = row.told()
    return Problem(row.status, "batch.refused", title, detail, message_id)
