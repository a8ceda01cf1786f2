"""Answers that refuse or hold: RFC 9457 problem details. The platform's own shape is in ``shapes``.

Reasons and members are told by docs/reasons.md. An answer says why, and never which list or word: that is not among the
members here, so that it cannot slip out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from gateway.http.upstream import failure
from gateway.http.wire.errors import REASONS

TYPE_PREFIX: Final = "urn:tidegate:problem:"
"""A problem's ``type`` is this and its reason code: a name, not an address to fetch."""

PROBLEM_JSON: Final = b"application/problem+json"
DELAYED: Final = "review.delayed"
_RETRY_UNAVAILABLE: Final = 1.0


class RateLimit(NamedTuple):
    """One limit for the RateLimit fields: ``quota`` messages in ``window`` seconds, ``remaining`` of them left, the
    next one after ``reset`` seconds. ``name`` says what is counted: sender, room …
    """

    name: str
    quota: int
    window: float
    remaining: int = 0
    reset: float = 0.0


class Problem(NamedTuple):
    """Why there is no other answer. ``retry_after``: seconds, 0 where trying again makes no sense.

    ``detail``, ``ground``, ``category`` and ``appeal`` are for people, and left out where empty. ``challenge``: the
    WWW-Authenticate field of a 401 (RFC 9110 section 11.6.1). ``words``: the row of its sentences, where it is not that
    of its reason. ``appeal_code``: by which it is appealed here, empty where it is not. ``status_url``: of a message
    that waits for a person, where its sender asks what became of it.
    """

    status: int
    reason: str
    title: str
    detail: str = ""
    message_id: str = ""
    ground: str = ""
    category: str = ""
    appeal: str = ""
    retry_after: float = 0.0
    limits: Sequence[RateLimit] = ()
    challenge: bytes = b""
    words: str = ""
    appeal_code: str = ""
    status_url: str = ""


def problem_for(reason: str) -> Problem:
    """The problem of one of the HTTP layer's own reasons."""
    row = REASONS[reason]
    return Problem(row.status, reason, *row.told(), retry_after=_RETRY_UNAVAILABLE if row.status == 503 else 0.0)


def upstream_problem(error: failure.UpstreamError, message_id: str = "") -> Problem:
    """The problem of an upstream that gave no answer. Where it may have acted on the request, nobody is told to try
    again: who does as told would post twice."""
    row = failure.REASONS[error.reason]
    retry = _RETRY_UNAVAILABLE if row.status == 503 and not error.sent else 0.0
    return Problem(row.status, error.reason, *row.told(), message_id, retry_after=retry)


def encoded(problem: Problem) -> tuple[bytes, bytes]:
    """Body and media type: of a problem, or of the news that a message waits (202), which is none: ``review.held`` for
    a person, ``review.delayed`` for its time."""
    if problem.status >= 300:
        return encode_problem(problem), PROBLEM_JSON
    told = {
        "status": problem.reason.rpartition(".")[2],
        "message_id": problem.message_id,
        "status_url": problem.status_url,
    }
    return orjson.dumps({**told, "title": problem.title, "detail": problem.detail}), b"application/json"


def encode_problem(problem: Problem) -> bytes:
    """The body of ``application/problem+json``."""
    members: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.reason,
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        members["detail"] = problem.detail
    members["reason"] = problem.reason
    if problem.message_id:
        members["message_id"] = problem.message_id
    if problem.ground:
        members["ground"] = problem.ground
    if problem.category:
        members["category"] = problem.category
    if problem.appeal:
        members["appeal"] = problem.appeal.replace("{id}", problem.message_id)
    if problem.appeal_code:
        members["appeal_code"] = problem.appeal_code
    return orjson.dumps(members)


def problem_lines(problem: Problem) -> bytes:
    """The header lines that a problem brings.

    RateLimit and RateLimit-Policy follow draft-ietf-httpapi-ratelimit-headers-10: lists of strings with parameters.
    """
    lines = b""
    if problem.message_id:
        lines = b"Tidegate-Message-Id: %b\r\n" % problem.message_id.encode("ascii")
    if problem.retry_after > 0:
        lines += b"Retry-After: %d\r\n" % math.ceil(problem.retry_after)
    if problem.challenge:
        lines += b"WWW-Authenticate: %b\r\n" % problem.challenge
    if problem.limits:
        left = ", ".join(f'"{limit.name}";r={limit.remaining};t={math.ceil(limit.reset)}' for limit in problem.limits)
        policy = ", ".join(f'"{limit.name}";q={limit.quota};w={math.ceil(limit.window)}' for limit in problem.limits)
        lines += b"RateLimit: %b\r\nRateLimit-Policy: %b\r\n" % (left.encode("ascii"), policy.encode("ascii"))
    return lines
