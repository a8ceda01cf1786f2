"""Which answers are right for a message: the contract of the demo's policies, told from outside.

The rules stand in this order, and the first that denies is the one an answer explains: identity, block, limit,
keywords, repeats; then words are masked, and low credit is labelled.
"""

from __future__ import annotations

from typing import NamedTuple

from loadtest.crowd.corpus import Line
from loadtest.crowd.people import Certainty, Standing

NOT_ADMITTED: dict[Standing, str] = {
    "unverified": "identity.unverified",
    "unknown": "identity.unknown",
    "blocked": "block.sender",
}
STATUS = {"identity": 403, "block": 403, "limit": 429, "keyword": 403, "repeat": 429}
"""Of a refusal over HTTP, by the first part of its reason."""


class Outcome(NamedTuple):
    """``verdict``: pass, mask or reject. ``reason`` of a reject; empty otherwise."""

    verdict: str
    reason: str = ""

    def __str__(self) -> str:
        return self.reason or self.verdict


PASS = Outcome("pass")
MASK = Outcome("mask")


def expected(
    standing: Standing, line: Line, used_up: Certainty, repeated: Certainty, address_used_up: Certainty = "no"
) -> frozenset[Outcome]:
    """Every right outcome; more than one only where the time of judging decides, which is not known from outside."""
    if standing in NOT_ADMITTED:
        return frozenset((Outcome("reject", NOT_ADMITTED[standing]),))
    right: set[Outcome] = set()
    for certainty, reason in ((used_up, "limit.sender"), (address_used_up, "limit.ip")):
        if certainty != "no":
            right.add(Outcome("reject", reason))
        if certainty == "yes":
            return frozenset(right)
    if line.category:
        right.add(Outcome("reject", "keyword.match"))
        return frozenset(right)
    if repeated != "no":
        right.add(Outcome("reject", "repeat.sender"))
    if repeated != "yes":
        right.add(MASK if line.kind == "masked" else PASS)
    return frozenset(right)


UNJUDGED = frozenset((PASS,))
"""Straight at the platform everything passes."""


class WrongVerdict(Exception):
    """An answer that the message must not get. Says what was sent by kind, never the text or the sender."""

    def __init__(self, line: Line, standing: Standing, right: frozenset[Outcome], told: str) -> None:
        allowed = " or ".join(sorted(map(str, right)))
        super().__init__(f"wrong verdict: {line.kind} text of a sender {standing}: expected {allowed}, got {told}")


def wrong_status(outcome: Outcome, status: int) -> bool:
    """Whether the HTTP status does not belong to the reason."""
    return STATUS.get(outcome.reason.partition(".")[0]) != status
